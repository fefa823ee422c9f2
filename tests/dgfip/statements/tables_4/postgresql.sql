CREATE TABLE workbench.balances (
	exercice SMALLINT NOT NULL,
	siret TEXT COLLATE "C" NOT NULL,
	fonction TEXT COLLATE "C" NOT NULL,
	compte TEXT COLLATE "C",
	etat TEXT COLLATE "C" NOT NULL,
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
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.budgets (
	exercice SMALLINT NOT NULL,
	siret TEXT COLLATE "C" NOT NULL,
	etat TEXT COLLATE "C" NOT NULL,
	lignes INTEGER NOT NULL,
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.collectivites (
	exercice SMALLINT NOT NULL,
	siret TEXT COLLATE "C" NOT NULL,
	siren TEXT COLLATE "C" NOT NULL,
	finess TEXT COLLATE "C",
	libelle TEXT COLLATE "C" NOT NULL,
	commune TEXT COLLATE "C",
	departement TEXT COLLATE "C",
	insee TEXT COLLATE "C",
	region TEXT COLLATE "C",
	population INTEGER,
	nomenclature TEXT COLLATE "C",
	nomenclature_detail TEXT COLLATE "C",
	type_budget TEXT COLLATE "C",
	type_etablissement TEXT COLLATE "C",
	sous_type TEXT COLLATE "C",
	activite TEXT COLLATE "C",
	secteur TEXT COLLATE "C",
	categorie TEXT COLLATE "C",
	siren_epci TEXT COLLATE "C",
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.comptes (
	nomenclature TEXT COLLATE "C" NOT NULL,
	compte TEXT COLLATE "C" NOT NULL,
	libelle TEXT COLLATE "C" NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.doublons (
	import_id INTEGER NOT NULL,
	source TEXT COLLATE "C" NOT NULL,
	exercice SMALLINT NOT NULL,
	siret TEXT COLLATE "C" NOT NULL,
	fonction TEXT COLLATE "C",
	compte TEXT COLLATE "C",
	etat TEXT COLLATE "C",
	operation SMALLINT,
	lignes INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.imports (
	import_id INTEGER NOT NULL,
	fichier TEXT COLLATE "C" NOT NULL,
	sha256 TEXT COLLATE "C" NOT NULL,
	source TEXT COLLATE "C" NOT NULL,
	date TEXT COLLATE "C" NOT NULL,
	lignes INTEGER NOT NULL,
	budgets INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.membres_epci (
	exercice SMALLINT NOT NULL,
	siren_epci TEXT COLLATE "C" NOT NULL,
	libelle_epci TEXT COLLATE "C",
	nature TEXT COLLATE "C",
	siren TEXT COLLATE "C",
	commune TEXT COLLATE "C",
	libelle TEXT COLLATE "C",
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.plan_chapitres (
	nomenclature TEXT COLLATE "C" NOT NULL,
	variante TEXT COLLATE "C" NOT NULL,
	exercice SMALLINT NOT NULL,
	chapitre TEXT COLLATE "C" NOT NULL,
	section TEXT COLLATE "C",
	libelle TEXT COLLATE "C" NOT NULL,
	nature TEXT COLLATE "C",
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.plan_comptes (
	nomenclature TEXT COLLATE "C" NOT NULL,
	variante TEXT COLLATE "C" NOT NULL,
	exercice SMALLINT NOT NULL,
	compte TEXT COLLATE "C" NOT NULL,
	parent TEXT COLLATE "C",
	libelle TEXT COLLATE "C" NOT NULL,
	libelle_court TEXT COLLATE "C",
	depense_reelle TEXT COLLATE "C",
	depense_ordre TEXT COLLATE "C",
	depense_ordre_interieur TEXT COLLATE "C",
	recette_reelle TEXT COLLATE "C",
	recette_ordre TEXT COLLATE "C",
	recette_ordre_interieur TEXT COLLATE "C",
	totalise SMALLINT,
	supprime SMALLINT,
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.plan_fonctions (
	nomenclature TEXT COLLATE "C" NOT NULL,
	variante TEXT COLLATE "C" NOT NULL,
	exercice SMALLINT NOT NULL,
	fonction TEXT COLLATE "C" NOT NULL,
	parent TEXT COLLATE "C",
	libelle TEXT COLLATE "C" NOT NULL,
	libelle_court TEXT COLLATE "C",
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.plans (
	nomenclature TEXT COLLATE "C" NOT NULL,
	variante TEXT COLLATE "C" NOT NULL,
	exercice SMALLINT NOT NULL,
	nature TEXT COLLATE "C" NOT NULL,
	lignes INTEGER NOT NULL,
	fichier TEXT COLLATE "C" NOT NULL,
	licence TEXT COLLATE "C" NOT NULL,
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.populations (
	identifiant TEXT COLLATE "C" NOT NULL,
	nature TEXT COLLATE "C" NOT NULL,
	exercice SMALLINT,
	population INTEGER NOT NULL,
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench."references" (
	nature TEXT COLLATE "C" NOT NULL,
	code TEXT COLLATE "C" NOT NULL,
	libelle TEXT COLLATE "C" NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.versions (
	version INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);

CREATE TABLE workbench.cells (
	exercice SMALLINT NOT NULL,
	siret TEXT COLLATE "C" NOT NULL,
	codes BYTEA NOT NULL,
	cents BYTEA NOT NULL,
	import_id INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
)
 WITH (toast_tuple_target = 8160);

CREATE TABLE workbench.cells_comptes (
	import_id INTEGER NOT NULL,
	numero INTEGER NOT NULL,
	compte TEXT COLLATE "C" NOT NULL,
	montants INTEGER NOT NULL,
	depuis INTEGER DEFAULT current_setting('workbench.etat')::integer NOT NULL,
	jusqu_a INTEGER DEFAULT 2147483647 NOT NULL
);
