"""What is published: objects, their keys, and for each property the badges that reading it takes.

Badges of a scope are all required: "one of several départements" is several sheets of the same key. A sheet that
depends on where a company is (`Scoped.placed`) is written under `FOLLOWED`, which following the company lends, then
under each département of the company's établissements; a confidential one (`CONFIDENTIAL`) there only when the company
has ever been in alert. So is the rule of specification 7.3.1 kept by scopes alone.

A property that its reader may see is there: null, or an empty list, when nothing is known. One that is absent is one
that she may not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ALERTS",
    "BATCH",
    "COMMENT",
    "COMPANY",
    "CONFIDENTIAL",
    "DETAIL",
    "DETECTION",
    "DIRECTORY",
    "FOLLOW",
    "FOLLOWED",
    "IDENTITY",
    "KINDS",
    "LIST",
    "OPINION",
    "PUBLIC",
    "REFERENCE",
    "SHOWN",
    "WRITER",
    "Kind",
    "Place",
    "Scoped",
    "batch_of",
    "directory_facts",
    "key_of",
    "list_order",
    "scopes_of",
    "shared_sheets_of",
    "sheets_of",
    "urssaf_pair",
]

PUBLIC = "public"
REFERENCE = "reference"
COMMENT = "comment"
FOLLOW = "suivi"
OPINION = "opinion"
"""Buckets."""

FOLLOWED = "$suivi"
"""The badge lent for the objects of a company that the reader follows; identity gives nobody a badge in ``$``."""

WRITER = "datawriter"
"""The badge that publishing takes."""

CONFIDENTIAL = frozenset({"score", "urssaf", "dgefp", "bdf", "pge"})
"""Badges of level A: they need an alert or a follow besides."""

DIRECTORY = "annuaire"
"""The bucket of what was published of the directory, for who publishes it again."""

BATCH = "batch"


@dataclass(frozen=True)
class Scoped:
    """Properties of one scope.

    Parameters
    ----------
    badges
        Those that reading takes, but for the place.
    properties
        Their names.
    placed
        Whether a département of the company, or following it, is needed too.
    """

    badges: tuple[str, ...]
    properties: tuple[str, ...]
    placed: bool = True

    @property
    def confidential(self) -> bool:
        """Whether only a company that has ever been in alert, or that is followed, shows it."""
        return not CONFIDENTIAL.isdisjoint(self.badges)


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    Parameters
    ----------
    name
        Its ``type`` in the key.
    bucket
        Where it is.
    pairs
        Names of the other pairs of its key.
    scoped
        Its properties by scope.
    search
        The facts by whose words its first sheet is found, the name first; none for what no search finds.
    """

    name: str
    bucket: str
    pairs: tuple[str, ...]
    scoped: tuple[Scoped, ...]
    search: tuple[str, ...] = ()

    @property
    def properties(self) -> frozenset[str]:
        """Every property."""
        return frozenset(name for each in self.scoped for name in each.properties)


DETECTION = Kind(
    "detection",
    PUBLIC,
    ("siret", "siren", BATCH),
    (
        Scoped(
            ("detection",),
            (
                "acteurs", "raison_sociale", "activite", "libelle_activite", "section", "dernier_effectif",
                "variation_effectif", "annee_ca", "ca", "variation_ca", "excedent_brut_d_exploitation",
                "resultat_expl", "variation_resultat_expl", "departement", "departements", "region", "commune",
                "etat_procol", "date_procol", "siege", "etat_administratif", "date_creation", "connu",
            ),
        ),
        Scoped(("detection", "score"), ("score", "alert", "diff", "premiere_alerte")),
        Scoped(("detection", "urssaf"), ("urssaf", "delai_urssaf")),
        Scoped(("detection", "dgefp"), ("activite_partielle",)),
    ),
)  # fmt: skip
"""A company of a list, at its head office. ``score`` from 0 to 1, ``diff`` since the list before (null in the first),
``alert`` one of `detection.Level`'s values; amounts in thousands of euros; ``variation_`` a ratio (1.05: 5 % more)."""

DETAIL = Kind(
    "detail",
    PUBLIC,
    ("siret", "siren", BATCH),
    (
        Scoped((), ("sirene", "effectif", "procedure_collective")),
        Scoped(("urssaf",), ("debit", "cotisation", "delai")),
        Scoped(("dgefp",), ("apconso", "apdemande")),
        Scoped(("score",), ("explication",)),
    ),
)
"""An établissement as of a batch. Lists of rows by month or date, oldest first: ``effectif`` [periode, effectif],
``procedure_collective`` [date_effet, action, stade, libelle], ``debit`` [periode, part_ouvriere, part_patronale],
``cotisation`` [periode, du] (euros), ``delai`` [date_creation, date_echeance, duree_delai, montant_echeancier, stade,
action], ``apconso`` [periode, heures, effectif, montant], ``apdemande`` [periode_debut, periode_fin, hta, effectif,
effectif_autorise, motif]. ``explication``, on the head office of a company in alert, null elsewhere: ``probabilite``,
``depart``, ``seuils`` {modere, fort}, ``themes`` {theme: points}, ``variables`` {theme: {variable: points}}, ``radar``
{theme: 0 to 1}, ``concerne`` and ``rassure`` [[theme, variable]], ``phrases``. Months are « AAAA-MM »."""

COMPANY = Kind(
    "entreprise",
    PUBLIC,
    ("siren", BATCH),
    (
        Scoped((), ("sirene_ul", "etablissements", "effectif", "finances", "paydex", "quantiles")),
        Scoped(("urssaf",), ("debit", "cotisation")),
        Scoped(("dgefp",), ("apconso",)),
        Scoped(("bdf",), ("bdf",)),
    ),
)
"""A company as of a batch: ``etablissements`` [siret, siege, departement, commune, activite, etat_administratif,
effectif, latitude, longitude]; ``finances`` by exercice, oldest first [annee, date_cloture, source, ca,
excedent_brut_d_exploitation, resultat_expl, resultat_net (thousands of euros), and ratios by the names of the sources];
``paydex`` [date_valeur, nb_jours]; ``quantiles`` {ratio: [q10, q25, q50, q75, q90], …} of the sector and class of
revenue, with ``secteur`` and ``classe``; debts, contributions and partial activity summed over its établissements."""

IDENTITY = Kind(
    "identite",
    PUBLIC,
    ("siret", "siren"),
    (
        Scoped(
            (),
            ("sirene", "departement", "section", "siege", "etat_administratif"),
            placed=False,
        ),
        Scoped(("detection",), ("dernier_effectif",)),
    ),
    ("raison_sociale", "commune", "code_postal", "siret"),
)
"""What a search finds, for everyone; the staff of the company, for who sees it in lists. ``sirene`` holds all that the
directory says, `SHOWN`: in one property, since millions are published; the others are what searches filter."""

SHOWN = (
    "raison_sociale", "siege", "departement", "region", "commune", "code_postal", "adresse", "activite",
    "libelle_activite", "section", "categorie_juridique", "etat_administratif", "date_creation", "latitude",
    "longitude",
)  # fmt: skip
"""What ``sirene`` holds of an établissement, in an identity and in a detail."""


def directory_facts(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an identity says of its établissement, be it of before ``sirene``; nothing once it is withdrawn.

    Examples
    --------
    >>> directory_facts({"sirene": {"commune": "BREST"}, "departement": "29"})
    {'departement': '29', 'commune': 'BREST'}
    """
    told = {name: value for name, value in identity.items() if name != "sirene" and value is not None}
    return {**told, **(identity.get("sirene") or {})}


LIST = Kind(
    "liste",
    REFERENCE,
    (BATCH,),
    (Scoped(("detection",), ("libelle", "algo", "periode", "date", "donnees", "seuils", "carte"), placed=False),),
)
"""A list: ``donnees`` {source: last day known}, ``seuils`` {modere, fort}. How many companies depends on rights, and is
not said."""

ALERTS = Kind("alertes", REFERENCE, (BATCH,), (Scoped((WRITER,), ("sirens",), placed=False),))
"""The companies in alert in a list, for who publishes the next one: whether they have ever been."""

KINDS = {each.name: each for each in (DETECTION, DETAIL, COMPANY, IDENTITY, LIST, ALERTS)}
"""Kinds by their ``type``."""


@dataclass(frozen=True)
class Place:
    """Where a company is, and whether it has ever been in alert.

    Parameters
    ----------
    departements
        Those of its établissements.
    alerted
        Whether confidential properties are shown there.
    """

    departements: tuple[str, ...]
    alerted: bool


def batch_of(batch: str, algo: str) -> str:
    """Return the pair that names a list.

    Examples
    --------
    >>> batch_of("2603", "boosting-1a2b3c4d")
    '2603.boosting-1a2b3c4d'
    """
    return f"{batch}.{algo}"


def list_order(sheet: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what lists are sorted by, from the oldest: their batch, then their date, which may be that of a release.

    Parameters
    ----------
    sheet
        ``{key, value}`` of an object of the kind `LIST`.

    Examples
    --------
    >>> late = {"key": {"batch": "2603.a"}, "value": {"date": "2026-06-15"}}
    >>> list_order(late) < list_order({"key": {"batch": "2604.a"}, "value": {"date": "2026-05-01"}})
    True
    """
    pair = str(sheet["key"].get(BATCH) or "")
    return pair.partition(".")[0], str(sheet["value"].get("date") or ""), pair


def urssaf_pair(region: str | None) -> dict[str, str]:
    """Return the pair that the regional agents of the URSSAF are known by; none without région.

    Examples
    --------
    >>> urssaf_pair("Bretagne")
    {'URSSAF Bretagne': 'true'}
    """
    return {f"URSSAF {region}": "true"} if region else {}


def key_of(kind: Kind, facts: Mapping[str, Any], *, region: str | None = None) -> dict[str, str]:
    """Return the key of an object, of facts that hold its pairs."""
    return {name: str(facts[name]) for name in kind.pairs} | {"type": kind.name} | urssaf_pair(region)


def scopes_of(scoped: Scoped, place: Place, also: Iterable[str] = ()) -> Iterator[list[str]]:
    """Give the scopes that a sheet is written under, the follow's first.

    Examples
    --------
    >>> list(scopes_of(Scoped(("urssaf",), ("debit",)), Place(("29", "35"), alerted=True)))
    [['urssaf', '$suivi'], ['urssaf', '29'], ['urssaf', '35']]
    >>> list(scopes_of(Scoped(("urssaf",), ("debit",)), Place(("29", "35"), alerted=False)))
    [['urssaf', '$suivi']]
    """
    badges = [*scoped.badges, *also]
    if not scoped.placed:
        yield badges
        return
    yield [*badges, FOLLOWED]
    if place.alerted or not scoped.confidential:
        for departement in place.departements:
            yield [*badges, departement]


def shared_sheets_of(
    kind: Kind,
    key: Mapping[str, str],
    value: Mapping[str, Any],
    place: Place,
    *,
    also: Iterable[str] = (),
    released: str | None = None,
    expires: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Write an object as `workbench.store.Store.replace` takes it: a sheet once, with its ``scopes``.

    Every property of its kind is there, null when it is not given.

    Parameters
    ----------
    kind, key
        Which object.
    value
        Its properties.
    place
        Where its company is.
    also
        Badges asked besides: that of an algorithm.
    released, expires
        Moments, as the store takes them.
    """
    extra = list(also)
    dates = {name: moment for name, moment in (("releaseDate", released), ("expires", expires)) if moment is not None}
    for scoped in kind.scoped:
        properties = {name: value.get(name) for name in scoped.properties}
        search: dict[str, str] = {}
        if kind.search and scoped is kind.scoped[0]:
            # Without its name, it is withdrawn: nothing finds it.
            words = [{**key, **value}.get(name) for name in kind.search]
            search = {"search": " ".join(map(str, filter(None, words))) if words[0] else ""}
        scopes = list(scopes_of(scoped, place, extra))
        yield {"key": dict(key), "scopes": scopes, "value": properties, **dates, **search}


def sheets_of(
    kind: Kind, key: Mapping[str, str], value: Mapping[str, Any], place: Place, **options: Any
) -> Iterator[dict[str, Any]]:
    """Write an object as `workbench.store.Store.put` takes it: a sheet for each scope; see `shared_sheets_of`.

    Examples
    --------
    >>> sheets = sheets_of(LIST, {"type": "liste", "batch": "2603.a"}, {"libelle": "Mars 2026"}, Place((), False))
    >>> [each["scope"] for each in sheets]
    [['detection']]
    """
    for each in shared_sheets_of(kind, key, value, place, **options):
        scopes = each.pop("scopes")
        for scope in scopes:
            yield {**each, "scope": scope}
