"""Every variable that the product reads, declared once: name, kind, default, what it is for, whether it is a secret.

`SETTINGS` are for people, in the environment or in the file of settings. `GIVEN` are of the environment alone: what a
server tells the kernels that it starts, and what is said of one run. A test holds both to the code. It is one module
because it is one table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

__all__ = ["GIVEN", "PREFIX", "SETTINGS", "Given", "Kind", "Secrecy", "Setting", "setting_of"]

PREFIX = "WORKBENCH_"

ALL = "tous"
DASHBOARDS = "tableaux"
WORKER = "production"
DEPOT = "dépôt"
LINE = "ligne de commande"


class Kind(StrEnum):
    """What the text of a setting is; the value is its French name."""

    TEXT = "texte"
    FOLDER = "dossier"
    FILE = "fichier"
    PLACE = "fichier ou adresse"
    ADDRESS = "adresse"
    EMAIL = "adresse électronique"
    INTEGER = "nombre entier"
    FLAG = "oui ou non"
    NAMES = "liste"
    COMMAND = "commande"


class Secrecy(StrEnum):
    """Whether a setting may be shown."""

    OPEN = ""
    PASSWORD = "mot de passe possible"  # noqa: S105 - a description
    SECRET = "secret"  # noqa: S105 - a description


@dataclass(frozen=True)
class Setting:
    """A setting.

    Parameters
    ----------
    name
        The environment variable.
    kind
        What its text is.
    default
        What holds without it, in French words or as it would be written.
    libelle
        What it is for, in French.
    services
        Which services read it.
    secrecy
        Whether it is a secret, or an address that may hold one.
    choices
        The texts that it may be; empty for any of its kind.
    may_be_empty
        Empty is a value of its own, and not as good as none.

    Examples
    --------
    >>> setting_of("WORKBENCH_DEPOT_QUOTA").key
    'depot_quota'
    """

    name: str
    kind: Kind
    default: str
    libelle: str
    services: tuple[str, ...] = (ALL,)
    secrecy: Secrecy = Secrecy.OPEN
    choices: tuple[str, ...] = ()
    may_be_empty: bool = False

    @property
    def key(self) -> str:
        """Its name in the file of settings."""
        return self.name.removeprefix(PREFIX).lower()

    @property
    def file_name(self) -> str:
        """The variable that names the file that holds it; empty for what is never a secret."""
        return f"{self.name}_FILE" if self.secrecy else ""

    def hides(self, text: str) -> bool:
        """Say whether a value of it is to be kept from others."""
        if self.secrecy is Secrecy.SECRET:
            return bool(text)
        return self.secrecy is Secrecy.PASSWORD and any(_has_password(each) for each in text.split(";"))

    def problem(self, text: str) -> str:
        """Return what is wrong with a value, in French; empty when nothing is."""
        if not text:
            return ""
        if self.choices:
            given = text.split(",") if self.kind is Kind.NAMES else [text]
            wrong = [each.strip() for each in given if each.strip() not in self.choices]
            return f"choisissez : {', '.join(self.choices)}" if wrong else ""
        if self.kind is Kind.INTEGER and not re.fullmatch(r"[0-9]{1,18}", text.strip()):
            return "donnez un nombre entier"
        if self.kind is Kind.FLAG and text not in ("0", "1"):
            return "donnez true ou false dans le fichier, 1 ou 0 dans l'environnement"
        if self.kind is Kind.ADDRESS and "://" not in text:
            return "une adresse contient ://"
        if self.kind is Kind.EMAIL and not re.fullmatch(r"[^\s@]+@[^\s@]+", text):
            return "donnez une adresse électronique"
        return ""


def _has_password(address: str) -> bool:
    try:
        return urlsplit(address).password is not None
    except ValueError:
        return True


@dataclass(frozen=True)
class Given:
    """A variable of the environment alone.

    Parameters
    ----------
    name
        The variable.
    libelle
        What it says, in French.
    """

    name: str
    libelle: str


_PASSWORD, _SECRET = Secrecy.PASSWORD, Secrecy.SECRET
_DATA = "dans le dossier de données de l'utilisateur"

SETTINGS: tuple[Setting, ...] = (
    Setting("WORKBENCH_BASE", Kind.PLACE, "base.duckdb", "la base comptable", secrecy=_PASSWORD),
    Setting("WORKBENCH_HISTORIQUE", Kind.PLACE, "historique.duckdb", "l'historique des entreprises", secrecy=_PASSWORD),
    Setting(
        "WORKBENCH_REGISTRE",
        Kind.PLACE,
        f"registre.sqlite, {_DATA}",
        "le registre : demandes, commentaires, personnes, magasin ; "
        "à plusieurs machines, postgresql+psycopg://utilisateur@serveur/base",
        secrecy=_PASSWORD,
    ),
    Setting(
        "WORKBENCH_BROKER",
        Kind.ADDRESS,
        "aucun",
        "le serveur de messages qui annonce les rapports aux machines, amqp:// ou amqps:// ; plusieurs adresses, "
        "séparées par des points-virgules, sont essayées tour à tour",
        (DASHBOARDS, WORKER),
        _PASSWORD,
    ),
    Setting("WORKBENCH_TRAMES", Kind.FOLDER, "trames, ou celles du paquet installé", "les trames partagées"),
    Setting("WORKBENCH_TRAMES_PRIVEES", Kind.FOLDER, f"trames, {_DATA}", "vos trames, ~/code", (LINE,)),
    Setting(
        "WORKBENCH_NOTEBOOKS",
        Kind.FOLDER,
        "notebooks, ou ceux du paquet installé",
        "les notebooks de rapport",
        (WORKER, LINE),
    ),
    Setting("WORKBENCH_REPORTS", Kind.FOLDER, "rapports", "où vont les rapports", (DASHBOARDS, WORKER, LINE)),
    Setting("WORKBENCH_REQUETES", Kind.FOLDER, "requetes", "les requêtes partagées", (LINE,)),
    Setting("WORKBENCH_REQUETES_PRIVEES", Kind.FOLDER, f"requetes, {_DATA}", "vos requêtes", (LINE,)),
    Setting(
        "WORKBENCH_COURRIEL",
        Kind.EMAIL,
        "l'utilisateur de la session",
        "votre adresse, auteur des demandes et des commentaires",
        (LINE,),
    ),
    Setting(
        "WORKBENCH_NOYAU",
        Kind.TEXT,
        "workbench, un noyau préparé",
        "le noyau Jupyter qui exécute les notebooks des lots ; vide, un noyau sans préparation",
        (WORKER,),
        may_be_empty=True,
    ),
    Setting(
        "WORKBENCH_RUNTIME",
        Kind.FOLDER,
        "workbench, dans le dossier de session ou le dossier temporaire",
        "les sockets des noyaux préparés, à leur utilisateur seul ; 70 octets au plus",
        (DASHBOARDS, WORKER),
    ),
    Setting(
        "WORKBENCH_CHROMIUM", Kind.FILE, "cherché dans le PATH", "le programme qui imprime les PDF", (WORKER, LINE)
    ),
    Setting(
        "WORKBENCH_ISSUER",
        Kind.ADDRESS,
        "aucun : celui de cette machine",
        "l'émetteur d'identités (OpenID Connect)",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_AUDIENCE",
        Kind.TEXT,
        "workbench",
        "à qui sont destinés les jetons d'accès",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_CLIENT", Kind.TEXT, "tableaux", "ce que les tableaux de bord sont pour l'émetteur", (DASHBOARDS,)
    ),
    Setting(
        "WORKBENCH_CLIENT_SECRET", Kind.TEXT, "aucun", "le secret de ce client, s'il en a un", (DASHBOARDS,), _SECRET
    ),
    Setting(
        "WORKBENCH_ALGORITHMS",
        Kind.NAMES,
        "RS256",
        "les algorithmes des signatures",
        (DASHBOARDS, DEPOT),
        choices=("RS256", "ES256"),
    ),
    Setting(
        "WORKBENCH_BADGES",
        Kind.TEXT,
        "resource_access.workbench.roles",
        "où sont les badges dans un jeton",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_UNVERIFIED_EMAIL",
        Kind.FLAG,
        "non",
        "accepter les adresses électroniques que l'émetteur n'a pas vérifiées",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_PUBLIC_URL",
        Kind.ADDRESS,
        "l'adresse servie",
        "l'adresse que connaissent les personnes, derrière un mandataire",
        (DASHBOARDS,),
    ),
    Setting(
        "WORKBENCH_IDENTITE",
        Kind.FOLDER,
        f"identite, {_DATA}",
        "les clés de signature de l'émetteur de cette machine",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_STORE",
        Kind.ADDRESS,
        "http://127.0.0.1:8866/magasin",
        "le service du magasin d'objets ; réglé, les rapports s'y publient",
        (LINE,),
    ),
    Setting("WORKBENCH_DEPOT", Kind.FOLDER, "depot", "le dossier du dépôt de fichiers", (DASHBOARDS, DEPOT)),
    Setting(
        "WORKBENCH_DEPOT_URL",
        Kind.ADDRESS,
        "l'adresse demandée",
        "l'adresse du dépôt que connaissent ses clients",
        (DASHBOARDS, DEPOT, LINE),
    ),
    Setting(
        "WORKBENCH_DEPOT_ORIGINE",
        Kind.ADDRESS,
        "aucune",
        "l'origine des pages, d'une autre adresse, qui envoient des fichiers",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_DEPOT_DISPOSITION",
        Kind.TEXT,
        "2019",
        "la disposition des fichiers",
        (DASHBOARDS, DEPOT),
        choices=("2019", "2020"),
    ),
    Setting(
        "WORKBENCH_DEPOT_GROUPES",
        Kind.FILE,
        "les groupes du système",
        "un fichier de groupes, « gid nom » à chaque ligne",
        (DASHBOARDS, DEPOT),
    ),
    Setting("WORKBENCH_DEPOT_TAILLE", Kind.INTEGER, "1 Tio", "octets d'un fichier, au plus", (DASHBOARDS, DEPOT)),
    Setting(
        "WORKBENCH_DEPOT_QUOTA", Kind.INTEGER, "aucun", "octets d'un espace dans tusd, au plus", (DASHBOARDS, DEPOT)
    ),
    Setting(
        "WORKBENCH_DEPOT_RESERVE",
        Kind.INTEGER,
        "256 Mio",
        "octets que le dépôt laisse libres sur le disque",
        (DASHBOARDS, DEPOT),
    ),
    Setting("WORKBENCH_DEPOT_JOURS", Kind.INTEGER, "7", "jours que dure un envoi abandonné", (DASHBOARDS, DEPOT, LINE)),
    Setting(
        "WORKBENCH_DEPOT_ANTIVIRUS",
        Kind.COMMAND,
        "aucun",
        "la commande antivirus ; le chemin du fichier la suit",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_DEPOT_SMTP",
        Kind.ADDRESS,
        "aucun",
        "le serveur de courriel : smtp://, smtp+starttls:// ou smtps://",
        (DASHBOARDS, DEPOT),
        _PASSWORD,
    ),
    Setting(
        "WORKBENCH_DEPOT_EXPEDITEUR",
        Kind.EMAIL,
        "aucun",
        "l'adresse de la plateforme, qui envoie les avis et en reçoit copie",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_DEPOT_EVENEMENTS",
        Kind.FILE,
        "tusd/evenements.ndjson, dans le dépôt",
        "le journal de ce qui est arrivé",
        (DASHBOARDS, DEPOT),
    ),
    Setting(
        "WORKBENCH_OPENDATA",
        Kind.ADDRESS,
        "le portail du ministère",
        "le portail qui publie les balances",
        (LINE,),
    ),
    Setting("WORKBENCH_OPENDATA_KEY", Kind.TEXT, "aucune", "la clé d'API de ce portail", (LINE,), _SECRET),
    Setting(
        "WORKBENCH_JOURNAL",
        Kind.TEXT,
        "texte",
        "la forme du journal sur la sortie d'erreur : des lignes pour une personne, ou du JSON pour un collecteur",
        choices=("texte", "json"),
    ),
    Setting(
        "WORKBENCH_METRICS_TOKEN",
        Kind.TEXT,
        "aucun",
        "le jeton que montre qui relève les mesures ; sans lui, elles ne sont données qu'à cette machine",
        (DASHBOARDS, WORKER, DEPOT),
        _SECRET,
    ),
    Setting(
        "WORKBENCH_CONSERVATION_JOURNAL",
        Kind.TEXT,
        "365",
        "jours où sont gardés les entrées du journal du magasin ; illimitee pour toujours",
        (DASHBOARDS, LINE),
    ),
    Setting(
        "WORKBENCH_CONSERVATION_EXPIRES",
        Kind.TEXT,
        "365",
        "jours où sont gardés les propriétés du magasin, depuis leur expiration ; illimitee pour toujours",
        (DASHBOARDS, LINE),
    ),
    Setting(
        "WORKBENCH_CONSERVATION_RAPPORTS",
        Kind.TEXT,
        "365",
        "jours où sont gardés les rapports demandés au service, depuis leur fin ; illimitee pour toujours",
        (DASHBOARDS, LINE),
    ),
    Setting(
        "WORKBENCH_CONSERVATION_DEPOT",
        Kind.TEXT,
        "365",
        "jours où sont gardés les envois du dépôt, depuis leur publication ; illimitee pour toujours",
        (DASHBOARDS, LINE),
    ),
    Setting(
        "WORKBENCH_CONSERVATION_COMMENTAIRES",
        Kind.TEXT,
        "sans limite",
        "jours où sont gardés les commentaires ; illimitee pour toujours",
        (DASHBOARDS, LINE),
    ),
)
"""What people may set, in the order of the reference."""

GIVEN: tuple[Given, ...] = (
    Given("WORKBENCH_CONFIG", "le fichier des réglages"),
    Given("WORKBENCH_DEBUG", "1 montre le détail d'une erreur inattendue, pour qui met au point"),
    Given(
        "WORKBENCH_TOKEN_FILE",
        "le fichier de votre jeton d'accès, relu à chaque demande ; un serveur le donne à ses noyaux",
    ),
    Given("WORKBENCH_SEUL", "personne ne se connecte à ce serveur : ses noyaux travaillent pour qui l'a lancé"),
    Given("WORKBENCH_KERNEL_LIMITS", "les limites d'un noyau"),
    Given("WORKBENCH_PLOTLY", "l'adresse de plotly.js sur ce serveur"),
    Given("WORKBENCH_RAPPORTS", "l'adresse du service des rapports"),
    Given("WORKBENCH_COMMENTAIRES", "l'adresse du service des commentaires"),
    Given("WORKBENCH_UPLOADS", "l'adresse du dépôt, pour la page qui y envoie"),
    Given("WORKBENCH_REQUETE", "l'identifiant de la demande à laquelle un noyau ou un ouvrier travaille"),
    Given("WORKBENCH_ARRIVALS", "l'adresse de la liste des envois"),
)
"""What is of the environment alone; the first three may be set by people, a server says the others to its kernels."""

_BY_NAME = {each.name: each for each in SETTINGS}


def setting_of(name: str) -> Setting:
    """Return the setting of a variable; ``KeyError`` for one that is not declared: a mistake of ours."""
    return _BY_NAME[name]
