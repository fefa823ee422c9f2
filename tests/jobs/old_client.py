"""A client written from the specification of OpenAnafi, section 9.2, alone: what chambers run today.

It knows an address, paths, fields and states; nothing of this product.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx


class OldClient:
    """Logs in, asks for a report a row, waits while one is PENDING, downloads, and writes a log."""

    def __init__(self, address: str, username: str, password: str) -> None:
        self.http = httpx.Client(base_url=address, timeout=60)
        answer = self.http.post("/users/authenticate/", json={"username": username, "password": password})
        answer.raise_for_status()
        self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def frames(self) -> dict[str, int]:
        return {frame["name"]: frame["id"] for frame in self.http.get("/frames/").json()}

    def run(
        self,
        frame: int,
        rows: Sequence[Mapping[str, Any]],
        folder: Path,
        *,
        period: float,
        environment: str = "Recette",
    ) -> list[dict[str, Any]]:
        log = []
        for row in rows:
            asked = {
                "frame": frame,
                "financial_year_min": row["EXERCICE_MIN"],
                "financial_year_max": row["EXERCICE_MAX"],
                "identifiers": [row["IDENTIFIANT"]],
                "identifiers_type": "SIRET",
            }
            answer = self.http.post("/reports/", json=asked)
            line = {**row, "id": None, "status": f"refusé : {answer.text}", "file": ""}
            if answer.status_code == 201:
                line |= {"id": answer.json()["report_id"], "status": "PENDING"}
            log.append(line)
        deadline = time.monotonic() + 120
        while any(line["status"] == "PENDING" for line in log):
            assert time.monotonic() < deadline
            time.sleep(period)
            for line in log:
                if line["status"] == "PENDING":
                    self._follow(line, frame, folder, environment)
        return log

    def _follow(self, line: dict[str, Any], frame: int, folder: Path, environment: str) -> None:
        line["status"] = self.http.get(f"/reports/{line['id']}/").json()["state"]
        if line["status"] == "DONE":
            # As the published script does: without the slash at the end.
            content = self.http.get(f"/reports/{line['id']}/download", follow_redirects=True)
            content.raise_for_status()
            parts = (environment, "Etat", frame, line["IDENTIFIANT"], line["EXERCICE_MIN"], line["EXERCICE_MAX"])
            name = "_".join(map(str, [*parts, line["LIBELLE_DE_BUDGET"]])).replace(" ", "_") + ".xlsx"
            line["file"] = name
            (folder / name).write_bytes(content.content)
