SELECT comptes.compte, comptes.libelle
FROM comptes
WHERE comptes.nomenclature = :nomenclature_1 OR comptes.nomenclature IN (:nomenclature_2_1) ORDER BY comptes.compte NULLS LAST, comptes.nomenclature NULLS LAST;
