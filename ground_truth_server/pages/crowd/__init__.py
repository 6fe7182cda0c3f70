"""The crowd elements of worker pages, for the browser: small scripts, joined into the one that is served."""

from pathlib import Path

import rjsmin

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
    "ready",
)


def _joined() -> str:
    parts = "\n".join((_HERE / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS)
    # A page may name two scripts of AWS's, which are both answered with this one: it runs once.
    once = 'if (customElements.get("crowd-form")) return;'
    return f'(() => {{\n"use strict";\n{once}\n{parts}\n}})();\n'


SCRIPT = _joined()
"""Every element, in one script."""

SERVED_SCRIPT = rjsmin.jsmin(SCRIPT)
"""What a template's ``crowd-html-elements.js`` is answered with: the same without comments and blanks."""

BRIDGE = (_HERE / "bridge.js").read_text(encoding="utf-8")
"""What carries a page's answer and keys to the portal; it stands first in each page."""
