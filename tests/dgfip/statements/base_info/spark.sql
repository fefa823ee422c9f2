SELECT budgets.exercice, count(*) AS n
FROM budgets GROUP BY budgets.exercice ORDER BY budgets.exercice NULLS LAST;

SELECT collectivites.nomenclature, count(*) AS n
FROM collectivites JOIN budgets ON budgets.siret = collectivites.siret AND budgets.exercice = collectivites.exercice GROUP BY collectivites.nomenclature ORDER BY count(*) DESC NULLS LAST, collectivites.nomenclature NULLS LAST;

SELECT (SELECT count(DISTINCT budgets.siret) AS count_1
FROM budgets) AS sirets, (SELECT count(*) AS count_2
FROM balances) AS rows;

SELECT imports.import_id, imports.fichier, imports.source, imports.date, imports.lignes, imports.budgets
FROM imports ORDER BY imports.import_id NULLS LAST;
