"""Downloads, against a local portal that behaves like the ministry's and fails on demand."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.dgfip import opendata
from workbench.dgfip.download import DownloadReport, download_balances
from workbench.dgfip.opendata import KNOWN, parse_dataset, quoted
from workbench.errors import ERRORS, WorkbenchError


def _load(name: str) -> ModuleType:
    """Load a module that stands beside this file, whatever the import mode of pytest."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


stand_in = _load("stand_in")

COMMUNES = "balances-comptables-des-communes-en-{}"
GROUPEMENTS = "balances-comptables-des-groupements-a-fiscalite-propre-depuis-2010"
BY_FONCTION = "balances-comptables-des-collectivites-et-des-etablissements-publics-locaux-2022"
ALPHA, BETA, GAMMA = "999000001", "999000002", "999000003"


def row(exercice: str, siren: str, departement: str, compte: str, nic: str = "00010") -> dict[str, str]:
    empty = dict.fromkeys(stand_in.COLUMNS, "")
    amounts = dict.fromkeys(stand_in.COLUMNS[-10:], "0.0")
    named = {"exer": exercice, "ident": siren + nic, "siren": siren, "ndept": departement, "compte": compte}
    return empty | amounts | named | {"lbudg": 'COMMUNE "EXEMPLE"; (fictive)', "obnetdeb": "12.34", "sd": "12.34"}


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Iterator[stand_in.StandIn]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with stand_in.running() as portal:
        for year in (2022, 2023):
            rows = [row(str(year), ALPHA, "033", str(compte)) for compte in range(601, 631)]
            rows += [row(str(year), ALPHA, "033", "60", nic="00028"), row(str(year), BETA, "02A", "60")]
            portal.datasets[COMMUNES.format(year)] = stand_in.Sheet(rows)
        portal.datasets[GROUPEMENTS] = stand_in.Sheet(
            [row(f"{year}-01-01", GAMMA, "033", str(60 + year % 10)) for year in range(2010, 2026)],
            types={"exer": "date"},
        )
        portal.datasets[BY_FONCTION] = stand_in.Sheet(
            [row("2022", ALPHA, "033", "60") | {"fonction": "93020"}], columns=[*stand_in.COLUMNS, "fonction"]
        )
        portal.datasets["qualite-de-l-air"] = stand_in.Sheet([])
        yield portal


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the waits instead of waiting."""
    delays: list[float] = []
    monkeypatch.setattr(opendata, "_sleep", delays.append)
    return delays


def fetch(portal: stand_in.StandIn, to: Path, **changes: object) -> DownloadReport:
    request = {"sirens": [ALPHA], "exercices": [2022], "url": portal.url} | changes
    return download_balances(to=to, **request)  # type: ignore[arg-type]


def content(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, delimiter=";"))


# --- what is fetched


def test_one_commune_one_exercice(portal: stand_in.StandIn, tmp_path: Path) -> None:
    report = fetch(portal, tmp_path / "balances")
    (file,) = report.files
    assert file.path.name == f"balances-comptables-des-communes-en-2022-siren-{ALPHA}.csv"
    rows = content(file.path)
    assert len(rows) == file.rows == report.rows == 31
    assert rows == [
        {name: text for name, text in each.items() if name in stand_in.COLUMNS}
        for each in portal.datasets[COMMUNES.format(2022)].rows
        if each["siren"] == ALPHA
    ]
    assert file.path.read_bytes().startswith(b"exer;ident;ndept;")
    assert report.missing == ()
    assert sorted(path.name for path in file.path.parent.iterdir()) == [file.path.name, file.path.stem + ".json"]


def test_the_manifest_says_where_the_file_comes_from(portal: stand_in.StandIn, tmp_path: Path) -> None:
    (file,) = fetch(portal, tmp_path).files
    manifest = json.loads(file.path.with_suffix(".json").read_text(encoding="utf-8"))
    assert manifest["dataset"] == COMMUNES.format(2022)
    assert manifest["query"] == f'siren="{ALPHA}"'
    assert manifest["rows"] == 31
    assert manifest["sha256"] == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert manifest["modified"] == "2025-01-01T00:00:00+00:00"
    assert "DGFIP" in manifest["attribution"]
    assert "Licence Ouverte 2.0" in manifest["attribution"]
    assert abs(datetime.fromisoformat(manifest["date"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_the_export_is_asked_for_as_the_importers_read_it(portal: stand_in.StandIn, tmp_path: Path) -> None:
    fetch(portal, tmp_path)
    (query,) = [query for path, query, _ in portal.requests if path.endswith("/exports/csv")]
    assert query == {"where": f'siren="{ALPHA}"', "delimiter": ";", "use_labels": "false", "with_bom": "false"}


def test_a_siret_brings_one_budget_and_a_siren_all_of_them(portal: stand_in.StandIn, tmp_path: Path) -> None:
    (file,) = fetch(portal, tmp_path, sirens=None, sirets=[f"{ALPHA}00028"]).files
    assert [each["compte"] for each in content(file.path)] == ["60"]
    report = fetch(portal, tmp_path, sirets=[f"{ALPHA}00028", f"{BETA}00010"])
    assert [len(content(path)) for path in report.paths] == [31, 1]


@pytest.mark.parametrize("text", ["33", "033"])
def test_a_departement_brings_its_budgets(portal: stand_in.StandIn, tmp_path: Path, text: str) -> None:
    report = fetch(portal, tmp_path, sirens=None, departements=[text])
    assert sorted(file.rows for file in report.files) == [1, 31]
    assert {each["ndept"] for path in report.paths for each in content(path)} == {"033"}


@pytest.mark.parametrize(("text", "code"), [("2a", "02A"), ("974", "104"), ("101", "101"), ("1", "001")])
def test_departements_are_written_as_in_the_balances(
    portal: stand_in.StandIn, tmp_path: Path, text: str, code: str
) -> None:
    fetch(portal, tmp_path, sirens=None, departements=text)
    assert portal.requests[-1][1]["where"].startswith(f'ndept="{code}"')


def test_departements_narrow_named_bodies(portal: stand_in.StandIn, tmp_path: Path) -> None:
    report = fetch(portal, tmp_path, sirens=[ALPHA, BETA], departements=["2A"])
    assert [each["siren"] for path in report.paths for each in content(path)] == [BETA]
    assert report.missing == ((ALPHA, 2022),)


def test_a_dataset_of_many_exercices_gives_one_file_each(portal: stand_in.StandIn, tmp_path: Path) -> None:
    report = fetch(portal, tmp_path, sirens=[GAMMA], exercices=[2019, 2018])
    assert [(file.exercice, content(file.path)[0]["exer"]) for file in report.files] == [
        (2018, "2018-01-01"),
        (2019, "2019-01-01"),
    ]
    assert report.files[0].path.name == f"{GROUPEMENTS}-exercice-2018-siren-{GAMMA}.csv"


@pytest.mark.parametrize(("kind", "written"), [("text", '"2018"'), ("int", "2018")])
def test_the_filter_of_an_exercice_follows_the_column(
    portal: stand_in.StandIn, tmp_path: Path, kind: str, written: str
) -> None:
    portal.datasets[GROUPEMENTS] = stand_in.Sheet([row("2018", GAMMA, "033", "60")], types={"exer": kind})
    (file,) = fetch(portal, tmp_path, sirens=[GAMMA], exercices=2018).files
    assert file.query == f'siren="{GAMMA}" and exer={written}'


def test_the_presentation_by_fonction_comes_only_when_named(portal: stand_in.StandIn, tmp_path: Path) -> None:
    fetch(portal, tmp_path)
    assert BY_FONCTION not in portal.exports()
    (file,) = fetch(portal, tmp_path, datasets=[BY_FONCTION]).files
    assert content(file.path)[0]["fonction"] == "93020"


def test_what_nobody_publishes_is_reported(portal: stand_in.StandIn, tmp_path: Path) -> None:
    report = fetch(portal, tmp_path, sirens=[ALPHA, "999999999"], exercices=[2022, 2021])
    assert report.missing == ((ALPHA, 2021), ("999999999", 2021), ("999999999", 2022))
    assert "Aucune balance pour 999999999 en 2021." in str(report)


def test_long_selections_are_cut_into_several_queries(portal: stand_in.StandIn, tmp_path: Path) -> None:
    sirens = [f"998{number:06d}" for number in range(150)] + [ALPHA, BETA]
    report = fetch(portal, tmp_path, sirens=sirens)
    assert sum(file.rows for file in report.files) == 32
    queries = [query["where"] for path, query, _ in portal.requests if path.endswith("/records")]
    assert max(map(len, queries)) < 1500
    names = {path.name for path in report.paths}
    again = fetch(portal, tmp_path, sirens=list(reversed(sirens)))
    assert {path.name for path in again.paths} == names
    assert not any(file.fetched for file in again.files)


def test_the_catalogue_is_read_page_by_page(portal: stand_in.StandIn, tmp_path: Path) -> None:
    last = portal.datasets.pop(COMMUNES.format(2022))
    for number in range(230):
        portal.datasets[f"balances-comptables-autres-{number}"] = stand_in.Sheet([])
    portal.datasets[COMMUNES.format(2022)] = last
    assert fetch(portal, tmp_path).rows == 31
    offsets = [query["offset"] for path, query, _ in portal.requests if path == stand_in.ROOT]
    assert offsets == ["0", "100", "200"]


def test_a_family_that_nobody_knew_comes_by_the_catalogue(portal: stand_in.StandIn, tmp_path: Path) -> None:
    portal.datasets["balances-comptables-des-syndicats-en-2022"] = stand_in.Sheet([row("2022", ALPHA, "033", "61")])
    assert fetch(portal, tmp_path).rows == 32


def test_known_identifiers_serve_when_the_catalogue_is_silent(
    portal: stand_in.StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand_in.StandIn, "_catalogue", lambda *_: '{"total_count": 0, "results": []}')
    said: list[str] = []
    report = fetch(portal, tmp_path, sirens=[GAMMA], exercices=[2022], progress=said.append)
    assert [file.dataset for file in report.files] == [GROUPEMENTS]
    assert any("identifiants connus" in message for message in said)


def test_the_key_goes_in_a_header_and_nowhere_else(
    portal: stand_in.StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = fetch(portal, tmp_path, api_key="cle-secrete").files
    assert {headers.get("authorization") for _, _, headers in portal.requests} == {"Apikey cle-secrete"}
    assert all("cle-secrete" not in path + str(query) for path, query, _ in portal.requests)
    assert "cle-secrete" not in file.path.with_suffix(".json").read_text(encoding="utf-8")
    portal.requests.clear()
    monkeypatch.setenv("WORKBENCH_OPENDATA", portal.url)
    monkeypatch.setenv("WORKBENCH_OPENDATA_KEY", "autre-cle")
    fetch(portal, tmp_path, url=None)
    assert portal.requests[0][2]["authorization"] == "Apikey autre-cle"
    portal.requests.clear()
    monkeypatch.delenv("WORKBENCH_OPENDATA_KEY")
    fetch(portal, tmp_path)
    assert "authorization" not in portal.requests[0][2]


def test_a_redirection_is_not_followed(portal: stand_in.StandIn, tmp_path: Path) -> None:
    portal.faults.append(stand_in.Fault("datasets", status=302, headers={"Location": "http://127.0.0.1:9/"}, body=""))
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path, api_key="cle-secrete")
    assert caught.value.code == "portail_refus"


# --- a second run


def test_a_complete_file_is_not_fetched_again(portal: stand_in.StandIn, tmp_path: Path) -> None:
    first = fetch(portal, tmp_path, exercices=[2022, 2023])
    stamps = [path.stat().st_mtime_ns for path in first.paths]
    exports = len(portal.exports())
    second = fetch(portal, tmp_path, exercices=[2022, 2023])
    assert [file.fetched for file in second.files] == [False, False]
    assert second.missing == ()
    assert len(portal.exports()) == exports
    assert [path.stat().st_mtime_ns for path in second.paths] == stamps


def _spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _forget(path: Path) -> None:
    path.with_suffix(".json").unlink()


def _garble(path: Path) -> None:
    path.with_suffix(".json").write_text("[1", encoding="utf-8")


@pytest.mark.parametrize("harm", [_spoil, _forget, _garble, Path.unlink])
def test_a_file_that_is_not_whole_is_fetched_again(portal: stand_in.StandIn, tmp_path: Path, harm: object) -> None:
    (file,) = fetch(portal, tmp_path).files
    harm(file.path)  # type: ignore[operator]
    (again,) = fetch(portal, tmp_path).files
    assert again.fetched
    assert len(content(again.path)) == 31


def test_new_data_of_the_portal_is_fetched(portal: stand_in.StandIn, tmp_path: Path) -> None:
    fetch(portal, tmp_path)
    sheet = portal.datasets[COMMUNES.format(2022)]
    sheet.rows[0]["sd"] = "99.0"
    sheet.modified = "2026-02-02T00:00:00+00:00"
    (file,) = fetch(portal, tmp_path).files
    assert file.fetched
    assert content(file.path)[0]["sd"] == "99.0"


def test_more_rows_are_fetched_even_without_a_date(portal: stand_in.StandIn, tmp_path: Path) -> None:
    fetch(portal, tmp_path)
    portal.datasets[COMMUNES.format(2022)].rows.append(row("2022", ALPHA, "033", "70"))
    (file,) = fetch(portal, tmp_path).files
    assert (file.fetched, file.rows) == (True, 32)


# --- a portal in trouble


@pytest.mark.parametrize("cut", [0, 1, 500])
def test_a_cut_connection_is_tried_again_from_the_start(
    portal: stand_in.StandIn, tmp_path: Path, waits: list[float], cut: int
) -> None:
    portal.faults += [stand_in.Fault("/exports/csv", cut=cut), stand_in.Fault("/exports/csv", cut=cut + 200)]
    said: list[str] = []
    (file,) = fetch(portal, tmp_path, progress=said.append).files
    assert len(content(file.path)) == 31
    assert waits == [1.0, 2.0]
    assert any("connexion coupée" in message for message in said)
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("size", [0, 10, 700])
def test_a_truncated_text_is_noticed(portal: stand_in.StandIn, tmp_path: Path, waits: list[float], size: int) -> None:
    portal.faults.append(stand_in.Fault("/exports/csv", truncate=size))
    (file,) = fetch(portal, tmp_path).files
    assert len(content(file.path)) == 31
    assert len(waits) == 1


def test_a_connection_always_cut_is_an_error_and_the_part_stays(
    portal: stand_in.StandIn, tmp_path: Path, waits: list[float]
) -> None:
    done = fetch(portal, tmp_path, exercices=[2022]).files[0]
    portal.faults += [stand_in.Fault("/exports/csv", cut=300)] * opendata.ATTEMPTS
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path, exercices=[2022, 2023])
    assert caught.value.code == "telechargement_tronque"
    assert str(opendata.ATTEMPTS) in caught.value.message
    part = tmp_path / caught.value.details["partiel"]
    assert part.stat().st_size == 300
    assert not part.with_suffix("").exists()
    assert done.path.exists()
    report = fetch(portal, tmp_path, exercices=[2022, 2023])
    assert [file.fetched for file in report.files] == [False, True]
    assert not part.exists()


def test_a_wrong_count_is_an_error_and_the_part_keeps_its_name(portal: stand_in.StandIn, tmp_path: Path) -> None:
    portal.datasets[COMMUNES.format(2022)].announced = 1
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path)
    assert caught.value.code == "telechargement_lignes"
    assert (caught.value.details["recues"], caught.value.details["annoncees"]) == (31, 32)
    assert [path.name for path in tmp_path.iterdir()] == [caught.value.details["partiel"]]


def test_rows_lost_at_the_end_of_a_line_are_noticed(portal: stand_in.StandIn, tmp_path: Path) -> None:
    (file,) = fetch(portal, tmp_path).files
    whole = file.path.read_bytes()
    file.path.unlink()
    portal.faults.append(stand_in.Fault("/exports/csv", truncate=whole.rindex(b"\n", 0, len(whole) - 1) + 1))
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path)
    assert caught.value.code == "telechargement_lignes"
    assert not file.path.exists()


def test_an_older_complete_file_survives_a_failed_update(portal: stand_in.StandIn, tmp_path: Path) -> None:
    (file,) = fetch(portal, tmp_path).files
    before = file.path.read_bytes()
    portal.datasets[COMMUNES.format(2022)].announced = 5
    with pytest.raises(WorkbenchError):
        fetch(portal, tmp_path)
    assert file.path.read_bytes() == before


def test_data_published_between_count_and_export_is_no_error(
    portal: stand_in.StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = portal.datasets[COMMUNES.format(2022)]
    export = stand_in.StandIn._export

    def publishing(self: stand_in.StandIn, *arguments: object) -> str:
        sheet.announced = 0
        return str(export(self, *arguments))

    sheet.announced = -1
    monkeypatch.setattr(stand_in.StandIn, "_export", publishing)
    assert fetch(portal, tmp_path).rows == 31


def test_a_quota_is_waited_for_as_the_portal_says(portal: stand_in.StandIn, tmp_path: Path, waits: list[float]) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=60)
    portal.faults += [
        stand_in.Fault("/records", status=429, headers={"Retry-After": "7"}),
        stand_in.Fault("/records", status=429, headers={"X-RateLimit-Reset": str(int(time.time()) + 60)}),
        stand_in.Fault("/records", status=429, headers={"X-RateLimit-Reset": moment.isoformat(sep=" ")}),
        stand_in.Fault("/records", status=429, headers={"Retry-After": format_datetime(moment, usegmt=True)}),
        stand_in.Fault("/records", status=429, headers={"Retry-After": "bientôt".encode("ascii", "ignore").decode()}),
        stand_in.Fault("/exports/csv", status=429, headers={"Retry-After": "0"}),
    ]
    said: list[str] = []
    assert fetch(portal, tmp_path, progress=said.append).rows == 31
    assert waits[0] == 7.0
    assert all(50 < wait <= 61 for wait in waits[1:4])
    assert waits[4:] == [16.0, 0.0]
    assert "quota atteint : nouvel essai dans 7 s (2/6)." in said[0]


def test_a_quota_of_a_day_is_not_waited_for(portal: stand_in.StandIn, tmp_path: Path, waits: list[float]) -> None:
    portal.faults.append(
        stand_in.Fault("/records", status=429, headers={"X-RateLimit-Reset": str(time.time() + 36000)})
    )
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path)
    assert (caught.value.code, caught.value.status) == ("portail_quota", 429)
    assert "WORKBENCH_OPENDATA_KEY" in caught.value.hint
    assert waits == []


def test_errors_of_the_server_are_tried_again(portal: stand_in.StandIn, tmp_path: Path, waits: list[float]) -> None:
    portal.faults += [stand_in.Fault("/records", status=503), stand_in.Fault("/exports/csv", status=500)]
    assert fetch(portal, tmp_path).rows == 31
    assert waits == [1.0, 1.0]


def test_a_server_always_in_error_is_said(portal: stand_in.StandIn, tmp_path: Path, waits: list[float]) -> None:
    portal.faults += [stand_in.Fault("/records", status=502)] * opendata.ATTEMPTS
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path)
    assert caught.value.code == "portail_injoignable"
    assert "réponse 502" in caught.value.message
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_portal_that_is_not_there_is_said(tmp_path: Path, waits: list[float], portal: stand_in.StandIn) -> None:
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path / "rien", url="http://127.0.0.1:1")
    assert caught.value.code == "portail_injoignable"
    assert "connexion impossible" in caught.value.message
    assert not (tmp_path / "rien").exists()


@pytest.mark.parametrize(
    ("status", "word"), [(400, "colonnes"), (401, "clé"), (403, "réservé"), (404, "n'existe pas"), (418, "adresse")]
)
def test_refusals_are_explained(portal: stand_in.StandIn, tmp_path: Path, status: int, word: str) -> None:
    portal.faults.append(stand_in.Fault("/records", status=status))
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path)
    assert caught.value.code == "portail_refus"
    assert f"({status}) : panne simulée." in caught.value.message
    assert word in caught.value.hint


@pytest.mark.parametrize("body", ["<html>Connexion au réseau</html>", "[]", "{}", '{"total_count": "beaucoup"}'])
def test_an_answer_of_something_else_is_said(portal: stand_in.StandIn, tmp_path: Path, body: str) -> None:
    portal.faults.append(stand_in.Fault("/records", status=200, body=body))
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path)
    assert caught.value.code == "portail_reponse"


def test_a_file_that_is_no_balance_is_refused(portal: stand_in.StandIn, tmp_path: Path) -> None:
    sheet = portal.datasets[COMMUNES.format(2022)]
    sheet.columns = [name for name in sheet.columns if name not in {"sd", "sc"}]
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path)
    assert caught.value.code == "telechargement_contenu"
    assert "sc, sd" in caught.value.message
    assert not list(tmp_path.glob("*.csv"))


# --- a wrong request


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sirens": None}, "telechargement_sans_selection"),
        ({"sirens": [], "sirets": []}, "telechargement_sans_selection"),
        ({"sirens": ['1" or "1"="1']}, "telechargement_identifiant"),
        ({"sirens": ["99900000"]}, "telechargement_identifiant"),
        ({"sirens": ["٩٩٩٠٠٠٠٠١"]}, "telechargement_identifiant"),
        ({"sirens": ["999000001\n"], "sirets": ["9990000010001"]}, "telechargement_identifiant"),
        ({"sirens": None, "departements": ["2C"]}, "telechargement_identifiant"),
        ({"sirens": None, "departements": ['33"']}, "telechargement_identifiant"),
        ({"exercices": []}, "telechargement_sans_exercice"),
        ({"exercices": ["2022"]}, "telechargement_exercice"),
        ({"exercices": [22]}, "telechargement_exercice"),
        ({"exercices": [True]}, "telechargement_exercice"),
        ({"datasets": ["../secret"]}, "telechargement_jeu"),
        ({"url": "data.economie.gouv.fr"}, "portail_adresse"),
        ({"url": "file:///etc/passwd"}, "portail_adresse"),
        ({"url": "https://data.economie.gouv.fr?x=1"}, "portail_adresse"),
    ],
)
def test_wrong_requests_are_refused_before_any_call(
    portal: stand_in.StandIn, tmp_path: Path, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path / "rien", **changes)
    assert caught.value.code == code
    assert str(caught.value)
    assert portal.requests == []
    assert not (tmp_path / "rien").exists()


def test_an_exercice_that_no_dataset_covers_is_said(portal: stand_in.StandIn, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        fetch(portal, tmp_path, exercices=[2009])
    assert caught.value.code == "telechargement_non_publie"
    assert "2010, 2022, 2023" in caught.value.hint


@given(st.text())
def test_no_text_escapes_its_quotes(text: str) -> None:
    """Read back by the grammar of the query language, a quoted text is one value, itself."""
    sheet = stand_in.Sheet([{"lbudg": text}, {"lbudg": text + "x"}], columns=["lbudg"])
    assert stand_in.select(sheet, f"lbudg={quoted(text)}") == [{"lbudg": text}]


# --- identifiers of datasets, and the stand-in itself


@pytest.mark.parametrize(
    ("identifier", "family", "first", "last", "by_fonction"),
    [
        (COMMUNES.format(2010), "communes", 2010, 2010, False),
        (GROUPEMENTS, "groupements-a-fiscalite-propre", 2010, None, False),
        (BY_FONCTION, "collectivites-et-des-etablissements-publics-locaux", 2022, 2022, True),
        ("balances-comptables-des-departements-depuis-2012", "departements", 2012, None, False),
        ("balances-comptables-des-communes", "", None, None, False),
        ("comptes-individuels-des-communes-2019", "", None, None, False),
    ],
)
def test_datasets_are_recognised(
    identifier: str, family: str, first: int | None, last: int | None, by_fonction: bool
) -> None:
    dataset = parse_dataset(identifier)
    assert (dataset.family, dataset.first, dataset.last, dataset.by_fonction) == (family, first, last, by_fonction)


def test_a_column_of_fonction_tells_the_presentation() -> None:
    assert parse_dataset(COMMUNES.format(2023), columns={"fonction": "text"}).by_fonction


def test_known_datasets_cover_every_exercice_since_2010() -> None:
    assert all(any(each.covers(year) and not each.by_fonction for each in KNOWN) for year in range(2010, 2026))


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (f"/{COMMUNES.format(2022)}/records", {"limit": "0"}, 200),
        (f"/{COMMUNES.format(2022)}/records", {"limit": "100", "offset": "9900"}, 200),
        (f"/{COMMUNES.format(2022)}/records", {"limit": "100", "offset": "9901"}, 400),
        (f"/{COMMUNES.format(2022)}/records", {"limit": "101"}, 400),
        (f"/{COMMUNES.format(2022)}/records", {"where": 'siren="1'}, 400),
        (f"/{COMMUNES.format(2022)}/records", {"where": 'inconnue="1"'}, 400),
        (f"/{COMMUNES.format(2022)}/records", {"where": '(siren="1" or ndept="033") and ident in ("2","3")'}, 200),
        ("/nulle-part/records", {}, 404),
    ],
)
def test_the_stand_in_has_the_portal_s_limits(
    portal: stand_in.StandIn, path: str, query: dict[str, str], status: int
) -> None:
    assert httpx.get(portal.url + stand_in.ROOT + path, params=query).status_code == status


def test_every_error_of_a_download_has_a_place_in_the_code(project: Path) -> None:
    room = project / "workbench" / "dgfip"
    source = "".join(
        (room / name).read_text(encoding="utf-8") for name in ("opendata.py", "download.py", "download_request.py")
    )
    codes = [code for code in ERRORS if code.startswith(("telechargement_", "portail_"))]
    assert len(codes) > 10
    assert [code for code in codes if f'"{code}"' not in source] == []
