"""The settings: every variable that the code reads is declared, and the file of settings is read or refused whole."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.config import settings, shared_folder
from workbench.config.declared import GIVEN, SETTINGS, Kind, Secrecy
from workbench.config.reading import Values, read_values
from workbench.config.reference import doubts, example, in_force, reference
from workbench.errors import WorkbenchError
from workbench.identity.configuration import identity_settings
from workbench.uploads.configuration import upload_settings

NAME = re.compile(r"WORKBENCH_[A-Z_]*[A-Z]")
READERS = {"text", "text_of", "is_set", "find"}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (*SETTINGS, *GIVEN):
        if each.name != "WORKBENCH_RUNTIME":
            monkeypatch.delenv(each.name, raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "workbench.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def refusal(folder: Path, text: str, mode: int = 0o600) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as found:
        Values({}, written(folder, text, mode))
    return found.value


# --- the declaration and the code


def sources(project: Path) -> list[Path]:
    return [
        path
        for path in (project / "workbench").rglob("*.py")
        if path.parent.name != "config" or path.name == "__init__.py"
    ]


@dataclass
class Code:
    """What one module says of variables: the names it writes, those it asks the environment for, and its readers."""

    path: str
    named: set[str]
    asked: list[str]
    read: set[str]


@pytest.fixture(scope="module")
def codes(project: Path) -> list[Code]:
    settings_named = {each.name for each in SETTINGS}
    found = []
    for path in sources(project):
        code = Code(str(path.relative_to(project)), set(), [], set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                code.named |= set(NAME.findall(node.value))
            elif isinstance(node, ast.Subscript | ast.Call) and variable_asked(node) in settings_named:
                code.asked.append(ast.unparse(node))
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if called in READERS:
                    code.read.add(str(node.args[0].value))
        found.append(code)
    return found


def variable_asked(node: ast.Subscript | ast.Call) -> object:
    """Return X of ``environ["X"]`` or ``environ.get("X")``, None of anything else."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        place, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        place, key = node.func.value, node.args[0]
    else:
        return None
    return key.value if isinstance(key, ast.Constant) and "environ" in ast.unparse(place) else None


def test_every_variable_of_the_code_is_declared(codes: list[Code]) -> None:
    declared = {each.name for each in (*SETTINGS, *GIVEN)} | {each.file_name for each in SETTINGS}
    for code in codes:
        unknown = code.named - declared
        assert not unknown, f"{code.path}: declare {unknown} in workbench/config/declared.py"


def test_every_notebook_names_declared_variables_only(project: Path) -> None:
    declared = {each.name for each in (*SETTINGS, *GIVEN)}
    for folder in ("notebooks", "dashboards"):
        for path in (project / folder).glob("*.ipynb"):
            assert set(NAME.findall(path.read_text(encoding="utf-8"))) <= declared, path


def test_no_setting_is_read_beside_the_one_reader(codes: list[Code], project: Path) -> None:
    for code in codes:
        assert code.asked == [], f"{code.path}: {code.asked}: read it by workbench.config.text_of"
        assert "envvar=" not in (project / code.path).read_text(encoding="utf-8"), code.path


def test_a_direct_reading_is_noticed() -> None:
    for text in ('os.environ["X"]', 'os.environ.get("X", "")', 'environ.get("X")'):
        node = ast.parse(text).body[0]
        assert isinstance(node, ast.Expr)
        assert isinstance(node.value, ast.Subscript | ast.Call)
        assert variable_asked(node.value) == "X"


def test_every_declared_setting_is_read(codes: list[Code]) -> None:
    assert {name for code in codes for name in code.read} >= {each.name for each in SETTINGS}


def test_declarations_are_sound() -> None:
    names = [each.name for each in (*SETTINGS, *GIVEN)]
    assert len(set(names)) == len(names)
    for each in SETTINGS:
        assert each.libelle, each.name
        assert each.default, each.name
        assert each.services, each.name


def test_the_reference_page_is_current(project: Path) -> None:
    page = (project / "docs" / "reglages.md").read_text(encoding="utf-8")
    assert page == reference(), "run: workbench config reference > docs/reglages.md"


# --- the file


def test_the_file_is_read_and_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'audience = "ateliers"\nclient = "pages"\ndepot_taille = 12\nunverified_email = true\n'
    monkeypatch.setenv("WORKBENCH_CONFIG", str(written(tmp_path, text + 'algorithms = ["RS256", "ES256"]\n', 0o644)))
    monkeypatch.setenv("WORKBENCH_CLIENT", "guichet")
    monkeypatch.setenv("WORKBENCH_AUDIENCE", "")
    found = identity_settings()
    assert (found.audience, found.client, found.unverified_email) == ("ateliers", "guichet", True)
    assert found.algorithms == ("RS256", "ES256")
    assert upload_settings().limits.largest == 12


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(written(tmp_path, 'base = "une.duckdb"\n')))
    assert settings().base == "une.duckdb"
    written(tmp_path, 'base = "une-autre.duckdb"\n')
    assert settings().base == "une-autre.duckdb"


def test_an_empty_kernel_is_a_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(written(tmp_path, 'noyau = ""\n')))
    assert settings().kernel == ""
    monkeypatch.setenv("WORKBENCH_NOYAU", "python3")
    assert settings().kernel == "python3"
    monkeypatch.setenv("WORKBENCH_NOYAU", "")
    assert settings().kernel == ""


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest(tmp_path: Path) -> None:
    error = refusal(tmp_path, '# essai\nbase = "b.duckdb"\n\ndepot_quotas = 3\n')
    assert error.code == "reglage_inconnu"
    assert (error.details["ligne"], error.details["voisin"]) == (4, "depot_quota")
    assert "ligne 4" in str(error)


def test_a_table_is_refused_with_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'base = "b"\n[depot]\ntaille = 3\n')
    assert (error.code, error.details["ligne"], error.details["cle"]) == ("reglage_valeur", 2, "depot")


@pytest.mark.parametrize(
    "text",
    [
        'depot_taille = "beaucoup"',
        "depot_taille = -1",
        "depot_taille = true",
        'issuer = "connexion.exemple.fr"',
        'depot_disposition = "2021"',
        "depot_disposition = 2019",
        "unverified_email = 1",
        'algorithms = ["RS256", "HS256"]',
        "algorithms = [256]",
        'courriel = "anne"',
    ],
)
def test_a_value_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, f'base = "b"\n{text}\n')
    assert (error.code, error.details["ligne"]) == ("reglage_valeur", 2)


@pytest.mark.parametrize("text", ['base = "b', "base: b", "\x00"])
def test_what_is_not_toml_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text).code == "reglage_fichier"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="ne se lit pas"):
        Values({}, tmp_path / "rien.toml")


# --- secrets


def test_a_secret_in_an_open_file_is_refused(tmp_path: Path) -> None:
    for text in ('client_secret = "x"', 'broker = "amqp://a:b@serveur/c"', 'depot_smtp = "smtp://a:b@serveur"'):
        error = refusal(tmp_path, text, 0o640)
        assert (error.code, error.details["droits"]) == ("reglage_secret_ouvert", "640")
    written(tmp_path, 'broker = "amqp://serveur/c"', 0o644)
    assert Values({}, tmp_path / "workbench.toml").text("WORKBENCH_BROKER") == "amqp://serveur/c"


def test_secrets_come_from_files_of_their_owner_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t\n", encoding="utf-8")
    secret.chmod(0o600)
    by_variable = Values({"WORKBENCH_CLIENT_SECRET_FILE": str(secret)}, None)
    by_key = Values({}, written(tmp_path, f'client_secret_file = "{secret}"', 0o644))
    for values in (by_variable, by_key):
        assert values.text("WORKBENCH_CLIENT_SECRET") == "s3cr3t"
    secret.chmod(0o644)
    for values in (by_variable, by_key):
        with pytest.raises(WorkbenchError) as found:
            values.text("WORKBENCH_CLIENT_SECRET")
        assert found.value.code == "reglage_secret_ouvert"
        assert f"chmod 600 {secret}" in str(found.value)
    secret.unlink()
    with pytest.raises(WorkbenchError) as found:
        by_variable.text("WORKBENCH_CLIENT_SECRET")
    assert found.value.code == "reglage_secret_illisible"


def test_systemd_lends_its_files(tmp_path: Path) -> None:
    (tmp_path / "client_secret").write_text("s3cr3t", encoding="utf-8")
    (tmp_path / "client_secret").chmod(0o440)
    (tmp_path / "broker").write_text("", encoding="utf-8")
    (tmp_path / "broker").chmod(0o400)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    values = read_values(environment)
    assert values.text("WORKBENCH_CLIENT_SECRET") == "s3cr3t"
    assert values.text("WORKBENCH_BROKER") == values.text("WORKBENCH_OPENDATA_KEY") == ""
    assert read_values({**environment, "WORKBENCH_CLIENT_SECRET": "autre"}).text("WORKBENCH_CLIENT_SECRET") == "autre"
    (tmp_path / "client_secret").chmod(0o444)
    with pytest.raises(WorkbenchError):
        values.text("WORKBENCH_CLIENT_SECRET")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    environment = {
        "WORKBENCH_CLIENT_SECRET": "s3cr3t",
        "WORKBENCH_BROKER": "amqp://a:s3cr3t@un/c;amqp://a:s3cr3t@deux/c",
        "WORKBENCH_REGISTRE": "postgresql+psycopg://u:s3cr3t@serveur/base",
        "WORKBENCH_BASE": "postgresql+psycopg://u:s3cr3t@[::1]:5432/base",
    }
    shown = {row.name: row.text for row in in_force(read_values(environment))}
    assert "s3cr3t" not in json.dumps(shown)
    assert shown["WORKBENCH_BROKER"] == "amqp://a:•••@un/c;amqp://a:•••@deux/c"
    assert shown["WORKBENCH_BASE"] == "postgresql+psycopg://u:•••@[::1]:5432/base"


# --- what people see


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(str(stop.value.code))


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WORKBENCH_CONFIG", str(written(tmp_path, 'audience = "ateliers"\nclient_secret = "s3cr3t"\n')))
    assert run("config", "show", "--json") == ExitCode.OK
    rows: dict[str, Any] = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["audience"]["text"], rows["audience"]["place"]) == ("ateliers", "fichier des réglages")
    assert rows["client_secret"]["text"] == "•••"
    assert run("config", "show") == ExitCode.OK
    assert "s3cr3t" not in capsys.readouterr().out
    assert run("config", "check") == ExitCode.OK
    assert run("config", "reference") == ExitCode.OK
    assert capsys.readouterr().out == reference()
    monkeypatch.setenv("WORKBENCH_DEPOT_TAIL", "3")
    assert run("config", "check") == ExitCode.FINDINGS
    assert "WORKBENCH_DEPOT_TAILLE" in capsys.readouterr().err
    written(tmp_path, "bases = 3")
    assert run("config", "check") == ExitCode.REFUSED
    assert "ligne 1" in capsys.readouterr().err


def test_doubts_of_the_environment() -> None:
    assert doubts({each.name: "" for each in SETTINGS} | {"PATH": "x", "WORKBENCH_TOKEN_FILE": "x"}) == []
    assert len(doubts({"WORKBENCH_DEPOT_JOURS": "sept"})) == 1
    assert len(doubts({"WORKBENCH_BROKER": "amqp://s/c", "WORKBENCH_BROKER_FILE": "f"})) == 1
    assert len(doubts({"WORKBENCH_TRAMES_FILE": "x"})) == 1  # what is no secret has no file


def test_the_example_says_everything_and_sets_nothing(tmp_path: Path) -> None:
    text = example()
    assert all(f"# {each.key} = " in text or f"# {each.key}_file = " in text for each in SETTINGS)
    nothing = Values({}, written(tmp_path, text))
    assert [row for row in in_force(nothing) if row.text] == []
    # Taken as they are, the examples are of the right kind: empty or zero.
    free = "\n".join(line.removeprefix("# ") for line in text.splitlines() if re.match(r"# [a-z_]+ = ", line))
    Values({}, written(tmp_path, free.replace("[]", '["RS256"]')))
    given = Values({}, written(tmp_path, example({"base": '"b.duckdb"', "depot_quota": "7"})))
    assert (given.text("WORKBENCH_BASE"), given.text("WORKBENCH_DEPOT_QUOTA")) == ("b.duckdb", "7")


def test_kinds_and_secrets_are_all_used() -> None:
    assert {each.kind for each in SETTINGS} == set(Kind)
    assert {each.secrecy for each in SETTINGS} == set(Secrecy)


def test_shared_folders_are_found_in_the_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import workbench.config as config

    package = tmp_path / "workbench"
    (package / "share" / "trames").mkdir(parents=True)
    elsewhere = tmp_path / "ailleurs"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(config, "__file__", str(package / "config" / "__init__.py"))
    assert shared_folder("trames") == package / "share" / "trames"
    assert shared_folder("requetes") == Path("requetes")
    (elsewhere / "trames").mkdir()
    assert shared_folder("trames") == Path("trames")


def test_settings_import_little() -> None:
    program = (
        "import sys, workbench.config.reading\n"
        "assert not {'pandas', 'sqlalchemy', 'click', 'numpy'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_folder_above_that_is_closed_to_this_account_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service is examined from wherever its operator is: her own home, for one."""
    monkeypatch.chdir(tmp_path)
    looked = Path.is_dir

    def closed(path: Path) -> bool:
        if path.absolute().is_relative_to(tmp_path):
            raise PermissionError(13, "Permission denied", str(path))
        return looked(path)

    monkeypatch.setattr(Path, "is_dir", closed)
    assert shared_folder("dashboards").name == "dashboards"
