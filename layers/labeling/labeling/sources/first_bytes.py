"""What kind of file it is, by how it begins."""

import re
from collections.abc import Mapping


def kind_of(begin: bytes, signatures: Mapping[str, bytes]) -> str | None:
    """The first kind whose pattern fits a file's beginning, whatever its letters' case; ``None`` if none does."""
    found = (kind for kind, pattern in signatures.items() if re.match(pattern, begin, re.DOTALL | re.IGNORECASE))
    return next(found, None)


def shown(begin: bytes) -> str:
    """A file's first bytes for a message."""
    return repr(begin[:16]) if begin else "nothing"
