"""What the services say of themselves, held against what they do: schemathesis over their OpenAPI documents.

Each service of `workbench.server.SERVICES` that has one is asked, in this process, a few requests drawn from it, right
and wrong ones. ``WORKBENCH_EXAMPLES=500`` asks more of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from workbench.identity.actor import Actor
from workbench.identity.tokens import TokenRules
from workbench.server import SERVICES, Service

EXAMPLES = int(os.environ.get("WORKBENCH_EXAMPLES") or 5)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
WHO = Actor("ada@exemple.fr", "Ada", "", frozenset({"manager", "bfc"}), datetime(9999, 1, 1, tzinfo=UTC))

DESCRIBED = [each for each in SERVICES if each.path not in ("/files", "/envois")]
"""Uploads are tus, which has a description of its own: ``tests/uploads`` holds them to it."""

OPEN = {"POST /users/authenticate/"}
"""What people ask before they have a token; where they log in elsewhere, it says that it is not there (501)."""


class Anyone:
    """Takes any token for Ada's: what is verified of tokens is identity's affair."""

    rules = TokenRules("https://id.exemple.fr", "workbench")

    async def verify_async(self, _: str) -> Actor:
        return WHO


@pytest.fixture(params=DESCRIBED, ids=lambda service: service.path)
def schema(
    request: pytest.FixtureRequest, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    service: Service = request.param
    base: str = request.getfixturevalue("demonstration_base")
    monkeypatch.setenv("WORKBENCH_TRAMES", str(project / "trames"))
    monkeypatch.setenv("WORKBENCH_REPORTS", str(tmp_path / "rapports"))
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    with service.open(Anyone(), base) as application:  # type: ignore[arg-type]
        yield schemathesis.openapi.from_asgi("/openapi.json", application)


@pytest.mark.timeout(300 + 20 * EXAMPLES)
def test_whatever_is_asked_is_answered_as_said(schema: Any) -> None:
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label in OPEN:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            @given(operation.as_strategy(generation_mode=mode))
            def one(case: Any) -> None:
                nonlocal asked
                asked += 1
                case.call_and_validate(checks=CHECKS, headers={"Authorization": "Bearer any"})

            try:
                one()
            except Unsatisfiable:
                # What takes nothing cannot be asked wrongly.
                assert mode is GenerationMode.NEGATIVE, operation.label
    assert asked > EXAMPLES


def test_without_a_token_the_document_alone_is_answered(schema: Any) -> None:
    for found in schema.get_all_operations():
        operation = found.ok()
        path = dict.fromkeys(re.findall(r"{(\w+)}", operation.path), "1")
        if operation.label in OPEN:
            continue
        answer = operation.Case(path_parameters=path).call()
        assert answer.status_code == 401, operation.label
