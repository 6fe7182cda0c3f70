"""The crowd elements of worker pages, for the browser: small scripts, joined into the one that is served."""

import re
from pathlib import Path

_HERE = Path(__file__).parent
# In this order: each defines what the next ones build on.
_PARTS = (
    "elements",
    "form",
    "fields",
    "choices",
    "literals",
    "overlay",
    "classifiers",
    "buttons",
    "instructions",
    "surfaces",
    "marked_text",
    "entity_annotation",
    "generative",
    "text_ranking",
    "question_answer",
    "detections",
    "drawing",
)


# What only readers of the source need: comments of lines of their own, and indentation.
_UNSERVED = re.compile(r"^[ \t]*(?:(?:/\*\*.*?\*/[ \t]*\n|//[^\n]*\n|\n)[ \t]*)*", re.MULTILINE | re.DOTALL)


def _joined() -> str:
    parts = "\n".join((_HERE / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)
    parts = _UNSERVED.sub("", parts)
    # A page may name two scripts of AWS's, which are both answered with this one: it runs once.
    once = 'if (customElements.get("crowd-form")) return;'
    return f'(() => {{\n"use strict";\n{once}\n{parts}\n}})();\n'


SCRIPT = _joined()
"""What a template's ``crowd-html-elements.js`` is answered with: every element, in one script."""

BRIDGE = (_HERE / "bridge.js").read_text(encoding="utf-8")
"""What carries a page's answer and keys to the portal; it stands first in each page."""
