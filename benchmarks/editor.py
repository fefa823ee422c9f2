"""From keystroke to diagnostics, and to the value: a formule of 1 000 characters in a trame of 500 indicateurs.

    python benchmarks/editor.py [--plan ../shared/data/plans_de_comptes] [--base base.duckdb]

Each keystroke changes the text, so nothing is answered from memory; the trame does not change. Aims: 50 ms for
diagnostics, 200 ms for the value. The value is measured on a base: by default, that of the demonstration, made here.
Message: from what the browser sends to what it is answered, as JSON, without the wire.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import workbench as wb
from workbench.plans import Compte, PlanComptes
from workbench.trames.formule_view import look_at_formule
from workbench.widgets.formule_draft import FormuleDraft
from workbench.widgets.formule_editing import FormuleEditor

KEYSTROKES = 60


def formule(length: int) -> str:
    """A sum of comptes and indicateurs of about this many characters, with one type d'appel a term."""
    parts, rank = ["C70[TA:BX]"], 0
    while len("".join(parts)) < length:
        rank += 1
        parts.append(f"+C{700 + rank % 99}-D{600 + rank % 99}[TA:BR]" if rank % 3 else f"-A_{rank % 400:03d}/2")
    return "".join(parts)[: length - 10].rpartition("+")[0]


def timed(act: Callable[[int], object]) -> str:
    spent = []
    for rank in range(KEYSTROKES):
        start = time.perf_counter()
        act(rank)
        spent.append((time.perf_counter() - start) * 1000)
    ordered = sorted(spent)
    return f"median {statistics.median(spent):6.1f} ms   95 % {ordered[int(len(ordered) * 0.95)]:6.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plan", help="charts of accounts; by default an invented one of 3 000 comptes")
    parser.add_argument("--base", help="a base; by default that of the demonstration, made in a folder of its own")
    options = parser.parse_args()
    if options.plan:
        plan = wb.plan_comptes("M57", path=options.plan)
    else:
        plan = PlanComptes("M57", 2024, tuple(Compte(str(each), f"Compte {each}") for each in range(1000, 4000)))
    formules = {f"A_{rank:03d}": f"C{700 + rank % 99}-D{600 + rank % 99}[TA:BX]" for rank in range(400)}
    formules |= {f"B_{rank:03d}": f"A_{rank:03d}+A_{(rank * 7) % 400:03d}/$POP" for rank in range(100)}
    trame = wb.trame_from_formules(formules, "M57")
    known = {one.code: one.texte for one in trame.indicateurs}
    text = formule(1000)
    print(f"{len(text)} characters, {len(trame)} indicateurs, {len(plan)} comptes")
    wrong = text.replace("A_003", "A_0O3", 1)
    wb.check_formule("C70[TA:BX]")  # the grammar is built by the first formule, once
    print("diagnostics, right    ", timed(lambda rank: wb.check_formule(f"{text}+{rank}", known, name="C_NEW")))
    print("diagnostics, mistakes ", timed(lambda rank: wb.check_formule(f"{wrong}+C{rank}[TA:", known, name="C_NEW")))
    print("view with fixes       ", timed(lambda rank: look_at_formule(f"{wrong}+C{rank}", code="C_NEW", trame=trame)))
    print(
        "completion, compte    ",
        timed(lambda rank: wb.complete_formule(f"{text}+C{rank % 9}", trame=trame, comptes=plan)),
    )
    print("completion, word      ", timed(lambda _: wb.complete_formule(f"{text}+vent", trame=trame, comptes=plan)))
    with tempfile.TemporaryDirectory() as folder, wb.connect(options.base or demonstration(Path(folder))) as base:
        live(base, trame, plan, text)


def demonstration(folder: Path) -> str:
    """Make the demonstration base."""
    from workbench.dgfip import write_demonstration

    written = write_demonstration(folder / "sources")
    path = str(folder / "base.duckdb")
    with wb.connect(path, read_only=False) as base:
        wb.import_balances(base, written.balances)
        wb.import_population(base, written.population)
        wb.import_comptes(base, written.comptes)
    return path


def live(base: wb.Base, trame: wb.Trame, plan: PlanComptes, text: str) -> None:
    """Measure values on three collectivités, six exercices, and messages as a widget answers them."""
    sirets = [str(each) for each in wb.find_collectivites(base, nomenclature="M57", limit=3)["siret"]]
    draft = FormuleDraft(text, code="C_NEW", trame=trame, base=base, plans=plan)
    start = time.perf_counter()
    for siret in sirets:
        draft.add_collectivite(siret)
    opened = (time.perf_counter() - start) * 1000
    print(f"accounts read, once      {opened / len(sirets):6.1f} ms a collectivité")

    def value(rank: int, written: str) -> None:
        draft.write(f"{written}+{rank}")
        draft.values()

    def why(rank: int) -> None:
        draft.write(f"{text}+{rank}")
        draft.explanation()

    print("value, short formule  ", timed(lambda rank: value(rank, "C70-D709[TA:BR]/$POP")))
    print("value, 1 000 signs    ", timed(lambda rank: value(rank, text)))
    print("explanation           ", timed(why))
    editor = FormuleEditor(draft)
    answers: list[str] = []

    def sent(content: Any, buffers: Any = None) -> None:  # noqa: ARG001
        answers.append(json.dumps(content))

    editor.widget.send = sent

    def keystroke(rank: int) -> None:
        editor._on_message({"kind": "text", "text": f"{text}+{rank}", "serial": rank})

    def rest(rank: int) -> None:
        keystroke(rank)
        editor._on_message({"kind": "look", "serial": rank})

    print("message, diagnostics  ", timed(keystroke))
    print("message, all the rest ", timed(rest))


if __name__ == "__main__":
    main()
