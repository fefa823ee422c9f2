"""Batches: keys, names of files, descriptors, and the perimeter."""

from __future__ import annotations

import json
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from partner_files import lines, write

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import Batch, check_key, from_json, load_batch, month_of, save_batch, to_json
from workbench.signaux_faibles.effectifs import PerimetreRules
from workbench.signaux_faibles.perimetre import read_filter, write_filter
from workbench.signaux_faibles.prepare import prepare_batch
from workbench.signaux_faibles.recognition import delivered_files, type_of

EFFECTIF = "compte;siret;rais_soc;ape_ins;dep;eff201741;eff201742;eff201743;base;UR_EMET"
UNITS = (
    "siren,denominationUniteLegale,prenom1UniteLegale,prenom2UniteLegale,prenom3UniteLegale,prenom4UniteLegale,"
    "nomUniteLegale,nomUsageUniteLegale,categorieJuridiqueUniteLegale,dateCreationUniteLegale,"
    "activitePrincipaleUniteLegale"
)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("consommation_ap.csv", "apconso"),
        ("demande_ap.csv", "apdemande"),
        ("demande_ap.csv.gz", None),
        ("sigfaible_etablissement_utf8.csv.gz", "admin_urssaf"),
        ("sigfaible_effectif_siren.csv", "effectif_ent"),
        ("sigfaible_effectif_siret.csv.gz", "effectif"),
        ("sigfaible_pcoll.csv", "procol"),
        ("sigfaible_cotisdues.csv.gz", "cotisation"),
        ("sigfaible_delais.csv", "delai"),
        ("sigfaible_ccsf.csv", "ccsf"),
        ("sireneUL.csv", "sirene_ul"),
        ("StockEtablissement_utf8_geo.csv", "sirene"),
        ("StockEtablissementHistorique_utf8.csv", "sirene_histo"),
        ("sigfaible_debits.csv", "debit"),
        ("urssaf_debits_2.csv.gz", "debit"),
        ("Diane_Export_1.txt", "diane"),
        ("diane.csv", "diane"),
        ("filter_siren_1802.csv", "filter"),
        ("E_201011101512_Retro-Paydex_20201207.csv", "paydex"),
        ("E_2010111015_Retro-Paydex_20201207.csv", None),
        ("Ellisphère-Tête de groupe-FinalFinal-2020.xlsx", "ellisphere"),
        (unicodedata.normalize("NFD", "Ellisphère-Tête de groupe-2020.xlsx"), "ellisphere"),
        ("Ellisphère-Tête de groupe-v1.2.xlsx", None),
        ("ratios_inpi_bce.csv", "ratios_inpi"),
        ("consommation_ap.csv.old", None),
        ("lisez-moi.txt", None),
    ],
)
def test_names(name: str, type_: str | None) -> None:
    assert type_of(name) == type_


def test_uploads_are_known_by_what_came_with_them(tmp_path: Path) -> None:
    for identifier, metadata in {
        "a1": {"filename": "sigfaible_debits.csv.gz"},
        "b2": {"filename": "../../sigfaible_pcoll.csv"},
        "c3": {"filename": "mars.csv", "goup-path": "bdf"},
        "d4": {"filename": "mars.csv", "typeSignauxFaibles": "paydex"},
    }.items():
        (tmp_path / f"{identifier}.info").write_text(json.dumps({"ID": identifier, "MetaData": metadata}))
        (tmp_path / (identifier if identifier == "b2" else f"{identifier}.bin")).write_bytes(b"x")
    (tmp_path / "e5.info").write_text("{")
    (tmp_path / "e5.bin").write_bytes(b"x")
    (tmp_path / "dossier").mkdir()
    found = {each.path.name: (each.name, each.type, each.compressed) for each in delivered_files(tmp_path)}
    assert found == {
        "a1.bin": ("sigfaible_debits.csv.gz", "debit", True),
        "b2": ("sigfaible_pcoll.csv", "procol", False),
        "c3.bin": ("mars.csv", "bdf", False),
        "d4.bin": ("mars.csv", "paydex", False),
        "e5.bin": ("e5.bin", None, False),
    }


@pytest.mark.parametrize("key", ["", "18", "1813", "1800", "180", "1802x", "1802_", "x1802", "1802/1", "1802_../.."])
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        check_key(key)
    assert caught.value.code == "batch_cle"
    assert "AAMM" in caught.value.message


def _effectif(*rows: tuple[str, str, str, str]) -> str:
    return lines(EFFECTIF, *(f'1;{siret};RAISON "X";5221Z;75;{a};{b};{c};116;75' for siret, a, b, c in rows))


def _batch(root: Path, key: str = "1802", effectif: str | None = None, units: str | None = None) -> Path:
    folder = root / key
    folder.mkdir(parents=True)
    if effectif is not None:
        write(folder, "sigfaible_effectif_siret.csv", effectif)
    if units is not None:
        write(folder, "sireneUL.csv", units)
    return folder


COMPANIES = (
    ("11111111100011", "10", "", ""),
    ("22222222200011", "9", "9", ""),
    ("33333333300011", "", "1 200", ""),
    ("44444444400011", "50", "50", ""),
    ("55555555500011", "50", "50", ""),
    ("66666666", "50", "50", ""),
    ("", "50", "50", ""),
    ("11111111100022", "-", "", ""),
)


def test_a_batch_is_described_and_its_perimeter_built(tmp_path: Path) -> None:
    units = lines(
        UNITS, "444444444,MAIRIE,,,,,,,7210,,84.11Z", "555555555,LYCÉE,,,,,,,5710,,85.31Z", "111111111,A,,,,,,,5710,,"
    )
    folder = _batch(tmp_path, effectif=_effectif(*COMPANIES), units=units)
    write(folder, "sigfaible_pcoll.csv.gz", "Siret")
    write(folder, "photo.png", "x")
    batch = prepare_batch(tmp_path, "1802")
    assert batch.files == {
        "sirene_ul": ("/1802/sireneUL.csv",),
        "effectif": ("/1802/sigfaible_effectif_siret.csv",),
        "procol": ("gzip:/1802/sigfaible_pcoll.csv.gz",),
        "filter": ("/1802/filter_siren_1802.csv",),
    }
    assert (batch.start, batch.end, batch.effectif_end) == (date(2016, 1, 1), date(2018, 2, 1), date(2017, 11, 1))
    assert batch.complete_types == ("effectif", "sirene_ul")
    assert batch.unknown == ("photo.png",)
    # The department, 75, is no workforce; the last column, never filled, is no month.
    assert (folder / "filter_siren_1802.csv").read_text() == "siren\n111111111\n333333333\n"
    again = prepare_batch(tmp_path, "1802")
    assert again.files["filter"] == ("/1802/filter_siren_1802.csv",)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (PerimetreRules(months=1), ["333333333", "444444444", "555555555"]),
        (PerimetreRules(threshold=9), ["111111111", "222222222", "333333333", "444444444", "555555555"]),
        (PerimetreRules(threshold=1000), ["333333333"]),
    ],
)
def test_rules_of_the_perimeter(tmp_path: Path, rules: PerimetreRules, expected: list[str]) -> None:
    folder = _batch(tmp_path, effectif=_effectif(*COMPANIES))
    batch = prepare_batch(tmp_path, "1802", rules=rules)
    assert read_filter(folder / "filter_siren_1802.csv") == expected
    assert any("sirene_ul" in note for note in batch.notes)


def test_perimeter_of_enterprises(tmp_path: Path) -> None:
    folder = _batch(tmp_path)
    write(
        folder, "sigfaible_effectif_siren.csv", lines("siren;eff201741;eff201742", "111111111;9.9;", "222222222;10.2;")
    )
    batch = prepare_batch(tmp_path, "1802", perimetre_from="effectif_ent", rules=PerimetreRules(months=36))
    assert read_filter(folder / "filter_siren_1802.csv") == ["222222222"]
    assert batch.effectif_end == date(2017, 10, 1)


def test_perimeter_of_enterprises_looks_at_three_years(tmp_path: Path) -> None:
    folder = _batch(tmp_path)
    months = [f"eff{year}{quarter}{month}" for year in (2014, 2015, 2016) for quarter in "1234" for month in "123"]
    header = ";".join(["siren", "eff201343", *months])
    rows = ["111111111;50" + ";1" * 36, "222222222;1;50" + ";1" * 35]
    write(folder, "sigfaible_effectif_siren.csv", lines(header, *rows))
    prepare_batch(tmp_path, "1802", perimetre_from="effectif_ent")
    assert read_filter(folder / "filter_siren_1802.csv") == ["222222222"]


def test_a_sub_batch_takes_from_its_parent_what_it_lacks(tmp_path: Path) -> None:
    parent = _batch(tmp_path, "1803", effectif=_effectif(*COMPANIES))
    write(parent, "filter_siren_1803.csv", "siren\n111111111\n")
    sub = parent / "1803_01"
    sub.mkdir()
    write(sub, "sigfaible_debits.csv", "x")
    batch = prepare_batch(tmp_path, "1803_01")
    assert batch.files == {
        "debit": ("/1803/1803_01/sigfaible_debits.csv",),
        "filter": ("/1803/1803_01/filter_siren_1803.csv",),
    }
    assert (sub / "filter_siren_1803.csv").read_text() == "siren\n111111111\n"
    assert batch.effectif_end == date(2017, 11, 1)


def test_what_a_batch_cannot_do_without(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        prepare_batch(tmp_path, "1803_01")
    assert "1803/1803_01" in caught.value.message
    folder = _batch(tmp_path, "1802")
    with pytest.raises(WorkbenchError) as caught:
        prepare_batch(tmp_path, "1802")
    assert caught.value.code == "filtre_sans_effectif"
    write(folder, "filter_1802.csv", "111111111\n")
    with pytest.raises(WorkbenchError) as caught:
        prepare_batch(tmp_path, "1802")
    assert caught.value.code == "date_fin_effectif"
    assert prepare_batch(tmp_path, "1802", effectif_end=date(2018, 1, 1)).effectif_end == date(2018, 1, 1)


def test_large_deliveries_are_confirmed_by_a_person(tmp_path: Path) -> None:
    folder = _batch(tmp_path)
    write(folder, "filter_1802.csv", "111111111\n")
    with (folder / "sigfaible_delais.csv.gz").open("wb") as file:
        file.truncate(1_666_199)
    with (folder / "sigfaible_pcoll.csv.gz").open("wb") as file:
        file.truncate(1_646_192)
    batch = prepare_batch(tmp_path, "1802", effectif_end=date(2018, 1, 1))
    assert list(batch.to_confirm) == ["delai"]
    with pytest.raises(WorkbenchError, match="delai"):
        batch.confirmed()
    path = tmp_path / "1802.yaml"
    save_batch(batch, path)
    text = path.read_text()
    assert "delai: à confirmer" in text
    assert list(load_batch(path).to_confirm) == ["delai"]
    path.write_text(text.replace("à confirmer", "oui"))
    assert load_batch(path).confirmed().complete_types == ("delai",)
    path.write_text(text.replace("à confirmer", "peut-être"))
    with pytest.raises(WorkbenchError, match="oui ou non"):
        load_batch(path)


BATCH = Batch(
    "1802",
    {"debit": ("/1802/sigfaible_debits.csv",), "procol": ("gzip:/1802/sigfaible_pcoll.csv.gz",)},
    ("procol",),
    name="février",
    end=date(2018, 2, 1),
    effectif_end=date(2018, 1, 1),
)


def test_descriptors_are_read_back(tmp_path: Path) -> None:
    for form in ("mongodb", "prepare-import"):
        assert from_json(json.loads(json.dumps(to_json(BATCH, form)))) == BATCH
    now = to_json(BATCH, "now")
    assert now["files"]["procol"] == ["gzip:1802/sigfaible_pcoll.csv.gz"]
    assert now["params"]["date_fin"] == "2018-02-01T00:00:00Z"
    assert from_json(now).effectif_end == BATCH.effectif_end
    assert to_json(BATCH)["_id"] == {"key": "1802", "type": "batch"}
    save_batch(BATCH, tmp_path / "b.yaml")
    assert load_batch(tmp_path / "b.yaml") == BATCH
    (tmp_path / "b.json").write_text(
        json.dumps({"_id": {"key": "1802"}, "param": {"date_fin": {"$date": "2018-02-01T00:00:00Z"}}})
    )
    assert load_batch(tmp_path / "b.json").end == date(2018, 2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "{}",
        '{"_id": {"key": "1813"}}',
        "batch: '1802'\nfichier: {}\n",
        "batch: '1802'\ndate_fin: x\n",
        "a: ]",
    ],
)
def test_descriptors_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "b").write_text(text)
    with pytest.raises(WorkbenchError) as caught:
        load_batch(tmp_path / "b")
    assert caught.value.code in {"batch_descripteur", "batch_cle"}


def test_filters(tmp_path: Path) -> None:
    assert read_filter(write(tmp_path, "a.csv", "siren\n111111111;x\n\n111111111\n222222222")) == [
        "111111111",
        "222222222",
    ]
    assert read_filter(write(tmp_path, "b.csv.gz", "222222222\n")) == ["222222222"]
    for text, value in {"111111111\nsiren\n": "siren", "siren\n11111\n": "11111"}.items():
        with pytest.raises(WorkbenchError, match="Format de siren incorrect trouvé") as caught:
            read_filter(write(tmp_path, "c.csv", text))
        assert caught.value.details["valeur"] == value
    with pytest.raises(WorkbenchError):
        read_filter(write(tmp_path, "d.csv", "siren\n"))
    with pytest.raises(WorkbenchError):
        write_filter(tmp_path / "a.csv", ["333333333"])
    assert write_filter(tmp_path / "e.csv", ["333333333", "111111111", "333333333"]) == 2
    assert (tmp_path / "e.csv").read_text() == "siren\n111111111\n333333333\n"


def test_months_of_keys() -> None:
    assert month_of("1802_altares") == date(2018, 2, 1)
