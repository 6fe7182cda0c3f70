"""How people sign in to a server."""

from dataclasses import dataclass
from typing import Literal

from ground_truth_server.people.oidc_settings import OidcSettings

WayToSignIn = Literal["names", "accounts", "oidc"]
WAYS: tuple[WayToSignIn, ...] = ("names", "accounts", "oidc")
"""By name alone, on one machine; to accounts of this server; at an OpenID Connect provider."""


@dataclass(frozen=True)
class PeopleSettings:
    """How people sign in.

    Attributes:
        way: The way.
        oidc: The provider, of the way ``oidc``.
    """

    way: WayToSignIn = "names"
    oidc: OidcSettings | None = None
