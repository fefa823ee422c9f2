"""Facts themselves: their hash, the rules that they are held to, who is sampled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from history_files import say_rows, source_text
from sqlalchemy import select

from workbench.signaux_faibles.history import History, open_history, schema
from workbench.signaux_faibles.history.export import export
from workbench.signaux_faibles.history.sampling import random_orders
from workbench.signaux_faibles.history.validation import RULES, entries, offending, validate
from workbench.signaux_faibles.sources import sources

A1, A2, B1 = "11111111100001", "11111111100002", "22222222200001"

FILES = {
    "effectif": f"siret;compte;eff201711;eff201712\n{A1};1;5;6\n{B1};2;;7\n",
    "reporder": f"{A1},2017-02-01,0.25\n",
    "paydex": "SIREN;NB_JOURS;NB_JOURS_LIB;DATE_VALEUR\n111111111;;x;15/12/2018\n222222222;3;x;15/12/2018\n",
    "delai": source_text(
        "delai",
        [
            {"siret": siret, "Numero_compte_externe": "1", "Date_creation": "01/02/2017",
             "Date_echeance": "01/08/2017", "Duree_delai": days, "Annee_creation": 2017,
             "Montant_global_echeancier": amount}
            for siret, days, amount in ((A1, 0, "12,5"), (B1, 1, "0.01"), (A2, 2, "0"))
        ],
        "siret",
    ),
    "sirene_ul": source_text(
        "sirene_ul",
        [
            {"siren": "111111111", "denominationUniteLegale": "É", "categorieJuridiqueUniteLegale": code}
            for code in ("54A9", "5499", "549")
        ],
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder = tmp_path_factory.mktemp("facts")
    address = str(folder / "historique.duckdb")
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        address = new_database()
    with open_history(address, read_only=False) as opened:
        say_rows(opened, folder, "1704", FILES, ["111111111", "222222222"])
        yield opened


def digest(content: str) -> int:
    """Return the hash of a content: the first 63 bits of its MD5, read from its last byte to its first."""
    return int.from_bytes(hashlib.md5(content.encode()).digest()[:8], "little") >> 1  # noqa: S324


def test_the_hash_says_what_the_tuple_says(history: History) -> None:
    """The same bytes for ever, whatever columns the source has besides: what says nothing has no part in it."""
    rows = history.fetch(history.runs("paydex")).to_pylist()
    found = {row["siren"]: row["hash"] for row in rows}
    assert found["222222222"] == digest("|date_valeur=2018-12-15|nb_jours=3")
    assert found["111111111"] == digest("|date_valeur=2018-12-15")
    rows = history.fetch(history.runs("effectif")).to_pylist()
    told = {(row["siret"], row["periode"]): row["hash"] for row in rows}
    assert told[A1, date(2017, 1, 1)] == digest("|effectif=5|numero_compte=1:1|periode=2017-01-01")


def test_rules(history: History) -> None:
    def broken(type_: str) -> set[tuple[Any, ...]]:
        rows = history.fetch(offending(history, type_)).to_pylist()
        assert {row["batch"] for row in rows} == {"1704"}
        return {(row["key"], row["field"], row["reason"]) for row in rows}

    assert broken("delai") == {
        (A1, "duree_delai", "duree_delai : inférieur à 1"),
        (A2, "montant_echeancier", "montant_echeancier : inférieur à 0,01"),
    }
    assert broken("paydex") == {("111111111", "nb_jours", "nb_jours : valeur absente")}
    statuses = [row["hash"] for row in history.fetch(offending(history, "sirene_ul")).to_pylist()]
    assert len(statuses) == len(set(statuses)) == 2
    told = {each["_id"]: each for each in entries(history, "delai")}
    assert set(told) == {A1, A2}
    assert set(told[A1]) == {"_id", "batchKey", "dataHash", "dataObject", "dataType", "reason"}
    assert told[A1]["dataObject"]["duree_delai"] == 0
    assert str(told[A1]["dataObject"]["date_creation"]).endswith("T00:00:00Z")
    assert told[A2]["reason"] == "montant_echeancier : inférieur à 0,01"
    json.dumps(told)
    assert validate(history).by_type == {"delai": 2, "paydex": 1, "sirene_ul": 2}
    assert validate(history, waiting=True).count == 0
    assert validate(history, as_of="1703").count == 0


def test_every_rule_names_fields_of_its_type() -> None:
    assert set(RULES) == set(sources())
    for type_, rules in RULES.items():
        known = {name for name, _ in schema.stored_fields(type_)}
        assert {name for rule in rules for name in rule.fields} <= known, type_


def test_what_was_never_imported_is_empty(history: History) -> None:
    for type_ in sources():
        if history.has(type_):
            continue
        assert history.fetch(offending(history, type_)).num_rows == 0
        assert history.fetch(history.state(type_)).num_rows == 0
        assert history.fetch(history.spans(type_)).num_rows == 0


def test_who_is_sampled(history: History) -> None:
    rows = history.fetch(random_orders(history)).to_pylist()
    months = {row["periode"] for row in rows}
    assert (min(months), max(months), len(months)) == (date(2017, 1, 1), date(2017, 3, 1), 3)
    assert {row["siret"] for row in rows} == {A1, B1}
    assert len(rows) == 6
    told = {(row["siret"], row["periode"]): row["random_order"] for row in rows}
    assert told[A1, date(2017, 2, 1)] == 0.25
    drawn = int(hashlib.md5(f"{B1} 2017-02-01".encode()).hexdigest()[:12], 16)  # noqa: S324
    assert told[B1, date(2017, 2, 1)] == drawn / 2**48
    assert all(0 <= row["random_order"] < 1 for row in rows)


def test_the_perimeter(history: History) -> None:
    assert sorted(history.fetch(history.perimetre())["siren"].to_pylist()) == ["111111111", "222222222"]
    # Before any batch, nobody.
    assert history.fetch(history.perimetre("1703")).num_rows == 0


def test_many_rows_are_written_in_parts(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = export(history, tmp_path / "whole", types=[], names=["clean_effectif"])
    monkeypatch.setattr("workbench.signaux_faibles.history.export._AT_ONCE", 1)
    parts = export(history, tmp_path / "parts", types=[], names=["clean_effectif"])
    assert parts.files == whole.files
    for name in whole.files:
        one, other = (pq.read_table(tmp_path / each / name).to_pylist() for each in ("whole", "parts"))
        assert sorted(map(str, one)) == sorted(map(str, other)), name
    told = history.fetch(select(schema.reports.c.file).order_by(schema.reports.c.file))["file"].to_pylist()
    assert told == [f"/1704/{type_}.csv" for type_ in sorted(FILES)]
