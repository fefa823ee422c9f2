CREATE TABLE balances (
	exercice SMALLINT NOT NULL,
	siret VARCHAR(14) NOT NULL,
	fonction TEXT NOT NULL,
	compte TEXT,
	etat VARCHAR(1) NOT NULL,
	debit_1 BIGINT NOT NULL,
	credit_1 BIGINT NOT NULL,
	debit_2 BIGINT NOT NULL,
	credit_2 BIGINT NOT NULL,
	debit_3 BIGINT NOT NULL,
	credit_3 BIGINT NOT NULL,
	debit_4 BIGINT NOT NULL,
	credit_4 BIGINT NOT NULL,
	debit_5 BIGINT NOT NULL,
	credit_5 BIGINT NOT NULL,
	debit_6 BIGINT NOT NULL,
	credit_6 BIGINT NOT NULL,
	debit_7 BIGINT NOT NULL,
	credit_7 BIGINT NOT NULL,
	solde_debit BIGINT,
	solde_credit BIGINT,
	import_id INTEGER NOT NULL
);

CREATE TABLE budgets (
	exercice SMALLINT NOT NULL,
	siret VARCHAR(14) NOT NULL,
	etat VARCHAR(1) NOT NULL,
	lignes INTEGER NOT NULL,
	import_id INTEGER NOT NULL
);

CREATE TABLE collectivites (
	exercice SMALLINT NOT NULL,
	siret VARCHAR(14) NOT NULL,
	siren VARCHAR(9) NOT NULL,
	finess VARCHAR(9),
	libelle TEXT NOT NULL,
	commune TEXT,
	departement VARCHAR(3),
	insee VARCHAR(3),
	region TEXT,
	population INTEGER,
	nomenclature TEXT,
	nomenclature_detail TEXT,
	type_budget VARCHAR(1),
	type_etablissement VARCHAR(3),
	sous_type TEXT,
	activite TEXT,
	secteur TEXT,
	categorie TEXT,
	siren_epci VARCHAR(9),
	import_id INTEGER NOT NULL
);

CREATE TABLE comptes (
	nomenclature TEXT NOT NULL,
	compte TEXT NOT NULL,
	libelle TEXT NOT NULL
);

CREATE TABLE doublons (
	import_id INTEGER NOT NULL,
	source TEXT NOT NULL,
	exercice SMALLINT NOT NULL,
	siret VARCHAR(14) NOT NULL,
	fonction TEXT,
	compte TEXT,
	etat VARCHAR(1),
	operation SMALLINT,
	lignes INTEGER NOT NULL
);

CREATE TABLE imports (
	import_id INTEGER NOT NULL,
	fichier TEXT NOT NULL,
	sha256 VARCHAR(64) NOT NULL,
	source TEXT NOT NULL,
	date TEXT NOT NULL,
	lignes INTEGER NOT NULL,
	budgets INTEGER NOT NULL
);

CREATE TABLE membres_epci (
	exercice SMALLINT NOT NULL,
	siren_epci VARCHAR(9) NOT NULL,
	libelle_epci TEXT,
	nature TEXT,
	siren VARCHAR(9),
	commune VARCHAR(5),
	libelle TEXT,
	import_id INTEGER NOT NULL
);

CREATE TABLE plan_chapitres (
	nomenclature TEXT NOT NULL,
	variante TEXT NOT NULL,
	exercice SMALLINT NOT NULL,
	chapitre TEXT NOT NULL,
	section TEXT,
	libelle TEXT NOT NULL,
	nature TEXT,
	import_id INTEGER NOT NULL
);

CREATE TABLE plan_comptes (
	nomenclature TEXT NOT NULL,
	variante TEXT NOT NULL,
	exercice SMALLINT NOT NULL,
	compte TEXT NOT NULL,
	parent TEXT,
	libelle TEXT NOT NULL,
	libelle_court TEXT,
	depense_reelle TEXT,
	depense_ordre TEXT,
	depense_ordre_interieur TEXT,
	recette_reelle TEXT,
	recette_ordre TEXT,
	recette_ordre_interieur TEXT,
	totalise SMALLINT,
	supprime SMALLINT,
	import_id INTEGER NOT NULL
);

CREATE TABLE plan_fonctions (
	nomenclature TEXT NOT NULL,
	variante TEXT NOT NULL,
	exercice SMALLINT NOT NULL,
	fonction TEXT NOT NULL,
	parent TEXT,
	libelle TEXT NOT NULL,
	libelle_court TEXT,
	import_id INTEGER NOT NULL
);

CREATE TABLE plans (
	nomenclature TEXT NOT NULL,
	variante TEXT NOT NULL,
	exercice SMALLINT NOT NULL,
	nature TEXT NOT NULL,
	lignes INTEGER NOT NULL,
	fichier TEXT NOT NULL,
	licence TEXT NOT NULL,
	import_id INTEGER NOT NULL
);

CREATE TABLE populations (
	identifiant TEXT NOT NULL,
	nature TEXT NOT NULL,
	exercice SMALLINT,
	population INTEGER NOT NULL,
	import_id INTEGER NOT NULL
);

CREATE TABLE "references" (
	nature TEXT NOT NULL,
	code TEXT NOT NULL,
	libelle TEXT NOT NULL
);

CREATE TABLE versions (
	version INTEGER NOT NULL
);

CREATE TABLE cells (
	exercice SMALLINT NOT NULL,
	siret VARCHAR(14) NOT NULL,
	codes BYTEA NOT NULL,
	cents BYTEA NOT NULL,
	import_id INTEGER NOT NULL
);

CREATE TABLE cells_comptes (
	import_id INTEGER NOT NULL,
	numero INTEGER NOT NULL,
	compte TEXT NOT NULL,
	montants INTEGER NOT NULL
);
