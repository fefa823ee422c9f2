SELECT comptes.compte, comptes.libelle
FROM comptes
WHERE comptes.nomenclature IN ($1, $2) ORDER BY comptes.compte, comptes.nomenclature;
