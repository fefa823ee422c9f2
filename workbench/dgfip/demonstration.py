"""Write the demonstration: open data of *fictitious* communes, that the importers then read.

The files have the layouts that the DGFIP publishes, so that a demonstration runs the real path:
M14 exercices by nature and fonction with comma decimals, M57 ones by nature as the API exports
them, compressed; populations and labels of comptes apart. The budgets are invented by seeded draws
and written in double entry, so they balance to the cent and each exercice opens with what the one before closed.
How nobody may mistake them for real ones: see `workbench.dgfip.demonstration_communes`.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workbench.dgfip.demonstration_annexe import PARKING, WATER, Service, found_annexe, play_annexe
from workbench.dgfip.demonstration_communes import Commune, commune, groupement
from workbench.dgfip.demonstration_habits import FONCTIONS
from workbench.dgfip.demonstration_ledger import Ledger, Position, chart, shares
from workbench.dgfip.demonstration_principal import found, play_principal
from workbench.errors import WorkbenchError

__all__ = ["Demonstration", "write_demonstration"]

FIRST, LAST = 2017, 2024
"""Bounds of the exercices: the comptes written are those of the charts of these years."""
MOST_COMMUNES = 500

_DESCRIPTION = (
    "EXER",
    "IDENT",
    "NDEPT",
    "LBUDG",
    "INSEE",
    "CBUDG",
    "CTYPE",
    "CSTYP",
    "NOMEN",
    "SIREN",
    "CREGI",
    "CACTI",
)
_EMPTY = ("SECTEUR", "FINESS", "CODBUD1")
_AMOUNTS = ("BEDEB", "BECRE", "OBNETDEB", "OBNETCRE", "ONBDEB", "ONBCRE", "OOBDEB", "OOBCRE", "SD", "SC")
_LAYOUT_A = (*_DESCRIPTION, *_EMPTY, "CATEG", "BAL", "FONCTION", "COMPTE", *_AMOUNTS)
_EPCI = ("exercice", "dept", "siren", "raison_sociale", "nature_juridique", "insee", "siren_membre", "nom_membre")
_LAYOUT_B = tuple(name.lower() for name in _LAYOUT_A if name != "FONCTION")

_NOTICE = """\
Ces fichiers ne décrivent aucune commune réelle.

Les communes, leurs noms, leurs numéros SIREN et SIRET (dont la clé de contrôle est fausse), leurs
populations et leurs comptes sont inventés par un programme, pour la démonstration. Les codes de
département sont réels afin que les regroupements et les cartes fonctionnent ; les codes de commune
(à partir de 900) n'y existent pas. La mise en page des fichiers est celle des balances comptables
que publie la DGFIP.
"""


@dataclass(frozen=True)
class Demonstration:
    """The files written, and the communes that they invent.

    Parameters
    ----------
    balances
        One file an exercice and layout, for `import_balances`.
    population
        ``siren;exercice;population``, for `import_population`.
    comptes
        ``nomenclature;comptes;libelles``: the label of every compte used.
    epci
        Members of invented EPCI, in the layout of the DGCL's list, for `import_epci`.
    notice
        A French text that says that all this is fiction.
    communes
        What they are, in the order of their numbers.
    exercices
        Years, in order.
    rows
        Rows of all balances.
    """

    balances: tuple[Path, ...]
    population: Path
    comptes: Path
    epci: Path
    notice: Path
    communes: tuple[Commune, ...]
    exercices: tuple[int, ...]
    rows: int

    @property
    def example(self) -> str:
        """The SIRET of a main budget worth a report: long in M57, and in trouble where one is."""
        sound = {"solide", "ordinaire"}
        return min(self.communes, key=lambda one: (one.switch, one.profile in sound, one.number)).siret(0)

    def name_of(self, siret: str) -> str:
        """Give the label of a main budget, which says that it is fiction.

        Raises
        ------
        KeyError
            When no main budget has this SIRET.
        """
        return {one.siret(0): one.libelle for one in self.communes}[siret]


@dataclass(frozen=True)
class _Budget:
    """What a balance says of its budget, besides the amounts."""

    commune: Commune
    exercice: int
    rank: int
    nomenclature: str
    service: Service | None = None

    @property
    def by_fonction(self) -> bool:
        return self.exercice < self.commune.switch

    def description(self) -> tuple[str, ...]:
        one, service = self.commune, self.service
        return (
            str(self.exercice),
            one.siret(self.rank),
            one.departement,
            f"{service.name} {one.libelle}" if service else one.libelle,
            one.insee,
            "3" if service else "1",
            "410" if service else "101",
            "00",
            self.nomenclature,
            one.siren,
            one.region,
            service.activity if service else "40",
        )


def write_demonstration(
    folder: Path | str, *, seed: int | str = 2024, communes: int = 60, exercices: int = 8
) -> Demonstration:
    r"""Write the files of the demonstration.

    Parameters
    ----------
    folder
        Made if need be; files of the same names are replaced.
    seed
        The same seed gives the same bytes.
    communes
        How many, from 1 to 500; the first ones are the same whatever their number.
    exercices
        How many, from 1 to 8; the last is 2024.

    Returns
    -------
    Demonstration
        Paths, communes, exercices.

    Raises
    ------
    WorkbenchError
        ``demonstration_parametre``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     demonstration = write_demonstration(folder, communes=3, exercices=2)
    ...     print(*(path.name for path in demonstration.balances), sep="\n")
    balances-fictives-2023-fonction.csv
    balances-fictives-2023.csv.gz
    balances-fictives-2024.csv.gz
    """
    _require("communes", communes, MOST_COMMUNES)
    _require("exercices", exercices, LAST - FIRST + 1)
    to = Path(folder)
    to.mkdir(parents=True, exist_ok=True)
    invented = tuple(commune(seed, number) for number in range(communes))
    years = tuple(range(LAST - exercices + 1, LAST + 1))
    by_fonction: dict[int, list[str]] = {year: [] for year in years}
    by_nature: dict[int, list[str]] = {year: [] for year in years}
    used: set[tuple[str, str]] = set()
    for one in invented:
        for budget, ledger in _play(one, seed):
            if budget.exercice in by_nature:
                balance = chart(budget.nomenclature).balance(ledger)
                used |= {(budget.nomenclature, compte) for compte in balance}
                if budget.by_fonction:
                    by_fonction[budget.exercice].extend(_rows_a(budget, balance))
                else:
                    by_nature[budget.exercice].extend(_rows_b(budget, balance))
    written: list[Path] = []
    for year in years:
        if by_fonction[year]:
            written.append(_write(to / f"balances-fictives-{year}-fonction.csv", _LAYOUT_A, by_fonction[year]))
        if by_nature[year]:
            written.append(_write(to / f"balances-fictives-{year}.csv.gz", _LAYOUT_B, by_nature[year]))
    inhabitants = [f"{one.siren};{year};{one.population(year - FIRST)}" for one in invented for year in years]
    notice = to / "LISEZMOI.txt"
    notice.write_text(_NOTICE, encoding="utf-8")
    return Demonstration(
        balances=tuple(written),
        population=_write(to / "population-fictive.csv", ("siren", "exercice", "population"), inhabitants),
        comptes=_write(to / "comptes.csv", ("nomenclature", "comptes", "libelles"), _labels(used)),
        epci=_write(to / "epci-fictifs.csv", _EPCI, [row for year in years for row in _members(invented, year)]),
        notice=notice,
        communes=invented,
        exercices=years,
        rows=sum(map(len, (*by_fonction.values(), *by_nature.values()))),
    )


def _require(nature: str, value: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise WorkbenchError("demonstration_parametre", nature=nature, valeur=value, minimum=1, maximum=most)


def _play(one: Commune, seed: int | str) -> Iterator[tuple[_Budget, Ledger]]:
    """Play a commune's exercices in order: its annexe budgets, then the main one that they refund."""
    services = [service for service, present in ((WATER, one.water), (PARKING, one.parking)) if present]
    annexes: list[Position] = [found_annexe(one, service, seed) for service in services]
    principal = found(one, seed)
    for year in range(FIRST, LAST + 1):
        refund = 0
        for place, service in enumerate(services):
            ledger = annexes[place].ledger
            annexes[place], owed = play_annexe(one, service, annexes[place], year, seed)
            refund += owed
            yield _Budget(one, year, place + 1, service.nomenclature, service), ledger
        ledger = principal.ledger
        principal = play_principal(one, principal, year, (year - FIRST) / (LAST - FIRST), refund, seed)
        yield _Budget(one, year, 0, _nomenclature(one, year)), ledger


def _nomenclature(one: Commune, year: int) -> str:
    """Name the chart: abridged below 500 inhabitants in M14, below 3 500 in M57."""
    if year < one.switch:
        return "M14A" if one.inhabitants < 500 else "M14"
    return "M57A" if one.inhabitants < 3500 else "M57"


def _rows_a(budget: _Budget, balance: dict[str, list[int]]) -> Iterator[str]:
    """Write rows by compte and fonction: budgetary amounts on those with one, the others on one without."""
    start = ";".join((*budget.description(), *("" for _ in _EMPTY), "Commune", "DEF"))
    presented = budget.service is None and budget.commune.inhabitants >= 3500
    for compte, movements in balance.items():
        if not presented:
            yield _line(start, f";{compte}", movements, _with_comma)
            continue
        entry, budgetary = [*movements[:2], 0, 0, *movements[4:6], 0, 0], [0, 0, *movements[2:4], 0, 0, *movements[6:]]
        if any(entry):
            yield _line(start, f";{compte}", entry, _with_comma)
        if any(budgetary):
            for fonction, part in _by_fonction(budget.commune, compte, budgetary):
                yield _line(start, f"{fonction};{compte}", part, _with_comma)


def _rows_b(budget: _Budget, balance: dict[str, list[int]]) -> Iterator[str]:
    start = ";".join((*budget.description(), *("" for _ in _EMPTY), "Commune", "DEF"))
    for compte, movements in balance.items():
        yield _line(start, compte, movements, _with_dot)


def _line(start: str, key: str, movements: list[int], write: Callable[[int], str]) -> str:
    net = movements[0] - movements[1] + movements[2] - movements[3] + movements[4] - movements[5]
    zero = write(0)
    amounts = [write(amount) if amount else zero for amount in (*movements, max(0, net), max(0, -net))]
    return f"{start};{key};{';'.join(amounts)}"


def _with_comma(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100},{abs(cents) % 100:02d}"


def _with_dot(cents: int) -> str:
    """Write cents as the API does: one decimal at least, no needless zero."""
    sign = "-" if cents < 0 else ""
    euros, rest = divmod(abs(cents), 100)
    return f"{sign}{euros}.{rest // 10}" if rest % 10 == 0 else f"{sign}{euros}.{rest:02d}"


def _by_fonction(one: Commune, compte: str, movements: list[int]) -> Iterator[tuple[str, list[int]]]:
    """Spread budgetary amounts over fonctions, more of them in a larger commune."""
    weights = _fonctions(compte)
    # Orders stay together: what moves no money is not spread.
    most = 1 if any(movements[6:]) else 2 if one.inhabitants < 20_000 else 5
    spread = {name: float(weight) for name, weight in weights[:most]}
    columns = [shares(amount, spread) if amount else dict.fromkeys(spread, 0) for amount in movements]
    for fonction in sorted(spread):
        part = [column[fonction] for column in columns]
        if any(part):
            yield fonction, part


@cache
def _fonctions(compte: str) -> tuple[tuple[str, int], ...]:
    """Give the fonctions of a compte, the heaviest first."""
    weights = next((weights for starts, weights in FONCTIONS if compte.startswith(starts)), (("01", 1),))
    return tuple(sorted(weights, key=lambda each: -each[1]))


def _labels(used: Iterable[tuple[str, str]]) -> list[str]:
    """Name comptes; an abridged chart's are written under the whole chart's name."""
    named = {
        (nomenclature[:3] if nomenclature != "M4" else "M4", compte): chart(nomenclature).libelles[compte]
        for nomenclature, compte in sorted(used, reverse=True)
    }
    return [f"{nomenclature};{compte};{label}" for (nomenclature, compte), label in sorted(named.items())]


def _members(communes: Iterable[Commune], year: int) -> Iterator[str]:
    """Write which EPCI each commune belongs to: one a département, which the smallest ones joined in 2020."""
    for one in communes:
        if one.inhabitants < 1000 and year < 2020:
            continue
        siren, name, nature = groupement(one.departement)
        short = f"97{one.departement[2]}" if one.departement.startswith("10") else one.departement[1:]
        member = f"{short}{one.insee[len(short) - 2 :]};{one.siren};{one.libelle}"
        yield f"{year};{short};{siren};{name};{nature};{member}"


def _write(path: Path, header: tuple[str, ...], rows: list[str]) -> Path:
    content = ("\n".join([";".join(header), *rows]) + "\n").encode()
    # Neither a date nor a name in the compressed file: the same seed gives the same bytes.
    path.write_bytes(gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)
    return path
