"""The command line as a shell sees it: words, streams, exit codes."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import click
import pytest
from babel.messages import Message
from openpyxl import Workbook, load_workbook

from workbench.cli.exits import ExitCode
from workbench.cli.main import cli, main
from workbench.trames import load_trame

SIRET = "99900000100011"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in this process, where what it needs is imported once."""
    words = [str(each) for each in arguments]
    output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors), pytest.raises(SystemExit) as stop:
        main(words)
    output.flush()
    assert isinstance(stop.value.code, int)
    return subprocess.CompletedProcess(words, stop.value.code, output.buffer.getvalue().decode(), errors.getvalue())


def in_a_shell(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", "workbench.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        check=False,
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of one commune and two exercices, imported by the command itself."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "execution.csv").write_text(
        "exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n"
        + "".join(
            f"{year},{SIRET},,{compte},2,{debit},{credit},D\n"
            for year in (2017, 2018)
            for compte, debit, credit in (("60", 40, 0), ("70", 0, 100), ("515", 60, 0))
        )
    )
    (folder / "collectivite.csv").write_text(
        "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype\n"
        + "".join(f"{year},{SIRET},099,001,ESSAI,100,M14,,M14,ESSAI (fictive),1,101\n" for year in (2017, 2018))
    )
    path = folder / "base.duckdb"
    done = run(
        "base",
        "import",
        "--execution",
        folder / "execution.csv",
        "--collectivite",
        folder / "collectivite.csv",
        "--base",
        path,
    )
    assert done.returncode == ExitCode.OK, done.stderr
    assert done.stdout == ""
    return path


@pytest.fixture
def trame(tmp_path: Path) -> Path:
    path = tmp_path / "essai.yaml"
    path.write_text(
        "code: essai\nnomenclature: M14\nindicateurs:\n  - code: A_PRODUITS\n    formule: C70[TA:BX]\n",
        encoding="utf-8",
    )
    return path


def _commands(group: click.Group) -> list[tuple[tuple[str, ...], click.Command]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append(((name,), command))
        if isinstance(command, click.Group):
            found += [((name, *below), inner) for below, inner in _commands(command)]
    return found


def test_every_command_and_option_says_what_it_does() -> None:
    for names, command in _commands(cli):
        assert command.help, names
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (names, option.name)


def test_help_is_french(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["base", "import", "--help"], ["report", "run", "--help"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == ExitCode.OK
        text = capsys.readouterr().out
        assert "Utilisation :" in text
        assert not any(word in text for word in ("Usage:", "Show this", "Error", "default:"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bas"], "n'existe pas"),
        (["base", "import", "absent.csv"], "n'existe pas"),
        (["base", "import"], "au moins un fichier"),
        (["base", "find"], "Il manque"),
        (["base", "prune", "--keep", "zero"], "zero"),
        (["trame", "evaluate", __file__, "--siret", SIRET, "--exercices", "2019-2016"], "après le dernier"),
        (["trame", "evaluate", __file__, "--siret", SIRET, "--exercices", "hier"], "2016-2019"),
        (["report", "balance", "--exercices", "2018"], "Choisissez"),
    ],
)
def test_a_command_that_is_not_understood(arguments: list[str], words: str) -> None:
    done = run(*arguments)
    assert done.returncode == ExitCode.USAGE
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_evaluation_on_stdout(base: Path, trame: Path) -> None:
    done = in_a_shell("trame", "evaluate", trame, "--siret", SIRET, "--exercices", "2016-2018", "--base", base)
    assert done.stdout == "indicateur,2017,2018\nA_PRODUITS,100.0,100.0\n"
    assert done.returncode == ExitCode.OK


def test_a_trame_is_named_by_its_file_or_by_its_code(
    base: Path, trame: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = load_trame(trame).code
    folder = tmp_path / "miennes"
    folder.mkdir()
    shutil.copy(trame, folder / f"{code}.yaml")
    monkeypatch.setenv("WORKBENCH_TRAMES", str(tmp_path / "miennes"))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "miennes"))
    asked = ["--siret", SIRET, "--exercices", "2016-2018", "--base", base]
    expected = run("trame", "evaluate", trame, *asked).stdout
    assert run("trame", "evaluate", code, *asked).stdout == expected
    assert run("trame", "evaluate", f"~/{code}", *asked).stdout == expected
    refused = run("trame", "evaluate", f"{code}x", *asked)
    assert refused.returncode == ExitCode.REFUSED
    assert code in refused.stderr


def test_nothing_to_evaluate(base: Path, trame: Path) -> None:
    done = in_a_shell("trame", "evaluate", trame, "--siret", "99900000200010", "--exercices", "2017", "--base", base)
    assert done.returncode == ExitCode.EMPTY
    assert "Aucun budget" in done.stderr


def test_controls_find_what_does_not_balance(base: Path) -> None:
    done = run("base", "controls", "--base", base)
    assert done.returncode in (ExitCode.OK, ExitCode.FINDINGS)
    assert done.stdout
    listed = run("base", "controls", "--format", "csv", "--base", base)
    assert "," in listed.stdout.splitlines()[0]


def test_info_find_and_snapshots(base: Path) -> None:
    assert "2017" in run("base", "info", "--base", base).stdout
    assert SIRET in run("base", "find", "essai", "--base", base).stdout
    assert run("base", "find", "zzzz", "--base", base).returncode == ExitCode.EMPTY
    listed = run("base", "snapshots", "--base", base).stdout.splitlines()
    assert listed[-1].startswith("0000")
    assert listed[-1].endswith("courant")
    assert run("base", "prune", "--base", base).returncode == ExitCode.OK
    assert "à jour" in run("base", "migrate", "--base", base).stdout
    absent = base.with_name("absente.duckdb")
    assert run("base", "migrate", "--base", absent).returncode == ExitCode.REFUSED
    assert not absent.exists()


def test_an_absent_base(trame: Path, tmp_path: Path) -> None:
    done = run("trame", "evaluate", trame, "--siret", SIRET, "--exercices", "2017", "--base", tmp_path / "nulle.duckdb")
    assert done.returncode == ExitCode.REFUSED
    assert "n'existe pas" in done.stderr
    assert "base import" in done.stderr


def test_trame_check_lists_errors(trame: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "faux.yaml"
    wrong.write_text("code: faux\nindicateurs:\n  - code: A_B\n    formule: C70+\n  - code: A_C\n    formule: A_Z\n")
    done = run("trame", "check", trame, wrong)
    assert done.returncode == ExitCode.FINDINGS
    assert "faux.yaml" in done.stdout
    assert "A_Z" in done.stdout
    assert run("trame", "check", trame).returncode == ExitCode.OK


def test_trame_through_excel(trame: Path, tmp_path: Path) -> None:
    assert run("trame", "export", trame, "--to", tmp_path / "essai.xlsx").returncode == ExitCode.OK
    again = tmp_path / "essai_2.yaml"
    assert (
        run("trame", "import", tmp_path / "essai.xlsx", "--to", again, "--nomenclature", "M14").returncode
        == ExitCode.OK
    )
    compared = run("trame", "compare", trame, again)
    assert "A_PRODUITS" not in compared.stdout
    assert "essai" in run("trame", "list", "--folder", tmp_path).stdout


def test_trame_with_its_model(trame: Path, tmp_path: Path) -> None:
    model = tmp_path / "modele.xlsx"
    workbook = Workbook()
    workbook.worksheets[0]["B2"] = "A_PRODUITS"
    workbook.save(model)
    refused = run("trame", "export", trame, "--with-formules", "--to", tmp_path / "rien.xlsx")
    assert refused.returncode == ExitCode.USAGE
    assert "--model" in refused.stderr
    assert not (tmp_path / "rien.xlsx").exists()
    for options, to in ((["--with-formules"], "avec.xlsx"), ([], "tout.zip")):
        done = run("trame", "export", trame, *options, "--model", model, "--to", tmp_path / to)
        assert done.returncode == ExitCode.OK
    assert load_workbook(tmp_path / "avec.xlsx").worksheets[0]["F2"].value == load_trame(trame)["A_PRODUITS"].texte
    with zipfile.ZipFile(tmp_path / "tout.zip") as archive:
        assert "modele.xlsx" in archive.namelist()
        assert len(archive.namelist()) == 3


def test_formule_check_and_tree() -> None:
    done = run("formule", "check", "C70[TA:BX]+")
    assert done.returncode == ExitCode.FINDINGS
    assert "^" in done.stdout
    assert run("formule", "check", "C70[TA:BX]").returncode == ExitCode.OK
    assert run("formule", "check", "A_Z", "--indicateur", "A_B").returncode == ExitCode.FINDINGS
    assert "└─" in run("formule", "tree", "C70-D60[TA:BX]").stdout
    assert run("formule", "tree", "C70-").returncode == ExitCode.REFUSED


def test_a_balance_workbook(base: Path, tmp_path: Path) -> None:
    done = run("report", "balance", "--siret", SIRET, "--exercices", "2017-2018", "--to", tmp_path, "--base", base)
    assert done.returncode == ExitCode.OK, done.stderr
    assert Path(done.stdout.strip()).is_file()
    empty = run(
        "report", "balance", "--siret", "99900000200010", "--exercices", "2017", "--to", tmp_path, "--base", base
    )
    assert empty.returncode == ExitCode.EMPTY


def test_a_defect_gives_an_identifier_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import workbench.formules

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(workbench.formules, "check_formule", fail)
    with pytest.raises(SystemExit) as stop:
        main(["formule", "check", "C70[TA:BX]"])
    assert stop.value.code == ExitCode.UNEXPECTED
    said = capsys.readouterr().err
    assert "identifiant" in said
    assert "secret" not in said
    (log,) = tmp_path.rglob("erreurs.log")
    assert "RuntimeError: secret" in log.read_text()


def test_a_reader_that_leaves_is_no_error(base: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "base", "info", "--base", str(base)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert isinstance(process.stdout, io.TextIOBase)
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert "Traceback" not in said


def test_the_compiled_texts_are_those_of_the_source() -> None:
    from babel.messages import mofile, pofile

    folder = Path(cli.callback.__code__.co_filename).parent / "locale" / "fr" / "LC_MESSAGES"
    with (folder / "workbench.po").open("rb") as file:
        source = pofile.read_po(file, locale="fr")
    with (folder / "workbench.mo").open("rb") as file:
        compiled = mofile.read_mo(file)
    assert _texts(source) == _texts(compiled)


def _texts(messages: Iterable[Message]) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    return {(_forms(entry.id), _forms(entry.string)) for entry in messages if entry.id}


def _forms(text: str | Sequence[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_values_of_each_go_to_a_file(base: Path, trame: Path, tmp_path: Path) -> None:
    import duckdb

    target = tmp_path / "valeurs.duckdb"
    done = run("trame", "evaluate", trame, "--exercices", "2017-2018", "--base", base, "--to", target, "--table", "a")
    assert (done.returncode, done.stdout) == (ExitCode.OK, ""), done.stderr
    with duckdb.connect(str(target), read_only=True) as connection:
        assert connection.table("a").fetchall() == [(SIRET, 2017, 100.0), (SIRET, 2018, 100.0)]
    done = run("trame", "evaluate", trame, "--exercices", "2017", "--base", base, "--to", target, "--type", "301")
    assert done.returncode == ExitCode.EMPTY
    assert run("trame", "evaluate", trame, "--exercices", "2017", "--type", "101").returncode == ExitCode.USAGE
    done = run("trame", "evaluate", trame, "--exercices", "2017", "--base", base, "--to", base)
    assert done.returncode == ExitCode.REFUSED
    assert "base comptable" in done.stderr


def test_strates_on_stdout_and_in_files(base: Path, trame: Path, tmp_path: Path) -> None:
    import openpyxl
    from pyarrow import parquet

    done = run("trame", "strates", trame, "--base", base)
    assert done.returncode == ExitCode.OK, done.stderr
    assert done.stdout.splitlines() == [
        "indicateur,type_etablissement,nomenclature,strate,exercice,count,nonzero,minimum,quartile_1,median,quartile_3,maximum",
        "A_PRODUITS,101,M14,communes de moins de 250 hab.,2017,1,1,100.0,100.0,100.0,100.0,100.0",
        "A_PRODUITS,101,M14,communes de moins de 250 hab.,2018,1,1,100.0,100.0,100.0,100.0,100.0",
    ]
    for name in ("s.xlsx", "s.parquet", "s.csv"):
        done = run("trame", "strates", trame, "--base", base, "--siret", SIRET, "--to", tmp_path / name)
        assert done.stdout == f"{tmp_path / name}\n", done.stderr
    rows = parquet.read_table(tmp_path / "s.parquet").to_pylist()
    assert [(row["siret"], row["exercice"], row["rank"], row["percentile"]) for row in rows] == [
        (SIRET, 2017, 1, 50.0),
        (SIRET, 2018, 1, 50.0),
    ]
    assert (tmp_path / "s.csv").read_text().count(SIRET) == 2
    workbook = openpyxl.load_workbook(tmp_path / "s.xlsx")
    assert workbook.sheetnames == ["Strates", "Rangs", "Lecture"]
    assert workbook["Rangs"]["B2"].value == SIRET
    assert run("trame", "strates", trame, "--base", base, "--to", tmp_path / "s.txt").returncode == ExitCode.REFUSED
    assert run("trame", "strates", trame, "--base", base, "--departement", "031").returncode == ExitCode.EMPTY


def test_a_serie_is_evaluated_planned_and_checked_like_a_trame(base: Path, project: Path, tmp_path: Path) -> None:
    serie = project / "trames" / "ofgl_agregats.yaml"
    done = run("trame", "evaluate", serie, "--siret", SIRET, "--exercices", "2017-2018", "--base", base)
    assert done.returncode == ExitCode.OK, done.stderr
    assert "Comptes tenus en M14 de 2017 à 2018 : évalués avec la trame ofgl_agregats_m14." in done.stderr
    lines = dict(line.split(",", 1) for line in done.stdout.splitlines())
    assert lines["OFGL_VENTES_DE_BIENS_ET_SERVICES"] == "100.0,100.0"
    assert run("trame", "check", serie).returncode == ExitCode.OK
    plan = run("trame", "plan", serie, "--indicateur", "OFGL_TVA")
    assert "des comptes 7382… (M14)" in plan.stdout
    assert "des comptes 735… (M57)" in plan.stdout
    listed = run("trame", "list", "--folder", project / "trames")
    assert "ofgl_agregats, Agrégats de l’OFGL, communes et groupements, M14+M57, 85 indicateurs" in listed.stdout
    refused = run("trame", "export", serie, "--to", tmp_path / "serie.xlsx")
    assert refused.returncode == ExitCode.REFUSED
    assert "Une série ne s'écrit pas comme une trame" in refused.stderr
    assert not (tmp_path / "serie.xlsx").exists()


def test_what_the_system_says_is_told_in_french(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from workbench.errors import WorkbenchError

    said = OSError(28, "No space left on device")
    told = WorkbenchError("sauvegarde_place", chemin="s", cause=said.strerror).message
    assert "le disque est plein" in told
    told = WorkbenchError("sauvegarde_place", chemin="s", cause="[Errno -2] Name or service not known").message
    assert "ce nom n'est pas connu." in told
    assert "Errno" not in told
    there = tmp_path / "jeanne.json"
    there.write_text("{}")
    with pytest.raises(SystemExit):
        main(["person", "export", "jeanne@exemple.fr", "--to", str(there)])
    assert "il existe déjà" in capsys.readouterr().err


def test_a_defect_is_kept_for_its_owner_without_what_names_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from workbench.cli import config

    def broken() -> None:
        raise RuntimeError("jeanne.martin@exemple.fr, SIREN 012345678")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(config.command.commands["example"], "callback", broken)
    with pytest.raises(SystemExit):
        main(["config", "example"])
    assert "Erreur inattendue" in capsys.readouterr().err
    log = next(tmp_path.rglob("erreurs.log"))
    assert log.stat().st_mode & 0o077 == 0
    assert "RuntimeError" in log.read_text()
    assert "jeanne" not in log.read_text()
    assert "012345678" not in log.read_text()
