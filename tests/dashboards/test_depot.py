"""What the upload page shows, from a real storage and the real list of it, in one process."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
import pytest

pytest.importorskip("anywidget")
sys.path.append(str(Path(__file__).parents[1] / "uploads"))

from conftest_uploads import Service, issuer, make_depot, verifier  # noqa: F401 - a fixture

from workbench.dashboards.depot import Depot, DepotView, open_depot
from workbench.dashboards.depot_page import Uploads, depot_page
from workbench.errors import WorkbenchError
from workbench.identity.issuing import Issuer
from workbench.identity.kernel_token import TOKEN_FILE, write_token
from workbench.uploads.antivirus import Antivirus
from workbench.uploads.finishing import Finisher
from workbench.uploads.listing import MOST, create_app
from workbench.uploads.storage import Limits, Storage

DEPOT = Depot("https://tableaux.exemple.fr/ici/files", "https://tableaux.exemple.fr/ici/envois")


class InProcess(httpx.BaseTransport):
    """Carries requests to the list."""

    def __init__(self, app: object) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        async def ask() -> httpx.Response:
            travels = httpx.ASGITransport(self.app, root_path="/ici/envois")  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=travels) as client:
                return await client.request(request.method, request.url, headers=request.headers)

        answer = asyncio.run(ask())
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def service(tmp_path: Path, issuer: Issuer) -> Service:  # noqa: F811
    base = make_depot(tmp_path / "depot")
    (tmp_path / "scan.sh").write_text('#!/bin/sh\n! grep -q VIRUS "$1"\n')
    (tmp_path / "scan.sh").chmod(0o755)
    storage = Storage(base, limits=Limits(spare=0, largest=5000))
    return Service(base, issuer, Finisher(storage, [Antivirus(str(tmp_path / "scan.sh"))]))


@pytest.fixture
def view(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DepotView:
    be(service, "ada", tmp_path, monkeypatch)
    return DepotView(DEPOT, InProcess(create_app(service.storage, verifier(service.issuer))))


def be(service: Service, who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_token(tmp_path / "jeton", service.tokens[who])
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "jeton"))


def test_each_state_is_told_to_its_space_alone(
    service: Service, view: DepotView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.send(b"abc", filename="transmis.csv", private="true")
    assert service.send(b"VIRUS", filename="infecte.csv")[1].status == 500
    part = service.create(b"x" * 1000, filename="part.csv")
    service("PATCH", part, body=b"x" * 458, upload_offset="0")
    service.create(3, who="bob", filename="autre.csv")
    view.refresh()
    shown = {row["name"]: row for row in view.arrivals()["rows"]}
    assert set(shown) == {"transmis.csv", "infecte.csv", "part.csv"}
    assert (shown["transmis.csv"]["label"], shown["transmis.csv"]["private"]) == ("Transmis", True)
    assert shown["infecte.csv"]["label"] == "En quarantaine"
    assert (
        shown["infecte.csv"]["detail"] == "L'antivirus y a trouvé un fichier malveillant. L'exploitant en est averti."
    )
    assert (shown["part.csv"]["label"], shown["part.csv"]["private"]) == ("Inachevé, 45\N{NO-BREAK SPACE}%", False)
    assert shown["part.csv"]["id"] == part.rpartition("/")[2]
    assert shown["part.csv"]["sender"] == "ada@exemple.fr"
    place = view.place()
    assert (place["endpoint"], place["login"], place["space"]) == ("/ici/files/", "/ici/login", "urssaf")
    assert place["largest"] == 5000

    be(service, "bob", tmp_path, monkeypatch)
    view.refresh()
    assert [row["name"] for row in view.arrivals()["rows"]] == ["autre.csv"]


def test_only_the_last_ones_are_told(service: Service, view: DepotView) -> None:
    for _ in range(3):
        service.create(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.uploads.listing.MOST", 2)
        view.refresh()
    assert (len(view.arrivals()["rows"]), view.arrivals()["more"]) == (2, 1)
    assert MOST > 100


def test_what_prevents_the_list_is_said(
    service: Service, view: DepotView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Uploads(view)
    assert page.notices == []
    assert page.place["space"] == "urssaf"
    write_token(tmp_path / "jeton", "x.y.z")
    page._on_message({"kind": "refresh"})
    assert "Ce jeton n'est pas" in page.notices[0]["message"]
    assert page.place["space"] == "urssaf"  # an upload on its way goes on
    be(service, "eve", tmp_path, monkeypatch)
    with pytest.raises(WorkbenchError, match="ne nomme pas d'espace"):
        view.refresh()
    with pytest.raises(WorkbenchError, match="ne répond pas"):
        DepotView(Depot("http://127.0.0.1:9/files", "http://127.0.0.1:9/envois")).refresh()
    monkeypatch.delenv(TOKEN_FILE)
    page.refresh()
    assert page.notices[0]["message"] == "Il faut s'identifier."


def test_a_server_without_depot_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_UPLOADS", raising=False)
    with pytest.raises(WorkbenchError) as absent:
        open_depot()
    assert absent.value.code == "depot_non_servi"
    assert "n'a pas de dépôt" in depot_page().notices[0]["message"]


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/", 405), ("GET", "/x", 404), ("HEAD", "/", 200)])
def test_the_list_is_only_read(service: Service, method: str, path: str, status: int) -> None:
    app = create_app(service.storage, verifier(service.issuer))
    travels = InProcess(app)
    with httpx.Client(transport=travels, base_url=DEPOT.arrivals) as web:
        headers = {"Authorization": f"Bearer {service.tokens['ada']}"}
        assert web.request(method, path, headers=headers).status_code == status
        assert web.request(method, path).status_code == 401
