"""An OpenID Connect provider, as a server is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

_SCOPE = "openid profile email"


@dataclass(frozen=True)
class OidcSettings:
    """A provider, and what this server is to it.

    Attributes:
        issuer: Its name, an ``https`` URL, below which ``/.well-known/openid-configuration`` describes it.
        client_id: What it knows this server by.
        client_secret: What this server shows that it is; empty for a public client.
        groups_claim: The claim that lists a person's groups.
        admin_group: The group whose members are admins.
        owner_group: The group whose members may have labeling jobs.
        endpoints: URLs by the names that the description has for them, which would else be read there.
        scope: What is asked for.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    groups_claim: str = "groups"
    admin_group: str = ""
    owner_group: str = ""
    endpoints: Sequence[tuple[str, str]] = ()
    scope: str = _SCOPE
