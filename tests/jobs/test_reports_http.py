"""The reports over HTTP: the old client against the running service, and what the service refuses."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import openpyxl
import pytest
import uvicorn
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from old_client import OldClient
from starlette.applications import Starlette
from starlette.routing import Mount

import workbench as wb
from workbench.identity.app import create_app as create_issuer_app
from workbench.identity.issuing import Issuer
from workbench.identity.passwords import _nobody
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM as PEOPLE
from workbench.identity.tokens import TokenRules, TokenVerifier
from workbench.registry import Registry, open_registry
from workbench.registry.migrating import differences
from workbench.reports.api_numbers import ROOM as NUMBERS
from workbench.reports.api_numbers import name_of, numbers_of
from workbench.reports.app import create_app
from workbench.reports.jobs import Wanted, cancel, jobs_of, submit
from workbench.reports.jobs_pool import pool
from workbench.reports.jobs_spec import JobSpec
from workbench.reports.jobs_tables import ROOM

ANNE, BENOIT, EVE = "anne@exemple.fr", "benoit@exemple.fr", "eve@exemple.fr"
PASSWORD = "quatre mots sans rapport"  # noqa: S105 - of fictitious people
HOSTILE = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "1/../2",
    "0",
    "-1",
    "1e3",
    "9" * 40,
    "é",
    "' OR 1=1 --",
    "%00",
]


class Service:
    """A running service."""

    def __init__(self, url: str, registry: Registry, issuer: Issuer, folder: Path, siret: str) -> None:
        self.url, self.registry, self.issuer, self.folder, self.siret = url, registry, issuer, folder, siret
        self.clients: dict[str, httpx.Client] = {}

    @contextmanager
    def client(self, email: str = ANNE) -> Iterator[httpx.Client]:
        """Give the client of a person: the same each time, since one takes long to make."""
        if email not in self.clients:
            headers = {"Authorization": f"Bearer {self.issuer.token_for(email)}"} if email else {}
            self.clients[email] = httpx.Client(base_url=f"{self.url}/api", headers=headers, timeout=60)
        yield self.clients[email]

    def row(self, **changes: Any) -> dict[str, Any]:
        row = {"IDENTIFIANT": self.siret, "CODE_DEPARTEMENT": "099", "EXERCICE_MIN": 2020, "EXERCICE_MAX": 2024}
        return row | {"LIBELLE_DE_BUDGET": "Commune d'essai"} | changes

    def asked(self, **changes: Any) -> dict[str, Any]:
        asked = {"frame": "essai", "financial_year_min": 2020, "financial_year_max": 2024, "identifiers": [self.siret]}
        return asked | {"identifiers_type": "SIRET"} | changes


@contextmanager
def _served(application: Any, listening: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(uvicorn.Config(application, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, demonstration_base: str, demonstration_siret: str
) -> Iterator[Service]:
    """The API under a prefix, the issuer beside it, on one real server; nobody works on the requests yet."""
    folder = tmp_path_factory.mktemp("service")
    trames = folder / "trames"
    trames.mkdir()
    one = {"A_B": "C7-D7[TA:BX]", "A_PART": "A_B/$POP"}
    wb.save_trame(wb.trame_from_formules(one, nomenclature="M57", code="essai"), trames / "essai.yaml")
    (trames / "fausse.yaml").write_text("code: fausse\nindicateurs: [\n", encoding="utf-8")
    with (
        pytest.MonkeyPatch.context() as patch,
        socket.socket() as listening,
        open_registry(folder / "registre.sqlite", rooms=[ROOM, NUMBERS, PEOPLE]) as registry,
    ):
        quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr("workbench.identity.passwords._HASHER", quick)
        _nobody.cache_clear()
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        issuer = Issuer(f"{url}/id", registry, SigningKeys(folder / "cles"))
        for email in (ANNE, BENOIT, EVE):
            issuer.people.add(email, PASSWORD)
        verifier = TokenVerifier(TokenRules(issuer.url, issuer.audience))
        reports = create_app(
            registry, verifier, issuer, base=demonstration_base, trames=trames, folder=folder / "rapports"
        )
        routes = [Mount("/id", create_issuer_app(issuer)), Mount("/api", reports)]
        with _served(Starlette(routes=routes), listening):
            running = Service(url, registry, issuer, folder, demonstration_siret)
            yield running
            for client in running.clients.values():
                client.close()
        _nobody.cache_clear()


@pytest.fixture(scope="module")
def worked(service: Service) -> Iterator[Service]:
    """The service, with a worker that makes what is asked."""
    with pool(service.registry, None, 1, None):
        yield service


def test_the_tables_are_those_declared(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[NUMBERS]) as registry:
        with registry.read() as connection:
            assert differences(connection, NUMBERS) == []
        first = numbers_of(registry, "frame", ["a", "b", "a"])
        assert numbers_of(registry, "frame", ["b", "c"])["b"] == first["b"]
        assert len({*first.values(), *numbers_of(registry, "report", ["a"]).values()}) == 3
        assert name_of(registry, "frame", first["a"]) == "a"
        assert name_of(registry, "report", first["a"]) is name_of(registry, "frame", 10**30) is None


def test_a_script_of_the_old_application_runs(worked: Service, tmp_path: Path) -> None:
    service = worked
    script = OldClient(f"{service.url}/api", ANNE, PASSWORD)
    frames = script.frames()
    assert list(frames) == ["essai"]
    rows = [
        service.row(),
        service.row(EXERCICE_MIN=2023),
        service.row(IDENTIFIANT="21330063500017"),
        service.row(EXERCICE_MAX=2019),
    ]
    with closing(script.http):
        log = script.run(frames["essai"], rows, tmp_path, period=0.1)
    assert [line["status"] for line in log[:3]] == ["DONE", "DONE", "EMPTY"]
    assert "2020, vient après" in log[3]["status"]
    found = sorted(path.name for path in tmp_path.iterdir())
    assert found == [
        f"Recette_Etat_{frames['essai']}_{service.siret}_{first}_2024_Commune_d'essai.xlsx" for first in (2020, 2023)
    ]
    book = openpyxl.load_workbook(tmp_path / found[0])
    shown = {cell.value for sheet in book.worksheets for row in sheet.iter_rows() for cell in row}
    assert {"A_B", "A_PART", service.siret} <= shown
    with service.client() as anne, service.client(BENOIT) as benoit:
        report = anne.get(f"/reports/{log[0]['id']}/").json()
        assert report["name"].startswith(f"FRAME_{service.siret}_SIRET_2020_2024_essai_")
        assert (report["state"], report["frame"], report["frame_name"]) == ("DONE", frames["essai"], "essai")
        assert (report["identifier"], report["identifier_type"]) == (service.siret, "SIRET")
        download = anne.get(f"/reports/{log[0]['id']}/download/")
        assert download.headers["content-disposition"] == f'attachment; filename="{report["name"]}"'
        empty = anne.get(f"/reports/{log[2]['id']}/")
        assert (empty.status_code, empty.json()["state"]) == (200, "EMPTY")
        assert "Il n'y a pas de comptes" in empty.json()["cause"]
        refused = anne.get(f"/reports/{log[2]['id']}/download/")
        assert (refused.status_code, refused.json()["code"]) == (400, "api_rapport_sans_fichier")
        # Another person's request answers as one that does not exist, whatever is asked of it.
        for path in (f"/reports/{log[0]['id']}/", f"/reports/{log[0]['id']}/download/"):
            absent = path.replace(str(log[0]["id"]), "999999")
            answers = [benoit.get(each) for each in (path, absent)]
            assert [each.status_code for each in answers] == [404, 404]
            assert answers[0].text.replace(str(log[0]["id"]), "999999") == answers[1].text
        assert benoit.get("/reports/").json() == []
        (job,) = jobs_of(service.registry, ANNE, limit=1, offset=1)
        (job.folder / job.files["excel"]).unlink()
        assert anne.get(f"/reports/{log[1]['id']}/download").status_code == 410


def test_who_asks(service: Service) -> None:
    with service.client("") as nobody, service.client() as anne:
        for wrong in ("", "Bearer x.y.z", f"Bearer {'x' * 40_000}", "Basic YTpi"):
            for path in ("/frames/", "/reports/", "/reports/1/", "/nowhere/", "/users/authenticate/"):
                answer = nobody.get(path, headers={"Authorization": wrong} if wrong else {})
                assert answer.status_code == 401
                assert answer.json()["status_code"] == 401
        for body in ({"username": ANNE, "password": "faux"}, {"username": "inconnue@exemple.fr", "password": PASSWORD}):
            answer = nobody.post("/users/authenticate/", json=body)
            assert (answer.status_code, answer.json()["detail"]) == (401, "L'adresse ou le mot de passe est inexact.")
        for body in (
            {},
            {"username": ANNE},
            {"username": [ANNE], "password": PASSWORD},
            {"username": "\0", "password": "\0"},
        ):
            assert nobody.post("/users/authenticate/", json=body).status_code == 400
        form = nobody.post("/users/authenticate", data={"username": ANNE, "password": PASSWORD})
        assert form.status_code == 200
        who = nobody.get("/users/authenticate/", headers={"Authorization": f"Bearer {form.json()['token']}"})
        assert who.json() == {"name": ANNE, "email": ANNE, "isAdmin": False, "badges": []}
        document = nobody.get("/openapi.json").json()
        for path, verb in (("/reports/", "post"), ("/reports/{number}/download/", "get"), ("/frames/", "get")):
            operation = document["paths"][path][verb]
            assert operation["security"]
            assert {"4XX", "5XX"} <= operation["responses"].keys()
            assert "422" not in operation["responses"]
        assert "security" not in document["paths"]["/users/authenticate/"]["post"]
        service.issuer.people.add("dina@exemple.fr", PASSWORD)
        with service.client("dina@exemple.fr") as dina:
            assert dina.get("/reports/").status_code == 200
            service.issuer.people.remove("dina@exemple.fr")
            assert dina.get("/reports/").status_code == 401
            service.issuer.people.add("dina@exemple.fr", PASSWORD)
            assert dina.get("/reports/").status_code == 401, "another person who has her e-mail"
        assert anne.get("/reports/").status_code == 200


def test_what_one_chooses_from(service: Service) -> None:
    with service.client() as anne:
        (frame,) = anne.get("/frames/").json()
        assert anne.get(f"/frames/{frame['id']}/").json() == frame
        assert frame["identifiers_type"] == [{"name": "SIRET"}, {"name": "SIREN"}, {"name": "FINESS"}]
        indicators = anne.get(f"/indicators/?frame={frame['id']}").json()
        assert [each["id"] for each in indicators] == frame["indicators"]
        assert [(each["name"], each["max_depth"]) for each in indicators] == [("A_B", 0), ("A_PART", 1)]
        assert anne.get("/indicators/").json() == indicators
        assert anne.get(f"/indicators/{indicators[1]['id']}/").json() == indicators[1]
        (formule,) = indicators[0]["parameters"]
        assert (formule["original_equation"], formule["year_min"]) == ("C7-D7[TA:BX]", None)
        assert anne.get(f"/indicators/parameters/{formule['id']}/").json() == formule
        assert anne.get(f"/indicators/parameters/{formule['id']}/tree/").text.startswith("<svg")
        named = {each["id"]: each["name"] for each in anne.get("/nomenclatures/").json()}
        assert named[frame["nomenclature"]] == "M57"
        assert anne.get("/departments/33/").json() == {"id": 33, "name": "Gironde", "number": "033"}
        assert len({each["id"] for each in anne.get("/departments/").json()}) == 106
        assert anne.get("/institutions/101/").json()["number"] == "101"
        assert len(anne.get("/identifier_types/").json()) == 3
        archive = anne.get(f"/downloadframe/{frame['id']}/")
        assert archive.content[:2] == b"PK"
        assert anne.get(f"/downloadframelight/{frame['id']}/").status_code == 404
        page = anne.get("/departments/?limit=2&offset=1")
        assert ([each["id"] for each in page.json()], page.headers["x-total-count"]) == ([2, 3], "106")
        sirets = anne.get("/identifiers/?type=SIRET&institutions=101").json()
        assert service.siret in {each["ident"] for each in sirets}
        assert {each["ctype"] for each in sirets} == {"101"}
        assert {each["ident"] for each in anne.get("/identifiers/?type=SIREN").json()} == {
            each["ident"][:9] for each in sirets
        }
        assert anne.get("/identifiers/?type=FINESS").json() == []
        # A département asked for before is not anyone's choice now.
        assert anne.get("/identifiers/?type=SIRET&department=033").json() == []
        assert len(anne.get("/identifiers/?type=SIRET").json()) > len(sirets)


def test_a_formule_is_checked(service: Service) -> None:
    with service.client() as anne:
        right = anne.post("/equation/parse/", json={"original_equation": "A_B/$POP+C70[TA:BX]"})
        assert (right.status_code, right.json()) == (200, {"diagnostics": []})
        wrong = anne.post("/equation/parse/", json={"original_equation": "C70[TA:BX"})
        assert (wrong.status_code, wrong.json()["status_code"]) == (400, 400)
        assert "C70[TA:BX" in wrong.json()["detail"]
        unknown = anne.post("/equation/parse/", json={"original_equation": "Z_ABSENT"}).json()
        assert "Z_ABSENT" in unknown["detail"]


@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        ("/reports/", {"financial_year_min": 2025}, "vient après"),
        ("/reports/", {"financial_year_min": "deux mille"}, "financial_year_min"),
        ("/reports/", {"financial_year_max": None}, "financial_year_max"),
        ("/reports/", {"financial_year_max": 1e308}, "financial_year_max"),
        ("/reports/", {"identifiers": []}, "identifiers"),
        ("/reports/", {"identifiers": {"a": 1}}, "SIRET"),
        ("/reports/", {"identifiers": ["999000057"]}, "999000057"),
        ("/reports/", {"identifiers": [True]}, "identifiers"),
        ("/reports/", {"identifiers": ["' OR 1=1 --"]}, "n'est pas un SIRET"),
        ("/reports/", {"identifiers_type": "RNA"}, "identifiers_type"),
        ("/reports/", {"frame": 999999}, "trame"),
        ("/reports/", {"frame": "../../../etc/passwd"}, "trame"),
        ("/reports/", {"frame": "fausse"}, "trame"),
        ("/reports/", {"frame": ["essai"]}, "trame"),
        ("/reports/", {"nomenclature": 999999}, "nomenclature"),
        ("/reports/", {"institutions": ["101; DROP TABLE"]}, "types"),
        ("/reports/balances/", {"identifiers": None}, "identifiers"),
        ("/reports/aggregates/", {"departments": [], "institutions": []}, "critère"),
        ("/reports/aggregates/", {"departments": ["999"]}, "departements"),
        ("/reports/aggregates/", {"departments": [1], "pop_min": 10, "pop_max": 5}, "population"),
        ("/reports/aggregates/", {"departments": [1], "pop_min": -1}, "pop_min"),
    ],
)
def test_what_cannot_be_made_is_refused(service: Service, path: str, changes: dict[str, Any], said: str) -> None:
    with service.client(BENOIT) as benoit:
        answer = benoit.post(path, json=service.asked(**changes))
        assert answer.status_code == 400, answer.text
        assert answer.json()["status_code"] == 400
        assert said in answer.json()["detail"]
        assert benoit.get("/reports/").json() == []


def test_bodies_are_bounded_and_are_objects(service: Service) -> None:
    with service.client(BENOIT) as benoit:
        for content in (b"[]", b"{", b"\xff", b'{"frame": NaN}', b'{"frame": 1, "frame": 2}', b"[" * 100_000, b"null"):
            answer = benoit.post("/reports/", content=content)
            assert (answer.status_code, answer.json()["code"]) == (400, "json_invalide")
        answer = benoit.post("/reports/", content=b" " * (1024**2 + 1))
        assert (answer.status_code, answer.json()["status_code"]) == (413, 413)


def test_requests_that_wait_are_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.reports.api_desk.MOST_WAITING", 0)
    with service.client(BENOIT) as benoit:
        answer = benoit.post("/reports/", json=service.asked())
        assert (answer.status_code, answer.json()["code"]) == (429, "api_trop_de_demandes")
        assert benoit.get("/reports/").json() == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_absent_things(service: Service, name: str) -> None:
    with service.client(BENOIT) as benoit:
        places = ("/frames/{}/", "/reports/{}/", "/reports/{}/download/", "/indicators/{}/", "/downloadframe/{}/")
        for path in (*places, "/indicators/parameters/{}/tree/", "/nomenclatures/{}/", "/indicators/?frame={}"):
            answer = benoit.get(path.format(quote(name, safe="%")))
            assert answer.status_code == 404, (path, answer.text)
            assert answer.json()["status_code"] == 404
        assert benoit.get("/identifiers/", params={"type": "SIRET", "department": name}).status_code == 400
        assert benoit.get("/identifiers/", params={"type": "SIRET", "institutions": name}).status_code in (200, 400)
    with service.client("") as nobody:
        assert nobody.post("/users/authenticate/", json={"username": name, "password": name}).status_code == 401


def test_other_verbs_and_addresses(service: Service) -> None:
    with service.client() as anne:
        for verb, path, status in (
            ("DELETE", "/frames/1/", 405),
            ("PATCH", "/indicators/1/", 405),
            ("PUT", "/reports/1/", 405),
            ("GET", "/etc/passwd", 404),
            ("GET", "/", 404),
        ):
            answer = anne.request(verb, path)
            assert (answer.status_code, answer.json()["status_code"]) == (status, status)


def test_balances_aggregates_and_several_identifiers(worked: Service) -> None:
    service = worked
    with service.client(EVE) as eve:
        siren = service.siret[:9]
        frame = eve.get("/frames/").json()[0]["id"]
        asked = {
            "balance": ("/reports/balances/", service.asked(frame=None, identifiers=[siren], identifiers_type="SIREN")),
            "aggregate": ("/reports/aggregates/", service.asked(institutions=[101], pop_min=1, pop_max=0)),
            "nowhere": ("/reports/aggregates/", service.asked(departments=[202])),
            "several": ("/reports/", service.asked(identifiers=[service.siret, "21330063500017"])),
            "typed": ("/reports/", service.asked(institutions=["201"])),
            "number": ("/reports/", service.asked(identifiers=[int(service.siret)], frame=str(frame), nomenclature="")),
        }
        ids = {}
        for name, (path, body) in asked.items():
            answer = eve.post(path, json=body)
            assert answer.status_code == 201, (name, answer.text)
            ids[name] = answer.json()["report_id"]
        deadline = time.monotonic() + 120
        while any(each["state"] == "PENDING" for each in eve.get("/reports/").json()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        found = {each["id"]: each for each in eve.get("/reports/").json()}
        assert {name: found[number]["state"] for name, number in ids.items()} == {
            "balance": "DONE",
            "aggregate": "DONE",
            "nowhere": "EMPTY",
            "several": "DONE",
            "typed": "EMPTY",
            "number": "DONE",
        }
        assert found[ids["nowhere"]]["cause"] == "Il n'y a pas de SIRET pour les critères donnés."
        assert found[ids["balance"]]["name"].startswith(f"BALANCE_SIREN_{siren}_2020_2024_")
        assert found[ids["balance"]]["frame"] is None
        assert eve.get("/reports/?limit=2").json() == eve.get("/reports/").json()[:2]


def test_a_request_that_waits_then_is_cancelled(service: Service) -> None:
    claire = "claire@exemple.fr"
    service.issuer.people.add(claire, PASSWORD)
    # One that no worker takes: it is not shared.
    spec = JobSpec("report", (2020, 2024), trame="essai", sirets=(service.siret,))
    submit(service.registry, [Wanted(spec, ["FRAME"])], author=claire, folder=service.folder, shared=False)
    with service.client(claire) as client:
        (waiting,) = client.get("/reports/").json()
        assert (waiting["state"], waiting["step"]) == ("PENDING", "En attente")
        refused = client.get(f"/reports/{waiting['id']}/download/")
        assert (refused.status_code, "En attente" in refused.json()["detail"]) == (400, True)
        cancel(service.registry, claire, job=name_of(service.registry, "report", waiting["id"]))
        cancelled = client.get(f"/reports/{waiting['id']}/").json()
        assert (cancelled["state"], cancelled["step"]) == ("FAILED", "Annulé")


_FIELDS = ["frame", "financial_year_min", "financial_year_max", "identifiers"]
_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(_FIELDS), _SCALARS | st.lists(_SCALARS, max_size=3)))
def test_no_body_is_a_defect(service: Service, body: dict[str, Any]) -> None:
    with service.client(BENOIT) as benoit:
        for path in ("/reports/", "/reports/balances/", "/reports/aggregates/", "/equation/parse/"):
            assert benoit.post(path, json=body).status_code in (201, 400)


def test_without_an_issuer_of_its_own(service: Service) -> None:
    rules = TokenRules("https://identite.exemple.fr", "workbench")
    application = create_app(
        service.registry, TokenVerifier(rules), base="base.duckdb", trames=service.folder / "absent"
    )
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        with _served(application, listening):
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/users/authenticate/"
            with httpx.Client(verify=False) as client:  # noqa: S501 - no TLS here
                answer = client.post(url, json={"username": ANNE, "password": PASSWORD})
    assert (answer.status_code, "identite.exemple.fr" in answer.json()["detail"]) == (501, True)
