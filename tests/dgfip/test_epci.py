"""Members of EPCI: lists as they are published, what they replace, what queries and perimeters make of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import workbench as wb
from workbench.dgfip import (
    BadRowsError,
    Base,
    Perimetre,
    connect,
    import_balances,
    import_epci,
    perimetre,
    query,
    select_budgets,
    write_demonstration,
)
from workbench.dgfip.cells import prepare_cells
from workbench.dgfip.epci import libelles_epci
from workbench.errors import WorkbenchError

DGCL = (
    "dept;siren;raison_sociale;nature_juridique;mode_financ;nb_membres;total_pop_tot;total_pop_mun;dep_com;insee;"
    "siren_membre;nom_membre;ptot_2024;pmun_2024"
)
EAST, WEST = "200000172", "200000180"


def published(*members: tuple[str, str, str]) -> bytes:
    """A list as the DGCL publishes it: Latin-1, one line a member."""
    names = {EAST: "CC de l'Été", WEST: "CA du Couchant"}
    rows = [
        f"31;{epci};{names[epci]};CC;FPU;2;1 000;900;31;{insee};{siren};COMMUNE {insee};500;450"
        for epci, insee, siren in members
    ]
    return ("\n".join([DGCL, *rows]) + "\n").encode("latin-1")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> object:
    return write_demonstration(tmp_path_factory.mktemp("sources"), communes=6, exercices=3)


@pytest.fixture
def anywhere(new_url: Callable[[], str], written: object) -> Iterator[Base]:
    """A base on each engine."""
    with connect(new_url(), read_only=False) as opened:
        import_balances(opened, written.balances)  # type: ignore[attr-defined]
        yield opened


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, written: object) -> Path:
    folder = tmp_path_factory.mktemp("base")
    with connect(folder / "base.duckdb", read_only=False) as opened:
        import_balances(opened, written.balances)  # type: ignore[attr-defined]
    return folder


@pytest.fixture
def base(filled: Path, tmp_path: Path) -> Iterator[Base]:
    """A base whose lists of members are its own."""
    shutil.copytree(filled, tmp_path / "base", symlinks=True)
    with connect(tmp_path / "base" / "base.duckdb", read_only=False) as opened:
        yield opened


def members(base: Base, siren: str, year: int) -> set[str]:
    found = select_budgets(base, perimetre(epci=siren), year)
    return set(found.column("siren").to_pylist())


def test_the_published_list_makes_perimeters_and_groups(anywhere: Base, written: object, tmp_path: Path) -> None:
    base = anywhere
    first, second, third, *_ = written.communes  # type: ignore[attr-defined]
    path = tmp_path / "epcicom2024.csv"
    path.write_bytes(
        published((EAST, "31900", first.siren), (EAST, "38900", second.siren), (WEST, "2A900", third.siren))
    )

    before = query(base).where(epci=EAST).by("collectivite").run()
    assert len(before) == 0
    assert "Aucune source" in before.notices[0]

    report = import_epci(base, path, exercices=[2023, 2024])
    assert (report.rows, report.exercices, report.ignored_columns) == (6, (2023, 2024), ())
    assert members(base, EAST, 2024) == {first.siren, second.siren}
    assert members(base, EAST, 2022) == set()
    assert libelles_epci(base) == {EAST: "CC de l'Été", WEST: "CA du Couchant"}

    # Each total is that of the members' own.
    asked = query(base).measure("C7").exercices(2024)
    found = {row["siren_epci"]: row for row in asked.by("epci").run().table.to_pylist()}
    for siren, own in ((EAST, [first, second]), (WEST, [third])):
        alone = asked.where(sirens=[one.siren for one in own]).run().table.to_pylist()
        assert found[siren]["C7"] == alone[0]["C7"] > 0
    assert found[EAST]["siren_epci_libelle"] == "CC de l'Été"
    assert found[None]["C7"] > 0
    assert sum(row["C7"] for row in found.values()) == pytest.approx(asked.run().table.to_pylist()[0]["C7"])

    # Exercices without a list are said, not silently empty.
    result = query(base).where(epci=EAST).measure("C7").by("exercice").run()
    assert "inconnue en 2022" in result.notices[0]

    # The same file again changes nothing; the same for another exercice does.
    assert import_epci(base, path, exercices=[2023, 2024]).rows == 0
    import_epci(base, path, exercices=2022)
    assert members(base, EAST, 2022) == {first.siren, second.siren}
    assert members(base, EAST, 2024) == {first.siren, second.siren}


def test_a_newer_list_replaces_what_it_speaks_of(base: Base, written: object, tmp_path: Path) -> None:
    first, second, third, fourth, *_ = written.communes  # type: ignore[attr-defined]
    path = tmp_path / "membres.csv"
    listed = (EAST, first), (EAST, second), (WEST, third)
    lines = [f"{year};{epci};{one.siren}\n" for year in (2023, 2024) for epci, one in listed]
    path.write_text("".join(["exercice;siren_epci;siren_membre\n", *lines]))
    import_epci(base, path)
    # In 2024 a commune goes from one to the other; the former still has its other member.
    path.write_text(f"exercice;siren_epci;siren_membre\n2024;{WEST};{second.siren}\n2024;{WEST};{fourth.siren}\n")
    import_epci(base, path)
    assert members(base, EAST, 2024) == {first.siren}
    assert members(base, WEST, 2024) == {second.siren, fourth.siren}
    assert members(base, EAST, 2023) == {first.siren, second.siren}
    assert members(base, WEST, 2023) == {third.siren}


def test_communes_named_by_their_code_alone(base: Base, written: object, tmp_path: Path) -> None:
    communes = {one.departement: one for one in written.communes}  # type: ignore[attr-defined]
    path = tmp_path / "insee.csv"
    codes = {"031": f"31{communes['031'].insee}", "02A": f"2A{communes['02A'].insee}"}
    overseas = next((code for code in communes if code.startswith("10")), None)
    if overseas is not None:
        codes[overseas] = f"97{overseas[2]}{communes[overseas].insee[1:]}"
    path.write_text(
        "CODGEO,LIBGEO,EPCI,LIBEPCI,DEP,REG\n"
        + "".join(f"{code},X,{EAST},Est,31,76\n" for code in (codes["031"], codes["02A"]))
        + f"{codes.get(overseas or '', '29155')},Île,ZZZZZZZZZ,Sans objet,29,53\n"
    )
    report = import_epci(base, path, exercices=2024)
    assert report.rows == 2
    # Annexe budgets bear the SIREN of their commune.
    assert members(base, EAST, 2024) == {communes["031"].siren, communes["02A"].siren}


@pytest.mark.parametrize(
    ("content", "exercices", "code"),
    [
        ("siren_epci;siren_membre\n200000172;999000008\n", None, "epci_sans_exercice"),
        ("siren_epci;exercice\n200000172;2024\n", None, "epci_sans_membre"),
        ("epci_nom;exercice\nx;2024\n", None, "colonnes_absentes"),
        ("siren_epci;siren_membre\n200000172;999000008\n200000180;999000008\n", 2024, "epci_double"),
        ("siren_epci;siren_membre\n", 2024, "fichier_sans_ligne"),
        ("siren_epci;siren_membre\n200000172;12A\n", 2024, "lignes_refusees"),
        ("siren_epci;siren_membre\n<script>;999000008\n", 2024, "lignes_refusees"),
        ("siren_epci;insee;exercice\n200000172;31555;bientôt\n", None, "lignes_refusees"),
    ],
)
def test_a_bad_list_is_refused_whole(
    base: Base, tmp_path: Path, content: str, exercices: int | None, code: str
) -> None:
    path = tmp_path / "liste.csv"
    path.write_text(content)
    before = base.snapshot
    with pytest.raises(WorkbenchError) as caught:
        import_epci(base, path, exercices=exercices)
    assert caught.value.code == code
    assert base.snapshot == before
    assert libelles_epci(base) == {}
    if code == "lignes_refusees":
        assert isinstance(caught.value, BadRowsError)
        assert caught.value.rows[0].line == 2


def test_the_demonstration_has_groupements(base: Base, written: object) -> None:
    import_epci(base, written.epci)  # type: ignore[attr-defined]
    names = libelles_epci(base)
    assert len(names) > 2
    assert all(name.endswith("(fictive)") for name in names.values())
    assert len(members(base, next(iter(names)), 2024)) >= 1


def test_evaluations_take_members_too(base: Base, written: object, tmp_path: Path) -> None:
    first, second, third, *_ = written.communes  # type: ignore[attr-defined]
    path = tmp_path / "membres.csv"
    listed = (2023, EAST, first), (2024, EAST, first), (2024, EAST, second), (2024, WEST, third)
    lines = [f"{year};{epci};{one.siren}\n" for year, epci, one in listed]
    path.write_text("".join(["exercice;siren_epci;siren_membre\n", *lines]))
    import_epci(base, path)
    trame = wb.trame_from_formules({"A_PRODUITS": "C7[TA:BX]", "A_HABITANT": "A_PRODUITS+D6[TA:BX]"})
    years = [2022, 2023, 2024]

    def each(perimetre: Perimetre) -> list[tuple[str, int, str, float]]:
        rows = wb.evaluate_each(trame, base, perimetre, exercices=years).to_pylist()
        return sorted((row["siret"], row["exercice"], row["indicateur"], row["value"]) for row in rows)

    everyone = each(perimetre())
    ours = {(2023, first.siren), (2024, first.siren), (2024, second.siren)}
    wanted = [row for row in everyone if (row[1], row[0][:9]) in ours]
    # Without cells, then with those that evaluating everything prepares.
    assert each(perimetre(epci=EAST)) == wanted != []
    prepare_cells(base)
    assert each(perimetre(epci=EAST)) == wanted
    assert each(perimetre(epci=EAST, population=(10**8, None))) == []
    table = wb.evaluate(trame, base, perimetre=perimetre(epci=EAST), exercices=[2024])
    sums = [row[3] for row in wanted if row[1] == 2024 and row[2] == "A_PRODUITS"]
    assert table.loc["A_PRODUITS", 2024] == pytest.approx(sum(sums))
