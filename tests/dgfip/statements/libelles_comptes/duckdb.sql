SELECT anon_1.compte, anon_1.libelle
FROM (SELECT plan_comptes.compte AS compte, plan_comptes.libelle AS libelle, row_number() OVER (PARTITION BY plan_comptes.compte ORDER BY plan_comptes.exercice DESC, plan_comptes.nomenclature DESC, plan_comptes.variante) AS rang
FROM plan_comptes
WHERE plan_comptes.nomenclature IN ($2)) AS anon_1
WHERE anon_1.rang = $1;

SELECT comptes.compte, comptes.libelle
FROM comptes
WHERE comptes.nomenclature = $1 OR comptes.nomenclature IN ($2) ORDER BY comptes.compte, comptes.nomenclature;
