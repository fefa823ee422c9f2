"""The sheets without a browser: what four actors see, what is said of rights, what is written and by whom."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from workbench.dashboards.components import outlines
from workbench.dashboards.dates import moment
from workbench.dashboards.entreprise import EntrepriseView
from workbench.dashboards.etablissement import EtablissementView
from workbench.dashboards.sheet_blocks import activity_block, contributions_block, paydex_block
from workbench.dashboards.sheet_charts import HOURS
from workbench.dashboards.sheet_discussion import Discussion, read_text
from workbench.dashboards.sheet_files import sheet_docx, sheet_parts
from workbench.dashboards.sheet_finances import bank_block, finances_block, finoscope_block
from workbench.dashboards.sheet_map import drawn_departement, place, rings
from workbench.dashboards.sheet_page import SheetPage
from workbench.dashboards.sheet_reading import Access, Published
from workbench.errors import WorkbenchError
from workbench.numbers import format_number
from workbench.signaux_faibles.publication.demonstration import (
    ACTORS,
    PUBLISHER,
    Planted,
    publish_fictitious,
    spellings,
)
from workbench.signaux_faibles.publication.objects import IDENTITY, WRITER, Place, key_of, shared_sheets_of
from workbench.signaux_faibles.publication.rights import POLICIES
from workbench.store import Desk, Store, open_store

EVERYTHING = Access(None, followed=True, opened=True, placed=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("magasin") / "registre.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def planted(store: Store) -> Planted:
    return publish_fictitious(store, companies=20)


def etablissement(store: Store, actor: str, siret: str) -> EtablissementView:
    return EtablissementView(Desk(store, ACTORS[actor]), siret)


def told(view: EtablissementView | EntrepriseView) -> str:
    """Return all that a page receives of a view."""
    rest: list[Any] = [view.comments(), view.opinion()] if isinstance(view, EtablissementView) else []
    return json.dumps([view.head(), view.blocks(), *rest], ensure_ascii=False)


def block_of(view: EtablissementView | EntrepriseView, name: str) -> dict[str, Any]:
    return next(each for each in view.blocks() if each["name"] == name)


def tones(block: dict[str, Any]) -> list[str]:
    return [item["tone"] for item in block["items"] if item["kind"] == "text"]


def leaks(words: str, planted: Planted, badge: str) -> list[str]:
    """Return the planted figures that are there, hours also as the full-time months that a page shows."""
    texts = [text for figure in getattr(planted, badge) for text in spellings(figure)]
    if badge == "dgefp":
        texts += [format_number(figure / HOURS, 1) for figure in planted.dgefp]
    return [text for text in texts if text in words]


OPENED = {
    "sans_droit": set(),
    "zone": set(),
    "zone_urssaf": {"urssaf", "score"},
    "national": {"urssaf", "dgefp", "bdf", "score"},
}


@pytest.mark.parametrize("actor", OPENED)
def test_each_actor_sees_what_her_badges_open(store: Store, planted: Planted, actor: str) -> None:
    views: list[EtablissementView | EntrepriseView] = [
        etablissement(store, actor, planted.siret["alerte"]),
        EntrepriseView(Desk(store, ACTORS[actor]), planted.siren["plusieurs_departements"]),
    ]
    for view in views:
        words = told(view)
        for badge in ("urssaf", "dgefp", "bdf"):
            assert bool(leaks(words, planted, badge)) == (badge in OPENED[actor]), (actor, badge)
        # A probability is drawn, not written: rounded to a tenth of a point.
        assert ("Graphique : de la moyenne".replace(" :", "\u00a0:") in words) == ("score" in OPENED[actor])
        for name, badge in (("urssaf", "urssaf"), ("bdf", "bdf"), ("explication", "score")):
            block = block_of(view, name)
            assert ("closed" in tones(block)) == (badge not in OPENED[actor]), (actor, name)
            # No access is said; it is never an empty chart.
            assert badge in OPENED[actor] or [item["kind"] for item in block["items"]] == ["text"]


def test_no_data_is_not_no_right(store: Store, planted: Planted) -> None:
    siret = planted.siret["sans_donnees"]
    assert tones(block_of(etablissement(store, "national", siret), "urssaf")) == ["empty"]
    assert tones(block_of(etablissement(store, "zone", siret), "urssaf")) == ["closed"]
    assert tones(block_of(etablissement(store, "zone", siret), "effectif")) == ["empty", "closed"]


def test_never_in_alert_opens_nothing_confidential_in_the_zone(store: Store, planted: Planted) -> None:
    view = etablissement(store, "zone_urssaf", planted.siret["sans_alerte"])
    assert tones(block_of(view, "urssaf")) == ["closed"]
    assert "suivez" in block_of(view, "urssaf")["items"][0]["text"]
    assert block_of(view, "effectif")["items"][0]["kind"] == "chart"


def test_what_is_unknown_and_what_is_hidden_are_said_alike(store: Store, planted: Planted) -> None:
    desk = Desk(store, ACTORS["sans_droit"])
    hidden = {"siret": "89999999900014", "siren": "899999999", "type": "detail", "batch": planted.batches[0]}
    Desk(store, PUBLISHER).put("public", [{"key": hidden, "scope": ["secret"], "value": {"debit": []}}])
    said = []
    for siret in (hidden["siret"], "89999999800016"):
        with pytest.raises(WorkbenchError) as refused:
            EtablissementView(desk, siret)
        said.append(str(refused.value).replace(siret, "?"))
    assert said[0] == said[1]
    with pytest.raises(WorkbenchError, match="Aucune entreprise"):
        EntrepriseView(desk, "899 999 998")
    for wrong in ("", "12", "8000000110000x", "８００００００１１０００１１", None, "<script>"):
        with pytest.raises(WorkbenchError, match="n'est pas un SIRET"):
            EtablissementView(desk, wrong)
        with pytest.raises(WorkbenchError, match="n'est pas un SIREN"):
            EntrepriseView(desk, wrong)


def test_the_head_says_the_level_the_procedure_and_the_closure(store: Store, planted: Planted) -> None:
    def marks(actor: str, name: str) -> list[str]:
        return [each["text"] for each in etablissement(store, actor, planted.siret[name]).head()["chips"]]

    assert marks("national", "nouvelle")[:2] == ["Risque élevé de défaillance à 18 mois", "Première alerte"]
    assert marks("zone", "nouvelle") == []
    assert "Fermé" in marks("sans_droit", "fermee")
    assert "Liquidation judiciaire" in marks("zone", "liquidation")
    # What left the list is in its history, not in its marks.
    assert marks("national", "sortie") == []
    history = block_of(etablissement(store, "national", planted.siret["sortie"]), "historique")
    assert [row[0] for row in history["items"][0]["rows"]] == ["Janvier 2026"]


def test_the_history_has_a_line_a_list_the_newest_first(store: Store, planted: Planted) -> None:
    rows = block_of(etablissement(store, "national", planted.siret["perdue"]), "historique")["items"][0]["rows"]
    assert [row[0] for row in rows] == ["Février 2026", "Janvier 2026"]
    assert [row[1]["tone"] for row in rows] == ["aucun", "modere"]
    without = block_of(etablissement(store, "zone", planted.siret["perdue"]), "historique")["items"]
    assert [row[1]["tone"] for row in without[0]["rows"]] == ["ferme", "ferme"]
    assert without[1]["tone"] == "closed"


def test_a_follow_opens_at_once_what_badges_allow_and_closes_when_it_ends(store: Store, planted: Planted) -> None:
    view = etablissement(store, "zone_urssaf", planted.siret["hors_zone"])
    assert not leaks(told(view), planted, "urssaf")
    for category, reason, code in (
        ("", "vu", "categorie_inconnue"),
        (["autre"], "vu", "categorie_inconnue"),
        ("autre", "  ", "motif_manquant"),
        ("autre", None, "motif_manquant"),
        ("autre", "x" * 1001, "motif_long"),
    ):
        with pytest.raises(WorkbenchError) as refused:
            view.follow(category, reason)
        assert refused.value.code == code
    assert not view.head()["follow"]["followed"]
    view.follow("source_externe", "Alerte d'un partenaire")
    assert leaks(told(view), planted, "urssaf")
    assert not leaks(told(view), planted, "dgefp")
    assert view.head()["follow"]["reason"] == "Alerte d'un partenaire"
    # Hers alone.
    assert not leaks(told(etablissement(store, "zone", planted.siret["hors_zone"])), planted, "urssaf")
    with pytest.raises(WorkbenchError, match="suivez déjà"):
        view.follow("autre", "encore")
    view.unfollow("autre", "Dossier clos")
    assert not leaks(told(view), planted, "urssaf")
    manager = Desk(store, PUBLISHER)
    wrote = [each for each in store.journal(manager.reader, bucket="suivi") if each["action"] == "put"]
    assert {each["reader"] for each in wrote} >= {ACTORS["zone_urssaf"].email}


def test_words_are_escaped_answered_and_changed_by_their_author_alone(store: Store, planted: Planted) -> None:
    siret = planted.siret["sans_alerte"]
    zone, national = (Discussion(Desk(store, ACTORS[name]), siret) for name in ("zone", "national"))
    zone.write("<img src=x onerror=alert(1)> & <b>gras</b>\n\nsuite")
    (kept,) = store.get(ACTORS["sans_droit"], "comment", {"siret": siret})
    assert (
        kept["value"]["text"] == "<p>&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;gras&lt;/b&gt;</p><p>suite</p>"
    )
    (first,) = national.threads()
    assert first["typed"] == "<img src=x onerror=alert(1)> & <b>gras</b>\nsuite"
    assert not any(run["bold"] for runs in first["text"] for run in runs)
    national.write("D'accord", first["id"])
    for words, follows, code in (
        (" \n", "", "commentaire_vide"),
        (["x"], "", "commentaire_vide"),
        ("x" * 5001, "", "commentaire_long"),
        ("x", "ailleurs", "commentaire_introuvable"),
    ):
        with pytest.raises(WorkbenchError) as refused:
            national.write(words, follows)
        assert refused.value.code == code
    with pytest.raises(WorkbenchError, match="n'est pas de vous"):
        national.change(first["id"], "autre chose")
    with pytest.raises(WorkbenchError, match="n'a pas changé"):
        zone.change(first["id"], first["typed"])
    zone.change(first["id"], "Mieux dit")
    zone.change(first["id"], "Encore mieux")
    (first,) = national.threads()
    assert (first["typed"], first["answers"][0]["typed"]) == ("Encore mieux", "D'accord")
    assert [each["text"][0][0]["text"][:4] for each in first["before"]] == ["<img", "Mieu"]
    assert all(each["when"] for each in first["before"])
    # The store itself refuses words in another's name.
    forged = {"siret": siret, "siren": siret[:9], "author": ACTORS["zone"].email, "uuid": first["id"]}
    with pytest.raises(WorkbenchError) as refused:
        Desk(store, ACTORS["national"]).put("comment", [{"key": forged, "scope": [], "value": {"text": "faux"}}])
    assert refused.value.status == 403


def test_threads_hold_whatever_their_authors_wrote(store: Store) -> None:
    siret = "80000099900001"
    keys = [("a", "b"), ("b", "a"), ("c", "nowhere"), ("d", "d"), ("e", ""), ("f", "e")]
    for number, (identifier, follows) in enumerate(keys):
        key = {"siret": siret, "siren": siret[:9], "author": ACTORS["zone"].email, "uuid": identifier}
        value = {"date": f"2026-01-0{9 - number}T08:00:00+01:00", "text": f"<p>{identifier}</p>"}
        pairs = key | ({"follows": follows} if follows else {})
        Desk(store, ACTORS["zone"]).put("comment", [{"key": pairs, "scope": [], "value": value}])
    threads = Discussion(Desk(store, ACTORS["zone"]), siret).threads()
    assert [each["id"] for each in threads] == ["e", "d", "c", "b"]
    assert [each["id"] for each in threads[0]["answers"]] == ["f"]
    assert [each["id"] for each in threads[3]["answers"]] == ["a"]


def test_months_of_dates_count_from_one() -> None:
    said = [moment(f"2026-{number:02}-01T12:00:00+01:00").split()[1] for number in (1, 12)]
    assert said == ["janvier", "décembre"]
    assert moment("2026-07-14T23:30:00Z").replace("\u00a0", " ") == "15 juillet 2026 à 1 h 30"


def test_nothing_of_html_but_marks_is_read() -> None:
    html = "<p onclick=x>un <strong>deux</strong></p><ul><li>trois</li></ul>"
    html += "<style>x</style><svg><b>q</b></svg><a href=javascript:1>l"
    assert [[run["text"] for run in runs] for runs in read_text(html)] == [["un ", "deux"], ["• ", "trois"], ["q", "l"]]


def test_an_opinion_is_asked_of_head_offices_in_alert_in_the_last_list(store: Store, planted: Planted) -> None:
    asked = {
        name: etablissement(store, "zone_urssaf", planted.siret[name]).opinion() is not None
        for name in ("alerte", "moderee", "perdue", "sortie", "sans_alerte", "hors_zone")
    }
    assert asked == {
        "alerte": True, "moderee": True, "perdue": False, "sortie": False, "sans_alerte": False, "hors_zone": False,
    }  # fmt: skip
    secondary = planted.siret["plusieurs_departements"][:9] + "00002"
    assert etablissement(store, "national", secondary).opinion() is None
    assert etablissement(store, "zone", planted.siret["alerte"]).opinion() is None
    with pytest.raises(WorkbenchError, match="pas d'avis"):
        etablissement(store, "zone", planted.siret["alerte"]).judge(True, [], "")

    view = etablissement(store, "zone_urssaf", planted.siret["moderee"])
    with pytest.raises(WorkbenchError) as refused:
        view.judge("oui", [], "")
    assert refused.value.code == "avis_incomplet"
    view.judge(False, ["deja_connue", "suivi_engage", "<script>"], " Connue depuis un an ")
    again = view.opinion()
    assert again is not None
    assert (again["useful"], again["chosen"], again["comment"]) == (False, ["deja_connue"], "Connue depuis un an")
    key = {"siret": planted.siret["moderee"]}
    with pytest.raises(WorkbenchError):
        store.get(ACTORS["zone"], "opinion", key)
    assert store.get(ACTORS["national"], "opinion", key)  # who keeps statistics


def test_a_file_holds_what_its_reader_sees(store: Store, planted: Planted) -> None:
    docx = pytest.importorskip("docx")

    def words(actor: str) -> str:
        file = etablissement(store, actor, planted.siret["alerte"]).document("docx")
        assert file is not None
        assert file.name.startswith("ETABLISSEMENT-")
        opened = docx.Document(io.BytesIO(file.content))
        lines = [each.text for each in opened.paragraphs]
        return "\n".join(lines + [each.text for table in opened.tables for row in table.rows for each in row.cells])

    assert leaks(words("national"), planted, "urssaf")
    for badge in ("urssaf", "dgefp", "bdf"):
        assert not leaks(words("zone"), planted, badge)
    assert "Vous n’avez pas accès aux données de l’URSSAF" in words("zone")
    view = etablissement(store, "zone", planted.siret["alerte"])
    printed = json.dumps(sheet_parts(view.head(), view.blocks(), view.comments()), ensure_ascii=False)
    assert not any(leaks(printed, planted, badge) for badge in ("urssaf", "dgefp", "bdf"))
    assert "accès aux données de l’URSSAF" in printed
    assert view.document("exe") is None
    assert view.document(None) is None


def test_a_file_is_written_whatever_the_texts_hold() -> None:
    docx = pytest.importorskip("docx")
    odd = "a\x00\x0b<w:t>\ud800\ufffe]]>"
    block: dict[str, Any] = {
        "name": "x",
        "title": odd,
        "about": "",
        "items": [{"kind": "text", "text": odd, "tone": "plain"}],
    }
    block["items"].append({"kind": "table", "caption": odd, "heads": [odd], "rows": [[odd]], "figures": True})
    thread = {"author": odd, "when": "", "typed": odd, "answers": []}
    head = {"name": odd, "line": odd, "chips": []}
    file = sheet_docx("x.docx", head, [block], [thread])
    assert not any("<w:t>" in each for each in sheet_parts(head, [block], [thread]) if isinstance(each, str))
    assert "<w:t>" in docx.Document(io.BytesIO(file.content)).paragraphs[0].text


def test_places_are_sorted_by_what_is_chosen(store: Store, planted: Planted) -> None:
    siren = planted.siren["plusieurs_departements"]
    view = EntrepriseView(Desk(store, ACTORS["national"]), siren)
    (shown,) = [item for item in view.etablissements()["items"] if item["kind"] == "table"]
    assert {row[0]["address"] for row in shown["rows"]} == {
        f"etablissement.ipynb?siret={siren}{nic:05d}" for nic in (1, 2, 3, 4)
    }
    view.choose("dette")
    (shown,) = [item for item in view.etablissements()["items"] if item["kind"] == "table"]
    debts = [int("".join(filter(str.isdigit, row[6]["text"]))) for row in shown["rows"]]
    assert debts == sorted(debts, reverse=True)
    assert len(set(debts)) > 1
    for wrong in ("siret", "", None, ["dette"]):
        with pytest.raises(WorkbenchError, match="ne fait pas partie"):
            view.choose(wrong)
    assert view.order == "dette"
    without = EntrepriseView(Desk(store, ACTORS["zone"]), siren).etablissements()
    assert {row[6]["tone"] for row in without["items"][0]["rows"]} == {"absent"}
    assert tones(without) == ["closed"]


def test_the_months_of_partial_activity_are_the_last_twelve_not_the_last_rows(
    store: Store, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = EntrepriseView(Desk(store, ACTORS["national"]), planted.siren["alerte"])
    (siret,) = view.subject.details
    detail = dict(view.subject.details[siret])
    detail["apconso"] = [{"periode": "2024-05", "heures": 1516.7}, {"periode": "2025-12", "heures": 1820.04}]
    monkeypatch.setattr(view, "subject", replace(view.subject, details={siret: detail}))
    (row,) = view.etablissements()["items"][0]["rows"]
    assert row[5]["text"].replace("\u00a0", " ") == "1,0 ETP"


def test_an_explanation_of_an_older_list_says_so(store: Store, planted: Planted) -> None:
    for name, said in (("sortie", True), ("alerte", False)):
        view = etablissement(store, "national", planted.siret[name])
        for each in (view, EntrepriseView(Desk(store, ACTORS["national"]), planted.siren[name])):
            words = json.dumps(block_of(each, "explication"), ensure_ascii=False)
            assert ("n’est pas dans la dernière liste" in words) is said
            assert ("Janvier 2026" in words) is said


def test_a_list_published_late_is_not_the_last(store: Store) -> None:
    late, last = Published("2603.a", "Mars 2026", "2026-06-15"), Published("2604.a", "Avril 2026", "2026-05-01")
    assert max(late, last, key=lambda each: each.order) is last


def test_a_debt_stands_until_another_month_says_otherwise() -> None:
    values = {
        "debit": [
            {"periode": "2023-06", "part_patronale": 50.0, "part_ouvriere": 5.0},
            {"periode": "2024-12", "part_patronale": 100.0, "part_ouvriere": 0.0},
        ],
        "cotisation": [{"periode": "2025-11", "du": 10.0}, {"periode": "2025-11", "du": 7.0}],
        "delai": [],
    }
    chart = next(item for item in contributions_block(values, EVERYTHING)["items"] if item["kind"] == "chart")
    employer, employee, due = chart["data"]
    assert len(employer["x"]) == 24
    assert (employer["x"][0], employer["x"][-1]) == ("2023-12", "2025-11")
    assert (employer["y"][0], employee["y"][0], employer["y"][-1], employee["y"][-1]) == (50.0, 5.0, 100.0, 0.0)
    assert due["y"][-1] == 17.0
    assert chart["layout"]["barmode"] == "stack"
    assert [row[0] for row in chart["rows"]["body"]][-1] == "11/2025"


def test_hours_become_full_time_months() -> None:
    values = {
        "effectif": [{"periode": "2025-01", "effectif": 10}, {"periode": "2025-03", "effectif": 12}],
        "apdemande": [{"periode_debut": "2025-02-15", "periode_fin": "2025-03-10", "hta": 1516.7, "motif": "x"}],
        "apconso": [{"periode": "2025-03", "heures": 303.34}, {"periode": "2025-02", "heures": 9999.0}],
    }
    allowed, used, staff = activity_block(values, EVERYTHING)["items"][0]["data"]
    assert [round(each, 6) for each in allowed["y"]] == [0, 10, 10]
    assert [round(each, 6) for each in used["y"]] == [0, 10, 2]
    assert staff["y"] == [10, None, 12]


def test_accounts_have_margins_and_the_exercice_of_their_closing() -> None:
    finances = [
        {"date_cloture": "2024-07-31", "ca": 1000, "resultat_expl": -50, "resultat_net": 20, "credit_client": 30},
        {"date_cloture": "2024-12-31", "ca": 2000, "resultat_expl": 100, "resultat_net": None},
        {"date_cloture": "2022-12-31", "ca": 0, "resultat_expl": 5},
    ]
    company = {"finances": finances, "quantiles": {"secteur": "10", "classe": "", "credit_client": [1, 2, 3, 4, 5]}}
    chart, table = finances_block(company, EVERYTHING)["items"]
    assert table["heads"] == ["", "2024", "2023", "2022"]
    lines = {row[0]: [each if isinstance(each, str) else each["text"] for each in row[1:]] for row in table["rows"]}
    assert [each.replace("\u00a0", " ") for each in lines["Résultat d'exploitation, en % du CA"]] == [
        "5,0 %",
        "−5,0 %",
        "n/c",
    ]
    assert lines["Résultat net"][0] == "n/c"
    assert chart["data"][0]["x"] == ["2022", "2023", "2024"]
    shown = finoscope_block(company, EVERYTHING)
    assert shown is not None
    assert [item["caption"] for item in shown["items"] if item["kind"] == "table"] == ["Performance", "Gestion"]
    assert "Solvabilité" in next(item for item in shown["items"] if item["kind"] == "text")["text"]


def test_a_ratio_in_per_cent_is_written_as_the_number_of_times_that_others_give() -> None:
    finances = [
        {"date_cloture": "2024-12-31", "ca": 1000, "ratio_de_liquidite": 112.16},
        {"date_cloture": "2023-12-31", "ca": 1000, "liquidite_generale": 1.3},
    ]
    quantiles = {"secteur": "10", "classe": "", "ratio_de_liquidite": [80, 95, 120, 140, 160]}
    shown = finoscope_block({"finances": finances, "quantiles": quantiles}, EVERYTHING)
    assert shown is not None
    (row,) = next(each["rows"] for each in shown["items"] if each.get("caption") == "Solvabilité et trésorerie")
    texts = [each if isinstance(each, str) else each["text"] for each in row]
    assert texts == ["Liquidité", "1,12", "1,30", "1,20", "0,80 à 1,60", "sous la médiane"]


def test_ratios_of_the_bank_are_at_their_closing_as_they_are_published() -> None:
    rows = [
        {"annee": 2023, "date_cloture": "2023-06-30", "poids_frng": 4.2},
        {"annee": 2023, "date_cloture": "2023-12-31", "poids_frng": 5.2},
    ]
    (shown,) = bank_block({"bdf": rows}, EVERYTHING)["items"]
    assert shown["heads"] == ["", "31/12/2023", "30/06/2023"]


def test_one_day_is_no_plural() -> None:
    late = [{"date_valeur": f"2024-0{month}-01", "nb_jours": month - 1} for month in (1, 2, 3)]
    for count, words in ((1, "sans retard"), (2, "1 jour de retard"), (3, "2 jours de retard")):
        (_, said) = paydex_block({"paydex": late[:count]}, EVERYTHING)["items"][0]["pairs"][0]
        assert said.replace("\u00a0", " ") == words


PREFECTURES = {
    "75": (48.8566, 2.3522), "69": (45.7578, 4.8320), "33": (44.8378, -0.5792), "2A": (41.9192, 8.7386),
    "2B": (42.68, 9.43), "59": (50.6292, 3.0573), "67": (48.5734, 7.70), "29": (48.40, -4.47), "64": (43.48, -1.45),
    "66": (42.6887, 2.8948), "90": (47.6397, 6.8638), "87": (45.8336, 1.2611), "93": (48.908, 2.44),
    "974": (-20.93, 55.45), "973": (4.90, -52.35), "972": (14.63, -61.03), "971": (16.24, -61.53),
    "976": (-12.79, 45.21),
}  # fmt: skip


@pytest.mark.parametrize("departement", PREFECTURES)
def test_towns_fall_in_their_departement_on_the_map(departement: str) -> None:
    latitude, longitude = PREFECTURES[departement]
    found = place(latitude, longitude, departement)
    assert found is not None
    x, y = found
    inside = False
    for ring in rings(outlines()["paths"][drawn_departement(departement)]):
        for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
    assert inside


def test_what_is_nowhere_is_not_on_the_map() -> None:
    for latitude, longitude in (
        (None, 2.0),
        ("48", "2"),
        (float("nan"), 2.0),
        (90.0, 2.0),
        (True, True),
        (40.7, -74.0),
    ):
        assert place(latitude, longitude, "75") is None
    assert place(48.8, 2.3, "974") is None


def test_a_page_believes_no_message(store: Store, planted: Planted) -> None:
    view = etablissement(store, "zone", planted.siret["nouvelle"])
    page = SheetPage(view)
    before = told(view)
    for message in (
        {"kind": "follow", "category": "<b>", "reason": "x"},
        {"kind": "follow", "category": {"a": 1}, "reason": "x"},
        {"kind": "follow", "category": "autre", "reason": ["x"]},
        {"kind": "unfollow", "category": "autre", "reason": "x"},
        {"kind": "follow"},
        {"kind": "judge", "useful": True, "reasons": [], "comment": ""},
        {"kind": "write", "text": {"x": 1}, "follows": ""},
        {"kind": "change", "id": ["x"], "text": "x"},
        {"kind": "sort", "value": "dette"},
        {},
    ):
        for receive in (page._on_head, page._on_blocks, page._on_opinion, page._on_threads):
            receive(message)
    assert told(view) == before
    page._on_head({"kind": "follow", "category": "autre", "reason": "Connue"})
    assert page.head.state is not None
    assert page.head.state["follow"]["followed"]
    assert not leaks(json.dumps(page.blocks.blocks, ensure_ascii=False), planted, "urssaf")


def test_a_page_shows_what_another_tab_did(store: Store, planted: Planted) -> None:
    siret = planted.siret["sans_alerte"]
    pages = [SheetPage(etablissement(store, "zone", siret)) for _ in range(2)]
    asked = {"category": "autre", "reason": "Connue"}
    for kind, followed in (("follow", True), ("unfollow", False)):
        for page in pages:
            page._on_head({"kind": kind, **asked})
        for page in pages:
            assert page.head.state is not None
            assert page.head.state["follow"]["followed"] is followed
    (notice,) = pages[1].actions.notices
    assert "ne suivez pas" in notice["message"]


def test_a_page_says_which_words_are_kept(store: Store, planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    page = SheetPage(etablissement(store, "zone", planted.siret["moderee"]))
    sent: list[Any] = []
    monkeypatch.setattr(page.threads, "send", sent.append)
    page._on_threads({"kind": "write", "text": "Un"})
    (first,) = page.threads.threads
    page._on_threads({"kind": "write", "text": "Deux", "follows": first["id"]})
    page._on_threads({"kind": "change", "id": first["id"], "text": "Trois"})
    page._on_threads({"kind": "change", "id": first["id"], "text": "Trois"})
    assert [each["about"] for each in sent] == ["", first["id"], first["id"]]


def test_a_follow_is_dated_as_clocks_are_in_paris(
    store: Store, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.dashboards.sheet_case._now", lambda: "2026-03-01T23:30:00+00:00")
    view = etablissement(store, "zone", planted.siret["fermee"])
    view.follow("autre", "Connue")
    assert view.head()["follow"]["since"] == "02/03/2026"
    view.unfollow("autre", "Fin")


def test_the_memory_of_a_store_names_no_file(tmp_path: Path) -> None:
    """A sheet of a store without publication says so, and breaks nothing."""
    with open_store(tmp_path / "registre.sqlite") as empty, pytest.raises(WorkbenchError, match="Aucun établissement"):
        EtablissementView(Desk(empty, ACTORS["national"]), "80000001100001")


def test_an_etablissement_that_no_list_has_is_found_and_said_so(tmp_path: Path) -> None:
    told = {"siret": "90000000100011", "siren": "900000001", "raison_sociale": "HORS LISTE", "departement": "35"}
    (public, _) = shared_sheets_of(IDENTITY, key_of(IDENTITY, told), {"sirene": told, **told}, Place((), alerted=False))
    with open_store(tmp_path / "registre.sqlite") as store:
        store.install(POLICIES)
        publisher = SimpleNamespace(email="p@exemple.fr", badges=frozenset({WRITER, "manager"}))
        store.replace(publisher, {"public": [public]}, whole=False)
        for actor, tone in (("national", "empty"), ("zone_urssaf", "empty"), ("sans_droit", "closed")):
            view = etablissement(store, actor, told["siret"])
            assert set(tones(block_of(view, "urssaf"))) == {tone}, actor
            assert set(tones(block_of(view, "finances"))) == {tone}, actor
        identity = block_of(etablissement(store, "sans_droit", told["siret"]), "identite")["items"][0]["pairs"]
        assert ["Département", "Ille-et-Vilaine (35)"] in [list(each) for each in identity]
