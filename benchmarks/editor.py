"""From keystroke to diagnostics: a formule of 1 000 characters in a trame of 500 indicateurs, as an editor asks.

    python benchmarks/editor.py [--plan ../shared/data/plans_de_comptes]

Each keystroke changes the text, so nothing is answered from memory; the trame does not change. Aim: 50 ms.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import workbench as wb
from workbench.plans import Compte, PlanComptes
from workbench.trames.formule_view import look_at_formule

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


if __name__ == "__main__":
    main()
