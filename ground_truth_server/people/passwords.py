"""Passwords: hashed with argon2id, and never told from one another by the time it takes."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
_LONGEST = 256
_hasher = PasswordHasher()  # RFC 9106's second choice: 64 MiB, three passes
_NOBODYS = _hasher.hash("nobody has this password")


def hash_password(password: str) -> str:
    """Hash a password for keeping."""
    return _hasher.hash(_bytes(password))


def is_password(password: str, kept: str | None) -> bool:
    """Tell whether a password is the one that was kept; without one it takes as long and isn't."""
    try:
        _hasher.verify(kept or _NOBODYS, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def problem_of(password: str, name: str) -> str:
    """Tell what is wrong with a new password; nothing if it can be taken. See NIST SP 800-63B, section 5.1.1.2."""
    if len(password) < SHORTEST:
        return f"The password has {len(password)} characters; expected {SHORTEST} or more. A few words are fine."
    if len(password) > _LONGEST:
        return f"The password has {len(password)} characters; expected at most {_LONGEST}."
    if len(set(password)) < 5 or name.casefold() in password.casefold():
        return "This password is easy to guess; expected one without your name, of more than a few characters."
    return ""


def _bytes(password: str) -> bytes:
    return password[: 4 * _LONGEST].encode("utf-8", "surrogatepass")
