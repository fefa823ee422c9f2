"""The token of a program that runs for hours: a file that is read again at each request, and renewed when it can be.

The file holds an access token and nothing else, kept fresh by whoever writes it; or what the issuer's token endpoint
answered (``access_token``, ``refresh_token``), which is then renewed here and written back.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.identity.configuration import identity_settings
from workbench.identity.kernel_token import TOKEN_FILE, kernel_token, write_token
from workbench.identity.relying import RelyingParty, Tokens

__all__ = ["TokenFile", "upload_token"]

EARLY_SECONDS = 60


class TokenFile:
    r"""Gives the access token of a file.

    Parameters
    ----------
    path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "jeton"
    >>> written = path.write_text("abc.def.ghi\n")
    >>> TokenFile(path)()
    'abc.def.ghi'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tokens: Tokens | None = None

    def __call__(self) -> str:
        """Return a token that is good now.

        Raises
        ------
        WorkbenchError
            ``jeton_fichier``; what the issuer says when it refuses to renew.
        """
        try:
            text = self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WorkbenchError("jeton_fichier", fichier=self.path, cause="il ne se lit pas") from error
        if not text.startswith("{"):
            if not text:
                raise WorkbenchError("jeton_fichier", fichier=self.path, cause="il est vide")
            return text
        try:
            content = json.loads(text)
            access = content["access_token"]
            if not isinstance(access, str):
                raise TypeError("access_token")  # noqa: TRY301
        except (ValueError, KeyError, TypeError) as error:
            raise WorkbenchError("jeton_fichier", fichier=self.path, cause="il n'a pas d'access_token") from error
        return self._fresh(content) if "refresh_token" in content else access

    def _fresh(self, content: dict[str, Any]) -> str:
        issuer = RelyingParty(identity_settings())
        access: str = content["access_token"]
        try:
            actor = issuer.verifier.verify(access)
            if actor.expires_at.timestamp() - time.time() > EARLY_SECONDS:
                return access
        except WorkbenchError as error:
            if error.code != "jeton_expire":
                raise
        answer = issuer.renew(str(content["refresh_token"]))
        write_token(self.path, json.dumps({**content, **answer}))
        return str(answer["access_token"])


def upload_token(path: Path | None) -> TokenFile:
    """Return where the token of an upload comes from: a file that is named, or the one of this kernel.

    Raises
    ------
    WorkbenchError
        ``envoi_sans_jeton``.
    """
    if path is not None:
        return TokenFile(path)
    try:
        kernel_token()
    except WorkbenchError as error:
        raise WorkbenchError("envoi_sans_jeton") from error
    return TokenFile(Path(os.environ[TOKEN_FILE]))
