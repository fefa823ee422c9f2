SELECT count(balances.solde_debit) AS n
FROM balances
WHERE true;

SELECT anon_1.siret, anon_1.exercice, anon_1.debits_centimes, anon_1.credits_centimes, anon_1.ecart_centimes, count(*) OVER () AS nombre_total
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, CAST(sum(balances.debit_1) AS BIGINT) AS debits_centimes, CAST(sum(balances.credit_1) AS BIGINT) AS credits_centimes, CAST(sum(balances.debit_1) AS BIGINT) - CAST(sum(balances.credit_1) AS BIGINT) AS ecart_centimes
FROM balances
WHERE true GROUP BY balances.siret, balances.exercice
HAVING CAST(sum(balances.debit_1) AS BIGINT) != CAST(sum(balances.credit_1) AS BIGINT) ORDER BY abs(CAST(sum(balances.debit_1) AS BIGINT) - CAST(sum(balances.credit_1) AS BIGINT)) DESC NULLS LAST, balances.siret NULLS LAST, balances.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.debits_centimes, anon_1.credits_centimes, anon_1.ecart_centimes, count(*) OVER () AS nombre_total
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, CAST(sum((balances.debit_2 - balances.credit_7) + balances.debit_3 + balances.debit_4) AS BIGINT) AS debits_centimes, CAST(sum((balances.credit_2 - balances.debit_7) + balances.credit_3 + balances.credit_4) AS BIGINT) AS credits_centimes, CAST(sum((balances.debit_2 - balances.credit_7) + balances.debit_3 + balances.debit_4) AS BIGINT) - CAST(sum((balances.credit_2 - balances.debit_7) + balances.credit_3 + balances.credit_4) AS BIGINT) AS ecart_centimes
FROM balances
WHERE true GROUP BY balances.siret, balances.exercice
HAVING CAST(sum((balances.debit_2 - balances.credit_7) + balances.debit_3 + balances.debit_4) AS BIGINT) != CAST(sum((balances.credit_2 - balances.debit_7) + balances.credit_3 + balances.credit_4) AS BIGINT) ORDER BY abs(CAST(sum((balances.debit_2 - balances.credit_7) + balances.debit_3 + balances.debit_4) AS BIGINT) - CAST(sum((balances.credit_2 - balances.debit_7) + balances.credit_3 + balances.credit_4) AS BIGINT)) DESC NULLS LAST, balances.siret NULLS LAST, balances.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.debits_centimes, anon_1.credits_centimes, anon_1.ecart_centimes, count(*) OVER () AS nombre_total
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, CAST(sum(balances.debit_6) AS BIGINT) AS debits_centimes, CAST(sum(balances.credit_6) AS BIGINT) AS credits_centimes, CAST(sum(balances.debit_6) AS BIGINT) - CAST(sum(balances.credit_6) AS BIGINT) AS ecart_centimes
FROM balances
WHERE true GROUP BY balances.siret, balances.exercice
HAVING CAST(sum(balances.debit_6) AS BIGINT) != CAST(sum(balances.credit_6) AS BIGINT) ORDER BY abs(CAST(sum(balances.debit_6) AS BIGINT) - CAST(sum(balances.credit_6) AS BIGINT)) DESC NULLS LAST, balances.siret NULLS LAST, balances.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.debits_centimes, anon_1.credits_centimes, anon_1.ecart_centimes, count(*) OVER () AS nombre_total
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, CAST(sum(coalesce(balances.solde_debit, :coalesce_1)) AS BIGINT) AS debits_centimes, CAST(sum(coalesce(balances.solde_credit, :coalesce_2)) AS BIGINT) AS credits_centimes, CAST(sum(coalesce(balances.solde_debit, :coalesce_1)) AS BIGINT) - CAST(sum(coalesce(balances.solde_credit, :coalesce_2)) AS BIGINT) AS ecart_centimes
FROM balances
WHERE true GROUP BY balances.siret, balances.exercice
HAVING CAST(sum(coalesce(balances.solde_debit, :coalesce_1)) AS BIGINT) != CAST(sum(coalesce(balances.solde_credit, :coalesce_2)) AS BIGINT) ORDER BY abs(CAST(sum(coalesce(balances.solde_debit, :coalesce_1)) AS BIGINT) - CAST(sum(coalesce(balances.solde_credit, :coalesce_2)) AS BIGINT)) DESC NULLS LAST, balances.siret NULLS LAST, balances.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.compte, anon_1.fonction, anon_1.solde_debit_centimes, anon_1.solde_credit_centimes, anon_1.attendu_centimes, count(*) OVER () AS nombre_total
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, balances.compte AS compte, balances.fonction AS fonction, balances.solde_debit AS solde_debit_centimes, balances.solde_credit AS solde_credit_centimes, ((((((((balances.debit_1 - balances.credit_1) + balances.debit_2) - balances.credit_2) + balances.debit_3) - balances.credit_3) + balances.debit_4) - balances.credit_4) + balances.debit_7) - balances.credit_7 AS attendu_centimes
FROM balances
WHERE balances.solde_debit - balances.solde_credit != ((((((((balances.debit_1 - balances.credit_1) + balances.debit_2) - balances.credit_2) + balances.debit_3) - balances.credit_3) + balances.debit_4) - balances.credit_4) + balances.debit_7) - balances.credit_7 ORDER BY balances.siret NULLS LAST, balances.exercice NULLS LAST, balances.compte NULLS LAST, balances.fonction NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.compte, anon_1.fonction, anon_1.solde_debit_centimes, anon_1.solde_credit_centimes, count(*) OVER () AS nombre_total
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, balances.compte AS compte, balances.fonction AS fonction, balances.solde_debit AS solde_debit_centimes, balances.solde_credit AS solde_credit_centimes
FROM balances
WHERE balances.solde_debit != :solde_debit_1 AND balances.solde_credit != :solde_credit_1 ORDER BY balances.siret NULLS LAST, balances.exercice NULLS LAST, balances.compte NULLS LAST, balances.fonction NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.compte, anon_1.fonction, anon_1.etat, anon_1.operation, anon_1.lignes, count(*) OVER () AS nombre_total
FROM (SELECT anon_2.siret AS siret, anon_2.exercice AS exercice, anon_2.compte AS compte, anon_2.fonction AS fonction, anon_2.etat AS etat, anon_2.operation AS operation, anon_2.lignes AS lignes
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, balances.compte AS compte, balances.fonction AS fonction, balances.etat AS etat, CAST(NULL AS BIGINT) AS operation, count(*) AS lignes
FROM balances
WHERE true GROUP BY balances.siret, balances.exercice, balances.compte, balances.fonction, balances.etat
HAVING count(*) > :count_1 UNION ALL SELECT doublons.siret AS siret, doublons.exercice AS exercice, doublons.compte AS compte, doublons.fonction AS fonction, doublons.etat AS etat, CAST(doublons.operation AS BIGINT) AS operation, doublons.lignes AS lignes
FROM doublons
WHERE doublons.source = :source_1) AS anon_2 ORDER BY anon_2.siret NULLS LAST, anon_2.exercice NULLS LAST, anon_2.compte NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.fonction, anon_1.lignes, count(*) OVER () AS nombre_total
FROM (SELECT balances.siret AS siret, balances.exercice AS exercice, balances.fonction AS fonction, count(*) AS lignes
FROM balances
WHERE balances.compte IS NULL GROUP BY balances.siret, balances.exercice, balances.fonction ORDER BY balances.siret NULLS LAST, balances.exercice NULLS LAST, balances.fonction NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, count(*) OVER () AS nombre_total
FROM (SELECT budgets.siret AS siret, budgets.exercice AS exercice
FROM budgets
WHERE budgets.etat = :etat_1 ORDER BY budgets.siret NULLS LAST, budgets.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.apres, anon_1.avant, count(*) OVER () AS nombre_total
FROM (SELECT anon_2.siret AS siret, anon_2.apres AS apres, anon_2.avant AS avant
FROM (SELECT budgets.siret AS siret, budgets.exercice AS apres, lead(budgets.exercice) OVER (PARTITION BY budgets.siret ORDER BY budgets.exercice NULLS LAST) AS avant
FROM budgets
WHERE budgets.siret IN (SELECT budgets.siret
FROM budgets
WHERE true)) AS anon_2
WHERE anon_2.avant > anon_2.apres + :apres_1 ORDER BY anon_2.siret NULLS LAST, anon_2.apres NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT collectivites.nomenclature, balances.exercice, balances.compte, count(*) AS lignes
FROM balances JOIN collectivites ON collectivites.siret = balances.siret AND collectivites.exercice = balances.exercice
WHERE balances.compte IS NOT NULL AND collectivites.nomenclature IS NOT NULL GROUP BY collectivites.nomenclature, balances.exercice, balances.compte;

SELECT DISTINCT comptes.nomenclature, comptes.compte
FROM comptes;

SELECT DISTINCT plan_comptes.nomenclature, plan_comptes.exercice, plan_comptes.compte
FROM plan_comptes
WHERE plan_comptes.exercice IN (:exercice_1_1, :exercice_1_2, :exercice_1_3, :exercice_1_4, :exercice_1_5, :exercice_1_6, :exercice_1_7, :exercice_1_8);

SELECT anon_1.siret, anon_1.exercice, count(*) OVER () AS nombre_total
FROM (SELECT budgets.siret AS siret, budgets.exercice AS exercice
FROM budgets
WHERE NOT (EXISTS (SELECT *
FROM collectivites
WHERE collectivites.siret = budgets.siret AND collectivites.exercice = budgets.exercice)) ORDER BY budgets.siret NULLS LAST, budgets.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.libelle, count(*) OVER () AS nombre_total
FROM (SELECT collectivites.siret AS siret, collectivites.exercice AS exercice, collectivites.libelle AS libelle
FROM collectivites
WHERE NOT (EXISTS (SELECT *
FROM budgets
WHERE collectivites.siret = budgets.siret AND collectivites.exercice = budgets.exercice)) ORDER BY collectivites.siret NULLS LAST, collectivites.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

SELECT anon_1.siret, anon_1.exercice, anon_1.lignes, count(*) OVER () AS nombre_total
FROM (SELECT doublons.siret AS siret, doublons.exercice AS exercice, doublons.lignes AS lignes
FROM doublons
WHERE doublons.source = :source_1 ORDER BY doublons.siret NULLS LAST, doublons.exercice NULLS LAST) AS anon_1
 LIMIT :param_1;

WITH kept AS
(SELECT collectivites.exercice AS exercice, collectivites.siret AS siret, collectivites.siren AS siren, collectivites.finess AS finess, collectivites.libelle AS libelle, collectivites.commune AS commune, collectivites.departement AS departement, collectivites.insee AS insee, collectivites.region AS region, collectivites.population AS population, collectivites.nomenclature AS nomenclature, collectivites.nomenclature_detail AS nomenclature_detail, collectivites.type_budget AS type_budget, collectivites.type_etablissement AS type_etablissement, collectivites.sous_type AS sous_type, collectivites.activite AS activite, collectivites.secteur AS secteur, collectivites.categorie AS categorie, collectivites.siren_epci AS siren_epci, collectivites.import_id AS import_id
FROM collectivites
WHERE true),
located AS
(SELECT kept.exercice AS exercice, kept.siret AS siret, kept.siren AS siren, kept.finess AS finess, kept.libelle AS libelle, kept.commune AS commune, kept.departement AS departement, kept.insee AS insee, kept.region AS region, kept.population AS population, kept.nomenclature AS nomenclature, kept.nomenclature_detail AS nomenclature_detail, kept.type_budget AS type_budget, kept.type_etablissement AS type_etablissement, kept.sous_type AS sous_type, kept.activite AS activite, kept.secteur AS secteur, kept.categorie AS categorie, kept.siren_epci AS siren_epci, kept.import_id AS import_id, CASE WHEN (communes.siren IS NOT NULL) THEN CASE WHEN (left(kept.departement, 2) = '10') THEN '97' ELSE right(kept.departement, 2) END || kept.insee ELSE NULL END AS code_commune
FROM kept LEFT OUTER JOIN (SELECT DISTINCT collectivites.siren AS siren, collectivites.exercice AS exercice
FROM collectivites
WHERE collectivites.type_etablissement = '101' AND collectivites.siren IN (SELECT kept.siren
FROM kept)) AS communes ON communes.siren = kept.siren AND communes.exercice = kept.exercice),
relevant AS
(SELECT populations.identifiant AS identifiant, populations.nature AS nature, populations.exercice AS exercice, populations.population AS population, populations.import_id AS import_id
FROM populations
WHERE populations.identifiant IN (SELECT located.siret
FROM located UNION ALL SELECT located.siren
FROM located UNION ALL SELECT located.code_commune
FROM located))
 SELECT anon_1.siret, anon_1.exercice, anon_1.libelle, count(*) OVER () AS nombre_total
FROM (SELECT described.siret AS siret, described.exercice AS exercice, described.libelle AS libelle
FROM (SELECT located.exercice AS exercice, located.siret AS siret, located.siren AS siren, located.finess AS finess, located.libelle AS libelle, located.commune AS commune, located.departement AS departement, located.insee AS insee, located.region AS region, located.nomenclature AS nomenclature, located.nomenclature_detail AS nomenclature_detail, located.type_budget AS type_budget, located.type_etablissement AS type_etablissement, located.sous_type AS sous_type, located.activite AS activite, located.secteur AS secteur, located.categorie AS categorie, located.siren_epci AS siren_epci, located.import_id AS import_id, coalesce(located.population, siret_exercice.population, siret_toujours.population, siren_exercice.population, siren_toujours.population, commune_exercice.population, commune_toujours.population) AS population
FROM located LEFT OUTER JOIN relevant AS siret_exercice ON siret_exercice.nature = 'siret' AND siret_exercice.identifiant = located.siret AND siret_exercice.exercice = located.exercice LEFT OUTER JOIN relevant AS siret_toujours ON siret_toujours.nature = 'siret' AND siret_toujours.identifiant = located.siret AND siret_toujours.exercice IS NULL LEFT OUTER JOIN relevant AS siren_exercice ON siren_exercice.nature = 'siren' AND siren_exercice.identifiant = located.siren AND siren_exercice.exercice = located.exercice LEFT OUTER JOIN relevant AS siren_toujours ON siren_toujours.nature = 'siren' AND siren_toujours.identifiant = located.siren AND siren_toujours.exercice IS NULL LEFT OUTER JOIN relevant AS commune_exercice ON commune_exercice.nature = 'commune' AND commune_exercice.identifiant = located.code_commune AND commune_exercice.exercice = located.exercice LEFT OUTER JOIN relevant AS commune_toujours ON commune_toujours.nature = 'commune' AND commune_toujours.identifiant = located.code_commune AND commune_toujours.exercice IS NULL) AS described
WHERE described.population IS NULL ORDER BY described.siret NULLS LAST, described.exercice NULLS LAST, described.libelle NULLS LAST) AS anon_1
 LIMIT :param_12;

WITH kept AS
(SELECT collectivites.exercice AS exercice, collectivites.siret AS siret, collectivites.siren AS siren, collectivites.finess AS finess, collectivites.libelle AS libelle, collectivites.commune AS commune, collectivites.departement AS departement, collectivites.insee AS insee, collectivites.region AS region, collectivites.population AS population, collectivites.nomenclature AS nomenclature, collectivites.nomenclature_detail AS nomenclature_detail, collectivites.type_budget AS type_budget, collectivites.type_etablissement AS type_etablissement, collectivites.sous_type AS sous_type, collectivites.activite AS activite, collectivites.secteur AS secteur, collectivites.categorie AS categorie, collectivites.siren_epci AS siren_epci, collectivites.import_id AS import_id
FROM collectivites
WHERE true),
located AS
(SELECT kept.exercice AS exercice, kept.siret AS siret, kept.siren AS siren, kept.finess AS finess, kept.libelle AS libelle, kept.commune AS commune, kept.departement AS departement, kept.insee AS insee, kept.region AS region, kept.population AS population, kept.nomenclature AS nomenclature, kept.nomenclature_detail AS nomenclature_detail, kept.type_budget AS type_budget, kept.type_etablissement AS type_etablissement, kept.sous_type AS sous_type, kept.activite AS activite, kept.secteur AS secteur, kept.categorie AS categorie, kept.siren_epci AS siren_epci, kept.import_id AS import_id, CASE WHEN (communes.siren IS NOT NULL) THEN CASE WHEN (left(kept.departement, 2) = '10') THEN '97' ELSE right(kept.departement, 2) END || kept.insee ELSE NULL END AS code_commune
FROM kept LEFT OUTER JOIN (SELECT DISTINCT collectivites.siren AS siren, collectivites.exercice AS exercice
FROM collectivites
WHERE collectivites.type_etablissement = '101' AND collectivites.siren IN (SELECT kept.siren
FROM kept)) AS communes ON communes.siren = kept.siren AND communes.exercice = kept.exercice),
relevant AS
(SELECT populations.identifiant AS identifiant, populations.nature AS nature, populations.exercice AS exercice, populations.population AS population, populations.import_id AS import_id
FROM populations
WHERE populations.identifiant IN (SELECT located.siret
FROM located UNION ALL SELECT located.siren
FROM located UNION ALL SELECT located.code_commune
FROM located))
 SELECT anon_1.siret, anon_1.exercice, anon_1.libelle, anon_1.population, count(*) OVER () AS nombre_total
FROM (SELECT described.siret AS siret, described.exercice AS exercice, described.libelle AS libelle, described.population AS population
FROM (SELECT located.exercice AS exercice, located.siret AS siret, located.siren AS siren, located.finess AS finess, located.libelle AS libelle, located.commune AS commune, located.departement AS departement, located.insee AS insee, located.region AS region, located.nomenclature AS nomenclature, located.nomenclature_detail AS nomenclature_detail, located.type_budget AS type_budget, located.type_etablissement AS type_etablissement, located.sous_type AS sous_type, located.activite AS activite, located.secteur AS secteur, located.categorie AS categorie, located.siren_epci AS siren_epci, located.import_id AS import_id, coalesce(located.population, siret_exercice.population, siret_toujours.population, siren_exercice.population, siren_toujours.population, commune_exercice.population, commune_toujours.population) AS population
FROM located LEFT OUTER JOIN relevant AS siret_exercice ON siret_exercice.nature = 'siret' AND siret_exercice.identifiant = located.siret AND siret_exercice.exercice = located.exercice LEFT OUTER JOIN relevant AS siret_toujours ON siret_toujours.nature = 'siret' AND siret_toujours.identifiant = located.siret AND siret_toujours.exercice IS NULL LEFT OUTER JOIN relevant AS siren_exercice ON siren_exercice.nature = 'siren' AND siren_exercice.identifiant = located.siren AND siren_exercice.exercice = located.exercice LEFT OUTER JOIN relevant AS siren_toujours ON siren_toujours.nature = 'siren' AND siren_toujours.identifiant = located.siren AND siren_toujours.exercice IS NULL LEFT OUTER JOIN relevant AS commune_exercice ON commune_exercice.nature = 'commune' AND commune_exercice.identifiant = located.code_commune AND commune_exercice.exercice = located.exercice LEFT OUTER JOIN relevant AS commune_toujours ON commune_toujours.nature = 'commune' AND commune_toujours.identifiant = located.code_commune AND commune_toujours.exercice IS NULL) AS described
WHERE described.population < :population_1 ORDER BY described.siret NULLS LAST, described.exercice NULLS LAST, described.libelle NULLS LAST) AS anon_1
 LIMIT :param_12;

SELECT DISTINCT budgets.siret
FROM budgets
WHERE true ORDER BY budgets.siret NULLS LAST;
