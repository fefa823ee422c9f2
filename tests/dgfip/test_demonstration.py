"""The demonstration: fiction that nobody mistakes, and accounts that balance to the cent."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.dgfip.demonstration import Demonstration, write_demonstration
from workbench.dgfip.demonstration_communes import commune, key_fails
from workbench.dgfip.demonstration_ledger import Ledger, chart, shares
from workbench.dgfip.reference import departements
from workbench.errors import WorkbenchError

AMOUNTS = ("bedeb", "becre", "obnetdeb", "obnetcre", "onbdeb", "onbcre", "oobdeb", "oobcre", "sd", "sc")
Row = dict[str, str]
Budget = dict[str, list[int]]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    return write_demonstration(tmp_path_factory.mktemp("demonstration"))


@pytest.fixture(scope="module")
def rows(demonstration: Demonstration) -> list[Row]:
    return [row for path in demonstration.balances for row in read(path)]


@pytest.fixture(scope="module")
def budgets(rows: list[Row]) -> dict[tuple[str, int], Budget]:
    """Give the amounts in cents by budget and exercice, then by compte."""
    found: dict[tuple[str, int], Budget] = defaultdict(lambda: defaultdict(lambda: [0] * 10))
    for row in rows:
        summed = found[row["ident"], int(row["exer"])][row["compte"]]
        for place, name in enumerate(AMOUNTS):
            summed[place] += cents(row[name])
    return found


def read(path: Path) -> Iterator[Row]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = csv.reader(io.StringIO(content.decode(), newline=""), delimiter=";")
    names = [name.lower() for name in next(lines)]
    for line in lines:
        yield dict(zip(names, line, strict=True))


def cents(text: str) -> int:
    whole, _, rest = text.replace(",", ".").partition(".")
    return int(whole + rest.ljust(2, "0"))


def net(budget: Budget, *starts: str) -> int:
    """Closing balances, debit less credit, of the comptes that start so."""
    return sum(row[8] - row[9] for compte, row in budget.items() if compte.startswith(starts))


def real(budget: Budget, classe: str) -> int:
    """Dépenses or recettes réelles de fonctionnement, by the definitions of the specification, section 4."""
    apart = ("68", "675", "676") if classe == "6" else ("78", "775", "776", "777")
    kept = [row for compte, row in budget.items() if compte[0] == classe and not compte.startswith(apart)]
    debit = sum((row[2] - row[6]) - (row[3] - row[7]) for row in kept)
    return debit if classe == "6" else -debit


# --- nobody may take it for real


def test_every_label_says_that_it_is_fiction(rows: list[Row]) -> None:
    assert {row["lbudg"].endswith(" (fictive)") for row in rows} == {True}


def test_no_identifier_is_valid(rows: list[Row]) -> None:
    for siren, siret in {(row["siren"], row["ident"]) for row in rows}:
        assert siren.startswith("999")
        assert siret.startswith(siren)
        assert (len(siren), len(siret)) == (9, 14)
        assert luhn(siren) % 10 != 0
        assert luhn(siret) % 10 != 0


def luhn(digits: str) -> int:
    return sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits)))


@pytest.mark.parametrize("number", ["213300635", "21330063500017", "732829320"])
def test_real_identifiers_have_their_key(number: str) -> None:
    """Bordeaux's, and the one that handbooks give: the test above could fail."""
    assert luhn(number) % 10 == 0
    assert not key_fails(number)


@given(st.integers(0, 499))
def test_every_commune_fails_the_key(number: int) -> None:
    one = commune(1, number)
    assert all(key_fails(code) for code in (one.siren, one.siret(0), one.siret(1), one.siret(2)))
    assert int(one.insee) >= 900


def test_communes_do_not_share_a_name_or_a_number() -> None:
    communes = [commune(7, number) for number in range(500)]
    for codes in ([one.libelle for one in communes], [one.siren for one in communes]):
        assert len(set(codes)) == 500
    assert len({(one.departement, one.insee) for one in communes}) == 500


def test_the_notice_says_it_in_french(demonstration: Demonstration) -> None:
    assert "aucune commune réelle" in demonstration.notice.read_text(encoding="utf-8")


# --- the accounts balance, to the cent


def test_each_row_closes(rows: list[Row]) -> None:
    for row in rows:
        amounts = [cents(row[name]) for name in AMOUNTS]
        closing = amounts[0] - amounts[1] + amounts[2] - amounts[3] + amounts[4] - amounts[5]
        assert amounts[8:] == [max(0, closing), max(0, -closing)], row


def test_each_budget_balances(budgets: dict[tuple[str, int], Budget]) -> None:
    for key, budget in budgets.items():
        total = [sum(row[place] for row in budget.values()) for place in range(8)]
        assert total[0] == total[1], key
        assert total[2] + total[4] == total[3] + total[5], key
        assert total[6] == total[7], key
        assert net(budget, *"1234567") == 0, key
        # Budgetary operations alone do not balance: the third parties are on the other side.
        assert total[2] != total[3], key


def test_classes_6_and_7_open_with_nothing_and_close_with_the_result(
    budgets: dict[tuple[str, int], Budget],
) -> None:
    for budget in budgets.values():
        assert not any(row[0] or row[1] for compte, row in budget.items() if compte[0] in "67")
        assert net(budget, "6", "7") == -net(budget, "1", "2", "3", "4", "5") != 0


def test_orders_are_inside_the_budgetary_operations(budgets: dict[tuple[str, int], Budget]) -> None:
    for key, budget in budgets.items():
        assert all(row[2] >= row[6] >= 0 and row[3] >= row[7] >= 0 for row in budget.values() if row[6] or row[7]), key
        assert any(row[6] for row in budget.values()), key


def test_each_exercice_opens_with_what_the_last_one_closed(
    budgets: dict[tuple[str, int], Budget], rows: list[Row]
) -> None:
    nomenclature = {(row["ident"], int(row["exer"])): row["nomen"] for row in rows}
    kept = changed = 0
    for (ident, exercice), budget in budgets.items():
        following = budgets.get((ident, exercice + 1))
        if following is None:
            continue
        opening = {compte: row[0] - row[1] for compte, row in following.items() if row[0] or row[1]}
        closing = {compte: row[8] - row[9] for compte, row in budget.items() if compte[0] not in "67"}
        assert opening.pop("12", 0) == closing.pop("12", 0) + net(budget, "6", "7")
        if nomenclature[ident, exercice] == nomenclature[ident, exercice + 1]:
            kept += 1
            assert opening == {compte: amount for compte, amount in closing.items() if amount}
        else:
            changed += 1
            assert sum(opening.values()) == sum(closing.values())
            for same in ("1641", "515", "10222", "1068", "2111", "192"):
                assert opening.get(same, 0) == closing.get(same, 0)
    assert kept > 400
    assert changed >= 50


def test_the_result_is_carried_then_capitalised(budgets: dict[tuple[str, int], Budget]) -> None:
    reserved = 0
    for budget in budgets.values():
        assert net(budget, "12") == 0
        reserve = budget.get("1068", [0] * 10)[3]
        if reserve:
            reserved += 1
            assert budget["110"][4] >= reserve
    assert reserved > 300


def test_keys_are_unique(rows: list[Row]) -> None:
    keys = [(row["exer"], row["ident"], row.get("fonction", ""), row["compte"]) for row in rows]
    assert len(set(keys)) == len(keys)


def test_amounts_a_fonction_lies_on_are_budgetary(rows: list[Row]) -> None:
    """Opening balances and non-budgetary operations sit on rows without fonction, as published."""
    with_one = [row for row in rows if row.get("fonction")]
    assert len(with_one) > 10_000
    assert not any(cents(row[name]) for row in with_one for name in ("bedeb", "becre", "onbdeb", "onbcre"))
    assert {row["nomen"] for row in with_one} == {"M14"}


def test_staff_lent_to_a_service_is_paid_back(budgets: dict[tuple[str, int], Budget]) -> None:
    """What annexe budgets pay for staff (6215) is what the main budget receives (70841)."""
    paid: dict[tuple[str, int], int] = defaultdict(int)
    for (ident, exercice), budget in budgets.items():
        if "6215" in budget:
            paid[ident[:9], exercice] += budget["6215"][2]
    assert len(paid) > 100
    received: dict[tuple[str, int], int] = defaultdict(int)
    for (ident, exercice), budget in budgets.items():
        for compte in ("70841", "7084"):
            received[ident[:9], exercice] += budget.get(compte, [0] * 10)[3]
    for key, amount in paid.items():
        assert received[key] >= amount > 0


# --- plausible


@pytest.fixture(scope="module")
def principals(
    demonstration: Demonstration, budgets: dict[tuple[str, int], Budget]
) -> list[tuple[str, int, int, Budget]]:
    """Give the profile, the exercice, the population and the balance of each main budget."""
    return [
        (one.profile, exercice, one.population(exercice - 2017), budgets[one.siret(0), exercice])
        for one in demonstration.communes
        for exercice in demonstration.exercices
    ]


def test_levels_are_those_of_french_communes(principals: list[tuple[str, int, int, Budget]]) -> None:
    for profile, exercice, population, budget in principals:
        revenue, expenses = real(budget, "7"), real(budget, "6")
        staff = sum(row[2] - row[3] for compte, row in budget.items() if compte.startswith(("64", "633", "621")))
        debt = -net(budget, "16") + net(budget, "1688")
        case = (profile, exercice, population)
        assert 900 < revenue / 100 / population < 1700, case
        assert 0.48 < staff / expenses < 0.62, case
        assert 0.01 < (revenue - expenses) / revenue < 0.20, case
        assert 100 < debt / 100 / population < 2600, case
        assert budget["515"][8] > 0, case


def test_most_communes_are_sound_and_some_are_not(principals: list[tuple[str, int, int, Budget]]) -> None:
    savings: dict[str, list[float]] = defaultdict(list)
    left: dict[str, list[float]] = defaultdict(list)
    years: dict[str, list[float]] = defaultdict(list)
    for profile, _, _, budget in principals:
        revenue, gross = real(budget, "7"), real(budget, "7") - real(budget, "6")
        savings[profile].append(gross / revenue)
        left[profile].append((gross - budget["1641"][2]) / revenue)
        years[profile].append(-net(budget, "1641") / gross)
    every = [rate for rates in savings.values() for rate in rates]
    assert sum(0.10 <= rate <= 0.19 for rate in every) / len(every) > 0.6
    assert max(left["fragile"]) < 0
    assert min(left["solide"]) > 0.05
    assert min(years["fragile"]) > 12
    assert max(years["solide"]) < 6
    assert min(rate for rate in left["degradation"]) < 0 < max(rate for rate in left["degradation"])
    assert set(savings) == {"solide", "ordinaire", "fragile", "degradation", "redressement"}


def test_what_an_auditor_looks_for_is_there(rows: list[Row]) -> None:
    comptes = {row["compte"] for row in rows}
    wanted = {
        *("1641", "66111", "66112", "16884", "10222", "1068", "192", "775", "675", "6761", "7761", "777", "6811"),
        *("6815", "7815", "6817", "4911", "15111", "722", "739223", "7392221", "73223", "73111", "7411", "74111"),
        *("70111", "701249", "44571", "44566", "408", "119", "580", "673", "6541", "28182"),
    }
    assert wanted <= comptes
    assert {row["nomen"] for row in rows} == {"M14", "M14A", "M57", "M57A", "M49", "M4"}
    assert any(row["obnetdeb"].startswith("-") for row in rows), "annulations make some amounts negative"


def test_sizes_places_and_calendar(demonstration: Demonstration, rows: list[Row]) -> None:
    sizes = [one.inhabitants for one in demonstration.communes]
    assert len(sizes) == 60
    assert min(sizes) < 200
    assert max(sizes) > 200_000
    assert all(any(low <= size < high for size in sizes) for low, high in ((0, 500), (500, 3500), (3500, 10_000)))
    places = {one.departement for one in demonstration.communes}
    assert len(places) >= 5
    assert places <= set(departements())
    assert demonstration.exercices == tuple(range(2017, 2025))
    assert {row["exer"] for row in rows} == {str(year) for year in range(2017, 2025)}
    assert {row["nomen"][:3] for row in rows if row["exer"] == "2017"} == {"M14", "M49", "M4"}
    assert {row["nomen"][:3] for row in rows if row["exer"] == "2024"} == {"M57", "M49", "M4"}
    assert len({one.switch for one in demonstration.communes}) == 5
    assert 80 < len(rows) / len({(row["ident"], row["exer"]) for row in rows}) < 400


# --- files


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        write_demonstration(tmp_path / name, seed=seed, communes=7)
    first, again, second = (digests(tmp_path / name) for name in ("one", "again", "two"))
    assert len(first) == 16
    assert first == again
    assert [name for name, digest in second.items() if first.get(name) == digest] == ["LISEZMOI.txt"]


def test_more_communes_or_exercices_change_no_other(tmp_path: Path, rows: list[Row]) -> None:
    few = write_demonstration(tmp_path, communes=3, exercices=2)
    some = [row for path in few.balances for row in read(path)]
    sirens = {one.siren for one in few.communes}
    assert some == [row for row in rows if row["siren"] in sirens and row["exer"] in {"2023", "2024"}]


def test_the_example_is_a_commune_in_trouble(demonstration: Demonstration, rows: list[Row]) -> None:
    siret = demonstration.example
    (one,) = [each for each in demonstration.communes if each.siret(0) == siret]
    assert one.profile in {"fragile", "degradation", "redressement"}
    assert demonstration.name_of(siret) == one.libelle
    m57 = {row["exer"] for row in rows if row["ident"] == siret and row["nomen"].startswith("M57")}
    assert len(m57) >= 5
    with pytest.raises(KeyError):
        demonstration.name_of("21330063500017")


def test_populations_and_labels_are_complete(demonstration: Demonstration, rows: list[Row]) -> None:
    populations = list(read(demonstration.population))
    assert len(populations) == 60 * 8
    assert {(row["siren"], row["exercice"]) for row in populations} == {(row["siren"], row["exer"]) for row in rows}
    assert all(100 < int(row["population"]) < 300_000 for row in populations)
    labels = {(row["nomenclature"], row["comptes"]): row["libelles"] for row in read(demonstration.comptes)}
    assert {(row["nomen"].removesuffix("A"), row["compte"]) for row in rows} == set(labels)
    assert all(labels.values())
    assert labels["M57", "65748"].startswith("Subventions de fonctionnement aux associations")
    assert labels["M14", "74834"] == "Compensation des exonérations de taxes foncières"
    assert labels["M57", "74834"] == "Compensation des exonérations de taxe d'habitation"


@pytest.mark.parametrize(
    "wrong", [{"communes": 0}, {"communes": 501}, {"exercices": 0}, {"exercices": 9}, {"communes": True}]
)
def test_wrong_sizes_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(WorkbenchError) as caught:
        write_demonstration(tmp_path / "rien", **wrong)
    assert caught.value.code == "demonstration_parametre"
    assert str(caught.value)
    assert not (tmp_path / "rien").exists()


@pytest.mark.shared
def test_layouts_are_those_of_the_published_files(demonstration: Demonstration, shared: Path) -> None:
    published = shared / "data" / "balances"
    layout_a = (published / "balance_bordeaux_2019.csv").read_text(encoding="utf-8").splitlines()[0]
    layout_b = (published / "balances_communes_2024_extrait.csv").read_text(encoding="utf-8").splitlines()[0]
    for path in demonstration.balances:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert content.decode().splitlines()[0] == (layout_b if path.suffix == ".gz" else layout_a)


VARIANTS = {
    "M14": ("M14_COM_SUP3500",),
    "M14A": ("M14_COM_INF500",),
    "M57": ("M57", "M57_D"),
    "M57A": ("M57_A",),
    "M49": ("M49_D",),
    "M4": ("M4",),
}


@pytest.mark.shared
def test_every_compte_is_in_the_chart_of_its_time(rows: list[Row], shared: Path) -> None:
    """Charts change: a compte is right when a chart of three years around has it."""
    charts: dict[tuple[str, str], set[int]] = defaultdict(set)
    path = shared / "data" / "plans_de_comptes" / "plan_de_comptes_totem_2013_2024.csv.gz"
    for row in read(path):
        charts[row["declinaison"], row["compte"]].add(int(row["annee"]))
    foreign = {
        (row["nomen"], row["exer"], row["compte"])
        for row in rows
        if not any(
            abs(year - int(row["exer"])) <= 3
            for variant in VARIANTS[row["nomen"]]
            for year in charts[variant, row["compte"]]
        )
    }
    assert foreign == set()


@pytest.mark.shared
def test_every_fonction_is_one_of_m14(rows: list[Row], shared: Path) -> None:
    path = shared / "data" / "plans_de_comptes" / "fonctions_totem_2013_2024.csv.gz"
    known = {row["fonction"] for row in read(path) if row["declinaison"] == "M14_COM_SUP3500"}
    assert {row["fonction"] for row in rows if row.get("fonction")} <= known


# --- double entry itself


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["move", "spend", "receive", "order"]),
            st.sampled_from(["1641", "21318", "60612", "73111", "4011"]),
            st.sampled_from(["515", "46721", "192"]),
            st.integers(-(10**12), 10**12),
        )
    )
)
def test_whatever_is_posted_balances(operations: list[tuple[str, str, str, int]]) -> None:
    ledger = Ledger()
    for verb, poste, other, amount in operations:
        if verb in {"spend", "receive"}:
            getattr(ledger, verb)(poste, amount, by=other)
        else:
            getattr(ledger, verb)(poste, other, amount)
    total = [sum(account[place] for account in ledger.postes.values()) for place in range(8)]
    assert total[2] + total[4] == total[3] + total[5]
    assert total[6] == total[7]
    following = ledger.closed()
    assert sum(following.closing(poste) for poste in following.postes) == 0


@given(
    st.integers(-(10**13), 10**13),
    st.dictionaries(st.text(min_size=1), st.floats(0.01, 100), min_size=1, max_size=30),
    st.sampled_from([1, 100]),
)
def test_shares_add_up(total: int, weights: dict[str, float], whole: int) -> None:
    parts = shares(total, weights, whole)
    assert sum(parts.values()) == total
    assert list(parts) == list(weights)


@pytest.mark.parametrize("nomenclature", ["M14", "M14A", "M57", "M57A", "M49", "M4"])
def test_every_compte_of_a_chart_has_a_label(nomenclature: str) -> None:
    one = chart(nomenclature)
    assert len(one.comptes) > 60
    assert set(one.comptes.values()) <= set(one.libelles)
