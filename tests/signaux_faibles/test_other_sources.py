"""The files of the DGEFP, INSEE, Banque de France and of private providers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from partner_files import SIRET, columns, counters, lines, read_text, reasons, write

from workbench.signaux_faibles.reading import read_source
from workbench.signaux_faibles.sources import source_named, sources

APDEMANDE = (
    "ID_DA,ETAB_SIRET,EFF_ENT,EFF_ETAB,DATE_STATUT,DATE_DEB,DATE_FIN,HTA,MTA,EFF_AUTO,MOTIF_RECOURS_SE,PERIMETRE_AP,"
    "RECOURS_ANTERIEUR,AVIS_CE,S_HEURE_CONSOM_TOT,S_EFF_CONSOM_TOT,S_MONTANT_CONSOM_TOT"
)


def test_apconso(tmp_path: Path) -> None:
    content = read_text(
        tmp_path,
        "apconso",
        lines(
            "ID_DA,ETAB_SIRET,MOIS,HEURES,MONTANTS,EFFECTIFS",
            f"A1,{SIRET},2020-03-01,151.67,1000.5,3.0",
            f"A1,{SIRET},2020-03-01 00:00:00,1,1,1",
            f"A1,{SIRET},01/03/2020,x,1,y",
            "A1,,2020-03-01,1,1,1",
        ),
    )
    assert counters(content) == (4, 2, 0, 2)
    assert columns(content, "id_conso", "periode", "heure_consomme", "montant", "effectif")[0] == (
        "A1",
        date(2020, 3, 1),
        151.67,
        1000.5,
        3,
    )
    assert reasons(content) == [
        (3, "EFFECTIFS", "y"),
        (3, "HEURES", "x"),
        (3, "MOIS", "01/03/2020"),
        (4, "ETAB_SIRET", ""),
    ]


def test_apdemande(tmp_path: Path) -> None:
    row = f'D1,{SIRET},50,20,2020-03-05,2020-03-01,2020-05-31,1000.5,"2000,75",20,{{}},1,1,3,10.5,5,99.9'
    text = lines(APDEMANDE, row.format(5), row.format(9), row.format("x"), row.format("").replace("10.5,5,99.9", ",,"))
    content = read_text(tmp_path, "apdemande", text)
    assert counters(content) == (4, 2, 0, 2)
    assert columns(content, "mta", "motif_recours_se", "perimetre", "effectif_consomme", "periode_fin") == [
        (2000.75, 5, 1, 5, date(2020, 5, 31)),
        (2000.75, None, 1, None, date(2020, 5, 31)),
    ]
    assert counters(read_text(tmp_path, "apdemande", text, era="H21")) == (4, 1, 0, 3)


SIRENE = ",".join(column.name for column in source_named("sirene").columns if column.required)


def _etablissement(**values: str) -> str:
    known = {
        "siren": "111111111",
        "nic": "00011",
        "etablissementSiege": "true",
        "indiceRepetitionEtablissement": "B",
        "typeVoieEtablissement": "AV",
        "libelleVoieEtablissement": '"DE LA PAIX, PROLONGÉE"',
        "codeCommuneEtablissement": "75102",
        "codePostalEtablissement": "75002",
        "activitePrincipaleEtablissement": "52.21Z",
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
        "dateCreationEtablissement": "2001-02-03",
        "longitude": "2.33",
        "latitude": "48.86",
    } | values
    return ",".join(known.get(name, "") for name in SIRENE.split(","))


def test_sirene_of_2021(tmp_path: Path) -> None:
    rows = [
        _etablissement(),
        _etablissement(codePostalEtablissement="20090", typeVoieEtablissement="XYZ"),
        _etablissement(codePostalEtablissement="20200", dateCreationEtablissement="jadis"),
        _etablissement(codePostalEtablissement=""),
        _etablissement(longitude="est"),
        _etablissement(activitePrincipaleEtablissement="70.1", nomenclatureActivitePrincipaleEtablissement="NAF1993"),
        _etablissement(etablissementSiege="oui"),
        _etablissement(nic="1"),
    ]
    content = read_text(tmp_path, "sirene", lines(SIRENE, *rows))
    # A tuple without its longitude or its département is stored, and its line rejected.
    assert counters(content) == (8, 4, 0, 4)
    assert (content.report.lines_partial, content.report.tuples) == (2, 6)
    assert columns(content, "departement", "ape", "code_activite", "nomen_activite", "longitude") == [
        ("75", "5221Z", "", "", 2.33),
        ("2A", "5221Z", "", "", 2.33),
        ("2B", "5221Z", "", "", 2.33),
        ("", "5221Z", "", "", 2.33),
        ("75", "5221Z", "", "", None),
        ("75", "", "70.1", "NAF1993", 2.33),
    ]
    assert columns(content, "indrep", "type_voie", "voie", "date_creation", "est_actif")[:3] == [
        ("BIS", "AVENUE", "DE LA PAIX, PROLONGÉE", date(2001, 2, 3), None),
        ("BIS", "", "DE LA PAIX, PROLONGÉE", date(2001, 2, 3), None),
        ("BIS", "AVENUE", "DE LA PAIX, PROLONGÉE", None, None),
    ]
    assert [line for line, _, _ in reasons(content)] == [4, 5, 7, 8]


def test_sirene_of_today(tmp_path: Path) -> None:
    rows = [
        _etablissement() + ",A",
        _etablissement(codeCommuneEtablissement="2A004", codePostalEtablissement="[ND]") + ",F",
        _etablissement(codeCommuneEtablissement="97411") + ",A",
        _etablissement(codeCommuneEtablissement="[ND]") + ",A",
        _etablissement(nomenclatureActivitePrincipaleEtablissement="NAP") + ",A",
        _etablissement(latitude="x") + ",A",
    ]
    content = read_text(tmp_path, "sirene", lines(SIRENE + ",etatAdministratifEtablissement", *rows))
    assert counters(content) == (6, 1, 1, 4)
    assert columns(content, "departement", "code_commune", "code_postal", "ape", "est_actif") == [
        ("75", "75102", "75002", "52.21Z", True),
        ("2A", "2A004", "", "52.21Z", False),
        ("974", "97411", "75002", "52.21Z", True),
        ("", "", "75002", "52.21Z", True),
        ("75", "75102", "75002", "52.21Z", True),
    ]


UL = ",".join(column.name for column in source_named("sirene_ul").columns if column.required)


def test_sirene_ul(tmp_path: Path) -> None:
    content = read_text(
        tmp_path,
        "sirene_ul",
        lines(
            UL
            + ",activitePrincipaleUniteLegale,nomenclatureActivitePrincipaleUniteLegale,etatAdministratifUniteLegale",
            "111111111,ACME,,,,,,,5710,2001-02-03,52.21Z,NAFRev2,A",
            "222222222,,JEAN,PAUL,,,MARTIN,DUPONT,1000,,70.1,NAP,C",
            "22222,,,,,,,,1000,,70.1,NAP,C",
            "333333333,X,,,,,,,5710,2001-13-03,,,A",
        ),
    )
    assert counters(content) == (4, 2, 0, 2)
    assert columns(
        content, "raison_sociale", "prenom1_unite_legale", "statut_juridique", "date_creation", "est_actif"
    ) == [
        ("ACME", "", "5710", date(2001, 2, 3), True),
        ("", "JEAN", "1000", None, False),
    ]
    assert columns(content, "activite_principale") == [("52.21Z",), (None,)]


def test_sirene_histo(tmp_path: Path) -> None:
    header = "siret,dateDebut,dateFin,etatAdministratifEtablissement,changementEtatAdministratifEtablissement"
    content = read_text(
        tmp_path,
        "sirene_histo",
        lines(
            header,
            f"{SIRET},2010-01-01,2011-12-31,A,false",
            f"{SIRET},2012-01-01,,F,true",
            f"{SIRET},,,F,true",
            f"{SIRET},2012-01-01,,,true",
            f"{SIRET},2012,,F,true",
            f"{SIRET},2012-01-01,jamais,F,true",
            f"{SIRET},2012-01-01,,F,?",
        ),
    )
    assert counters(content) == (7, 3, 2, 2)
    assert columns(content, "date_debut", "date_fin", "est_actif", "changement_statut_actif") == [
        (date(2010, 1, 1), date(2011, 12, 31), True, False),
        (date(2012, 1, 1), None, False, True),
    ]


def test_bdf(tmp_path: Path) -> None:
    header = (
        "D1;ANNEE;ARRETE_BILAN;DENOM;SECTEUR;POIDS_FRNG;TX_MARGE;DELAI_FRS;POIDS_DFISC_SOC;POIDS_FIN_CT;POIDS_FRAIS_FIN"
    )
    content = read_text(
        tmp_path,
        "bdf",
        lines(
            header,
            '000 111 222;2012;31DEC2012;LA "BELLE" SA;Industrie;1.5;;.5;-3;0;2',
            "000111222;2012;31DÉC2012;X;Y;;;;;;",
            "000111222;2012;30FEV2012;X;Y;1,5;;;;;",
            "000 111 22;2012;31AOU2012;X;Y;;;;;;",
        ),
    )
    assert counters(content) == (4, 2, 0, 2)
    assert columns(
        content, "siren", "annee_bdf", "arrete_bilan_bdf", "denomination_bdf", "poids_frng", "taux_marge"
    ) == [
        ("000111222", 2012, date(2012, 12, 31), 'LA "BELLE" SA', 1.5, None),
        ("000111222", 2012, date(2012, 12, 31), "X", None, None),
    ]
    assert reasons(content) == [(3, "ARRETE_BILAN", "30FEV2012"), (3, "POIDS_FRNG", "1,5"), (4, "D1", "00011122")]


FIXED = {"Nom de l'entreprise", "Numéro Siren", "Statut juridique", "Procédure collective"}


def _diane(years: tuple[int, ...], without: tuple[tuple[str, int], ...] = (), **values: str) -> str:
    names = [column.name for column in source_named("diane").columns if column.name != "Annee"]
    header, row = ["Marquée", "Dernière année disponible"], ["X", "2019"]
    for name in names:
        if name in FIXED:
            header.append(name + " " if name == "Statut juridique" else name)
            row.append({"Numéro Siren": "000000001", "Procédure collective": "Oui"}.get(name, "SA"))
    for name in (*names, "Achats de march. kEUR"):
        if name in FIXED:
            continue
        for year in years:
            if (name, year) in without:
                continue
            unit = " kEUR" if name.endswith(" kEUR") else ""
            header.append(f"{name.removesuffix(unit)}  {year}{unit}".replace("Nombre d'ES", "Nombre d\u2019ES"))
            row.append({"Date de clôture": f"31/12/{year}"}.get(name, values.get(str(year), "1,5")))
    return ";".join(header) + "\r\n" + ";".join(row) + "\r\n"


def test_diane_gives_a_tuple_a_company_and_year(tmp_path: Path) -> None:
    text = _diane((2019, 2017), without=(("Performance %", 2017),), **{"2017": "n.c.", "2019": "12"})
    path = write(tmp_path, "Diane.csv", text, "utf-16")
    content = read_source("diane", path)
    # 2018 is between the first and the last year, and empty.
    assert counters(content) == (3, 0, 0, 3)
    names = (
        "siren",
        "exercice_diane",
        "arrete_bilan_diane",
        "ca",
        "performance",
        "nombre_mois",
        "nombre_etab_secondaire",
    )
    assert columns(content, *names) == [
        ("000000001", 2017, date(2017, 12, 31), None, None, None, None),
        ("000000001", 2018, None, None, None, None, None),
        ("000000001", 2019, date(2019, 12, 31), 12.0, 12.0, 12, 12),
    ]
    assert columns(content, "procedure_collective", "statut_juridique")[0] == (True, "SA")


def test_diane_refuses_what_lacks_columns(tmp_path: Path) -> None:
    header, row, _ = _diane((2019,)).split("\r\n")
    fewer = "\r\n".join(";".join(line.split(";")[1:]) for line in (header, row)) + "\r\n"
    content = read_source("diane", write(tmp_path, "d.csv", fewer, "utf-16"))
    assert counters(content) == (1, 1, 0, 0)
    assert content.report.first_rejected == ((1, "ligne invalide"),)
    missing = header.replace("Performance", "Prestance") + "\r\n" + row + "\r\n"
    fatal = read_source("diane", write(tmp_path, "d.csv", missing, "utf-16")).report
    assert fatal.fatal_errors == ("Colonne Performance % non trouvée. Abandon.",)


def _workbook(path: Path, rows: list[list[Any]], sheets: int = 1) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for _ in range(sheets - 1):
        book.create_sheet()
    book.save(path)
    return path


def test_ellisphere(tmp_path: Path) -> None:
    row = ["G1", "M", "111111111", "R1", "TÊTE", "1 rue", None, None, None, 2, 51.5, None, "F1", "M", "222222222", "R2"]
    rows: list[list[Any]] = [["colonne"] * 16, row, [*row[:9], "deux", *row[10:]], [*row[:14], 1234, None], row[:12]]
    content = read_source("ellisphere", _workbook(tmp_path / "e.xlsx", rows))
    assert counters(content) == (4, 3, 0, 1)
    assert columns(content, "siren", "siren_groupe", "niveau_detention", "part_financiere", "refid_filiere") == [
        ("222222222", "111111111", 2, 51.5, "R2")
    ]
    two = read_source("ellisphere", _workbook(tmp_path / "deux.xlsx", rows, sheets=2)).report
    assert "2 feuilles" in two.fatal_errors[0]
    no_book = tmp_path / "faux.xlsx"
    no_book.write_bytes(b"PK\x03\x04 rien")
    assert read_source("ellisphere", no_book).report.is_fatal


def test_paydex(tmp_path: Path) -> None:
    content = read_text(
        tmp_path,
        "paydex",
        lines("SIREN;NB_JOURS;NB_JOURS_LIB;DATE_VALEUR", "000000001;2;2 jours;15/12/2018", "000000001;2;;1/1/2018"),
    )
    assert counters(content) == (2, 1, 0, 1)
    assert columns(content, "date_valeur", "nb_jours") == [(date(2018, 12, 15), 2)]


def test_reporder_has_no_header(tmp_path: Path) -> None:
    content = read_text(tmp_path, "reporder", f"{SIRET},2014-01-01,0.25\n{SIRET},2014-1-1,0.5\n{SIRET},2014-01-01\n")
    assert counters(content) == (3, 2, 0, 1)
    assert columns(content, "periode", "random_order") == [(date(2014, 1, 1), 0.25)]
    assert [line for line, _ in content.report.first_rejected] == [2, 3]


@pytest.mark.shared
def test_ratios_inpi(shared: Path) -> None:
    content = read_source("ratios_inpi", shared / "data" / "signaux_faibles" / "ratios_inpi_bce_6_lignes.csv")
    assert counters(content) == (6, 0, 0, 6)
    assert columns(content, "siren", "chiffre_d_affaires", "ebe", "couverture_des_interets", "confidentialite")[
        2:4
    ] == [
        ("493287510", 0.0, 0.0, None, "Partiellement confidentiel"),
        ("493287734", 47394.0, 26046.0, 85.414, "Public"),
    ]


@pytest.mark.parametrize("type_", sorted(set(sources()) - {"ellisphere", "reporder", "diane", "admin_urssaf"}))
def test_a_column_that_is_missing_stops_the_file(tmp_path: Path, type_: str) -> None:
    source = source_named(type_)
    required = [column.name for column in source.columns if column.required]
    names = [*required[1:], "Siret"] if source.compte else required[1:]
    names = names or ["autre"]
    report = read_text(tmp_path, type_, source.delimiter.join(names) + "\n").report
    missing = required[0]
    if source.compte and source.compte[0] == missing.lower():
        assert not report.is_fatal
    else:
        assert report.journal()["headFatal"] == [f"Fatal: Colonne {missing} non trouvée. Abandon."]
