SELECT anon_1.compte, anon_1.libelle
FROM (SELECT plan_comptes.compte AS compte, plan_comptes.libelle AS libelle, row_number() OVER (PARTITION BY plan_comptes.compte ORDER BY plan_comptes.exercice DESC NULLS LAST, plan_comptes.nomenclature DESC NULLS LAST, plan_comptes.variante NULLS LAST) AS rang
FROM plan_comptes
WHERE plan_comptes.nomenclature IN (:nomenclature_1_1)) AS anon_1
WHERE anon_1.rang = :rang_1;

SELECT comptes.compte, comptes.libelle
FROM comptes
WHERE comptes.nomenclature = :nomenclature_1 OR comptes.nomenclature IN (:nomenclature_2_1) ORDER BY comptes.compte NULLS LAST, comptes.nomenclature NULLS LAST;
