"""How a server is reached: on which address, under which names, and who puts TLS before it."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ground_truth_server.edge.loopback import HOST


@dataclass(frozen=True)
class Network:
    """Where a server listens, and how browsers name it.

    Attributes:
        address: The address that it listens on.
        url: The origin by which browsers reach the portal, such as ``https://label.example.com``; empty on loopback.
        pages_url: The same of the worker pages, another origin.
        s3_url: The same of the embedded S3, where clients elsewhere use it; empty if none does.
        certificate: The files, in PEM, of a certificate and its key, for TLS of its own.
        behind_proxy: Whether a proxy before it speaks TLS; then the last address in ``X-Forwarded-For`` is taken for
            the client's, and no other header of a proxy is.
    """

    address: str = HOST
    url: str = ""
    pages_url: str = ""
    s3_url: str = ""
    certificate: tuple[Path, Path] | None = None
    behind_proxy: bool = False

    @property
    def is_local(self) -> bool:
        """Whether nobody reaches it but who is on this machine."""
        return not self.url and is_loopback(self.address)

    def check(self, *, signs_in: bool) -> None:
        """Refuse to be on a network without sign-in and TLS.

        Args:
            signs_in: Whether people sign in by more than a name.

        Raises:
            ValueError: If something is missing, or the names don't fit.
        """
        if self.is_local:
            return
        where = f"--listen {self.address}" if not is_loopback(self.address) else f"--url {self.url}"
        if not signs_in:
            raise ValueError(
                f"{where} is a network's address, on which a name is no sign-in: add --people accounts or --people "
                "oidc, or leave the address out to stay on this machine"
            )
        if (self.certificate is None) == (not self.behind_proxy):
            raise ValueError(
                f"{where} needs TLS: give --certificate FILE and --certificate-key FILE, or --behind-proxy if a proxy "
                "before it speaks TLS; not both"
            )
        for option, url in (("--url", self.url), ("--pages-url", self.pages_url)):
            check_origin(option, url)
        if _name(self.url) == _name(self.pages_url):
            raise ValueError(
                f"--url {self.url} and --pages-url {self.pages_url} must be two origins, so that a worker page can't "
                "touch the portal: give one of them another name or port"
            )
        if self.s3_url:
            check_origin("--s3-url", self.s3_url)
            if not self.behind_proxy:
                raise ValueError("--s3-url needs --behind-proxy: the embedded S3 has no TLS of its own")


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own and no network's."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def check_origin(option: str, url: str) -> None:
    """Refuse what is no https origin.

    Args:
        option: The option that it was given by, as the error names it.
        url: What was given.

    Raises:
        ValueError: If it is none.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.username:
        raise ValueError(f"{option}: found {url!r}, expected the https origin that browsers use: https://NAME[:PORT]")


def _name(url: str) -> str:
    return urlsplit(url).netloc.lower()
