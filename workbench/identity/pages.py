"""The few pages that identity shows to people, in French: login, logout, what went wrong."""

from __future__ import annotations

import secrets
from pathlib import Path

import jinja2

__all__ = ["render_page"]

_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "share"), autoescape=True, undefined=jinja2.StrictUndefined
)
_NAMES = {
    "kind": "",
    "field": "form_token",
    "form_token": "",
    "email": "",
    "problem": "",
    "message": "",
    "link": "",
    "link_text": "",
    "refresh": "",
}


def render_page(title: str, **values: str) -> tuple[str, dict[str, str]]:
    """Return a page and its headers.

    Parameters
    ----------
    title
        French.
    **values
        ``kind`` (``login``, ``logout`` or none), ``form_token`` and the ``field`` it is sent in, ``email``,
        ``problem``, ``message``, ``link`` and ``link_text``, ``refresh`` (an address to go on to).
    """
    nonce = secrets.token_urlsafe(16)
    content = _PAGES.get_template("page.html").render(title=title, style_nonce=nonce, **{**_NAMES, **values})
    # No form-action: browsers apply it to the redirection that follows, whose address is checked where it is made.
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        # With "no-referrer", browsers send their forms from the origin "null".
        "Referrer-Policy": "same-origin",
    }
    return content, headers
