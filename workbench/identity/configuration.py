"""What is configured of identity; nothing configured means nobody is asked who she is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from platformdirs import user_data_path

from workbench.config.reading import read_values
from workbench.identity.actor import badge_path
from workbench.identity.tokens import TokenRules

__all__ = ["IdentitySettings", "identity_settings"]


@dataclass(frozen=True)
class IdentitySettings:
    """The settings of identity.

    Parameters
    ----------
    issuer
        Address of the OpenID Connect issuer, empty for none (``WORKBENCH_ISSUER``).
    audience
        Whom access tokens must be for (``WORKBENCH_AUDIENCE``).
    client
        Identifier of the dashboards at the issuer (``WORKBENCH_CLIENT``).
    client_secret
        Its secret, empty for a public client (``WORKBENCH_CLIENT_SECRET``); never printed.
    algorithms
        Algorithms of the issuer's signatures, separated by commas (``WORKBENCH_ALGORITHMS``).
    badges
        Claim that holds the badges, empty for ``resource_access.<audience>.roles`` (``WORKBENCH_BADGES``).
    unverified_email
        Accept e-mails that the issuer has not verified: ``1`` (``WORKBENCH_UNVERIFIED_EMAIL``).
    public_url
        Address that people know the dashboards by, when a proxy stands before them (``WORKBENCH_PUBLIC_URL``).
    folder
        Folder of the embedded issuer's signing keys (``WORKBENCH_IDENTITE``).
    """

    issuer: str
    audience: str
    client: str
    algorithms: tuple[str, ...]
    badges: str
    unverified_email: bool
    public_url: str
    folder: Path
    client_secret: str = field(default="", repr=False)

    def rules(self, *, identity_token: bool = False) -> TokenRules:
        """Return what tokens must be.

        Raises
        ------
        WorkbenchError
            ``identite_reglage``.
        """
        return TokenRules(
            issuer=self.issuer,
            audience=self.client if identity_token else self.audience,
            algorithms=self.algorithms,
            badges_at=badge_path(self.badges) if self.badges else (),
            identity_token=identity_token,
            unverified_email=self.unverified_email,
        )

    def with_issuer(self, issuer: str) -> IdentitySettings:
        """Return the same settings with another issuer."""
        return replace(self, issuer=issuer)


def identity_settings() -> IdentitySettings:
    """Read the settings.

    Examples
    --------
    >>> identity_settings().audience
    'workbench'
    """
    text = read_values().text
    algorithms = text("WORKBENCH_ALGORITHMS") or "RS256"
    return IdentitySettings(
        issuer=text("WORKBENCH_ISSUER"),
        audience=text("WORKBENCH_AUDIENCE") or "workbench",
        client=text("WORKBENCH_CLIENT") or "tableaux",
        client_secret=text("WORKBENCH_CLIENT_SECRET"),
        algorithms=tuple(each.strip() for each in algorithms.split(",")),
        badges=text("WORKBENCH_BADGES"),
        unverified_email=text("WORKBENCH_UNVERIFIED_EMAIL") == "1",
        public_url=text("WORKBENCH_PUBLIC_URL").rstrip("/"),
        folder=Path(text("WORKBENCH_IDENTITE") or user_data_path("workbench") / "identite"),
    )
