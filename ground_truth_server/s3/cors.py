"""Which pages may read a bucket: the bucket's own CORS rules, as S3 applies them.

See "How does Amazon S3 evaluate the CORS configuration on a bucket?" in the Amazon S3 User Guide.
"""

from collections.abc import Iterable, Sequence
from typing import Any

HEADERS = (
    *("access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers"),
    *("access-control-expose-headers", "access-control-max-age", "access-control-allow-credentials"),
)


def allowed(rules: Iterable[Any], origin: str, method: str, asked: Sequence[str]) -> list[tuple[str, str]] | None:
    """Give the headers with which S3 lets a page of an origin ask.

    Args:
        rules: The bucket's rules, as moto keeps them.
        origin: The page's origin; ``null`` for one of a sandboxed frame.
        method: What it asks with, or will ask with.
        asked: The headers that it will send, in small letters; of a preflight only.

    Returns:
        The headers, or ``None`` if no rule lets it.
    """
    for rule in rules:
        found = next((one for one in rule.allowed_origins or [] if _matches(one, origin)), None)
        names = [name.lower() for name in rule.allowed_headers or []]
        if (
            found is not None
            and method in (rule.allowed_methods or [])
            and all(any(_matches(name, header) for name in names) for header in asked)
        ):
            return _headers(rule, "*" if found == "*" else origin, asked)
    return None


def _headers(rule: Any, origin: str, asked: Sequence[str]) -> list[tuple[str, str]]:
    headers = [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
    headers.append(("Access-Control-Allow-Methods", ", ".join(rule.allowed_methods)))
    if asked:
        headers.append(("Access-Control-Allow-Headers", ", ".join(asked)))
    if rule.exposed_headers:
        headers.append(("Access-Control-Expose-Headers", ", ".join(rule.exposed_headers)))
    if rule.max_age_seconds:
        headers.append(("Access-Control-Max-Age", str(rule.max_age_seconds)))
    return headers


def _matches(pattern: str, text: str) -> bool:
    """Compare with a pattern that may hold one ``*``."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after)
