"""Secrets that a workspace keeps: each a file that is made once and that only its owner can read."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

_BYTES = 32


def read_or_make(file: Path, make: Callable[[], str]) -> str:
    """Read a private file, or make it at the first start.

    Args:
        file: Where it stands; its folder is made if it is missing.
        make: Gives its text.

    Raises:
        UnicodeDecodeError: If the file is there and is no text.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        write_private(file, make())
    return file.read_text(encoding="utf-8")


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        file: Where; its folder is made if it is missing.
        text: What it holds.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    half_written = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    half_written.replace(file)


def links_secret(workspace: Path) -> bytes:
    """Give what a workspace's links to items' files are signed with, or make it at the first start.

    Args:
        workspace: Its folder; the secret stands in ``.ground-truth/links-secret``.

    Raises:
        RuntimeError: If the file is there and holds none.
    """
    file = workspace / ".ground-truth" / "links-secret"
    try:
        secret = bytes.fromhex(read_or_make(file, lambda: f"{secrets.token_hex(_BYTES)}\n"))
    except ValueError:  # no text, or no digits
        secret = b""
    if len(secret) != _BYTES:
        raise RuntimeError(
            f"{file} holds no secret for links; expected {2 * _BYTES} hexadecimal digits. Delete the file: the next "
            "start makes a new one, and open worker pages must be opened again."
        )
    return secret
