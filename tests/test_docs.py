"""The documents say what is true: their commands, names, links and examples are held to the product."""

from __future__ import annotations

import csv
import doctest
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import workbench
from workbench.cli.exits import ExitCode
from workbench.cli.main import cli, main
from workbench.cli.reference import commands, reference
from workbench.formules import TYPES_APPEL

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_RUN = ("base download", "report serve", "signaux publish", "signaux withdraw", "up", "upload", "worker")
"""Commands that need the network, data that the guide has not, or that wait for their reader."""


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> Iterator[tuple[str, str]]:
    """Give the language and content of each fenced block."""
    for found in FENCE.finditer(text(name)):
        yield found[1], found[2]


def quoted_commands(name: str) -> list[list[str]]:
    """Give the arguments of each ``workbench …`` of the shell blocks and of the inline code."""
    lines = [line for language, block in blocks(name) if language == "sh" for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", FENCE.sub("", text(name)))
    found = [shlex.split(line, comments=True) for line in lines if re.match(r"(\S*/)?workbench [^<]*$", line)]
    return [words[1:] for words in found if len(words) > 1]


def check_command(words: list[str]) -> None:
    """Fail when the command line would not understand these words."""
    group: click.Command = cli
    context = click.Context(cli)
    rest = list(words)
    while isinstance(group, click.Group) and rest and not rest[0].startswith("-"):
        found = group.get_command(context, rest[0])
        assert found is not None, f"workbench {' '.join(words)}: {rest[0]} does not exist"
        group, context = found, click.Context(found, info_name=rest.pop(0), parent=context)
    group.make_parser(context).parse_args(list(rest))
    if rest:
        wanted = [each for each in group.params if each.required and isinstance(each, click.Option)]
        missing = [each.name for each in wanted if not set(each.opts) & {word.partition("=")[0] for word in rest}]
        assert not missing, f"workbench {' '.join(words)}: {missing}"


# --- what is quoted exists ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_quoted_commands_are_understood(name: str) -> None:
    for words in quoted_commands(name):
        check_command(words)


def test_a_false_command_is_noticed() -> None:
    for wrong in ("base imports", "base info --bases x", "trame import x.xlsx --nomenclature M14", "demo --to"):
        with pytest.raises((AssertionError, click.UsageError)):
            check_command(wrong.split())
    assert quoted_commands("README.md") != []
    assert len(quoted_commands("docs/guide.md")) > 20


@pytest.mark.parametrize("name", NAMES)
def test_quoted_names_are_public(name: str) -> None:
    used = set(re.findall(r"\bwb\.([A-Za-z_]+)", text(name)))
    assert used <= set(workbench.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_relative_links_resolve(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", text(name))):
        if "://" not in target:
            assert (ROOT / name).parent.joinpath(target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_quoted_modules_exist(name: str) -> None:
    known = {path.name for room in ("workbench", "tests", "benchmarks") for path in (ROOT / room).rglob("*.*")}
    for found in re.findall(r"`(?:\w+/)*(\w+\.(?:py|lark|css|js))`", text(name)):
        assert found in known, found


# --- what exists is documented --------------------------------------------------------------------------------------


def test_the_reference_of_commands_is_current() -> None:
    assert text("docs/commandes.md") == reference(), "run: python -m workbench.cli.reference > docs/commandes.md"


def test_every_picture_is_shown_and_is_one_that_the_browser_tests_take() -> None:
    taken = {path.name for path in (ROOT / "docs" / "captures").iterdir()}
    shown = set(re.findall(r"!\[[^\]]{10,}\]\(captures/([\w-]+\.png)\)", text("docs/agents.md")))
    visits = text("tests/dashboards/visits.py").partition("PICTURED = {")[2].partition("}")[0]
    assert taken == shown == {f"{name}.png" for name in re.findall(r': "([\w-]+)"', visits)}


def test_the_guide_shows_every_command() -> None:
    shown = {tuple(words[:count]) for words in quoted_commands("docs/guide.md") for count in (1, 2)}
    for names, _ in commands():
        assert names[:2] in shown or (names[0], "--base") in shown or f"make {names[0]}" in text("docs/guide.md"), names


def test_the_guide_lists_every_exit_code_and_type_appel_and_names_settings_that_exist() -> None:
    guide = text("docs/guide.md")
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", guide, re.MULTILINE)}
    assert codes == {code.value for code in ExitCode}
    section = guide.partition("| type d'appel |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([A-Z]{2})`", section)) == set(TYPES_APPEL)
    named = set(re.findall(r"WORKBENCH_[A-Z_]+", guide))
    assert named <= set(re.findall(r"WORKBENCH_[A-Z_]+", text("docs/reglages.md")))  # which has them all


def test_the_guide_lists_every_trame() -> None:
    for path in (ROOT / "trames").glob("*.yaml"):
        assert f"`{path.stem}`" in text("docs/guide.md"), path.name


def test_decisions_are_numbered_without_gap() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in files] == [f"{number:04d}" for number in range(1, len(files) + 1)]
    for number, path in enumerate(files, start=1):
        assert path.read_text(encoding="utf-8").startswith(f"# {number}. "), path.name
        assert "Context" in path.read_text(encoding="utf-8"), path.name
        assert "Consequences" in path.read_text(encoding="utf-8"), path.name


def test_architecture_is_numbered_without_gap() -> None:
    numbers = sorted(int(path.name.partition("_")[0]) for path in (ROOT / "docs" / "architecture").glob("*.md"))
    assert numbers == list(range(len(numbers)))


def test_the_changelog_has_this_version() -> None:
    assert re.search(
        rf"^## \[{re.escape(workbench.__version__)}\] - \d{{4}}-\d\d-\d\d$", text("CHANGELOG.md"), re.MULTILINE
    )


# --- examples run ---------------------------------------------------------------------------------------------------


def test_the_example_runs_through_every_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "docs/architecture/7_one_example.md"
    examples = "\n".join(block for language, block in blocks(name) if language == "python")
    parsed = doctest.DocTestParser().get_doctest(examples, {}, name, name, 0)
    assert len(parsed.examples) > 30
    said = io.StringIO()
    assert not doctest.DocTestRunner().run(parsed, out=said.write).failed, said.getvalue()


def test_the_example_of_the_format_loads(tmp_path: Path) -> None:
    example = next(block for language, block in blocks("docs/trames.md") if language == "yaml")
    path = tmp_path / "m14_basique.yaml"
    path.write_text(example, encoding="utf-8")
    assert workbench.load_trame(path).codes == ("M14_CE_PFA_1000", "M14_CE_PFA_1090", "M14_RATIO_PERSONNEL")


def run(words: list[str]) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(str(stop.value.code))


@pytest.fixture
def demonstration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the guide's reader stands: the demonstration in ``demo``, trames and notebooks beside."""
    from workbench.dgfip import connect, import_balances, import_comptes, import_population, write_demonstration

    written = write_demonstration(tmp_path / "demo" / "sources", communes=7)
    with connect(tmp_path / "demo" / "base.duckdb", read_only=False) as base:
        import_balances(base, written.balances)
        import_population(base, written.population)
        import_comptes(base, written.comptes)
    for name in ("trames", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setenv("WORKBENCH_REQUETES_PRIVEES", str(tmp_path / "requetes-privees"))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "trames-privees"))
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_the_guide_runs_from_its_first_line_to_its_last(demonstration_folder: Path) -> None:
    names: dict[str, object] = {}
    for language, block in blocks("docs/guide.md"):
        if language == "python":
            exec(compile(block, "docs/guide.md", "exec"), names)  # noqa: S102
        for line in block.splitlines() if language == "sh" else ():
            words = shlex.split(line)[1:]
            if not " ".join(words).startswith(NO_RUN):
                assert run(words) == ExitCode.OK, line
    table, grid, why = names["table"], names["grille"], names["pourquoi"]
    assert isinstance(table, workbench.IndicateurTable)
    assert [int(exercice) for exercice in table.columns] == [2020, 2021, 2022, 2023, 2024]
    assert why.value == table.loc["OFGL_EPARGNE_BRUTE", 2024] == 674633.0  # type: ignore[attr-defined]
    assert grid.num_rows > 0  # type: ignore[attr-defined]
    for path in (
        "rapport.xlsx",
        "balance.xlsx",
        "essais.yaml",
        "rapports/ofgl_agregats_m57_99900006500019_2020_2024.html",
    ):
        assert (demonstration_folder / path).is_file(), path


@pytest.mark.shared
def test_the_table_of_the_readme_is_what_its_commands_give(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "balance_bordeaux_2019.csv").symlink_to(shared / "data" / "balances" / "balance_bordeaux_2019.csv")
    (tmp_path / "trames").symlink_to(ROOT / "trames")
    monkeypatch.chdir(tmp_path)
    section = text("README.md").partition("## One real table")[2].partition("\n## ")[0]
    for line in re.findall(r"^workbench (.+)$", section, re.MULTILINE):
        capsys.readouterr()
        assert run(shlex.split(line)) == ExitCode.OK
    given = {row["indicateur"]: float(row["2019"]) for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    trame = workbench.load_trame("trames/ofgl_agregats_m14.yaml")
    by_name = {trame[code].libelle: value for code, value in given.items()}
    printed = re.findall(r"^\| ([^|]+) \| ([\d ]+,\d\d) (?:€|ans) \|$", section, re.MULTILINE)
    assert len(printed) == 6
    for libelle, figure in printed:
        assert round(by_name[libelle], 2) == float(figure.replace(" ", "").replace(",", ".")), libelle
    assert f"of {len(given)}." in section
