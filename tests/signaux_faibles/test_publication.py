"""Publishing a list with what a history knows: what is written, what is not, what changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from history_files import say_rows, source_text
from test_history_views import A1, A2, ABROAD, B1, FILES, OUT, A, B

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection import Perimetre, build_dataset, detect
from workbench.signaux_faibles.detection.runs import demonstration
from workbench.signaux_faibles.history import History, open_history
from workbench.signaux_faibles.publication import plan_publication, publish, withdraw
from workbench.signaux_faibles.publication.demonstration import ACTORS, CASES, publish_fictitious, spellings
from workbench.signaux_faibles.publication.listed import listed
from workbench.signaux_faibles.publication.monthly import month_publication
from workbench.signaux_faibles.publication.objects import KINDS
from workbench.signaux_faibles.publication.written import company_sheets
from workbench.store import Store, open_store

PUBLISHER = SimpleNamespace(email="publication@exemple.fr", badges=frozenset({"datawriter", "manager"}))
PARIS = SimpleNamespace(email="paris@exemple.fr", badges=frozenset({"detection", "score", "urssaf", "dgefp", "75"}))
PLAIN = SimpleNamespace(email="public@exemple.fr", badges=frozenset({"detection", "75"}))

ACCOUNTS = source_text(
    "ratios_inpi",
    [
        {"siren": siren, "date_cloture_exercice": f"{year}-12-31", "chiffre_d_affaires": revenue, "ebe": 150000,
         "confidentiality": secrecy}
        for siren, year, revenue, secrecy in (
            (A, 2015, 2500000, "Public"), (A, 2016, 3000000, "Public"), (B, 2016, 777777, "Confidentiel"),
        )
    ],
)  # fmt: skip


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder = tmp_path_factory.mktemp("publication")
    with open_history(folder / "historique.duckdb", read_only=False) as opened:
        say_rows(opened, folder, "1802", FILES | {"ratios_inpi": ACCOUNTS}, [A, B, ABROAD])
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "registre.sqlite") as opened:
        yield opened


def written(path: Path, levels: dict[str, int], batch: str = "1802") -> Path:
    """Write a list as `write_list` does."""
    names = {0: "Pas d'alerte", 1: "Alerte seuil F2", 2: "Alerte seuil F1"}
    alerts = [siren if rank else None for siren, rank in levels.items()]
    table = pa.table(
        {
            "siren": list(levels),
            "periode": [f"20{batch[:2]}-{batch[2:]}"] * len(levels),
            "probabilite": [0.1 + 0.3 * rank for rank in levels.values()],
            "ecart": pa.array([0.05 if rank else None for rank in levels.values()], pa.float64()),
            "alerte": [names[rank] for rank in levels.values()],
            "points_dette_urssaf": pa.array([0.2 if each else None for each in alerts], pa.float64()),
            "points_depart": pa.array([0.08 if each else None for each in alerts], pa.float64()),
            "phrases": pa.array([["Une phrase."] if each else None for each in alerts], pa.list_(pa.string())),
        }
    )
    card = {"batch": batch, "algo": "essai", "alertes": {"n": 1}, "modele": {"seuils": {"modere": 0.2, "fort": 0.5}}}
    pq.write_table(table.replace_schema_metadata({"workbench.carte": json.dumps(card)}), path)
    return path


def of(store: Store, reader: Any, kind: str, **key: str) -> dict[str, Any] | None:
    try:
        (found,) = store.get(reader, KINDS[kind].bucket, {"type": kind, **key})
    except WorkbenchError as error:
        if error.code == "sans_donnees":
            return None
        raise
    value: dict[str, Any] = found["value"]
    return value


def test_a_list_is_published_with_what_is_known(store: Store, history: History, tmp_path: Path) -> None:
    path = written(tmp_path / "liste.parquet", {A: 2, B: 0, ABROAD: 1, OUT: 2})
    found = publish(store, PUBLISHER, path, history, activities={"5221Z": "Services auxiliaires"})
    assert (found.companies, found.alerts, found.nowhere, found.unwatched) == (3, 2, (OUT,), 1)
    assert found.replaced.by_type["detection"]["new"] == 3
    assert found.pair == "1802.essai"
    assert "Février 2018" in found.lines()[0]
    alert = of(store, PARIS, "detection", siren=A)
    assert alert is not None
    assert (alert["alert"], alert["score"], alert["diff"], alert["premiere_alerte"]) == (
        "Alerte seuil F1",
        0.7,
        0.05,
        True,
    )
    assert (alert["departement"], alert["departements"], alert["region"]) == ("75", ["75"], "Île-de-France")
    assert (alert["etat_procol"], alert["date_procol"]) == ("liquidation", "2017-01-10")
    assert (alert["activite"], alert["libelle_activite"], alert["section"]) == ("52.21Z", "Services auxiliaires", "H")
    assert alert["dernier_effectif"] == 6
    assert (alert["annee_ca"], alert["ca"], alert["variation_ca"]) == (2016, 3000.0, 1.2)
    secret = of(store, PARIS, "entreprise", siren=B)
    assert secret is not None
    assert secret["finances"] == []
    # The debt rose in February 2017, a year before the three last months.
    assert (alert["urssaf"], alert["delai_urssaf"], alert["activite_partielle"]) == (False, False, True)
    detail = of(store, PARIS, "detail", siret=A1)
    assert detail is not None
    assert detail["explication"]["phrases"] == ["Une phrase."]
    assert detail["explication"]["themes"] == {"dette_urssaf": 20.0}
    assert [row for row in detail["debit"] if row["periode"] in ("2016-12", "2017-01", "2017-02", "2018-01")] == [
        {"periode": "2016-12", "part_ouvriere": 0, "part_patronale": 0},
        {"periode": "2017-01", "part_ouvriere": 30.0, "part_patronale": 60.0},
        {"periode": "2017-02", "part_ouvriere": 0.0, "part_patronale": 75.0},
        {"periode": "2018-01", "part_ouvriere": 0.0, "part_patronale": 75.0},
    ]
    assert detail["cotisation"] == [{"periode": "2017-01", "du": 15.0}, {"periode": "2017-02", "du": 1.0}]
    assert detail["effectif"] == [{"periode": "2017-01", "effectif": 12}, {"periode": "2017-02", "effectif": 6}]
    assert [row["heures"] for row in detail["apconso"]] == [151.67, 75.835]
    assert detail["apdemande"][0]["motif"] == "Conjoncture économique"
    company = of(store, PARIS, "entreprise", siren=A)
    assert company is not None
    assert [each["siret"] for each in company["etablissements"]] == [A1, A2]
    listing = of(store, PLAIN, "liste", batch="1802.essai")
    assert listing is not None
    assert listing["libelle"] == "Février 2018"
    assert listing["seuils"] == {"modere": 0.2, "fort": 0.5}
    assert "alertes" not in listing["carte"]


def test_labels_are_published_with_or_without_those_of_activities(
    store: Store, history: History, tmp_path: Path
) -> None:
    def labels() -> dict[str, Any]:
        (found,) = store.get(PUBLISHER, "reference", {"type": "naf"})
        value: dict[str, Any] = found["value"]
        return value

    path = written(tmp_path / "liste.parquet", {A: 2})
    publish(store, PUBLISHER, path, history)
    assert labels()["sections"]["C"]
    assert not labels()["codes"]
    publish(store, PUBLISHER, path, history, activities={"5221Z": "Services auxiliaires"})
    publish(store, PUBLISHER, path, history)
    assert labels()["codes"] == {"52.21Z": "Services auxiliaires"}


def test_levels_and_debts_are_for_those_who_may(store: Store, history: History, tmp_path: Path) -> None:
    publish(store, PUBLISHER, written(tmp_path / "liste.parquet", {A: 2, B: 0}), history)
    for siren, reader, shown in ((A, PARIS, True), (A, PLAIN, False), (B, PARIS, False)):
        value = of(store, reader, "detection", siren=siren)
        assert value is not None
        assert value["raison_sociale"]
        for name in ("score", "alert", "diff", "premiere_alerte", "urssaf", "delai_urssaf", "activite_partielle"):
            assert (name in value) is shown, (siren, name)
    nobody = SimpleNamespace(email="personne@exemple.fr", badges=frozenset())
    assert {each["key"]["type"] for each in store.get(nobody, "public")} == {"identite"}
    for kind in ("alertes", "liste"):
        assert of(store, nobody, kind) is None
    assert of(store, PARIS, "alertes") is None


def test_the_same_again_writes_nothing_and_a_change_only_itself(store: Store, history: History, tmp_path: Path) -> None:
    first = written(tmp_path / "liste.parquet", {A: 2, B: 0})
    planned = plan_publication(store, PUBLISHER, first, history)
    with pytest.raises(WorkbenchError):
        store.get(PUBLISHER, "public")
    published = publish(store, PUBLISHER, first, history)
    assert planned.replaced == published.replaced
    assert planned.dry_run
    assert publish(store, PUBLISHER, first, history).replaced.sheets == 0
    changed = publish(store, PUBLISHER, written(tmp_path / "autre.parquet", {A: 1}), history)
    kinds = changed.replaced.by_type
    assert kinds["detection"] == {"new": 0, "changed": 1, "withdrawn": 1, "same": 0}
    assert kinds["identite"]["same"] == 2
    value = of(store, PARIS, "detection", siren=A)
    assert value is not None
    assert value["alert"] == "Alerte seuil F2"
    gone = of(store, PARIS, "detection", siren=B)
    assert gone is not None
    assert set(gone.values()) == {None}


def test_who_has_ever_been_in_alert_stays_open(store: Store, history: History, tmp_path: Path) -> None:
    publish(store, PUBLISHER, written(tmp_path / "un.parquet", {A: 0, B: 2}), history)
    publish(store, PUBLISHER, written(tmp_path / "deux.parquet", {A: 2, B: 1}, "1803"), history)
    publish(store, PUBLISHER, written(tmp_path / "trois.parquet", {A: 0, B: 0}, "1804"), history)
    levels = {
        (siren, batch): of(store, PARIS, "detection", siren=siren, batch=f"{batch}.essai")
        for siren in (A, B)
        for batch in ("1802", "1803", "1804")
    }
    first = {key: (value or {}).get("premiere_alerte") for key, value in levels.items()}
    assert first[A, "1803"] is True
    assert first[B, "1803"] is False
    assert first[B, "1802"] is True
    # A was not in alert yet when the first list was published: its score there is not shown.
    assert "score" not in (levels[A, "1802"] or {})
    assert first[A, "1804"] is False


def test_a_list_is_withdrawn_or_expires(store: Store, history: History, tmp_path: Path) -> None:
    path = written(tmp_path / "liste.parquet", {A: 2, B: 0})
    publish(store, PUBLISHER, path, history, released="2990-01-01T00:00:00Z", expires="2991-01-01T00:00:00Z")
    assert of(store, PARIS, "detection", siren=A) is None
    assert (
        publish(
            store, PUBLISHER, path, history, released="2990-01-01T00:00:00Z", expires="2991-01-01T00:00:00Z"
        ).replaced.sheets
        == 0
    )
    publish(store, PUBLISHER, path, history)
    assert of(store, PARIS, "detection", siren=A) is not None
    assert withdraw(store, PUBLISHER, "1802", "essai", dry_run=True).withdrawn
    withdraw(store, PUBLISHER, "1802", "essai")
    for kind in ("detection", "entreprise", "liste"):
        value = of(store, PARIS, kind, batch="1802.essai", **({"siren": A} if kind != "liste" else {}))
        assert value is not None
        assert set(value.values()) == {None}
    assert of(store, PARIS, "identite", siret=B1) is not None
    with pytest.raises(WorkbenchError) as nothing:
        withdraw(store, PUBLISHER, "1802", "essai")
    assert nothing.value.code == "publication_absente"


def test_an_interrupted_publication_shows_nothing(
    store: Store, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(facts: Any, company: Any, *given: Any, **more: Any) -> Iterator[Any]:
        yield from company_sheets(facts, company, *given, **more)
        if company.siren == B:
            raise KeyboardInterrupt

    monkeypatch.setattr("workbench.signaux_faibles.publication.publishing.company_sheets", cut)
    with pytest.raises(KeyboardInterrupt):
        publish(store, PUBLISHER, written(tmp_path / "liste.parquet", {A: 2, B: 0}), history)
    monkeypatch.undo()
    for bucket in ("public", "reference"):
        with pytest.raises(WorkbenchError) as nothing:
            store.get(PUBLISHER, bucket)
        assert nothing.value.code == "sans_donnees"


def test_a_badge_of_the_algorithm_closes_a_list(store: Store, history: History, tmp_path: Path) -> None:
    publish(store, PUBLISHER, written(tmp_path / "liste.parquet", {A: 2}), history, badge="algo2")
    assert of(store, PARIS, "detection", siren=A) is None
    assert of(store, PARIS, "liste") is None
    both = SimpleNamespace(email="x@exemple.fr", badges=PARIS.badges | {"algo2"})
    assert of(store, both, "detection", siren=A) is not None
    assert of(store, both, "liste") is not None


def test_what_is_no_list_is_refused(store: Store, history: History, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "autre.parquet")
    for path in (tmp_path / "autre.parquet", written(tmp_path / "courts.parquet", {"12": 1})):
        with pytest.raises(WorkbenchError) as refused:
            publish(store, PUBLISHER, path, history)
        assert refused.value.code == "publication_liste"
    with pytest.raises(WorkbenchError) as refused:
        publish(store, PARIS, written(tmp_path / "liste.parquet", {A: 2}), history)
    assert refused.value.code == "acces_interdit"


def test_the_fictitious_publication_hides_what_it_planted(store: Store) -> None:
    planted = publish_fictitious(store, companies=24)
    assert set(planted.siret) == set(CASES)
    assert len(planted.sirets) > 24
    texts = {
        name: "".join(
            json.dumps(each["value"], ensure_ascii=False)
            for bucket in ("public", "reference", "comment", "suivi", "opinion")
            for each in everything(store, actor, bucket)
        )
        for name, actor in ACTORS.items()
    }
    figures = {badge: getattr(planted, badge) for badge in ("urssaf", "dgefp", "bdf", "score")}
    seen = {
        name: {badge for badge, every in figures.items() if any(said in text for n in every for said in spellings(n))}
        for name, text in texts.items()
    }
    assert seen == {
        "sans_droit": set(),
        "zone": set(),
        "zone_urssaf": {"urssaf", "score"},
        "national": {"urssaf", "dgefp", "bdf", "score"},
    }
    followed = everything(store, ACTORS["zone_urssaf"], "public", siren=planted.siren["suivie"])
    assert {each["key"]["type"] for each in followed} == set(KINDS) - {"liste", "alertes"}


def everything(store: Store, reader: Any, bucket: str, **key: str) -> list[dict[str, Any]]:
    try:
        return store.get(reader, bucket, key)
    except WorkbenchError as error:
        if error.code == "sans_donnees":
            return []
        raise


def test_a_list_in_memory_says_why_with_its_variables() -> None:
    detector, table = demonstration()
    month = build_dataset(table, detector.declaration.without_target(), perimetre=Perimetre()).between(
        "2022-12", "2023-01"
    )
    alerts = detect(detector, month, batch="2301")
    told = listed(alerts)
    assert told.pair == f"2301.{alerts.algo}"
    assert told.alerts == sorted(alerts.entities[alerts.ranks > 0].tolist())
    assert set(told.explanations) >= set(told.alerts)
    for siren in told.alerts[:20]:
        why = told.explanations[siren]
        assert why["depart"] * 100 + sum(why["themes"].values()) == pytest.approx(100 * why["probabilite"])
        for theme, points in why["themes"].items():
            assert sum(why["variables"][theme].values()) == pytest.approx(points)
        assert set(why["radar"]) == set(why["themes"])
        assert why["phrases"]
    assert told.thresholds == {"modere": detector.thresholds.moderate, "fort": detector.thresholds.high}


def test_the_commands_publish_and_withdraw(
    history: History, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = tmp_path / "registre.sqlite"
    path = written(tmp_path / "liste.parquet", {A: 2, B: 0})
    words = ["signaux", "publish", str(path), "--base", str(history.url), "--registre", str(registry)]

    def run(*given: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(list(given))
        return int(str(stop.value.code))

    assert run(*words, "--dry-run") == ExitCode.OK
    assert "simulation" in capsys.readouterr().err
    assert run(*words) == ExitCode.OK
    assert "2 entreprises, dont 1 en alerte" in capsys.readouterr().err.replace("\u00a0", " ").replace("\u202f", " ")
    with open_store(registry) as store:
        assert of(store, PARIS, "detection", siren=A) is not None
    assert run("signaux", "withdraw", "1802.essai", "--registre", str(registry)) == ExitCode.OK
    assert run("signaux", "withdraw", "1802.essai", "--registre", str(registry)) == ExitCode.REFUSED
    unknown = written(tmp_path / "ailleurs.parquet", {OUT: 2})
    assert run(*words[:2], str(unknown), *words[3:]) == ExitCode.REFUSED
    assert "situe aucune" in capsys.readouterr().err
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(registry))
    assert month_publication(history).empty
    shown = month_publication(history, str(path))
    assert shown.set_index("Objets")["Nouveaux"]["entreprises de la liste"] == 2
