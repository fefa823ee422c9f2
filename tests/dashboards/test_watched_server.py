"""A real server of dashboards, asked by a page and by attackers: metrics, health, and a log without a secret."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("voila")

from workbench.watching.reading import log_events, measures

REQUEST = "feedfacefeedfacefeedfacefeedface"
PLANTED = ("Martin-Durand", "anne@exemple.fr", "c0ffee.secret.jeton", "motdepasse", "01234567800012", "674633")

CELLS = """
import logging, os
import httpx
from pathlib import Path
said = "échec pour anne@exemple.fr, SIRET 01234567800012, Bearer c0ffee.secret.jeton"
logging.getLogger("workbench.essai").warning(said)
from workbench.identity.service_client import ServiceClient
from workbench.errors import WorkbenchError
try:
    store = ServiceClient("magasin", os.environ["WORKBENCH_STORE"])
    store.ask("POST", "/data/get/Martin-Durand?nom=Martin-Durand", json={})
except WorkbenchError:
    pass  # nothing is there for her
"""


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any],
    write_notebook: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
    demonstration_base: str,
) -> Any:
    folder = tmp_path_factory.mktemp("tableaux")
    write_notebook(folder / "essai.ipynb", CELLS)
    return serve(folder, Path(demonstration_base), folder, WORKBENCH_JOURNAL="json", WORKBENCH_DEPOT="")


def test_a_session_is_watched_and_its_log_holds_no_secret(server: Any) -> None:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        assert client.get("/sante").json() == {"etat": "vivant"}
        assert client.get("/pret").json()["parties"]["registre"] == "prêt"
        page = client.get("/voila/render/essai.ipynb?nom=Martin-Durand", headers={"X-Request-Id": REQUEST})
        assert page.status_code == 200
        assert page.headers["x-request-id"] == REQUEST
        for path, headers in (
            ("/", {"Cookie": "session=motdepasse"}),
            ("/magasin/data/journal?jeton=motdepasse", {"Authorization": "Bearer c0ffee.secret.jeton"}),
            ("/voila/render/Martin-Durand.ipynb?montant=674633", {"X-Request-Id": "Martin-Durand"}),
            ("/voila/files/motdepasse", {"Referer": "http://x/?nom=Martin-Durand"}),
        ):
            found = client.get(path, headers=headers)
            assert re.fullmatch(r"[0-9a-f]{16}", found.headers["x-request-id"]), path
        reported = client.get("/metriques", headers={"X-Forwarded-For": "203.0.113.1"})
        assert reported.status_code == 403
        table = measures(server.url).set_index(["metric", "labels"])["value"]

    rendered = "method=GET,route=/voila/render/…,service=tableaux,status=200"
    assert table["workbench_requests_total", rendered] == 1
    asked = "method=POST,route=/data/get/{bucket:path},service=/magasin,status=404"
    assert table["workbench_requests_total", asked] == 1
    assert table["workbench_refusals_total", "service=/magasin,status=401"] == 1
    assert table["workbench_kernels", "state=zygote"] >= 1
    assert table["workbench_kernel_memory_bytes", "state=zygote"] > 10e6
    assert not [secret for secret in PLANTED if any(secret in labels for _, labels in table.index)]

    written = server.log.read_text(encoding="utf-8")
    for _ in range(100):
        if "échec pour" in written:
            break
        time.sleep(0.1)
        written = server.log.read_text(encoding="utf-8")
    assert not [secret for secret in PLANTED if secret in written]
    lines = [line for line in written.splitlines() if line.startswith("{")]
    assert [json.loads(line)["level"] for line in lines]
    others = [line for line in written.splitlines() if not line.startswith("{")]
    # What is said to the person who starts the server, and nothing else.
    assert [line for line in others if not line.startswith(("Tableaux de bord", "Par HTTP"))] == []

    # One identifier from the page to its kernel, and from the kernel to the service that it asked.
    events = log_events(server.log)
    same = events[events["request"] == REQUEST]
    assert {"workbench.essai", "workbench.requests"} <= set(same["logger"])
    assert {"tableaux", "/magasin"} <= set(same["service"].dropna())
    assert same["process"].nunique() == 2
