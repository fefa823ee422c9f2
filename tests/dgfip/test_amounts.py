"""Amounts: exact, in any spelling, or refused."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import column, select, table

from workbench.dgfip.source_files import SourceFile
from workbench.dgfip.values import LIMIT, Columns
from workbench.engines import FileSource
from workbench.engines.duckdb import DuckDBWriter


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWriter]:
    engine = DuckDBWriter(tmp_path_factory.mktemp("amounts") / "x.duckdb")
    yield engine
    engine.close()


def cents(writer: DuckDBWriter, values: pa.Array, kind: str = "VARCHAR") -> list[Any]:
    source = SourceFile(Path("x.csv"), "", FileSource(Path("x.csv"), ("v",), (kind,)), ("BEDEB",), {"debit_1": 0})
    columns = Columns(source, table("valeurs", column("v")))
    return writer.fetch(select(columns.cents("debit_1")), {"valeurs": pa.table({"v": values})}).column(0).to_pylist()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,00", 0),
        ("0.0", 0),
        ("", 0),
        (None, 0),
        ("216187501,79", 21618750179),
        ("-12.5", -1250),
        ("+3,1", 310),
        ("7", 700),
        (".5", 50),
        ("7.", 700),
        ("1.50000", 150),
        ("0.30000000000000004", 30),
        ("2.9999999999", 300),
        ("5.820766091346741e-11", 0),
        ("2.1618750179E8", 21618750179),
        ("1e3", 100000),
        ("9999999999999,99", LIMIT - 1),
        ("10000000000000", LIMIT),
        (" 12,34 ", 1234),
        ("-0,00", 0),
        ("10000000000000.01", None),
        ("99999999999999999999999999", None),
        ("1e30", None),
        ("0.301", None),
        ("1,005", None),
        ("1 234,56", None),
        ("1\u202f234,56", None),
        ("1.234,56", None),
        ("1,234.56", None),
        ("1_000,00", None),
        ("0x10", None),
        ("1e5,00", None),
        ("--5,00", None),
        ("5-", None),
        ("nan", None),
        ("inf", None),
        ("1/2", None),
        ("deux", None),
        (",", None),
        ("-", None),
        ("12,3 €", None),
        ("١٢,٣٤", None),
    ],
)
def test_spellings(writer: DuckDBWriter, text: str | None, value: int | None) -> None:
    assert cents(writer, pa.array([text], pa.string())) == [value]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(-LIMIT, LIMIT), st.sampled_from([",", "."]), st.integers(0, 6), st.booleans()),
        max_size=40,
    )
)
@example([(LIMIT, ",", 0, False), (-LIMIT, ".", 3, True), (-5, ",", 0, True)])
def test_what_is_written_is_what_is_read(writer: DuckDBWriter, amounts: list[tuple[int, str, int, bool]]) -> None:
    texts = []
    for amount, decimal, zeros, trim in amounts:
        text = f"{Decimal(amount) / 100:.2f}"
        text = text.rstrip("0").rstrip(".") if trim else text + "0" * zeros
        texts.append(text.replace(".", decimal))
    assert cents(writer, pa.array(texts, pa.string())) == [amount for amount, *_ in amounts]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("0123456789.,-+eE_ x", max_size=12), min_size=1, max_size=60))
def test_no_text_gets_a_wrong_value(writer: DuckDBWriter, texts: list[str]) -> None:
    for text, value in zip(texts, cents(writer, pa.array(texts, pa.string())), strict=True):
        plain = text.strip(" ").replace(",", ".")
        if not plain:
            assert value == 0
        elif value is not None:
            assert "_" not in plain
            assert abs(Decimal(plain) * 100 - value) <= Decimal("0.0001")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(-LIMIT, LIMIT), max_size=60))
def test_floats_of_cents_are_exact(writer: DuckDBWriter, amounts: list[int]) -> None:
    floats = pa.array([amount / 100 for amount in amounts], pa.float64())
    assert cents(writer, floats, "DOUBLE") == amounts


def test_floats_and_decimals_that_are_no_cents(writer: DuckDBWriter) -> None:
    assert cents(writer, pa.array([0.1 + 0.2, None, 0.005, float("nan"), float("inf"), 1e14]), "DOUBLE") == [
        *(30, 0, None, None, None, None)
    ]
    decimals = pa.array([Decimal("12.3400"), Decimal("12.3410"), None], pa.decimal128(20, 4))
    assert cents(writer, decimals, "DECIMAL(20,4)") == [1234, None, 0]
    assert cents(writer, pa.array([12, None], pa.int64()), "BIGINT") == [1200, 0]
