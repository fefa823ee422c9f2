SELECT comptes.compte, comptes.libelle
FROM comptes
WHERE comptes.nomenclature = $1 OR comptes.nomenclature IN ($2) ORDER BY comptes.compte, comptes.nomenclature;
