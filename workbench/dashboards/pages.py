"""The pages that the server writes itself: templates whose every value is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

__all__ = ["page"]

_HERE = Path(__file__).parent
# Voila's own environment escapes nothing.
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader([_HERE / "share" / "voila" / "templates" / "workbench", _HERE / "static"]),
    autoescape=True,
    trim_blocks=True,
)


def page(name: str, **values: Any) -> str:
    """Write a page.

    Examples
    --------
    >>> "&lt;b&gt;" in page("session.html", base_url="/", text="<b>")
    True
    """
    return _PAGES.get_template(name).render(**values)
