"""Options that several commands share, declared once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from workbench.config import settings

__all__ = ["EXERCICES", "TRAME", "base_option", "exercices_option", "existing_file", "history_option", "say"]

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Exercices(click.ParamType[list[int]]):
    """Years: ``2019``, ``2016-2019`` or ``2016,2018-2020``."""

    name = "exercices"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        years: set[int] = set()
        for part in str(value).split(","):
            found = re.fullmatch(r"\s*(\d{4})\s*(?:-\s*(\d{4})\s*)?", part)
            if not found:
                self.fail(f"{value!r} : écrivez 2019, 2016-2019 ou 2016,2018-2020.", param, ctx)
            first, last = int(found[1]), int(found[2] or found[1])
            if first > last:
                self.fail(f"{part.strip()} : le premier exercice vient après le dernier.", param, ctx)
            years.update(range(first, last + 1))
        return sorted(years)


EXERCICES = _Exercices()


class _TrameFile(click.ParamType[Path]):
    """The file of a trame, or the code of one of the shared or private folder."""

    name = "trame"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        from workbench.trames import find_trame_file

        return existing_file.convert(find_trame_file(value), param, ctx)


TRAME = _TrameFile()

base_option = click.option(
    "--base",
    default=lambda: settings().base,
    show_default="WORKBENCH_BASE ou base.duckdb",
    help="Fichier ou adresse de la base comptable.",
)

history_option = click.option(
    "--base",
    default=lambda: settings().history,
    show_default="WORKBENCH_HISTORIQUE ou historique.duckdb",
    help="Fichier ou adresse de l'historique.",
)

exercices_option = click.option(
    "--exercices", type=EXERCICES, required=True, help="Exercices : 2019, 2016-2019 ou 2016,2018-2020."
)


def say(lines: str | Iterable[str]) -> None:
    """Tell a person something, on stderr: stdout is for data."""
    for line in [lines] if isinstance(lines, str) else lines:
        click.echo(line, err=True)
