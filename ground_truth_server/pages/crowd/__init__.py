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
    "classifiers",
    "buttons",
    "instructions",
    "surfaces",
    "labels",
    "palette",
    "picture",
    "picture_view",
    "picture_element",
    "shapes",
    "bounding_box",
    "polygon",
    "polyline",
    "line",
    "keypoint",
    "mask_png",
    "masks",
    "semantic_segmentation",
    "instance_segmentation",
    "drawing",
)

# What only people read: comments in lines of their own or behind a statement, and indentation, without which the
# elements' markup and styles mean the same.
_FOR_PEOPLE = re.compile(r"^ *(?:/\*\*(?:[^*]|\*(?!/))*\*/|//[^\n]*)\n|(?<=;) +// [^\n]*$|^ +|\n+(?=\n)", re.MULTILINE)
_STYLES = re.compile(r"(?<=css\(`)[^`]*(?=`\))")


def _joined() -> str:
    parts = "\n".join((_HERE / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)
    parts = _STYLES.sub(lambda found: _small_style(found[0]), _FOR_PEOPLE.sub("", parts))
    # A page may name two scripts of AWS's, which are both answered with this one: it runs once.
    once = 'if (customElements.get("crowd-form")) return;'
    return f'(() => {{\n"use strict";\n{once}\n{parts}\n}})();\n'


def _small_style(text: str) -> str:
    return re.sub(r":\s+", ":", re.sub(r"\s*([{};,])\s*", r"\1", " ".join(text.split())))


SCRIPT = _joined()
"""What a template's ``crowd-html-elements.js`` is answered with: every element, in one script of at most 250 kB."""

BRIDGE = (_HERE / "bridge.js").read_text(encoding="utf-8")
"""What carries a page's answer and keys to the portal; it stands first in each page."""
