"""Which crowd elements a template uses that nobody here implements, so that its answers would lack them."""

import re
from collections.abc import Sequence

from ground_truth_server.pages import crowd

_USED = re.compile(r"<(crowd-[a-z0-9-]+)", re.IGNORECASE)
_DEFINED = re.compile(r"""define\(\s*["'](crowd-[a-z0-9-]+)["']""")
_PLACEHOLDER = re.compile(r"""^ *"(crowd-[a-z0-9-]+)": "(.*)",$""", re.MULTILINE)
# Parts of other elements, which hold what they are given and define nothing of their own.
_PARTS = frozenset({"crowd-tab"})

PLACEHOLDERS = dict(_PLACEHOLDER.findall(crowd.SCRIPT))
"""Elements that only say that they can't be used here, and what they would do."""
IMPLEMENTED = (frozenset(_DEFINED.findall(crowd.SCRIPT)) | _PARTS) - frozenset(PLACEHOLDERS)
"""Elements that work."""


def unknown_elements(template: str) -> list[str]:
    """Name the crowd elements of a template whose answers would be missing, in alphabetical order."""
    return sorted({name.lower() for name in _USED.findall(template)} - IMPLEMENTED)


def lacking(elements: Sequence[str]) -> str:
    """Say to a job's owner that a page's answers would lack what these elements give."""
    named = ", ".join(f"<{element}>" for element in elements)
    return (
        f"The worker page uses {named}, which this server has no element for: pages with them can't be submitted. "
        "Start with --crowd-elements hosted to load AWS's own."
    )
