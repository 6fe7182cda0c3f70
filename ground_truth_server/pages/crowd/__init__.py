"""The crowd elements of worker pages, for the browser: small scripts, joined into the one that is served."""

from pathlib import Path

_HERE = Path(__file__).parent
# In this order: each defines what the next ones build on.
_PARTS = (
    "elements",
    "form",
    "fields",
    "choices",
    "classifiers",
    "buttons",
    "instructions",
    "surfaces",
    "loose_values",
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


def _joined() -> str:
    parts = "\n".join((_HERE / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();\n'


SCRIPT = _joined()
"""What a template's ``crowd-html-elements.js`` is answered with: every element, in one script."""

BRIDGE = (_HERE / "bridge.js").read_text(encoding="utf-8")
"""What carries a page's answer and keys to the portal; it stands first in each page."""
