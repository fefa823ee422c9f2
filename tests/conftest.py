"""Fixtures shared by all tests."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from order_of_tests import ByFile, ToldAtOnce, in_order
from postgresql_server import postgresql_server
from spark_cluster import MASTER, spark_session
from xdist.remote import Producer
from zygotes import runtime

# A runner started in the background ignores Ctrl-C, and so would every program that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A shared or loaded machine makes single examples slow: speed is measured in benchmarks/.
# New examples are drawn at each run: what one run does not find, the next ones may.
settings.register_profile("workbench", deadline=None, max_examples=40)
settings.load_profile("workbench")

PROJECT = Path(__file__).resolve().parents[1]


SPARK_BODY = ("test_stores.py::", "test_golden.py::test_every_value", "test_golden.py::test_each_collectivite_apart")
"""What holds Spark to the other engines in a short time; its run of the other rooms is a long one."""

FILES_AND_REFUSALS = (
    "dgfip/test_bad_files.py",
    "dgfip/test_balances_import.py",
    "dgfip/test_cci_import.py",
    "dgfip/test_controls.py",
    "evaluation/test_semantics.py",
    "identity/test_embedded_issuer.py",
)
"""Where other parameters are layouts and mistakes, which no database sees: a second one takes each test once."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Call Spark's own run of a room slow; have a second database take each test once where that proves as much."""
    kept, left, seen = [], [], set()
    for item in items:
        if item.get_closest_marker("browser"):
            # A page on a machine that does something else at the time: what is wrong stays wrong.
            item.add_marker(pytest.mark.flaky(reruns=1))
        drawn = item.callspec.params if hasattr(item, "callspec") else {}
        database = drawn.get("new_url", drawn.get("registry_address"))
        once = database == "postgresql" and any(part in item.nodeid for part in FILES_AND_REFUSALS)
        if database == "spark" and not any(part in item.nodeid for part in SPARK_BODY):
            item.add_marker(pytest.mark.slow)
            once = True
        test = (item.nodeid.partition("[")[0], database)
        if once and test in seen:
            left.append(item)
            continue
        seen.add(test)
        kept.append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = in_order(kept)


def pytest_configure(config: pytest.Config) -> None:
    """Have the log say at once what fails, in the process that writes it."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ToldAtOnce(config))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Share the files out, not the tests one by one."""
    return ByFile(config, log)


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Tests write into folders of their own: no workbook, no base is left at the root of the project."""
    before = set(PROJECT.iterdir())
    yield
    written = {".csv", ".db", ".duckdb", ".html", ".ipynb", ".parquet", ".pdf", ".xlsx", ".zip"}
    left = sorted(each.name for each in set(PROJECT.iterdir()) - before if each.suffix in written)
    assert not left, f"left at the root of the project: {', '.join(left)}"


@pytest.fixture(scope="session", autouse=True)
def kernel_runtime() -> Iterator[Path]:
    """The folder of sockets of the kernels that tests start, which end with them."""
    with runtime() as folder:
        yield folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The reference material kept beside the project; the test skips where it is absent."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("reference material absent: ../shared is not there")
    return folder


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[Callable[[], str]]:
    """A function that makes an empty PostgreSQL database and returns its URL."""
    with postgresql_server() as new_database:
        yield new_database


@pytest.fixture(scope="session")
def new_spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """A function that returns the URL of a Spark base that is not there yet; one session serves all tests."""
    with spark_session():
        yield lambda: f"spark://{tmp_path_factory.mktemp('base')}/base?master={MASTER}"


@pytest.fixture(scope="session", params=["duckdb", "postgresql", "spark"])
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """A function that returns the URL of a base that is not there yet; its tests run on every engine."""
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return new_database
    if request.param == "spark":
        new_place: Callable[[], str] = request.getfixturevalue("new_spark")
        return new_place
    return lambda: str(tmp_path_factory.mktemp("base") / "base.duckdb")


@pytest.fixture(params=["sqlite", "postgresql"])
def registry_address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a registry that is not there yet will be, on both databases in turn."""
    if request.param == "postgresql":
        pytest.importorskip("psycopg", reason="PostgreSQL absent: psycopg not installed")
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return new_database()
    return str(tmp_path / "registre.sqlite")


@pytest.fixture(scope="module")
def spark_computes() -> Iterator[None]:
    """Make Spark compute what the driver otherwise does by itself on tables of a few rows."""
    from workbench.engines.spark import SparkEngine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SparkEngine, "small_sorted_rows", -1)
        yield


@pytest.fixture
def engine_url(new_url: Callable[[], str]) -> str:
    """The URL of a base that is not there yet, on each engine in turn."""
    return new_url()


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A base of a few fictitious communes: its path, and the SIRET of one of them."""
    from workbench import dgfip

    folder = tmp_path_factory.mktemp("demonstration")
    written = dgfip.write_demonstration(folder / "sources", communes=6)
    path = folder / "base.duckdb"
    with dgfip.connect(path, read_only=False) as base:
        dgfip.import_balances(base, written.balances)
        dgfip.import_population(base, written.population)
        dgfip.import_comptes(base, written.comptes)
        dgfip.import_epci(base, written.epci)
    return str(path), written.example


@pytest.fixture(scope="session")
def demonstration_base(demonstration: tuple[str, str]) -> str:
    """Path of a base of fictitious communes."""
    return demonstration[0]


@pytest.fixture(scope="session")
def demonstration_siret(demonstration: tuple[str, str]) -> str:
    """SIRET of a fictitious commune of that base."""
    return demonstration[1]
