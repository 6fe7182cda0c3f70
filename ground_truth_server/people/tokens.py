"""What opens something and can't be guessed: sessions, invitations. The records know only their hashes."""

import hashlib
import secrets

_BYTES = 32


def new_token() -> str:
    """Make a token, fit for a link and a cookie."""
    return secrets.token_urlsafe(_BYTES)


def hash_of(token: str) -> str:
    """Give what is kept of a token, which can't be guessed, so that it needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
