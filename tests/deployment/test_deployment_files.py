"""The files of an installation: what systemd, the format of compose and our own reader of settings say of them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from workbench.cli.exits import ExitCode
from workbench.cli.main import cli, main
from workbench.config.declared import SETTINGS
from workbench.config.reading import Values
from workbench.deployment.files import SECRETS, Installation, texts, write_files
from workbench.errors import WorkbenchError

PROJECT = Path(__file__).parents[2]
UNITS = [name for name in SECRETS if name.endswith(".service")]
HIGHEST_EXPOSURE = 3.0
"""Of systemd's own scale, from 0 to 10; a unit without any restriction is at 9.6."""

COMPOSE_SERVICE = frozenset(
    {
        *("build", "cap_drop", "command", "depends_on", "environment", "healthcheck"),
        *("image", "init", "mem_limit", "networks", "pids_limit", "ports"),
        *("read_only", "restart", "secrets", "security_opt", "shm_size", "tmpfs"),
        *("volumes",),
    }
)
INSTRUCTIONS = frozenset(["FROM", "RUN", "COPY", "USER", "WORKDIR", "ENV", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an installation whose command exists."""
    folder = tmp_path_factory.mktemp("installation")
    program = folder / "env" / "bin" / "workbench"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    write_files(Installation("atelier.exemple.fr", "https://connexion.exemple.fr", str(folder / "env")), folder)
    return folder


def understood(words: list[str]) -> None:
    """Fail when the command line would not understand these words."""
    group: click.Command = cli
    context = click.Context(cli)
    rest = list(words)
    while isinstance(group, click.Group):
        found = group.get_command(context, rest[0])
        assert found is not None, words
        group, context = found, click.Context(found, info_name=rest.pop(0), parent=context)
    group.make_parser(context).parse_args(rest)


# --- systemd


def analyzed(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd absent: systemd-analyze is not installed")
    return subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_systemd_finds_nothing_wrong_in_the_units(written: Path) -> None:
    names = [f"./{path.name}" for path in sorted((written / "systemd").glob("*.[st]*[er]"))]
    assert len(names) == len(UNITS) + 1
    answer = analyzed("verify", "--man=no", *names, folder=written / "systemd")
    assert (answer.returncode, answer.stderr.strip()) == (0, "")


def test_a_wrong_unit_is_noticed(written: Path, tmp_path: Path) -> None:
    text = (written / "systemd" / "workbench-depot.service").read_text()
    (tmp_path / "workbench-depot.service").write_text(text.replace("ProtectSystem=strict", "ProtectSysteme=strict"))
    assert "ProtectSysteme" in analyzed("verify", "--man=no", "./workbench-depot.service", folder=tmp_path).stderr


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_little_exposed(written: Path, unit: str) -> None:
    answer = analyzed("security", "--offline=true", "--no-pager", f"./{unit}", folder=written / "systemd")
    found = re.search(r"exposure level for \S+: ([0-9.]+)", answer.stdout)
    assert found, answer.stderr
    assert float(found[1]) <= HIGHEST_EXPOSURE


@pytest.mark.parametrize("unit", UNITS)
def test_units_run_known_commands_with_their_own_secrets(written: Path, unit: str) -> None:
    lines = (written / "systemd" / unit).read_text().splitlines()
    commands = [line.partition("=")[2].lstrip("-") for line in lines if line.startswith("ExecStart=")]
    assert commands
    for command in commands:
        program, *words = shlex.split(command)
        assert program == str(written / "env" / "bin" / "workbench")
        understood(words)
    lent = [line.partition("=")[2] for line in lines if line.startswith("LoadCredential=")]
    assert lent == [f"{each}:/etc/workbench/secrets/{each}" for each in SECRETS[unit]]
    assert set(SECRETS[unit]) <= {each.key for each in SETTINGS if each.secrecy}
    assert any(line.startswith("MemoryMax=") for line in lines)
    for line in lines:
        assert line == line.strip()
        assert not re.search(r"\{[{%]|[%}]\}", line)


def test_the_night_applies_the_durations_of_the_settings(written: Path) -> None:
    lines = (written / "systemd" / "workbench-entretien.service").read_text().splitlines()
    commands = [line.partition("/bin/workbench ")[2].split() for line in lines if line.startswith("ExecStart=")]
    assert [each[0] for each in commands] == ["upload", "purge", "doctor"]
    assert not [each for each in commands if "--days" in each]


def test_what_answers_for_its_metrics_is_lent_their_token(written: Path) -> None:
    """Behind the proxy nothing else opens them."""
    for unit in ("workbench-tableaux.service", "workbench-depot.service"):
        assert "metrics_token" in SECRETS[unit]
    services = yaml.safe_load((written / "conteneurs" / "compose.yaml").read_text())["services"]
    for name in ("tableaux", "depot"):
        assert "WORKBENCH_METRICS_TOKEN_FILE" in services[name]["environment"]
    loop = re.search(r"for secret in ([\w ]+);", (PROJECT / "docs" / "exploitation.md").read_text(encoding="utf-8"))
    assert loop
    assert set(loop[1].split()) == {secret for lent in SECRETS.values() for secret in lent}


# --- settings


def test_the_settings_are_read_as_they_are(written: Path) -> None:
    for path in (written / "workbench.toml", written / "conteneurs" / "workbench.toml"):
        values = Values({}, path)
        assert values.text("WORKBENCH_PUBLIC_URL") == values.text("WORKBENCH_DEPOT_URL") == "https://atelier.exemple.fr"
        assert values.text("WORKBENCH_ISSUER") == "https://connexion.exemple.fr"
        assert values.text("WORKBENCH_CLIENT_SECRET") == ""


# --- containers


def test_the_composition_is_of_its_format(written: Path) -> None:
    document: dict[str, Any] = yaml.safe_load((written / "conteneurs" / "compose.yaml").read_text())
    assert {key for key in document if not key.startswith("x-")} == {
        "name",
        "services",
        "networks",
        "volumes",
        "secrets",
    }
    for name, service in document["services"].items():
        assert set(service) <= COMPOSE_SERVICE, name
        networks, secrets = service.get("networks", []), service.get("secrets", [])
        assert set(networks) <= set(document["networks"]), name
        assert set(secrets) <= set(document["secrets"]), name
        assert set(service.get("depends_on", [])) <= set(document["services"]), name
        for each in service.get("volumes", []):
            source = each.partition(":")[0]
            assert source.startswith("./") or source in document["volumes"], name
        for variable, value in service.get("environment", {}).items():
            if variable.startswith("WORKBENCH_"):
                assert variable in {each.file_name for each in SETTINGS}, variable
            if str(value).startswith("/run/secrets/"):
                assert Path(value).name in secrets, name
        if service["image"].startswith("workbench:"):
            understood(service["command"])
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"], name
    for each in document["secrets"].values():
        assert set(each) == {"file"}
    facade = document["services"]["facade"]
    assert [name for name, each in document["services"].items() if "ports" in each] == ["facade"]
    proxied = (written / "conteneurs" / "nginx-conteneurs.conf").read_text()
    servers = re.findall(r"^    server (\w+):(\d+);", proxied, re.MULTILINE)
    for name, port in servers:
        assert port in document["services"][name]["command"]
        assert set(document["services"][name]["networks"]) & set(facade["networks"])


def test_the_image_is_of_its_format(written: Path) -> None:
    text = (written / "conteneurs" / "Containerfile").read_text()
    instructions = re.sub(r"\\\n", " ", text)
    lines = [line for line in instructions.splitlines() if line.strip() and not line.startswith("#")]
    assert {line.split()[0] for line in lines} <= INSTRUCTIONS
    assert lines[0].startswith("FROM ")
    words = dict(line.split(maxsplit=1) for line in lines if line.split()[0] in ("ENTRYPOINT", "CMD", "USER"))
    assert yaml.safe_load(words["ENTRYPOINT"]) == ["workbench"]
    understood(yaml.safe_load(words["CMD"]))
    assert words["USER"] != "root"
    assert "--require-hashes" in text


# --- what is refused


@pytest.mark.parametrize(
    "values",
    [
        {"domain": "Atelier.exemple.fr"},
        {"domain": "exemple.fr; return 200"},
        {"domain": ""},
        {"domain": "a.fr", "prefix": "/usr/lib/un dossier"},
        {"domain": "a.fr", "certificate": "cle.pem"},
        {"domain": "a.fr", "issuer": 'https://x"\nbase = "y'},
    ],
)
def test_what_no_file_could_hold_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(WorkbenchError) as found:
        Installation(**values)
    assert found.value.code == "installation_refusee"


def test_the_command_writes_over_nothing_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*more: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(["deploy", "files", "--to", str(tmp_path), "--domain", "a.exemple.fr", *more])
        return int(str(stop.value.code))

    assert run() == run() == ExitCode.OK
    assert set(capsys.readouterr().out.split()) == {str(tmp_path / name) for name in texts(Installation("a.fr"))}
    (tmp_path / "workbench.toml").write_text("base = 'autre'\n")
    (tmp_path / "nginx" / "workbench.conf").unlink()
    assert run() == ExitCode.REFUSED
    assert not (tmp_path / "nginx" / "workbench.conf").exists()
    assert run("--replace") == ExitCode.OK
    assert "base = 'autre'" not in (tmp_path / "workbench.toml").read_text()
