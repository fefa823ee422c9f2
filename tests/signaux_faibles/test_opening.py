"""Files as they come: encodings, compression, quotes, and the two readers held to each other."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partner_files import columns, counters, lines, read_text, write

from workbench.engines import scratch_writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.opening import open_file
from workbench.signaux_faibles.reading import Dates, parsed_files, read_source
from workbench.signaux_faibles.records import LONGEST, records
from workbench.signaux_faibles.reshaping import as_they_are
from workbench.signaux_faibles.sources import source_named
from workbench.signaux_faibles.splicing import Shape, spliced

PAYDEX = "SIREN;NB_JOURS;NB_JOURS_LIB;DATE_VALEUR"
BDF = "D1;ANNEE;ARRETE_BILAN;DENOM;SECTEUR;POIDS_FRNG;TX_MARGE;DELAI_FRS;POIDS_DFISC_SOC;POIDS_FIN_CT;POIDS_FRAIS_FIN"
GOOD = "000000001;2;deux;15/12/2018"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("name", ["bdf.csv", "bdf.csv.gz"])
def test_encodings(tmp_path: Path, encoding: str, name: str) -> None:
    text = lines(BDF, "000111222;2012;31DEC2012;SOCIÉTÉ;Énergie;;;;;;").replace("\n", "\r\n")
    content = read_source("bdf", write(tmp_path, name, text, encoding))
    assert columns(content, "denomination_bdf", "secteur") == [("SOCIÉTÉ", "Énergie")]
    assert counters(content) == (1, 0, 0, 1)


def test_gzip_is_told_by_the_name_the_mark_or_the_content(tmp_path: Path) -> None:
    text = lines(PAYDEX, GOOD)
    path = write(tmp_path, "paydex.csv.gz", text)
    bare = tmp_path / "paydex.bin"
    bare.write_bytes(path.read_bytes())
    for each in (path, f"gzip:{path}", bare, f"gzip:{bare}"):
        assert counters(read_source("paydex", each)) == (1, 0, 0, 1)
    two = tmp_path / "deux.csv.gz"
    two.write_bytes(gzip.compress(text.encode()) + gzip.compress((GOOD + "\n").encode()))
    assert counters(read_source("paydex", two)) == (2, 0, 0, 2)


def test_what_cannot_be_read_is_fatal(tmp_path: Path) -> None:
    whole = gzip.compress(lines(PAYDEX, *[GOOD] * 50).encode())
    contents = {
        "vide.csv": b"",
        "coupe.csv.gz": whole[:-9],
        "abime.csv.gz": whole[:20] + b"\0\0\0" + whole[23:],
        "faux.csv.gz": b"SIREN;NB_JOURS",
        "blanc.csv": b"\n\n",
        "binaire.csv": bytes(range(256)) * 4,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        report = read_source("paydex", tmp_path / name).report
        assert report.is_fatal, name
        assert (report.lines_parsed, report.lines_valid, report.tuples) == (0, 0, 0), name
    assert read_source("paydex", tmp_path / "absent.csv").report.is_fatal
    with pytest.raises(WorkbenchError, match="interim"):
        read_source("interim", tmp_path / "vide.csv")


def test_a_plain_file_goes_to_the_engine_as_it_is(tmp_path: Path) -> None:
    source = source_named("paydex")
    plain = (f"{PAYDEX}\n{GOOD}", lines(PAYDEX, GOOD, '000000001;2;"de;ux";15/12/2018'), lines(PAYDEX))
    odd = (lines(PAYDEX, GOOD + ";"), lines(PAYDEX, GOOD, "", GOOD), lines(PAYDEX, 'a;b"c;d;e'), lines(PAYDEX, "a;b"))
    wild = (lines("seule"), lines(PAYDEX, GOOD).replace("2018\n", "2018\r\n"), lines(PAYDEX, "a;\rb;c;d"))
    for number, text in enumerate((*plain, *odd, *wild)):
        path = write(tmp_path, f"{number}.csv", text)
        opened = open_file(path, source, tmp_path)
        assert (opened.file.path == path, opened.numbered) == (text in plain, text in wild), text


def test_header_cells_are_found_whatever_their_case_and_place(tmp_path: Path) -> None:
    content = read_text(tmp_path, "paydex", lines("date_valeur;autre;Siren; NB_JOURS ", "15/12/2018;x;000000001;2"))
    assert columns(content, "siren", "nb_jours") == [("000000001", 2)]
    double = read_text(tmp_path, "paydex", lines(PAYDEX + ";siren", GOOD + ";000000002"))
    assert double.report.is_fatal


def test_nothing_is_left_of_a_reading(tmp_path: Path) -> None:
    work = tmp_path / "travail"
    work.mkdir()
    path = write(tmp_path, "paydex.csv", lines(PAYDEX, GOOD, "a;b"))
    blank = write(tmp_path, "blanc.csv", lines(PAYDEX, GOOD, "", GOOD))
    with scratch_writer(work) as writer:
        before = {each.name for each in work.iterdir()}
        for parsed in parsed_files(writer, {"paydex": [path, blank]}, Dates(), None, work):
            assert parsed.rejected is not None
            assert writer.fetch(parsed.rejected).num_rows == parsed.report.lines_rejected
            assert parsed.report.start <= parsed.report.date
        assert {each.name for each in work.iterdir()} == before
        assert not [name for name in writer.tables() if not name.startswith("source_")]


def test_identifiers_that_deserve_a_look_are_counted(tmp_path: Path) -> None:
    header = "Siret;Compte;periode;enc_direct;cotis_due"
    # 732829320 has the right check digit.
    text = lines(header, "73282932000074;1;201711;1;1", "73282932050074;1;201711;1;1", "73282932090074;1;201711;1;1")
    report = read_text(tmp_path, "cotisation", text + "11111111100011;1;201711;1;1\n").report
    assert (report.temporary_sirets, report.wrong_check_digits) == (2, 1)
    assert "provisoire" in str(report)
    skipped = read_text(tmp_path, "cotisation", text, temporary=False)
    assert counters(skipped) == (3, 0, 2, 1)
    assert skipped.report.wrong_check_digits == 0


def test_quotes_strict_and_lenient() -> None:
    text = ['a;b"c;d\n', '"e;f";g\n', '"h""i";j\n', 'k;"l"m\n', '"n\n', 'o";p\n', 'q;"r\n']
    strict = list(records(text, ";", lenient=False))
    assert [each.cells for each in strict] == [None, ["e;f", "g"], ['h"i', "j"], None, ["n\no", "p"], None]
    assert [each.number for each in strict] == [1, 2, 3, 4, 5, 6]
    lenient = [each.cells for each in records(text, ";", lenient=True)]
    assert lenient[:2] == [["a", 'b"c', "d"], ["e;f", "g"]]
    # A quote that ends nothing goes on being one of the cell, here to the next line.
    assert lenient[3] == ["k", 'l"m\n"n\no', "p"]


@pytest.mark.parametrize("lenient", [True, False])
def test_a_stray_quote_does_not_swallow_the_file(lenient: bool) -> None:
    rest = [f"{number};x\n" for number in range(LONGEST * 3)]
    found = list(records(['a;"b\n', *rest], ";", lenient=lenient))
    assert found[0].cells is None
    assert [each.cells for each in found[1:]] == [[str(number), "x"] for number in range(LONGEST * 3)]


def test_several_threads_number_the_lines_as_one_does(tmp_path: Path) -> None:
    """A file that is cut for several threads: its refused lines have their numbers, those that are no records too."""
    number, long = 12_000, "x" * 1_500
    body = [f"{1 + place % 5:09};{place};{long};15/12/2018" for place in range(1, number + 1)]
    wrong = range(7, number, 997)
    for place in wrong:
        body[place - 1] = f"000000001;{place};{long};hier"
    body[5_000] = "a;b"
    body[9_000] = f'000000001;1;"de;ux" {long};15/12/2018'
    for name in ("paydex.csv", "paydex.csv.gz"):
        content = read_source("paydex", write(tmp_path, name, lines(PAYDEX, *body)), perimetre=["000000001"])
        assert content.rejected["ligne"].to_pylist() == sorted([*wrong, 5_001, 9_001])
        assert counters(content)[:2] == (number, len(wrong) + 2)
        days = content.tuples["nb_jours"].to_pylist()
        assert days == [
            place for place in range(5, number + 1, 5) if place not in wrong and place not in {5_001, 9_001}
        ]


odd_texts = st.lists(st.text(st.sampled_from('ab;"é'), max_size=7), max_size=40)


@given(body=odd_texts, lenient=st.booleans(), returned=st.booleans(), size=st.integers(1, 60))
@settings(max_examples=150)
def test_a_splice_is_what_the_careful_reader_reads(body: list[str], lenient: bool, returned: bool, size: int) -> None:
    text = lines("a;b", *body).replace("\n", "\r\n" if returned else "\n")
    bare = [f"{line}\n" for line in text.split("\n")[:-1]]
    read = records(bare, ";", lenient=lenient)
    expected = list(as_they_are(read, 2, 1, padded=False))
    content, good, bad = text.encode(), io.BytesIO(), io.StringIO()
    blocks = [content[place : place + size] for place in range(0, len(content), size)]
    source = replace(source_named("paydex"), lenient=lenient)
    found = spliced(blocks, Shape(b";", b"a;b"), source, good, bad)
    copied = list(csv.reader(io.StringIO(good.getvalue().decode(), newline=""), delimiter=";"))
    assert copied == [["", ""] if row is None else row for _, row, _, _ in expected]
    refused = list(csv.reader(io.StringIO(bad.getvalue()), delimiter=";"))
    assert refused == [[str(number), raw, reason] for number, row, raw, reason in expected if row is None]
    assert found.refused == len(refused)


cells = st.text(st.sampled_from('ab;" \n,é'), max_size=6)


@given(rows=st.lists(st.lists(cells, min_size=2, max_size=2).filter(any), max_size=6), lenient=st.booleans())
@settings(max_examples=60)
def test_what_a_program_writes_is_read_back(rows: list[list[str]], lenient: bool) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=";", lineterminator="\n").writerows(rows)
    found = list(records(_lines(stream), ";", lenient=lenient))
    assert [each.cells for each in found] == rows


def _lines(stream: io.StringIO) -> list[str]:
    return [f"{line}\n" for line in stream.getvalue().split("\n")[:-1]]


names = st.text(st.sampled_from('AB;" é'), max_size=5)


@given(rows=st.lists(st.tuples(names, st.sampled_from(["1", "x", ""])), min_size=1, max_size=4), odd=st.integers(0, 4))
@settings(max_examples=6)
def test_both_readers_agree(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], odd: int) -> None:
    """One line that is no record sends the file to the careful reader, and changes nothing of the others."""
    folder = tmp_path_factory.mktemp("deux")
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", lineterminator="\n")
    writer.writerows(["000000001", days, name, "15/12/2018"] for name, days in rows)
    body = stream.getvalue().splitlines()
    place = min(odd, len(body))
    plain = read_text(folder, "paydex", lines(PAYDEX, *body))
    careful = read_text(folder, "paydex", lines(PAYDEX, *body[:place], "a;b", *body[place:]))
    assert careful.tuples == plain.tuples
    assert careful.report.lines_rejected == plain.report.lines_rejected + 1
    shifted = [line + (line > place) for line in plain.rejected["ligne"].to_pylist()]
    assert sorted([*shifted, place + 1]) == careful.rejected["ligne"].to_pylist()


def test_lines_too_short_and_too_long_do_not_make_up_for_each_other(tmp_path: Path) -> None:
    text = lines(PAYDEX, "000000001;2;15/12/2018", "000000001;2;;;15/12/2018", GOOD, '000000001;3;"a;b";15/12/2018')
    content = read_text(tmp_path, "paydex", text)
    assert counters(content) == (4, 2, 0, 2)
    assert columns(content, "nb_jours") == [(2,), (3,)]
    assert content.rejected["ligne"].to_pylist() == [1, 2]
