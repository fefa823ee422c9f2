"""Who asks, with which badges: tokens verified, an issuer for a machine that has none, doors for the services."""

from workbench.identity.actor import Actor
from workbench.identity.keys import IssuerKeys
from workbench.identity.tokens import TokenRules, TokenVerifier

__all__ = ["Actor", "IssuerKeys", "TokenRules", "TokenVerifier"]
