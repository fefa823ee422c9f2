"""From files to a list, by the commands of the guide one after another, on companies whose future is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.signaux_faibles.demonstration import Delivery, write_delivery
from workbench.signaux_faibles.demonstration_companies import CAUSES, Company
from workbench.signaux_faibles.demonstration_list import BATCH, LEARNER, MONTHS, PERIODE, TROUBLED, WINDOWS
from workbench.signaux_faibles.detection import (
    Declaration,
    Detector,
    Explanation,
    Perimetre,
    build_dataset,
    etablissement_declaration,
    explain,
    french_declaration,
    load_detector,
    read_list,
)
from workbench.signaux_faibles.detection.dataset import month
from workbench.signaux_faibles.detection.leaks import alone
from workbench.signaux_faibles.variables import Definition, Scope, variables_of
from workbench.signaux_faibles.variables.declaration import HORIZON
from workbench.signaux_faibles.variables.output import read_manifest

TYPES = ("effectif", "cotisation", "debit", "procol", "paydex", "ratios_inpi", "sirene", "sirene_ul")
OUTPUTS = {Scope.ENTREPRISE: french_declaration(), Scope.ETABLISSEMENT: etablissement_declaration()}


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@dataclass(frozen=True)
class Chain:
    """What the commands were given, and what they wrote."""

    root: Path
    delivery: Delivery

    @property
    def companies(self) -> dict[str, Company]:
        return {each.siren: each for each in self.delivery.companies}

    @property
    def detector(self) -> Detector:
        return load_detector(self.root / "modele.json")


def windows() -> tuple[str, ...]:
    return ("--train", ":".join(WINDOWS.train), "--test", ":".join(WINDOWS.test), "--known-until", "2024-01")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    root = tmp_path_factory.mktemp("chaine")
    delivery = write_delivery(root, BATCH, number=260, months=MONTHS, errors=1, types=TYPES, troubled=TROUBLED, seed=1)
    descriptor, base, table = root / "2401.yaml", ("--base", root / "historique.duckdb"), root / "variables"
    assert run("signaux", "prepare", root, BATCH, "--start", "2017-01-01", "--to", descriptor) == ExitCode.OK
    assert run("signaux", "import", descriptor, "--root", root, "--compact", *base) == ExitCode.OK
    assert run("signaux", "variables", "--entity", "entreprise", "--to", table, *base) == ExitCode.OK
    parameters = [f"--parameter={name}={getattr(LEARNER, name)}" for name in ("trees", "rate", "rows")]
    model = root / "modele.json"
    assert run("signaux", "train", table, *windows(), *parameters, "--to", model) == ExitCode.OK
    asked = ("--periode", PERIODE, "--to", root / "liste.parquet", "--no-record")
    assert run("signaux", "detect", model, table, *asked, "--card", root / "carte.md") == ExitCode.OK
    return Chain(root, delivery)


def months_left(company: Company) -> int | None:
    """Months from that of the list to the judgment; 0 or less when it came."""
    if company.fails is None:
        return None
    return int((np.datetime64(company.fails, "M") - month(PERIODE)).astype(int))


def test_planted_failures_are_found_better_than_by_chance(chain: Chain) -> None:
    table, _ = read_list(chain.root / "liste.parquet")
    rows = table.select(["siren", "probabilite"]).to_pydict()
    left = [months_left(chain.companies[siren]) for siren in rows["siren"]]
    alive = np.array([each is None or each > 0 for each in left])
    failing = np.array([each is not None and 0 < each <= HORIZON for each in left])
    probabilities = np.array(rows["probabilite"])[alive]
    target = failing[alive].astype(np.int8)
    assert target.sum() >= 10
    found = alone(probabilities, target)
    # By chance, one draw of the same failures in a thousand goes as far.
    random = np.random.default_rng(0)
    by_chance = [alone(probabilities, random.permutation(target)) for _ in range(1000)]
    assert found > max(0.75, float(np.quantile(by_chance, 0.999)))
    # `alone` does not say which way: those that fail have the higher probabilities.
    assert probabilities[target == 1].mean() > 2 * probabilities[target == 0].mean()


def explained(chain: Chain) -> Explanation:
    detector = chain.detector
    dataset = build_dataset(chain.root / "variables", detector.declaration.without_target(), perimetre=Perimetre())
    return explain(detector, dataset.take(dataset.periodes == month(PERIODE)))


def test_a_planted_cause_ranks_first(chain: Chain) -> None:
    explanation = explained(chain)
    themes = explanation.declaration.themes
    assert set(CAUSES) <= set(themes)
    ranks: dict[str, list[int]] = {}
    for row, siren in enumerate(explanation.entities):
        left = months_left(chain.companies[siren])
        if left is not None and 0 < left <= 9 and chain.companies[siren].cause:
            points = explanation.by_theme[row]
            rank = int((points > points[themes.index(chain.companies[siren].cause)]).sum())
            ranks.setdefault(chain.companies[siren].cause, []).append(rank)
    assert len(ranks["dette_urssaf"]) >= 2
    assert set(ranks["dette_urssaf"]) == {0}
    every = [rank for found in ranks.values() for rank in found]
    assert every.count(0) > 0.6 * len(every)


def test_no_check_of_leaks_was_passed_by(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    origin = chain.detector.origin
    assert origin.windows["admises"] == []
    assert origin.windows["connu"] == "2024-01"
    assert origin.windows["perimetre"]["effectif"] == 10
    table, model = chain.root / "variables", chain.root / "autre.json"
    close = ("--train", "2018-01:2020-12", "--test", "2022-01:2022-07")
    assert run("signaux", "train", table, *close, "--to", model) == ExitCode.REFUSED
    assert "18" in capsys.readouterr().err
    late = ("--train", "2018-01:2020-07", "--test", "2022-01:2022-07", "--known-until", "2023-06")
    assert run("signaux", "train", table, *late, "--to", model) == ExitCode.REFUSED
    assert not model.exists()
    # The months whose horizon is not over have no target, whatever the command asks for.
    dataset = build_dataset(table, french_declaration())
    known = dataset.periodes + HORIZON < month("2024-01")
    assert set(dataset.target[~known].tolist()) == {-1}
    assert set(dataset.target[known].tolist()) == {0, 1}


def test_the_target_is_what_was_planted(chain: Chain) -> None:
    dataset = build_dataset(chain.root / "variables", french_declaration())
    for row in range(0, len(dataset), 97):
        company = chain.companies[str(dataset.entities[row])]
        if dataset.target[row] < 0:
            continue
        fails = None if company.fails is None or not company.failed else np.datetime64(company.fails, "M")
        ahead = None if fails is None else int((fails - dataset.periodes[row]).astype(int))
        assert dataset.target[row] == (ahead is not None and ahead <= HORIZON), (company.siren, dataset.periodes[row])
        assert dataset.strong[row] == (ahead is not None and ahead <= 0)


def test_measures_are_broken_down_by_all_groups(chain: Chain) -> None:
    dataset = build_dataset(chain.root / "variables", french_declaration(), perimetre=Perimetre())
    assert set(dataset.groups) == set(french_declaration().groups)
    assert {"C", "F", "H", "J"} <= set(dataset.groups["secteur"].tolist())
    assert "non connu" not in set(dataset.groups["région"].tolist())


def test_the_list_has_its_card(chain: Chain) -> None:
    _, card = read_list(chain.root / "liste.parquet")
    assert card["batch"] == BATCH
    assert chain.detector.origin.batch == BATCH
    assert chain.detector.origin.snapshot
    assert "janvier 2024" in (chain.root / "carte.md").read_text(encoding="utf-8")
    assert read_manifest(chain.root / "variables")["entite"] == "entreprise"


def test_etablissements_are_learnt_and_listed_by_the_same_commands(
    chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    table, model, listed = (chain.root / name for name in ("etablissements", "siret.json", "siret.parquet"))
    of = ("--entity", "etablissement")
    assert run("signaux", "variables", *of, "--to", table, "--base", chain.root / "historique.duckdb") == ExitCode.OK
    learnt = ("--parameter=trees=40", "--parameter=rate=0.12", "--parameter=rows=20", "--encode", "code_ape_niveau2")
    capsys.readouterr()
    assert run("signaux", "train", table, *of, *windows(), *learnt, "--to", model) == ExitCode.OK
    measured = json.loads(capsys.readouterr().out)["mesures"]
    assert next(each["valeur"] for each in measured if each["mesure"] == "roc_auc") > 0.5
    card = chain.root / "siret.md"
    asked = ("--periode", PERIODE, "--no-record", "--to", listed)
    assert run("signaux", "detect", model, table, *asked, "--card", card) == ExitCode.OK
    assert "établissements vus en 2023-12" in card.read_text(encoding="utf-8")
    rows = read_list(listed)[0].to_pandas()
    assert rows["siret"].str.len().eq(14).all()
    assert rows["siret"].is_unique
    # The same months of the same companies are seen; a debt that lasts is what is to be foreseen here.
    companies = rows["siret"].str[:9].map(chain.companies)
    left = companies.map(months_left)
    owing = companies.map(lambda each: each.cause == "dette_urssaf").to_numpy() & left.between(1, 9).to_numpy()
    quiet = left.isna().to_numpy()
    probabilities = rows["probabilite"].to_numpy()
    assert owing.sum() >= 2
    assert probabilities[owing].min() > np.quantile(probabilities[quiet], 0.75)
    explanation = rows.loc[owing].filter(like="points_").drop(columns="points_depart")
    assert set(explanation.idxmax(axis=1)) == {"points_dette_urssaf"}


@pytest.mark.parametrize("scope", Scope)
def test_the_declaration_fits_the_variables(scope: Scope) -> None:
    declaration: Declaration = OUTPUTS[scope]
    given = variables_of(scope, Definition.CORRIGE)
    table = {*given, "siren", "siret", "periode"}
    columns = {each.name: each for each in declaration.variables if not each.operation}
    assert set(columns) <= set(given)
    marks = {declaration.target, declaration.strong, declaration.known}
    around = {declaration.entity, declaration.periode, declaration.effectif, declaration.activite}
    assert marks | around <= table
    assert set(declaration.groups.values()) <= table
    # Whatever looks ahead is known to do so, and no variable does.
    assert {code for code, each in given.items() if each.target} <= set(declaration.future)
    assert not {name for name in columns if given[name].target}
    assert declaration.horizon == HORIZON
    same = {"salaries": "salariés", "milliers d'euros": "kEUR", "cotisation": "", "ratio": ""}
    for name, each in columns.items():
        if each.given:
            assert same.get(each.unit, each.unit) == given[name].unit, name
    # A missing amount is nothing; a missing ratio is not known.
    assert all(each.default in (0.0, None) for each in declaration.variables)


def test_sentences_name_every_variable_in_words(chain: Chain) -> None:
    from workbench.signaux_faibles.detection.sentences import sentences

    explanation = explained(chain)
    said = [str(each) for row in range(len(explanation)) for each in sentences(explanation, row)]
    assert any("évolution en 12" in each for each in said)
    assert not [each for each in said if "_" in each or "variable «" in each]


def test_what_is_read_is_json(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("signaux", "evaluate", chain.root / "modele.json", chain.root / "variables") == ExitCode.OK
    measured: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert {"secteur", "taille", "région"} & {str(each) for each in json.dumps(measured).split('"')}
