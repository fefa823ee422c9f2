SELECT cells.siret, cells.exercice, cells.import_id, cells.codes, cells.cents
FROM cells
WHERE cells.siret >= :siret_1 AND cells.siret <= :siret_2;

SELECT rangs.rang, cells.import_id, cells.codes, cells.cents
FROM rangs JOIN cells ON cells.siret = rangs.siret AND cells.exercice = rangs.exercice;
