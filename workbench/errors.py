"""The table of errors: one row a kind, the exception that carries it, and the refusal of a wrong argument.

Clients match the stable ASCII ``code``; people read the French sentence and its hint. A sentence
is a ``str.format`` template; the values given when raising fill it and stay on the exception as
``details``, so that a message is one rendering and not the only record. It is one module, however
long, because it is one table: a code is looked up here and nowhere else.
"""

from __future__ import annotations

import errno
import os
import re
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ERRORS", "ErrorKind", "WorkbenchError", "reason", "require_kind"]

_NOT_THE_READER_S = tuple(
    {str(Path(__file__).parent), "<frozen", *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))}
)
"""Where code is that no reader of an error wrote."""


@dataclass(frozen=True)
class ErrorKind:
    """One row of the table of errors.

    Parameters
    ----------
    sentence
        French, says what is wrong and where; a ``str.format`` template.
    hint
        French, says what to do; a template too; may be empty.
    status
        HTTP status that a service answers with.
    """

    sentence: str
    hint: str = ""
    status: int = 400


class WorkbenchError(Exception):
    """An error that its reader can act on.

    Parameters
    ----------
    code
        A key of `ERRORS`.
    **details
        Values of the sentence's and hint's fields.

    Examples
    --------
    >>> error = WorkbenchError("base_absente", chemin="base.duckdb")
    >>> print(error)
    La base base.duckdb n'existe pas.
    Importez d'abord des balances (workbench base import balances.csv) ou un batch (workbench signaux import 1802.yaml).
    >>> error.code, error.details
    ('base_absente', {'chemin': 'base.duckdb'})
    """

    def __init__(self, code: str, **details: Any) -> None:
        self.code = code
        self.details = details
        self.kind = ERRORS[code]
        super().__init__(code, details)

    @property
    def message(self) -> str:
        """The French sentence, filled."""
        return self.kind.sentence.format(**{name: _in_french(value) for name, value in self.details.items()})

    @property
    def hint(self) -> str:
        """The French hint, filled; empty when the row has none."""
        return self.kind.hint.format(**self.details)

    @property
    def status(self) -> int:
        """The HTTP status of this kind of error."""
        return self.kind.status

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the sentence, what to do, and the line of the reader's own code."""
        own = [
            frame
            for frame in traceback.extract_tb(self.__traceback__)
            if not frame.filename.startswith(_NOT_THE_READER_S)
        ]
        lines = [f"\x1b[31m{self.message}\x1b[0m", self.hint]
        if own and own[-1].line:
            lines.append(f"\x1b[2mligne {own[-1].lineno} : {own[-1].line}\x1b[0m")
        return [line for line in lines if line]

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.code, self.details)


_REASONS = {
    errno.EACCES: "l'accès est refusé",
    errno.EADDRINUSE: "l'adresse est déjà prise",
    errno.EBUSY: "il est occupé",
    errno.ECONNREFUSED: "la connexion est refusée",
    errno.ECONNRESET: "la connexion a été coupée",
    errno.EDQUOT: "le quota du disque est atteint",
    errno.EEXIST: "il existe déjà",
    errno.EFBIG: "le fichier est trop grand",
    errno.EHOSTUNREACH: "la machine ne peut pas être jointe",
    errno.EIO: "erreur de lecture ou d'écriture du disque",
    errno.EISDIR: "c'est un dossier",
    errno.ELOOP: "trop de liens symboliques se suivent",
    errno.EMFILE: "trop de fichiers sont ouverts",
    errno.ENAMETOOLONG: "le nom est trop long",
    errno.ENETUNREACH: "le réseau ne peut pas être joint",
    errno.ENFILE: "la machine a ouvert trop de fichiers",
    errno.ENOENT: "il n'existe pas",
    errno.ENOMEM: "la mémoire manque",
    errno.ENOSPC: "le disque est plein",
    errno.ENOTDIR: "ce n'est pas un dossier",
    errno.ENOTEMPTY: "le dossier n'est pas vide",
    errno.EPERM: "l'opération n'est pas permise",
    errno.EPIPE: "la connexion a été coupée",
    errno.EROFS: "le disque est en lecture seule",
    errno.ESTALE: "le partage réseau ne répond plus",
    errno.ETIMEDOUT: "le délai est passé",
    errno.EXDEV: "ce n'est pas le même disque",
}
"""What the system says in English whatever the language of the person; the other numbers are left as it says them."""

_SAID = {os.strerror(number): french for number, french in _REASONS.items()} | {
    "Name or service not known": "ce nom n'est pas connu",
    "Temporary failure in name resolution": "ce nom n'a pas pu être cherché",
}
_SAYING = re.compile(r"(?:\[Errno -?\d+\] )?(" + "|".join(map(re.escape, _SAID)) + r")(?=$|[.:\n])")


def reason(error: OSError) -> str:
    """Return why the system refused, in French where it is a usual reason.

    Examples
    --------
    >>> reason(FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)))
    'il existe déjà'
    >>> reason(OSError("autre chose"))
    'autre chose'
    """
    return str(_in_french(error.strerror or str(error)))


def _in_french(value: Any) -> Any:
    """Return a detail with what the system said of itself in French; anything else as it is."""
    return _SAYING.sub(lambda found: _SAID[found[1]], value) if isinstance(value, str) else value


def _rebuild(cls: type[WorkbenchError], code: str, details: dict[str, Any]) -> WorkbenchError:
    return cls(code, **details)


def require_kind(
    value: object, kinds: type | tuple[type, ...], parametre: str, attendu: str, conseil: str = ""
) -> None:
    """Refuse at the door an argument that would only fail deep inside.

    Parameters
    ----------
    value
        What was given.
    kinds
        The types accepted.
    parametre, attendu, conseil
        French: the name of the parameter, what it must be, what to write.

    Raises
    ------
    WorkbenchError
        ``argument_inattendu``.

    Examples
    --------
    >>> require_kind("m14", str, "nomenclature", "un texte")
    >>> require_kind(14, str, "nomenclature", "un texte", 'Par exemple "M14".')
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: Le paramètre nomenclature doit être un texte, et non 14 (int).
    Par exemple "M14".
    """
    if not isinstance(value, kinds):
        shown = "None" if value is None else f"{str(value)[:60]!s} ({type(value).__name__})".replace("\n", " ")
        raise WorkbenchError("argument_inattendu", parametre=parametre, attendu=attendu, recu=shown, conseil=conseil)


ERRORS: dict[str, ErrorKind] = {
    # --- every room
    "argument_inattendu": ErrorKind("Le paramètre {parametre} doit être {attendu}, et non {recu}.", "{conseil}"),
    # --- formules
    "formule_incorrecte": ErrorKind("La formule ne peut pas être évaluée :\n{rendu}"),
    # --- trames
    "trame_invalide": ErrorKind("La trame {source} comporte {nombre}.\n{liste}"),
    "serie_impossible": ErrorKind(
        "Les trames de la série {serie} ne se suivent pas : {cause}.",
        "Donnez deux trames ou plus, chacune d'une autre nomenclature, dont les indicateurs de même code ont la même "
        "unité.",
        422,
    ),
    "serie_figee": ErrorKind(
        "La série {serie} n'a pas d'indicateurs à elle.", "Modifiez les trames dont elle est faite : {trames}.", 422
    ),
    "serie_ecriture": ErrorKind(
        "Une série ne s'écrit pas comme une trame : {serie}.",
        "Enregistrez ou exportez les trames dont elle est faite, une par une : {trames}.",
        422,
    ),
    "trame_absente": ErrorKind("La trame {trame} n'existe pas dans {dossier}.", "{proche}", 404),
    "trame_fichier_absent": ErrorKind(
        "Le fichier {chemin} n'existe pas.", "Vérifiez le chemin ; les trames du dossier : workbench trame list", 404
    ),
    "trame_format": ErrorKind(
        "Le fichier {chemin} n'est pas une trame : son nom finit par « {suffixe} ».",
        "Une trame est un fichier .yaml, .yml ou .xlsx.",
    ),
    "trame_ecriture": ErrorKind(
        "La trame {trame} n'a pas été écrite dans {chemin} : {cause}.",
        "Le fichier, s'il existait, est resté comme il était.",
    ),
    "trame_existe": ErrorKind(
        "La trame {trame} existe déjà : {chemin}.", "Choisissez un autre code, ou modifiez-la : wb.edit_trame.", 409
    ),
    "trame_code": ErrorKind("« {nom} » n'est pas le code d'une trame.", "{conseil}", 422),
    "trame_utilisee": ErrorKind(
        "La trame {trame} ne peut pas être supprimée : {series} la nomme.",
        "Retirez-la d'abord de ces séries, ou supprimez-les.",
        409,
    ),
    "trame_non_enregistree": ErrorKind(
        "La trame {trame} a des modifications qui ne sont pas enregistrées.",
        "Enregistrez-les, ou annulez-les.",
        409,
    ),
    "trame_changee": ErrorKind(
        "La trame {trame} n'a pas été enregistrée : {chemin} a changé depuis qu'il a été lu.",
        "Rouvrez-la (wb.edit_trame) et refaites vos modifications ; votre travail est dans session.trame.",
        409,
    ),
    "trame_sans_nomenclature": ErrorKind(
        "La trame {trame} n'a pas de nomenclature : ses comptes ne se vérifient dans aucun plan.",
        "Donnez-lui sa nomenclature : nomenclature: M57",
        422,
    ),
    "modele_absent": ErrorKind("Le modèle {chemin} n'existe pas.", "Donnez le chemin d'un classeur .xlsx.", 404),
    "trame_indicateur_inconnu": ErrorKind("La trame {trame} n'a pas d'indicateur {indicateur}.", "{proche}", 404),
    "trame_indicateur_utilise": ErrorKind(
        "L'indicateur {indicateur} ne peut pas être supprimé : {utilise_par} le cite.",
        "Réécrivez ou supprimez d'abord les indicateurs qui le citent.",
        409,
    ),
    # --- engines, dgfip
    "base_absente": ErrorKind(
        "La base {chemin} n'existe pas.",
        "Importez d'abord des balances (workbench base import balances.csv) ou un batch "
        "(workbench signaux import 1802.yaml).",
        404,
    ),
    "base_illisible": ErrorKind(
        "La base {chemin} ne se lit pas ({detail}).",
        "Vérifiez que ce fichier est une base du workbench ; les états précédents sont dans le dossier voisin en .d.",
    ),
    "base_fermee": ErrorKind("La base {chemin} est fermée.", "Rouvrez-la avec connect()."),
    "base_autre_processus": ErrorKind(
        "La base {chemin} a été ouverte dans un autre processus, dont celui-ci est issu.",
        "Ouvrez la base avec connect() dans chaque processus.",
    ),
    "base_non_inscriptible": ErrorKind(
        "La base {chemin} ne peut pas être écrite ({detail}).",
        "Vérifiez vos droits sur le dossier et l'espace libre du disque.",
        403,
    ),
    "base_lecture_seule": ErrorKind(
        "La base {chemin} est ouverte en lecture seule : rien n'y est importé.",
        'Ouvrez-la en écriture : connect("{chemin}", read_only=False).',
        403,
    ),
    "dossier_absent": ErrorKind("Le dossier {dossier} n'existe pas.", "Créez-le, ou corrigez le chemin.", 404),
    "import_en_cours": ErrorKind(
        "Un autre import est en cours sur la base {chemin}.", "Attendez qu'il se termine, puis recommencez.", 409
    ),
    "moteur_inconnu": ErrorKind(
        "Le moteur « {moteur} » de {url} n'est pas disponible.",
        "Donnez le chemin d'une base DuckDB, par exemple base.duckdb, ou l'adresse d'une autre : postgresql://…, spark://….",
    ),
    "moteur_absent": ErrorKind(
        "Le moteur {moteur} n'est pas installé sur ce poste.", "Installez-le : pip install 'workbench[{extra}]'.", 503
    ),
    "adresse_invalide": ErrorKind(
        "L'adresse de la base ne se lit pas.", "Une adresse s'écrit postgresql://utilisateur@serveur:5432/base."
    ),
    "adresse_spark": ErrorKind(
        "L'adresse de base Spark « spark://… » ne se lit pas : {detail}.",
        "Écrivez spark:///dossier/base?master=local[4], avec pour maître local[*], local-cluster[2,1,1024] ou spark://machine:7077 ; spark://s3://seau/base pour un stockage d'objets.",
    ),
    "java_absent": ErrorKind(
        "Spark a besoin de Java, qui n'est pas sur ce poste.",
        "Installez une machine Java 17 ou 21 (paquet default-jre-headless), ou donnez son dossier par JAVA_HOME.",
        503,
    ),
    "spark_autre_maitre": ErrorKind(
        "Ce processus calcule déjà avec le maître Spark {courant} : il ne peut en prendre un autre, {demande}.",
        "Retirez ?master=… de l'adresse, ou redémarrez le noyau.",
        409,
    ),
    "spark_demarrage": ErrorKind(
        "Spark ne démarre pas avec le maître {maitre} ({detail}).",
        "Vérifiez l'adresse du maître et la version de Java ; le journal de Spark est sur la sortie d'erreur.",
        503,
    ),
    "spark_executants": ErrorKind(
        "Les machines de calcul de Spark ne trouvent pas le module {module}.",
        "Installez-y la même version de workbench et de Python, ou donnez leur Python par PYSPARK_PYTHON.",
        503,
    ),
    "serveur_injoignable": ErrorKind(
        "Le serveur de la base {chemin} n'ouvre pas de session ({detail}).",
        "Vérifiez l'adresse et vos droits ; le mot de passe se donne par PGPASSWORD ou par le fichier ~/.pgpass.",
        503,
    ),
    "requete_refusee": ErrorKind("La base {chemin} n'a pas pu répondre : {detail}"),
    "base_etrangere": ErrorKind(
        "La base {chemin} n'est pas une base comptable du workbench : il y manque {tables}.",
        "Donnez le chemin d'une base créée par workbench base import.",
    ),
    "base_plus_recente": ErrorKind(
        "La base {chemin} a été écrite par une version plus récente du workbench : ses tables sont de la version "
        "{version}, celui-ci lit jusqu'à la version {connue}.",
        "Mettez le workbench à jour, ou ouvrez un instantané plus ancien (workbench base snapshots).",
        409,
    ),
    "base_ancien_etat": ErrorKind(
        "La base {chemin} est ouverte sur son état {snapshot} : on n'importe que dans le plus récent.",
        "Rouvrez-la sans préciser d'état.",
        409,
    ),
    "fichier_absent": ErrorKind(
        "Le fichier {fichier} n'existe pas.", "Vérifiez le chemin ; un motif comme balances_*.csv est accepté.", 404
    ),
    "fichier_dossier": ErrorKind("{fichier} est un dossier.", "Donnez des fichiers, ou un motif : {fichier}/*.csv"),
    "fichier_vide": ErrorKind("Le fichier {fichier} est vide.", "Téléchargez-le de nouveau."),
    "fichier_sans_ligne": ErrorKind(
        "Le fichier {fichier} n'a aucune ligne sous son en-tête.", "Téléchargez-le de nouveau."
    ),
    "fichier_illisible": ErrorKind(
        "Le fichier {fichier} ne se lit pas : {detail}.", "Formats acceptés : csv, csv.gz, parquet."
    ),
    "fichier_tronque": ErrorKind(
        "Le fichier compressé {fichier} est coupé ou abîmé.", "Téléchargez-le de nouveau : rien n'a été importé."
    ),
    "encodage_inconnu": ErrorKind(
        "Le fichier {fichier} n'est écrit ni en UTF-8 ni en Windows-1252.", "Enregistrez-le en UTF-8."
    ),
    "colonnes_absentes": ErrorKind(
        "Le fichier {fichier} n'est pas un fichier {nature} : il y manque {colonnes}.{proches}",
        "Colonnes du fichier : {entete}.",
    ),
    "colonne_double": ErrorKind(
        "Le fichier {fichier} a deux colonnes {colonne}.", "Retirez celle qui est de trop : rien n'a été importé."
    ),
    "nombre_colonnes": ErrorKind(
        "Le fichier {fichier}, sans en-tête, a {nombre} colonnes ; un fichier {nature} en a {attendu}.",
        "Ordre attendu : {colonnes}…",
    ),
    "lignes_refusees": ErrorKind(
        "Le fichier {fichier} a des lignes qui ne peuvent pas être importées :\n{liste}",
        "Rien n'a été importé : corrigez ces lignes, puis recommencez.",
    ),
    "budget_double": ErrorKind(
        "Les fichiers {un} et {autre} portent tous deux le budget {siret}, exercice {exercice}{suite}.",
        "Importez l'un puis l'autre : le dernier importé remplace le premier.",
    ),
    "collectivite_double": ErrorKind(
        "Deux fichiers de collectivités décrivent le budget {siret}, exercice {exercice} ({nombre} dans ce cas).",
        "Donnez un seul de ces fichiers.",
    ),
    "population_double": ErrorKind(
        "Le fichier {fichier} donne deux populations à {identifiant}{exercice}.", "Gardez la bonne, puis recommencez."
    ),
    "references_absentes": ErrorKind(
        "Le dossier {dossier} ne contient aucune table de référence.", "Noms attendus : {noms}.", 404
    ),
    "reference_inconnue": ErrorKind("Il n'y a pas de table de référence « {nature} ».", "Connues : {connues}.", 404),
    "plans_absents": ErrorKind(
        "Aucun plan de comptes n'est connu.",
        'Importez-en dans la base (workbench base import-plan), ou donnez-les : plans=wb.plans_comptes(path="…").',
        404,
    ),
    "plan_absent": ErrorKind(
        "Il n'y a pas de plan de comptes {nomenclature}{exercice}.",
        "Exercices connus : {connus}. Un plan s'importe : workbench base import-plan",
        404,
    ),
    "variante_absente": ErrorKind(
        "Le plan {nomenclature} n'a pas de variante {variante}.", "Variantes connues : {connues}.", 404
    ),
    "compte_inconnu": ErrorKind(
        "Le compte {compte} n'est pas dans le plan {nomenclature} de {exercice}.", "{conseil}", 404
    ),
    "plan_sans_precision": ErrorKind(
        "Le fichier {fichier} n'a pas de colonne {colonne}.",
        "Ajoutez-la, ou précisez {parametre} à l'import : workbench base import-plan --help",
        422,
    ),
    "plan_double": ErrorKind(
        "Les fichiers {un} et {autre} donnent tous deux les {nature} du plan {plan}, exercice {exercice}.",
        "Importez l'un ou l'autre : rien n'a été importé.",
        409,
    ),
    "fichier_seul": ErrorKind("{motif} désigne plusieurs fichiers.", "Donnez-en un seul."),
    "identifiant_invalide": ErrorKind("« {valeur} » n'est pas un {nature}.", "{conseil}"),
    "perimetre_invalide": ErrorKind("Le critère {critere} du périmètre ne convient pas : « {valeur} ».", "{conseil}"),
    "snapshot_absent": ErrorKind(
        "L'état {snapshot} de la base {chemin} n'existe pas.", "États conservés : {connus}.", 404
    ),
    "snapshots_a_garder": ErrorKind(
        "Il faut garder au moins un état de la base, et non {nombre}.", "Donnez keep=1 ou davantage."
    ),
    "telechargement_sans_selection": ErrorKind(
        "Aucune collectivité n'est choisie pour le téléchargement.",
        "Donnez des SIRET, des SIREN ou des départements : un millésime entier compte des millions de lignes.",
    ),
    "telechargement_identifiant": ErrorKind(
        "{nature} incorrect : {valeur!r}.",
        "Un SIRET compte 14 chiffres, un SIREN 9, un département 2 ou 3 caractères (31, 2A, 974).",
    ),
    "telechargement_sans_exercice": ErrorKind(
        "Aucun exercice n'est choisi pour le téléchargement.", "Donnez une ou plusieurs années, par exemple 2019."
    ),
    "telechargement_exercice": ErrorKind(
        "L'exercice {valeur!r} n'est pas une année entre 2000 et 2100.", "Écrivez l'année en quatre chiffres."
    ),
    "telechargement_non_publie": ErrorKind(
        "Le portail ne publie aucune balance pour {exercices}.", "Exercices publiés : {publies}.", 404
    ),
    "telechargement_jeu": ErrorKind(
        "{valeur!r} n'est pas un identifiant de jeu de données.",
        "Un identifiant s'écrit en minuscules, chiffres et tirets : balances-comptables-des-communes-en-2024.",
    ),
    "telechargement_tronque": ErrorKind(
        "{fichier} : le transfert s'interrompt à chaque essai ({essais} essais, {cause}).",
        "Le fichier partiel est gardé sous {partiel}. Relancez : les fichiers déjà complets ne sont pas repris.",
        502,
    ),
    "telechargement_lignes": ErrorKind(
        "{fichier} : {recues} lignes reçues, mais le portail en annonce {annoncees}.",
        "Le fichier partiel est gardé sous {partiel}. Relancez plus tard ; si l'écart demeure, signalez-le au portail.",
        502,
    ),
    "telechargement_contenu": ErrorKind(
        "{fichier}, ligne {ligne} : ce n'est pas une balance comptable ({cause}).",
        "Le fichier partiel est gardé sous {partiel}. Vérifiez l'adresse du portail et le jeu de données {jeu}.",
        502,
    ),
    "portail_adresse": ErrorKind(
        "{valeur!r} n'est pas l'adresse d'un portail.", "Une adresse commence par https:// (WORKBENCH_OPENDATA)."
    ),
    "portail_injoignable": ErrorKind(
        "Le portail {hote} ne répond pas après {essais} essais : {cause}.",
        "Vérifiez la connexion et, s'il y en a un, le mandataire (HTTPS_PROXY), puis relancez.",
        502,
    ),
    "portail_quota": ErrorKind(
        "Le portail {hote} refuse d'autres appels jusqu'au {date}.",
        "Relancez après cette date, ou donnez une clé d'API (WORKBENCH_OPENDATA_KEY) : "
        "les fichiers déjà complets ne sont pas repris.",
        429,
    ),
    "portail_refus": ErrorKind("Le portail {hote} refuse la demande ({statut}) : {message}.", "{conseil}", 502),
    "portail_reponse": ErrorKind(
        "Le portail {hote} donne une réponse inattendue : {cause}.",
        "Vérifiez l'adresse du portail (WORKBENCH_OPENDATA) ; un mandataire répond peut-être à sa place.",
        502,
    ),
    "demonstration_parametre": ErrorKind(
        "La démonstration ne sait pas faire {valeur} {nature}.", "Choisissez entre {minimum} et {maximum}."
    ),
    # --- assisted queries, SQL
    "requete_trop_longue": ErrorKind(
        "La requête a été arrêtée : elle dépassait {secondes} s.",
        "Resserrez le périmètre ou la période, ou donnez plus de temps (timeout=).",
        504,
    ),
    "requete_annulee": ErrorKind("La requête a été arrêtée à la demande.", status=409),
    "requete_moteur": ErrorKind(
        "La base {chemin} ne se prête pas aux requêtes libres.", "Interrogez une base DuckDB ou PostgreSQL.", 501
    ),
    "requete_sans_base": ErrorKind(
        "Cette requête ne dit pas sur quelle base elle porte.", "Écrivez wb.query(base), ou requete.on(base)."
    ),
    "requete_vide": ErrorKind(
        "La requête ne demande rien.", 'Ajoutez une mesure, .measure("C70"), ou un regroupement, .by("collectivite").'
    ),
    "epci_sans_exercice": ErrorKind(
        "Le fichier {fichier} ne dit pas pour quels exercices il donne les membres des EPCI.",
        "Précisez-les : exercices=2024 ; une liste décrit le 1er janvier de son année.",
        422,
    ),
    "epci_sans_membre": ErrorKind(
        "Le fichier {fichier} ne nomme pas les membres des EPCI.",
        "Il lui faut une colonne siren_membre, ou insee (code de la commune).",
        422,
    ),
    "epci_double": ErrorKind(
        "Le fichier {fichier} donne deux EPCI à {membre} en {exercice}.",
        "Une commune relève d'un seul EPCI à fiscalité propre : retirez les syndicats de la liste.",
        422,
    ),
    "requete_sans_montant": ErrorKind(
        "Ce résultat n'a pas de montant à représenter.", "Ajoutez une mesure à la requête, ou élargissez-la.", 422
    ),
    "panneau_incident": ErrorKind(
        "Cette action n'a pas abouti.", "Réessayez ; si l'erreur revient, signalez la référence {reference}.", 500
    ),
    "panneau_sans_resultat": ErrorKind(
        "La requête du panneau n'a pas encore été exécutée.", "Cliquez sur « Exécuter », ou écrivez panel.run().", 409
    ),
    "requete_mesure": ErrorKind("La mesure « {mesure} » ne convient pas : {raison}.", "{conseil}"),
    "requete_choix": ErrorKind("{quoi} « {valeur} » n'existe pas.", "{conseil}"),
    "requete_valeur": ErrorKind("La valeur « {valeur} » ne convient pas à {quoi}.", "{conseil}"),
    "requete_absente": ErrorKind("Il n'y a pas de requête enregistrée sous le nom « {nom} ».", "{conseil}", 404),
    "requete_existe": ErrorKind(
        "Une requête {portee} porte déjà le nom « {nom} ».",
        "Choisissez un autre nom, ou remplacez-la : replace=True.",
        409,
    ),
    "requete_proprietaire": ErrorKind(
        "La requête partagée « {nom} » est à {proprietaire} : vous ne pouvez ni la remplacer, ni la renommer, ni la supprimer.",
        "Faites-en une copie : duplicate_query.",
        403,
    ),
    "requete_fichier": ErrorKind("Le fichier de requête {chemin} ne se lit pas : {raison}.", "{conseil}", 422),
    "requete_ecriture": ErrorKind(
        "Le fichier {chemin} n'a pas été écrit : {cause}.", "Le fichier, s'il existait, est resté comme il était.", 403
    ),
    "sql_incorrecte": ErrorKind("La requête ne peut pas être exécutée{ou} : {raison}.{extrait}", "{conseil}", 422),
    "sql_vide": ErrorKind("Il n'y a aucune requête à exécuter.", "Écrivez par exemple : SELECT * FROM collectivites"),
    "sql_plusieurs": ErrorKind(
        "Le texte comporte plusieurs instructions ({nombre}).",
        "Une seule à la fois : retirez ce qui suit le premier « ; ».",
    ),
    "sql_interdite": ErrorKind(
        "La requête demande autre chose que lire les tables de la base : elle est refusée{ou}.{extrait}",
        "Seules sont admises les lectures : SELECT, WITH … SELECT, VALUES. Ni fichiers, ni réglages, ni écritures.",
        403,
    ),
    "sql_role": ErrorKind(
        "Le SQL libre est refusé au rôle {role} : il peut lire les fichiers du serveur ou y lancer des programmes.",
        "Ouvrez la base avec un rôle qui ne fait que lire, par exemple un membre de workbench_lecteur.",
        403,
    ),
    "sql_valeurs": ErrorKind(
        "La requête attend {attendu} valeur(s), il y en a {recu}.", "Écrivez $1, $2… et donnez parameters=[…]."
    ),
    # --- evaluation
    "indicateur_absent": ErrorKind(
        "L'indicateur {indicateur} n'est pas dans la trame {trame}.", "Voyez les codes du tableau : table.index.", 404
    ),
    "exercice_absent": ErrorKind(
        "L'exercice {exercice} n'est pas dans le tableau.", "Exercices présents : {exercices}.", 404
    ),
    "tableau_modifie": ErrorKind(
        "La valeur de {indicateur} en {exercice} n'est plus celle qui a été évaluée : le tableau a été modifié.",
        "Expliquez le tableau que wb.evaluate a rendu.",
        409,
    ),
    "explication_impossible": ErrorKind(
        "Ce tableau ne garde pas les comptes dont il est fait.", "Évaluez-le de nouveau avec wb.evaluate."
    ),
    "exercice_invalide": ErrorKind(
        "« {valeur} » n'est pas un exercice.",
        "Donnez des années à quatre chiffres : range(2018, 2024), [2019, 2021] ou 2023.",
    ),
    "valeurs_ecriture": ErrorKind(
        "Les valeurs n'ont pas été écrites dans {chemin} : {detail}.",
        "Le fichier, s'il existait, est resté comme il était.",
    ),
    "valeurs_dans_la_base": ErrorKind(
        "{chemin} est une base comptable : les valeurs ne s'y écrivent pas.",
        "Donnez un autre fichier : valeurs.duckdb.",
        409,
    ),
    "table_nom": ErrorKind(
        "« {nom} » n'est pas un nom de table.", "Des lettres sans accent, des chiffres et _ : valeurs_2024."
    ),
    "table_sans_fichier": ErrorKind(
        "Le fichier {chemin} n'a pas de tables : seul un fichier .duckdb en a.", "Écrivez dans un fichier .duckdb."
    ),
    "echelle_inconnue": ErrorKind("Il n'y a pas d'échelle de strates « {echelle} ».", "Connues : {connues}.", 404),
    "budget_absent": ErrorKind(
        "Le budget {siret} n'a pas de comptes en {exercice} dans cette base.",
        "Cherchez-le par son nom : workbench base find",
        404,
    ),
    "regroupement_inconnu": ErrorKind(
        "On ne regroupe pas les collectivités par « {valeur} ».",
        'Écrivez by="strate", by="departement" ou une liste parmi : {connus}.',
    ),
    "cellules_absentes": ErrorKind(
        "Les sommes de la base {chemin} n'ont pas pu être préparées : aucun dossier n'est inscriptible.",
        "Rendez inscriptible le dossier de la base ou celui du cache de l'utilisateur.",
    ),
    "exercices_vides": ErrorKind("Aucun exercice n'est demandé.", "Donnez au moins un exercice : range(2018, 2024)."),
    "indicateur_inconnu": ErrorKind(
        "L'indicateur {code_indicateur} se réfère à {indicateur}, qui n'est pas dans la trame.",
        "Ajoutez {indicateur} à la trame ou corrigez la formule.",
        422,
    ),
    "cycle_indicateurs": ErrorKind(
        "Ces indicateurs se réfèrent en rond : {cycle}.", "Retirez une des références du cercle.", 422
    ),
    # --- reports
    # --- reports: Excel
    "table_sans_provenance": ErrorKind(
        "Ce tableau ne dit pas d'où il vient.",
        "Passez le résultat de wb.evaluate, ou une sélection de ses lignes et colonnes.",
    ),
    "modele_illisible": ErrorKind(
        "Le modèle {chemin} n'est pas un classeur Excel lisible.",
        "Ouvrez-le dans un tableur et enregistrez-le au format .xlsx, sans mot de passe.",
    ),
    "modele_sans_convention": ErrorKind(
        "Le modèle n'a ni « $exges » en colonne D ni code d'indicateur de la table en colonne B (feuilles lues : {feuilles}).",
        "Écrivez « $exges » dans la cellule D de l'en-tête et le code de chaque indicateur dans la colonne B de sa ligne.",
    ),
    "modele_ecrase": ErrorKind(
        "Le rapport remplacerait son modèle {chemin}.",
        "Donnez un autre nom au rapport : un modèle n'est jamais modifié.",
    ),
    "balance_identifiants": ErrorKind(
        "La balance se demande pour des SIRET, des SIREN ou des FINESS, une seule sorte à la fois.",
        'Donnez par exemple sirets=["21310900200013"].',
    ),
    "classeur_extension": ErrorKind(
        "Le classeur {chemin} doit avoir un nom en .xlsx.", "Donnez un fichier .xlsx ou un dossier qui existe."
    ),
    "valeurs_extension": ErrorKind(
        "Le fichier {chemin} ne peut pas recevoir les valeurs d'une trame.",
        "Donnez un nom en .parquet, .csv ou .duckdb.",
    ),
    "tableau_extension": ErrorKind(
        "Le fichier {chemin} ne peut pas recevoir un tableau.", "Donnez un nom en .csv, .parquet ou .xlsx."
    ),
    "classeur_trop_long": ErrorKind(
        "Un classeur n'a que 1 048 576 lignes ; ce tableau en demande {lignes}.",
        "Écrivez un fichier .parquet ou .csv, ou réduisez le périmètre ou la période.",
    ),
    "classeur_non_inscriptible": ErrorKind(
        "Le classeur {chemin} ne peut pas être écrit.",
        "Fermez-le s'il est ouvert dans un tableur ; vérifiez le dossier, vos droits et la place sur le disque.",
        403,
    ),
    # --- reports: notebooks, HTML, PDF
    "notebook_absent": ErrorKind(
        "Le notebook {chemin} n'existe pas.",
        "Donnez son chemin, ou réglez WORKBENCH_NOTEBOOKS sur le dossier des notebooks.",
        404,
    ),
    "notebook_illisible": ErrorKind(
        "Le fichier {chemin} n'est pas un notebook lisible : {cause}.",
        "Ouvrez-le dans JupyterLab et enregistrez-le au format 4.",
        422,
    ),
    "notebook_sans_parametres": ErrorKind(
        "Le notebook {chemin} n'a pas de cellule de paramètres.",
        "Dans JupyterLab, donnez l'étiquette « parameters » à la cellule qui les définit.",
        422,
    ),
    "parametres_refuses": ErrorKind("Rien n'a été lancé, {nombre} :\n{liste}"),
    "parametre_inconnu": ErrorKind("Le notebook n'a pas de paramètre « {nom} ».", "{conseil}", 422),
    "parametre_mal_type": ErrorKind(
        "Le paramètre « {nom} » vaut {valeur}, alors qu'il faut {attendu}.", "{conseil}", 422
    ),
    "parametre_manquant": ErrorKind(
        "Le paramètre « {nom} » n'est pas donné et n'a pas de valeur par défaut.", "Donnez {attendu}.", 422
    ),
    "siret_malforme": ErrorKind(
        "« {siret} » n'est pas un SIRET.", "Un SIRET a 14 chiffres, sans espace : 21310900200013.", 422
    ),
    "sirets_vides": ErrorKind("Aucun SIRET n'est demandé.", "Donnez au moins un SIRET de 14 chiffres.", 422),
    "exercices_inverses": ErrorKind(
        "L'exercice de début, {debut}, vient après l'exercice de fin, {fin}.", "Échangez les deux exercices.", 422
    ),
    "exercice_impossible": ErrorKind(
        "« {exercice} » n'est pas un exercice.", "Donnez une année de quatre chiffres : 2019.", 422
    ),
    "rapport_sans_indicateur": ErrorKind(
        "Ce tableau n'a aucun indicateur.", "Vérifiez la sélection de ses lignes, ou la trame évaluée.", 422
    ),
    "rapport_colonnes": ErrorKind(
        "Les colonnes du tableau doivent être des exercices évalués, une fois chacun : {colonnes}.",
        "Passez le résultat de wb.evaluate, ou une sélection de ses lignes et colonnes, sans colonne ajoutée.",
        422,
    ),
    "rapport_vide": ErrorKind(
        "Il n'y a pas de comptes dans la base pour {perimetre}, {exercices}{nomenclature}.",
        "Vérifiez les SIRET et les exercices, puis la nomenclature de la trame : workbench base info.",
        404,
    ),
    "chromium_absent": ErrorKind(
        "Le PDF n'est pas produit : le navigateur Chromium est introuvable.",
        "Installez Chromium, ou donnez son chemin dans WORKBENCH_CHROMIUM ; le rapport HTML s'imprime aussi "
        "depuis un navigateur.",
        501,
    ),
    "pdf_echec": ErrorKind(
        "Chromium n'a pas produit le PDF de {chemin} : {cause}.",
        "Le rapport HTML reste lisible ; imprimez-le depuis un navigateur.",
        500,
    ),
    "extra_absent": ErrorKind(
        "Il manque la bibliothèque {bibliotheque}.",
        "Installez-la avec le groupe « {extra} » : pip install -r requirements.lock, dans le dossier du projet.",
        501,
    ),
    "bibliotheque_systeme": ErrorKind(
        "{bibliotheque} ne peut pas être chargée : il manque au système le fichier {fichier}.",
        "Installez-le : apt-get install libgomp1 (Debian, Ubuntu), dnf install libgomp (Fedora), brew install libomp "
        "(macOS). La régression logistique (--model logistic) s'en passe.",
        501,
    ),
    # --- identity
    "jeton_absent": ErrorKind(
        "Il faut s'identifier.", "Connectez-vous, ou joignez un jeton d'accès à la demande.", 401
    ),
    "jeton_etranger": ErrorKind(
        "Ce jeton n'est pas de l'émetteur de ce service.", "Demandez-en un à l'émetteur configuré.", 401
    ),
    "jeton_refuse": ErrorKind("Ce jeton est refusé : {raison}.", "Connectez-vous de nouveau.", 401),
    "jeton_expire": ErrorKind("Ce jeton a expiré.", "Connectez-vous de nouveau.", 401),
    "emetteur_injoignable": ErrorKind(
        "L'émetteur des identités {emetteur} ne répond pas comme il le devrait : {cause}.",
        "Réessayez dans un instant ; si cela dure, vérifiez son adresse dans WORKBENCH_ISSUER.",
        503,
    ),
    "emetteur_adresse": ErrorKind(
        "« {adresse} » n'est pas l'adresse d'un émetteur d'identités.",
        "Donnez une adresse en https:// (http:// ne sert que sur cette machine).",
        422,
    ),
    "identite_reglage": ErrorKind(
        "Le réglage de l'identité « {reglage} » ne convient pas : {valeur}.", "{conseil}", 422
    ),
    "identite_requise": ErrorKind(
        "Les tableaux de bord ne sont pas servis hors de cette machine sans que chacun s'identifie.",
        "Donnez dans WORKBENCH_ISSUER l'adresse d'un émetteur d'identités, ou servez-les à 127.0.0.1.",
        403,
    ),
    "session_finie": ErrorKind("Votre session a pris fin.", "Rechargez la page pour vous reconnecter.", 401),
    "service_absent": ErrorKind(
        "Cette page travaille avec un service qui n'est pas là : {service}.", "Ouvrez-la par workbench up.", 503
    ),
    "service_injoignable": ErrorKind(
        "Le service ne répond pas : {service}.", "Réessayez dans un instant ; si cela dure, signalez-le.", 503
    ),
    "service_refus": ErrorKind("{detail}", "{conseil}", 400),
    "email_malforme": ErrorKind(
        "« {email} » n'est pas une adresse électronique.", "Écrivez-la entière : prenom.nom@exemple.fr", 422
    ),
    "badge_malforme": ErrorKind(
        "« {badge} » n'est pas un badge.",
        "Un badge est un texte d'une ligne, de 1 à 100 signes, sans espace autour ni $ au début.",
        422,
    ),
    "espace_malforme": ErrorKind(
        "« {espace} » n'est pas le nom d'un espace de dépôt.",
        "Écrivez-le en lettres non accentuées, chiffres, points, tirets, 64 signes au plus ; ni tusd, ni public.",
        422,
    ),
    "personne_existante": ErrorKind(
        "{email} existe déjà.",
        "Changez son mot de passe ou ses badges : workbench user password, workbench user badges",
        409,
    ),
    "personne_inconnue": ErrorKind(
        "{email} n'est connue d'aucun émetteur d'ici.", "Voyez la liste : workbench user list", 404
    ),
    "comptes_de_demonstration": ErrorKind(
        "Le registre contient les comptes de la démonstration, dont les mots de passe sont connus de tous.",
        "Retirez-les (workbench user remove), ou donnez un autre registre dans WORKBENCH_REGISTRE.",
        403,
    ),
    "mot_de_passe_refuse": ErrorKind(
        "Ce mot de passe ne convient pas : {raison}.", "Choisissez une phrase de quatre mots ou plus.", 422
    ),
    "mot_de_passe_absent": ErrorKind(
        "Aucun mot de passe n'est donné.", "Tapez-le quand il est demandé, ou donnez-le sur l'entrée standard.", 422
    ),
    "connexion_refusee": ErrorKind("L'adresse ou le mot de passe est inexact.", "", 401),
    "connexion_echouee": ErrorKind(
        "La connexion n'a pas abouti : {cause}.", "Recommencez depuis la page d'accueil.", 401
    ),
    "trop_d_essais": ErrorKind("Trop d'essais ont échoué.", "Réessayez dans {minutes}.", 429),
    "cle_illisible": ErrorKind(
        "La clé de signature {chemin} n'est pas utilisable : {cause}.",
        "Rendez-la à son propriétaire, en mode 600, ou retirez-la : une nouvelle sera créée et chacun se reconnectera.",
        500,
    ),
    # --- settings
    "reglage_fichier": ErrorKind(
        "Le fichier des réglages {fichier} ne se lit pas : {cause}.",
        "WORKBENCH_CONFIG le nomme. Un fichier d'exemple s'écrit par workbench config example.",
        500,
    ),
    "reglage_inconnu": ErrorKind(
        "Le fichier des réglages {fichier}, ligne {ligne} : {cle!r} n'est pas un réglage.",
        "Le plus proche est {voisin!r} ; workbench config reference les donne tous. Rien n'a été lu du fichier.",
        500,
    ),
    "reglage_valeur": ErrorKind(
        "Le fichier des réglages {fichier}, ligne {ligne} : la valeur de {cle} ne convient pas ({genre}).",
        "Corrigez-la : {conseil}",
        500,
    ),
    "reglage_secret_ouvert": ErrorKind(
        "Le fichier {fichier} contient un secret et s'ouvre à d'autres que son propriétaire (droits {droits}).",
        "Réservez-le au compte du service : chmod 600 {fichier}. Tenez ce secret pour connu, et changez-le.",
        500,
    ),
    "reglage_secret_illisible": ErrorKind(
        "Le fichier de secret {fichier} ne se lit pas : {cause}.",
        "Il appartient au compte du service, avec les droits 600 ; vide, il vaut absence.",
        500,
    ),
    # --- deployment
    "installation_refusee": ErrorKind(
        "L'installation n'est pas écrite : {cle} {valeur!r} ne convient pas.",
        "Un domaine s'écrit en minuscules (atelier.exemple.fr), un chemin part de la racine, sans espace ni guillemet.",
        422,
    ),
    "installation_existe": ErrorKind(
        "Le fichier {chemin} existe et diffère de ce qui serait écrit.",
        "Choisissez un autre dossier, ou remplacez-le par --replace. Rien n'a été écrit.",
        409,
    ),
    # --- registry
    "registre_adresse": ErrorKind(
        "L'adresse {adresse} n'est pas celle d'un registre.",
        "Donnez dans WORKBENCH_REGISTRE le chemin d'un fichier, ou postgresql+psycopg://utilisateur@serveur/base.",
        422,
    ),
    "registre_inaccessible": ErrorKind(
        "Le registre {adresse} ne répond pas : {cause}.",
        "Vérifiez son adresse (WORKBENCH_REGISTRE), vos droits, et que son serveur fonctionne. Rien n'est perdu.",
        503,
    ),
    "registre_occupe": ErrorKind(
        "Le registre {adresse} est occupé par d'autres écritures depuis trop longtemps.",
        "Recommencez dans un moment. À plusieurs postes, préférez PostgreSQL : WORKBENCH_REGISTRE.",
        503,
    ),
    "registre_lecture_seule": ErrorKind(
        "Le registre {adresse} n'accepte pas d'écriture de votre part.",
        "Demandez le droit d'écrire, ou choisissez un autre registre : WORKBENCH_REGISTRE.",
        403,
    ),
    "registre_illisible": ErrorKind(
        "Le fichier {adresse} n'est pas un registre, ou il est abîmé.",
        "Restaurez-en une copie, ou choisissez un autre fichier : WORKBENCH_REGISTRE.",
        500,
    ),
    "registre_plein": ErrorKind(
        "Il n'y a plus de place pour écrire dans le registre {adresse}.",
        "Libérez de la place sur son disque ; ce qui y est déjà n'est pas touché.",
        507,
    ),
    "registre_ancien": ErrorKind(
        "Le registre {adresse} est d'une version plus ancienne que ce logiciel ({tables}).",
        "Ouvrez-le avec le droit de le mettre à jour.",
        409,
    ),
    "registre_recent": ErrorKind(
        "Le registre {adresse} est d'une version plus récente que ce logiciel ({tables}).",
        "Mettez le logiciel à jour sur ce poste.",
        409,
    ),
    # --- jobs and batches
    "demande_incomplete": ErrorKind("Il manque à cette demande {manque}.", "Complétez-la, puis recommencez.", 422),
    "demande_formats": ErrorKind(
        "Cette demande ne peut pas produire : {formats}.", "Formats possibles : {possibles}.", 422
    ),
    "base_mot_de_passe": ErrorKind(
        "L'adresse de la base comporte un mot de passe, qui ne doit pas être gardé avec les demandes.",
        "Donnez l'adresse dans WORKBENCH_BASE, ici et sur chaque machine qui traite les demandes.",
        422,
    ),
    "dossier_non_inscriptible": ErrorKind(
        "Le dossier {dossier} ne peut pas être écrit : {cause}.", "Vérifiez vos droits, ou choisissez-en un autre.", 403
    ),
    "travailleurs_arretes": ErrorKind(
        "Les processus qui produisent les rapports s'arrêtent aussitôt lancés.",
        "La raison est dans {journal}. Ce qui est fait le reste ; reprenez ensuite le lot.",
        500,
    ),
    "courtier_adresse": ErrorKind(
        "L'adresse {adresse} n'est pas celle d'un serveur de messages RabbitMQ.",
        "Donnez dans WORKBENCH_BROKER une adresse amqp://utilisateur:mot-de-passe@serveur/espace, ou amqps://.",
        422,
    ),
    "courtier_injoignable": ErrorKind(
        "Le serveur de messages {adresse} ne répond pas : {cause}.",
        "Rien n'est perdu : ce qui attend sera annoncé quand il répondra. Sinon, vérifiez WORKBENCH_BROKER.",
        503,
    ),
    "courtier_refuse": ErrorKind(
        "Le serveur de messages {adresse} refuse la demande : {cause}.",
        "Vérifiez le nom, le mot de passe et l'espace de WORKBENCH_BROKER ; cet utilisateur doit pouvoir y créer une file, y écrire et y lire.",
        502,
    ),
    "lot_absent": ErrorKind(
        "Aucun de vos lots ne porte l'identifiant « {lot} ».", "Vos lots et vos demandes : workbench report status", 404
    ),
    "lot_ambigu": ErrorKind(
        "Plusieurs de vos lots commencent par « {lot} ».",
        "Donnez l'identifiant en entier : workbench report status",
        409,
    ),
    "liste_absente": ErrorKind("Le fichier {fichier} n'existe pas.", "Vérifiez son chemin.", 404),
    "liste_illisible": ErrorKind(
        "Le fichier {fichier} ne se lit pas : {cause}.", "Donnez un classeur .xlsx, ou un fichier .csv en UTF-8.", 422
    ),
    "liste_refusee": ErrorKind(
        "La liste {fichier} comporte {nombre}. Rien n'a été lancé.\n{liste}", "Corrigez le fichier, puis relancez.", 422
    ),
    # --- scheduled batches
    "cron_invalide": ErrorKind(
        "« {cron} » ne dit pas quand partir : {cause}.",
        "Cinq champs : minute, heure, jour du mois, mois, jour de la semaine. Le 1er de chaque mois à 6 h : 0 6 1 * *",
        422,
    ),
    "planification_absente": ErrorKind(
        "Aucune de vos planifications ne porte l'identifiant « {planification} ».",
        "Vos planifications : workbench report schedule list",
        404,
    ),
    "planification_ambigue": ErrorKind(
        "Plusieurs de vos planifications commencent par « {planification} ».",
        "Donnez l'identifiant en entier : workbench report schedule list",
        409,
    ),
    # --- reports over HTTP
    "api_champ": ErrorKind("Le champ {champ} ne convient pas : {attendu}.", "Corrigez-le, puis recommencez."),
    "api_objet_absent": ErrorKind("Rien ne porte ici l'identifiant « {identifiant} » ({objet}).", "", 404),
    "api_rapport_absent": ErrorKind(
        "Aucune de vos demandes ne porte l'identifiant « {identifiant} ».", "Vos demandes : GET /reports/", 404
    ),
    "api_rapport_sans_fichier": ErrorKind(
        "Cette demande n'a pas de fichier ({etat}){cause}", "On ne télécharge qu'une demande terminée.", 400
    ),
    "api_fichier_perdu": ErrorKind(
        "Le fichier de cette demande n'est plus sur le serveur.", "Demandez-le de nouveau.", 410
    ),
    "api_trop_de_demandes": ErrorKind(
        "Vous avez déjà {limite} demandes en attente ou en cours.", "Attendez que certaines se terminent.", 429
    ),
    "api_mot_de_passe": ErrorKind(
        "On ne s'identifie pas ici par mot de passe : les jetons viennent de {emetteur}.",
        "Joignez à chaque demande un jeton de cet émetteur.",
        501,
    ),
    "api_indisponible": ErrorKind(
        "Le service ne peut pas répondre pour le moment (identifiant {identifiant}).",
        "Réessayez dans un instant ; si cela dure, donnez cet identifiant à l'exploitant.",
        503,
    ),
    "personnes_absentes": ErrorKind(
        "Personne ne pourrait se connecter : cette machine ne connaît encore personne.",
        "Ajoutez quelqu'un (workbench user add), ou donnez un émetteur dans WORKBENCH_ISSUER.",
        409,
    ),
    # --- discussion
    "commentaire_vide": ErrorKind("Ce commentaire n'a pas de texte.", "Écrivez-en un.", 422),
    "commentaire_long": ErrorKind(
        "Ce commentaire a {longueur} caractères ; la limite est de {limite}.",
        "Raccourcissez-le, ou écrivez-en deux.",
        422,
    ),
    "commentaire_absent": ErrorKind(
        "Aucun de vos commentaires ne porte l'identifiant « {commentaire} ».",
        "On ne modifie et ne retire que les siens : workbench comment list --all",
        404,
    ),
    "siren_malforme": ErrorKind("« {siren} » n'est pas un SIREN.", "Un SIREN a 9 chiffres ; un SIRET en a 14.", 422),
    "etablissement_inconnu": ErrorKind(
        "Aucun établissement de SIRET {siret} ne vous est visible : il n'existe pas dans les données, "
        "ou votre habilitation ne l'ouvre pas.",
        "Vérifiez le numéro, ou cherchez l'entreprise par son nom.",
        404,
    ),
    "entreprise_inconnue": ErrorKind(
        "Aucune entreprise de SIREN {siren} ne vous est visible : elle n'existe pas dans les données, "
        "ou votre habilitation ne l'ouvre pas.",
        "Vérifiez le numéro, ou cherchez l'entreprise par son nom.",
        404,
    ),
    "commentaire_introuvable": ErrorKind("Ce commentaire n'existe pas sur cette fiche.", "Rechargez la page.", 404),
    "commentaire_autrui": ErrorKind(
        "Ce commentaire n'est pas de vous.", "Seul son auteur le modifie ; vous pouvez y répondre.", 403
    ),
    "commentaire_inchange": ErrorKind("Le texte du commentaire n'a pas changé.", "Rien n'a été enregistré.", 403),
    "suivi_deja": ErrorKind("Vous suivez déjà cette entreprise.", "", 409),
    "suivi_absent": ErrorKind("Vous ne suivez pas cette entreprise.", "", 409),
    "categorie_inconnue": ErrorKind("Cette catégorie n'existe pas.", "Choisissez-en une dans la liste.", 422),
    "motif_manquant": ErrorKind("Le motif manque.", "Dites en quelques mots pourquoi.", 422),
    "motif_long": ErrorKind("Le texte a plus de {limite} caractères.", "Raccourcissez-le.", 422),
    "avis_impossible": ErrorKind(
        "Il n'y a pas d'avis à donner ici.",
        "Un avis se donne sur le siège d'une entreprise en alerte dans la dernière liste.",
        403,
    ),
    "avis_incomplet": ErrorKind(
        "L'avis ne dit pas si la détection est utile.", "Choisissez « utile » ou « inutile ».", 422
    ),
    "commentaire_sans_trame": ErrorKind(
        "Il manque la trame de l'indicateur {indicateur}.", "Donnez-la : plusieurs trames peuvent avoir ce code.", 422
    ),
    # --- dashboards, cli
    "tableaux_absents": ErrorKind(
        "Le dossier {dossier} ne contient aucun tableau de bord.",
        "Lancez la commande depuis le dossier du projet, ou donnez le dossier des notebooks.",
        404,
    ),
    "port_occupe": ErrorKind(
        "Le port {port} de {adresse} n'est pas disponible.", "Choisissez-en un autre : workbench up --port 8867", 409
    ),
    "choix_inconnu": ErrorKind(
        "{champ} : « {valeur} » ne fait pas partie des choix.", "Choisissez dans la liste.", 422
    ),
    "trop_de_choix": ErrorKind(
        "{limite} collectivités sont déjà choisies.", "Retirez-en, ou demandez un rapport par critères.", 422
    ),
    "collectivites_trop_nombreuses": ErrorKind(
        "Les valeurs de {limite} collectivités sont déjà affichées.", "Retirez-en une avant d'en ajouter.", 422
    ),
    "base_sans_comptes": ErrorKind(
        "La base ne contient encore aucun compte.", "Importez des balances : workbench base import balances.csv", 404
    ),
    "trames_absentes": ErrorKind(
        "Aucune trame du dossier {dossier} ne porte sur une nomenclature de la base ({nomenclatures}).",
        "Ajoutez une trame, ou indiquez un autre dossier dans WORKBENCH_TRAMES.",
        404,
    ),
    "comptes_absents": ErrorKind(
        "{collectivite} n'a pas de comptes en {nomenclature}.",
        "Ses comptes existent en {autres} : changez de nomenclature.",
        404,
    ),
    # --- kernels
    "noyau_memoire": ErrorKind(
        "Cette cellule demande plus de mémoire que le noyau n'en a ({limite}) : elle a été arrêtée.",
        "Travaillez par morceaux (une requête plus étroite, moins d'exercices) ou libérez des variables avec del.",
        422,
    ),
    "noyau_dossier": ErrorKind(
        "Le dossier des noyaux, {dossier}, ne peut pas servir : {raison}.",
        "Retirez-le, ou fermez-le aux autres (chmod 700), ou donnez-en un autre dans WORKBENCH_RUNTIME.",
        500,
    ),
    "noyau_temps": ErrorKind(
        "Cette cellule n'a pas fini dans les {secondes} secondes qui lui sont données : elle a été arrêtée.",
        "Réduisez ce qu'elle calcule, ou cherchez une boucle qui ne finit pas.",
        422,
    ),
    # --- store
    "json_invalide": ErrorKind("Le texte reçu n'est pas du JSON : {cause}.", "Envoyez du JSON, sans NaN ni infini."),
    "seau_invalide": ErrorKind("Nom de seau (bucket) invalide : {cause}.", "Nommez le seau hors de la clé."),
    "cle_invalide": ErrorKind("La clé ({endroit}) est invalide : {cause}.", "Une clé associe des textes à des textes."),
    "badges_invalides": ErrorKind(
        "Les badges ({endroit}) sont invalides.", "Donnez une liste de textes non vides, sans caractère nul."
    ),
    "date_invalide": ErrorKind(
        "La date ({endroit}) n'est pas lisible : {recu}.", "Écrivez-la avec son fuseau : 2019-10-31T10:00:00Z."
    ),
    "objet_invalide": ErrorKind(
        "L'objet {endroit} est invalide : {cause}.", "Attendu : {{key, scope, value, releaseDate, expires}}."
    ),
    "question_invalide": ErrorKind(
        "La question est invalide : {cause}.", "Attendu : {{key, date, filter, sort, limit, offset}}."
    ),
    "politique_invalide": ErrorKind(
        "La politique « {nom} » est invalide : {cause}.",
        "Champs : match (obligatoire), key, scope, read, write, promote, writable, when.",
    ),
    "politiques_illisibles": ErrorKind(
        "Les politiques conservées ne sont pas lisibles : {cause}.",
        "Personne ne lit tant que la politique n'est pas corrigée : prévenez l'exploitant.",
        500,
    ),
    "ecriture_interdite": ErrorKind(
        "Vous ne pouvez pas écrire l'objet {endroit} : rien n'a été publié.",
        "Demandez le badge que les politiques du seau exigent.",
        403,
    ),
    "valeur_interdite": ErrorKind(
        "L'objet {endroit} a des propriétés que vous ne pouvez pas écrire : rien n'a été publié.",
        "Retirez les propriétés que les politiques du seau ne listent pas.",
        403,
    ),
    "acces_interdit": ErrorKind(
        "Vous n'avez pas accès à cette fonction.", "Demandez le badge que les politiques du seau system exigent.", 403
    ),
    "arrow_invalide": ErrorKind(
        "Le flux Arrow n'est pas lisible : {cause}.", "Colonnes attendues : key, scope, value, releaseDate, expires."
    ),
    "demande_trop_longue": ErrorKind(
        "La demande dépasse {taille} Mio.", "Publiez en NDJSON ou en Arrow, ou en plusieurs fois.", 413
    ),
    "rapport_non_publiable": ErrorKind("Ce rapport ne peut pas être publié : {cause}.", "{conseil}"),
    "rapport_inconnu": ErrorKind(
        "Aucun rapport publié de ce nom : {rapport}.", "Listez ceux que vous voyez : workbench report published", 404
    ),
    "fichier_trop_long": ErrorKind(
        "Le fichier {fichier} dépasse {taille} Mio.",
        "Publiez-le autrement : le magasin n'en garde pas de plus longs.",
        413,
    ),
    "magasin_injoignable": ErrorKind(
        "Le magasin de données {adresse} ne répond pas comme il le devrait : {cause}.",
        "Réessayez dans un instant ; si cela dure, vérifiez son adresse dans WORKBENCH_STORE.",
        503,
    ),
    "magasin_refus": ErrorKind("{detail}", "", 400),
    "recherche_courte": ErrorKind(
        "La recherche est trop courte.", "Écrivez au moins {nombre} lettres ou chiffres.", 400
    ),
    "sans_donnees": ErrorKind("Aucune donnée.", "Rien de visible ne répond à cette question.", 404),
    "journal_impossible": ErrorKind(
        "La question n'a pas pu être inscrite au journal : aucune donnée n'est donnée.", "Prévenez l'exploitant.", 500
    ),
    "colonne_non_trouvee": ErrorKind(
        "Colonne {colonnes} non trouvée. Abandon.",
        "Comparez l'en-tête de {fichier} à celui d'une livraison précédente.",
    ),
    "classeur_feuilles": ErrorKind(
        "Le classeur {fichier} a {nombre} feuilles ; il en faut exactement une.", "Retirez celles qui sont de trop."
    ),
    "compte_date": ErrorKind(
        "Le fichier de comptes {fichier} a une date de fermeture illisible : « {valeur} ».",
        "Les comptes rattachent les dettes aux établissements : corrigez le fichier avant de continuer.",
    ),
    "comptes_urssaf_absents": ErrorKind(
        "Le fichier {fichier} nomme des comptes et non des SIRET, et aucun fichier de comptes n'est donné.",
        "Ajoutez le fichier admin_urssaf (sigfaible_etablissement_utf8.csv) au batch.",
    ),
    "source_inconnue": ErrorKind("Type de fichier non reconnu : {type}.", "Types connus : {connus}."),
    "variable_inconnue": ErrorKind(
        "La variable « {variable} » n'existe pas dans la définition {definition}.",
        "Cherchez-la dans docs/variables.md ; certaines n'existent que dans la définition corrige.",
    ),
    "variables_famille": ErrorKind("La famille de variables « {famille} » n'existe pas.", "Familles : {connues}."),
    "variables_choix": ErrorKind("« {valeur} » n'est pas un des choix possibles.", "Choix : {choix}."),
    "variables_periode": ErrorKind(
        "La période des variables est vide : elle va du {debut}, compris, au {fin}, exclu.",
        "La date de début doit précéder celle de fin d'un mois au moins.",
    ),
    "variables_dossier": ErrorKind(
        "Les variables ne peuvent pas être écrites dans {dossier} : {raison}.",
        "Nommez un autre dossier, ou demandez tous les mois pour le refaire.",
    ),
    "variables_dates": ErrorKind(
        "Le batch {batch} ne dit pas ses dates de début, de fin et de fin des effectifs.",
        "Complétez son descripteur, ou donnez --date-fin-effectif et --start.",
    ),
    "variables_sans_effectif": ErrorKind(
        "Aucun établissement n'a d'effectif connu parmi les entreprises demandées.",
        "Vérifiez les SIREN et le batch ; seuls les établissements dont un effectif est importé ont des variables.",
    ),
    "variables_mois": ErrorKind(
        "Le mois {mois} n'est pas de la période des variables, du {debut}, compris, au {fin}, exclu.",
        "Demandez un mois de cette période, ou un autre batch.",
    ),
    "filtre_siren": ErrorKind(
        "Format de siren incorrect trouvé : « {valeur} » ({fichier}, ligne {ligne}).",
        "Un filtre a un SIREN de neuf chiffres par ligne.",
    ),
    "filtre_vide": ErrorKind("Le filtre {fichier} ne contient aucun SIREN.", "Refaites-le, ou retirez-le du batch."),
    "filtre_existe": ErrorKind(
        "Le filtre {fichier} existe déjà : il n'est jamais remplacé.", "Retirez-le d'abord s'il est à refaire."
    ),
    "filtre_absent": ErrorKind(
        "Le batch n'a pas de périmètre : veuillez inclure un filtre.", "Ou lisez tout, avec --no-filter."
    ),
    "batch_sans_dates": ErrorKind(
        "Les dates du batch {batch} ne sont pas connues.", "Donnez un descripteur, ou un batch de la forme AAMM."
    ),
    "batch_cle": ErrorKind(
        "« {cle} » n'est pas une clé de batch : la clé du batch doit respecter le format requis AAMM.",
        "Deux chiffres d'année, deux de mois : 1802 ; un sous-batch s'écrit 1802_01.",
    ),
    "batch_dossier": ErrorKind(
        "Le dossier {dossier} n'existe pas dans {racine}.", "Les fichiers d'un batch sont dans un dossier à son nom."
    ),
    "batch_descripteur": ErrorKind(
        "Le descripteur du batch ne convient pas : {detail}.", "Refaites-le avec workbench signaux prepare."
    ),
    "batch_a_confirmer": ErrorKind(
        "Le batch {batch} a des types à confirmer : {types}.",
        "Répondez oui ou non dans types_complets : oui remplace tout ce qui était connu.",
    ),
    "batch_chemin": ErrorKind(
        "Le chemin {chemin} sort du dossier des batchs.", "Écrivez-le depuis ce dossier, sans « .. »."
    ),
    "filtre_sans_effectif": ErrorKind(
        "Il manque un filtre : le batch doit contenir un filtre, ou exactement un fichier {type} ; il en a {nombre}.",
        "Ajoutez filter_siren_AAMM.csv, ou le fichier d'effectifs.",
    ),
    "date_fin_effectif": ErrorKind(
        "La date de fin des effectifs n'est pas connue : aucun fichier d'effectifs ne la donne.",
        "Donnez-la avec --date-fin-effectif AAAA-MM-JJ.",
    ),
    "historique_moteur": ErrorKind(
        "L'historique des entreprises ne se garde pas avec {moteur}.",
        "Donnez un fichier DuckDB ou une base PostgreSQL.",
    ),
    "historique_etranger": ErrorKind(
        "La base {chemin} n'est pas un historique d'entreprises.",
        "Donnez l'adresse d'un historique, ou celle d'un fichier qui n'existe pas encore.",
    ),
    "historique_vide": ErrorKind(
        "L'historique {chemin} ne connaît aucun batch {batch}.", "Importez-en un avec workbench signaux import."
    ),
    "batch_inconnu": ErrorKind("L'historique ne connaît pas le batch {batch}.", "Batchs connus : {connus}."),
    "vue_inconnue": ErrorKind("Vue inconnue : {vue}.", "Vues connues : {connues}."),
    "batch_sans_perimetre": ErrorKind(
        "Le batch {batch} a été lu sans filtre : son périmètre ne dit pas quelles entreprises écarter.",
        "Choisissez un batch importé avec un filtre.",
    ),
    # --- uploads
    "depot_version": ErrorKind(
        "Ce service parle la version 1.0.0 du protocole tus.", "Envoyez l'en-tête Tus-Resumable: 1.0.0.", 412
    ),
    "depot_demande": ErrorKind("La demande d'envoi est mal formée : {cause}.", "Mettez à jour le programme d'envoi."),
    "depot_type": ErrorKind(
        "Un morceau de fichier s'envoie en application/offset+octet-stream.", "Corrigez l'en-tête Content-Type.", 415
    ),
    "depot_position": ErrorKind(
        "L'envoi en est à l'octet {offset}, et non à l'octet {recu}.",
        "Demandez sa position (HEAD), puis reprenez.",
        409,
    ),
    "depot_inconnu": ErrorKind("Cet envoi n'existe pas.", "Recommencez-le.", 404),
    "depot_termine": ErrorKind("Un envoi arrivé en entier ne se retire pas.", "Adressez-vous à l'exploitant.", 404),
    "depot_methode": ErrorKind("Cette adresse ne se demande pas ainsi.", "", 405),
    "depot_espace_absent": ErrorKind(
        "Votre identité ne nomme pas d'espace de dépôt ({cause}).",
        "Demandez à l'exploitant de renseigner votre attribut goup_path.",
        403,
    ),
    "depot_trop_grand": ErrorKind("Le fichier dépasse la taille admise, {limite} octets.", "Découpez-le.", 413),
    "depot_debordement": ErrorKind(
        "Le morceau dépasse la taille annoncée de l'envoi, {taille} octets.", "Recommencez l'envoi.", 413
    ),
    "depot_quota": ErrorKind(
        "L'espace {espace} n'a plus que {reste} octets libres sur {quota}.",
        "Demandez à l'exploitant de faire de la place, ou d'élargir l'espace.",
        413,
    ),
    "depot_plein": ErrorKind(
        "Il n'y a plus assez de place sur le disque du dépôt.",
        "Ce qui est arrivé est gardé : reprenez l'envoi quand l'exploitant aura fait de la place.",
        507,
    ),
    "depot_occupe": ErrorKind("Cet envoi est en cours d'écriture ou de contrôle.", "Réessayez dans un instant.", 423),
    "depot_quarantaine": ErrorKind(
        "Le fichier est arrivé en entier mais reste en quarantaine : {cause}.", "L'exploitant en est averti.", 423
    ),
    "depot_echec": ErrorKind(
        "Le fichier est arrivé en entier mais n'est pas transmis : {cause}.",
        "Il est gardé en quarantaine et l'exploitant en est averti : ne le renvoyez pas.",
        500,
    ),
    "depot_somme": ErrorKind("Le morceau reçu n'est pas celui qui a été envoyé.", "Envoyez-le de nouveau.", 460),
    "depot_expire": ErrorKind("Cet envoi a été laissé trop longtemps inachevé.", "Recommencez-le.", 410),
    "depot_absent": ErrorKind(
        "Le dépôt ne peut pas être servi : {dossier} {cause}.",
        "Créez-le, avec le dossier tusd qu'il contient, ou corrigez WORKBENCH_DEPOT.",
        500,
    ),
    "depot_espace_indisponible": ErrorKind(
        "L'espace de dépôt {espace} n'est pas utilisable : {cause}.", "Prévenez l'exploitant.", 500
    ),
    "depot_illisible": ErrorKind(
        "L'envoi {envoi} ne se lit pas : {cause}.", "Ses fichiers sont dans le dossier tusd du dépôt.", 500
    ),
    "depot_reglage": ErrorKind("Le réglage {reglage} ne convient pas : {valeur}.", "{conseil}", 422),
    "depot_sans_identite": ErrorKind(
        "Le dépôt ne se sert pas sans que chacun s'identifie.",
        "Donnez un émetteur dans WORKBENCH_ISSUER, ou ajoutez une personne : workbench user add, workbench user space.",
        403,
    ),
    "depot_non_servi": ErrorKind(
        "Ce serveur n'a pas de dépôt de fichiers.",
        "Demandez à l'exploitant de régler WORKBENCH_DEPOT, et de faire connecter les personnes.",
        503,
    ),
    "depot_liste": ErrorKind("La liste de vos envois n'a pas pu être lue : {cause}", "", 503),
    "jeton_fichier": ErrorKind(
        "Le fichier de jeton {fichier} ne convient pas : {cause}.",
        "Il contient un jeton d'accès, ou la réponse JSON de l'émetteur avec son refresh_token.",
        422,
    ),
    "envoi_refuse": ErrorKind("{fichier} n'est pas envoyé : {detail}", "", 400),
    "envoi_interrompu": ErrorKind(
        "{fichier} n'est pas arrivé en entier : {cause}.", "Relancez la commande : l'envoi reprend où il en est.", 503
    ),
    "envoi_sans_jeton": ErrorKind(
        "Il faut un jeton d'accès pour envoyer des fichiers.", "Donnez le fichier où il est : --token-file jeton", 401
    ),
    "envoi_fichier": ErrorKind("Le fichier {fichier} ne peut pas être envoyé : {cause}.", "Vérifiez son chemin.", 404),
    "envoi_adresse": ErrorKind(
        "« {adresse} » n'est pas l'adresse d'un dépôt.", "Donnez-la en entier : https://depot.exemple.fr/files/", 422
    ),
    # --- detection
    "detection_declaration": ErrorKind("La déclaration des variables ne convient pas : {detail}.", "Corrigez-la."),
    "detection_colonnes": ErrorKind(
        "La table n'a pas la ou les colonnes {colonnes}.",
        "La déclaration {declaration}, ou l'option --encode, les nomme : corrigez le nom, ou la table.",
    ),
    "detection_valeurs": ErrorKind(
        "La colonne {colonne} n'est pas de la sorte attendue : elle contient {type}.",
        "Corrigez-la dans la table, ou nommez une autre colonne dans la déclaration.",
    ),
    "detection_mois": ErrorKind("« {valeur} » n'est pas un mois.", "Écrivez-le AAAA-MM : 2024-03."),
    "detection_vide": ErrorKind("Il n'y a pas de quoi détecter : {cause}.", "Élargissez les fenêtres ou le périmètre."),
    "detection_modele": ErrorKind(
        "Le modèle ne convient pas : {detail}.", "Réapprenez-le, ou corrigez ses paramètres."
    ),
    "detection_niveau": ErrorKind(
        "« {texte} » n'est pas un niveau d'alerte.", "Attendu : Alerte seuil F1, Alerte seuil F2 ou Pas d'alerte."
    ),
    "detection_seuils": ErrorKind(
        "Les seuils ne conviennent pas : fort {fort}, modéré {modere}.",
        "Entre 0 et 1, le seuil modéré ne dépasse pas le seuil fort.",
    ),
    "detection_explication": ErrorKind(
        "Les contributions ne redonnent pas la probabilité affichée (écart {ecart}) : l'explication n'est pas montrée.",
        "Prévenez l'exploitant.",
        500,
    ),
    "detection_liste": ErrorKind(
        "La liste ne peut pas être faite : {cause}.", "Donnez les entreprises d'un seul mois, une fois chacune."
    ),
    "publication_liste": ErrorKind(
        "La liste ne peut pas être publiée : {cause}.",
        "Donnez une liste que « workbench signaux detect » a écrite, ou le chemin de son fichier parquet.",
    ),
    "annuaire_vide": ErrorKind(
        "L'historique ne connaît aucun établissement : l'annuaire publié reste comme il est.",
        "Importez un batch qui contient les fichiers SIRENE : « workbench signaux import ».",
    ),
    "publication_absente": ErrorKind(
        "Rien n'est publié de la liste « {liste} ».", "Écrivez BATCH.ALGORITHME, comme à sa publication.", 404
    ),
    "detection_inconnu": ErrorKind(
        "Le registre ne connaît aucun {sorte} « {identifiant} », ou en connaît plusieurs.",
        "Donnez son empreinte entière.",
        404,
    ),
    "detection_autre": ErrorKind(
        "{quoi} du registre ({attendu}…).",
        "Vérifiez le batch, l'état des données, la version du logiciel et la graine.",
        409,
    ),
    "detection_evaluation": ErrorKind("La page d'évaluation n'a pas pu être faite : {cause}", "Rien n'a été écrit."),
    "detection_sans_valeur": ErrorKind(
        "Le modèle n'apprend rien qui vaille pour d'autres entreprises ({lignes} lignes de validation, {defaillances} défaillances).",
        "Donnez-lui plus d'entreprises ou de mois, ou d'autres variables.",
    ),
    "detection_parts": ErrorKind(
        "Des parts ne conviennent pas : {parts}.", "Donnez des parts entre 0 et 1, dont la somme est 1."
    ),
    "detection_doublons": ErrorKind(
        "{nombre} entreprise(s) figurent deux fois le même mois, par exemple {exemples}.",
        "Gardez une ligne par entreprise et par mois.",
    ),
    "detection_fuite_variable": ErrorKind(
        "Fuite : la ou les variables {variables} connaissent l'avenir.",
        "Retirez-les de la déclaration : elles ne seront pas connues le jour de la détection.",
    ),
    "detection_fuite_siren": ErrorKind(
        "Fuite : {nombre} entreprise(s) sont à la fois dans {un} et dans {autre}, par exemple {exemple}.",
        "Une entreprise n'est que d'un côté : partagez par SIREN.",
    ),
    "detection_fuite_temps": ErrorKind(
        "Fuite : {partie} va jusqu'à {fin} et regarde {horizon} mois plus loin ; or le test commence en {debut}.",
        "Arrêtez l'apprentissage et la validation {horizon} mois au moins avant le test.",
    ),
    "detection_fuite_suspecte": ErrorKind(
        "Fuite probable : {quoi} de la variable {variable} donne la cible presque à elle seule (aire sous la courbe ROC {aire}).",
        "Vérifiez d'où elle vient ; si elle est connue le jour de la détection, nommez-la parmi les variables admises.",
    ),
    "detection_cible_inconnue": ErrorKind(
        "La cible du mois {mois} n'est pas connue : elle regarde {horizon} mois plus loin et les événements ne sont connus que jusqu'à {connu}.",
        "Arrêtez les fenêtres plus tôt.",
    ),
    # --- legal duties
    "conservation_reglage": ErrorKind(
        "« {valeur} » n'est pas une durée de conservation ({reglage}).",
        "Donnez un nombre de jours, ou illimitee.",
        422,
    ),
    # --- logs, metrics
    "journal_format": ErrorKind(
        "« {valeur} » n'est pas un format de journal.", "Donnez texte ou json : WORKBENCH_JOURNAL.", 422
    ),
    "metriques_refusees": ErrorKind(
        "Les métriques de {adresse} n'ont pas pu être lues : {cause}.",
        "Donnez l'adresse du service et le jeton WORKBENCH_METRICS_TOKEN.",
        502,
    ),
    # --- backup, restoration
    "sauvegarde_existe": ErrorKind(
        "{chemin} existe et n'est pas vide : une sauvegarde n'en remplace jamais une autre.",
        "Donnez un dossier qui n'existe pas encore, par exemple nommé par la date.",
        409,
    ),
    "sauvegarde_vide": ErrorKind(
        "Il n'y a rien à sauvegarder : ni le registre {registre} ni la base {base} n'existent.",
        "Lancez la commande sous le compte du service, avec ses réglages (WORKBENCH_CONFIG).",
        409,
    ),
    "sauvegarde_place": ErrorKind(
        "{chemin} n'a pas pu être écrit ou lu en entier : {cause}. Rien n'y est laissé qui paraisse complet.",
        "Vérifiez la place du disque et les droits, puis relancez.",
        507,
    ),
    "sauvegarde_outil": ErrorKind(
        "{outil} n'a pas abouti pour {adresse} : {cause}.",
        "Installez les programmes clients de PostgreSQL, de la version du serveur au moins, ou donnez leur dossier : --programs.",
        500,
    ),
    "sauvegarde_illisible": ErrorKind(
        "{chemin} n'est pas une sauvegarde : son manifeste manque ou ne se lit pas.",
        "Une sauvegarde interrompue n'en a pas : prenez la précédente.",
        422,
    ),
    "sauvegarde_recente": ErrorKind(
        "La sauvegarde {chemin} a été faite par une version plus récente de ce logiciel.",
        "Restaurez-la avec cette version, ou une plus récente.",
        409,
    ),
    "sauvegarde_abimee": ErrorKind(
        "La sauvegarde {chemin} est abîmée : {fichier} n'a pas le contenu qui a été sauvegardé.",
        "Rien n'est restauré. Prenez une autre copie, ou la sauvegarde précédente.",
        422,
    ),
    "restauration_non_vide": ErrorKind(
        "La restauration ne remplace rien, et {cible} n'est pas vide.",
        "Donnez un dossier qui n'existe pas, une base PostgreSQL sans aucune table.",
        409,
    ),
    "restauration_registre": ErrorKind(
        "Le registre de cette sauvegarde était {sorte}.",
        "Donnez --registre et l'adresse d'une base PostgreSQL vide si c'en était une, et seulement alors.",
        422,
    ),
    "restauration_figures": ErrorKind(
        "La base restaurée ne redonne pas les chiffres de la sauvegarde : {trame}, indicateur {indicateur}.",
        "La restauration est abandonnée. Vérifiez que le logiciel est de la version de la sauvegarde, et signalez-le.",
        500,
    ),
}
