"""Worker pages: a job's template and one object's task input made into the page that a worker sees.

The page runs in a sandboxed frame of another origin than the portal, under
:func:`content_security_policy`, and talks with the portal by ``postMessage`` only. The script that does so,
``crowd/bridge.js``, stands first in each page. Messages are objects with a ``type``.

From the page to the portal, sent to :attr:`PageAssets.portal_origin` only:

``{"type": "ready", "categories": 7}``
    The page can be worked on; how many categories the digit keys choose from.
``{"type": "height", "px": 1240}``
    The document's height, sent again when it changes. A portal that gives the frame the window's remaining
    height instead keeps the categories and the submit button in sight.
``{"type": "answer", "answer": {…}}``
    The worker submitted. The answer is what Ground Truth would store as ``answerContent``. The page takes no
    second submission until it is told ``rejected``.
``{"type": "key", "key": "?", "shift": true, "ctrl": false, "alt": false, "meta": false}``
    A key pressed in the page that neither the page nor a field wanted, so that the portal's own keys work
    wherever the focus is.
``{"type": "incomplete", "elements": ["crowd-polygon"]}``
    The page holds elements whose answers would be missing: nothing can be submitted.
``{"type": "trouble", "text": "<crowd-polygon name='a'>: The picture could not be loaded: …"}``
    An element was given what it can't show as it is, which the worker sees and the job's owner is told.
``{"type": "entered"}``
    The worker chose or typed something, which would be gone with the page.
``{"type": "draft", "answer": {…}}``
    What the form would submit now, told whenever that has changed; only for this server's own ``crowd-form``.
``{"type": "decline"}``
    The template's script dispatched a ``crowd-decline`` event on ``document``.

From the portal to the page:

``{"type": "key", "key": "3"}``
    As if pressed in the page: 1–9 choose a category, Enter submits.
``{"type": "rejected", "message": "…"}``
    The answer could not be kept: the worker is told and may submit again.
``{"type": "restore", "answer": {…}}``
    Fill in what the worker had entered or answered before. A template that draws its own controls listens for
    ``crowd-restore`` on ``document``; the event's ``detail`` is the answer.
``{"type": "read-only"}``
    The item is to look at: fields take nothing and nothing is submitted. ``crowd-read-only`` on ``document``.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ground_truth_server.pages.ground_truth_liquid import LiquidProblem, MissingVariable, Presign, render_template
from ground_truth_server.pages.render_process import Rendering

SANDBOX = "allow-scripts allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox"
"""The ``sandbox`` of a worker page's frame: without ``allow-same-origin``, it has an origin of its own.

A tab that the page opens is free of it, since Chromium shows no PDF in a sandbox; it has an origin, as any link has.
"""

# Every repetition has a bound and ends at the next tag: a template can be ten megabytes of what almost fits.
_CROWD_SCRIPT = re.compile(
    r"""<script\b[^<>]{0,500}?\bsrc\s{0,20}=\s{0,20}["']?\s{0,20}(?:https?:)?//assets\.crowd\.aws/"""
    r"""(?:crowd-html-elements|gen-ai-components)[\w.-]{0,40}\.js(?:\?[^"'\s>]{0,200})?\s{0,20}["']?[^<>]{0,500}>\s{0,100}</script\s{0,20}>""",
    re.IGNORECASE,
)
_CROWD_ELEMENT = re.compile(r"<crowd-[a-z]", re.IGNORECASE)
# A page of plain fields that nothing submits gets the form of Ground Truth, and its button.
_FIELD = re.compile(r"<(?:input|select|textarea)\b[^<>]{0,500}\bname\s{0,20}=", re.IGNORECASE)
_SUBMITS = re.compile(
    r"""\btype\s{0,20}=\s{0,20}["']?(?:submit|image)\b"""
    r"""|<button\b(?![^<>]{0,500}\btype\s{0,20}=\s{0,20}["']?(?:button|reset))""",
    re.IGNORECASE,
)
_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)
_HEAD = re.compile(r"<head(?:\s[^<>]{0,1000})?>", re.IGNORECASE)
_TITLE = re.compile(r"<title[\s>]", re.IGNORECASE)
_LANGUAGE = re.compile(r"\slang\s*=", re.IGNORECASE)
_HTML = re.compile(r"<html(?:\s[^<>]{0,1000})?>", re.IGNORECASE)
_STYLE = re.compile(r"<style\b", re.IGNORECASE)
_COLOUR = re.compile(r"(?<![\w-])(?:background|background-color|color)\s{0,20}:", re.IGNORECASE)
_COLOURED = re.compile(
    r"""\bstyle\s{0,20}=\s{0,20}["'][^<"']{0,2000}?(?<![\w-])(?:background|background-color|color)\s{0,20}:"""
    r"""|<link\b[^<>]{0,1000}stylesheet|\bbgcolor\s{0,20}=""",
    re.IGNORECASE,
)
_KNOWS_DARK = re.compile(r"color-scheme|light-dark\(", re.IGNORECASE)


@dataclass(frozen=True)
class PageAssets:
    """What a rendered page loads and whom it talks to.

    Attributes:
        crowd_script: The URL where :data:`ground_truth_server.pages.crowd.SERVED_SCRIPT` is served, or None to leave
            the template's reference to AWS's own crowd elements (``--crowd-elements hosted``).
        bridge: The URL where :data:`ground_truth_server.pages.crowd.BRIDGE` is served.
        portal_origin: The origin of the page that holds the frame.
    """

    crowd_script: str | None = "/crowd/crowd-html-elements.js"
    bridge: str = "/crowd/bridge.js"
    portal_origin: str = "*"


@dataclass(frozen=True)
class RenderedPage:
    """A worker page and what is wrong with its template.

    Attributes:
        html: The whole document, ready to be served.
        errors: Liquid's errors. What each stands in is left out of the page.
        missing: The variables that the template shows and the task input lacks.
    """

    html: str
    errors: tuple[LiquidProblem, ...]
    missing: tuple[MissingVariable, ...]


def render(
    template: str,
    task_input: Mapping[str, Any],
    presign: Presign,
    assets: PageAssets | None = None,
    rendering: Rendering = render_template,
) -> RenderedPage:
    """Make the page that a worker sees for one data object.

    Args:
        template: The worker page's template: HTML with Liquid.
        task_input: What the pre-annotation function answered; ``task.input`` in the template.
        presign: Gives a readable URL for an S3 URI, for ``grant_read_access``.
        assets: The scripts to load and the portal to talk to.
        rendering: Runs the template's Liquid; in a process of its own where the template may be hostile.
    """
    rendered = rendering(template, task_input, presign)
    text = rendered.text
    if not text.strip() and rendered.errors:  # nothing of it could be shown: say so rather than show nothing
        text = f"<h1>This page can't be shown</h1><p>{html.escape(str(rendered.errors[0]))}</p>"
    return RenderedPage(_document(text, assets or PageAssets()), rendered.errors, rendered.missing)


def content_security_policy(
    *,
    assets_origin: str,
    portal_origin: str | None = None,
    storage_origins: Sequence[str] = (),
    connect: Sequence[str] = (),
) -> str:
    """The ``Content-Security-Policy`` header to serve a worker page with.

    Templates bring inline scripts and styles and may load others by https, as on the real service. They can't
    fetch from the portal, nobody else can frame them, and the sandbox holds even for a page opened by itself.

    Args:
        assets_origin: Where the crowd script and the bridge come from, as ``scheme://host:port``.
        portal_origin: The only origin that may frame the page; any page if not given.
        storage_origins: Where the links of ``grant_read_access`` point, and presigned ones that a page brings.
        connect: Further origins that a template's scripts may fetch from.
    """
    shown = ["data:", "blob:", "https:", *storage_origins]
    directives = {
        "default-src": ["'none'"],
        # A page may bring its scripts, styles and fonts in the bucket, by links of grant_read_access.
        "script-src": ["'unsafe-inline'", "'unsafe-eval'", "https:", "blob:", assets_origin, *storage_origins],
        "style-src": ["'unsafe-inline'", "https:", assets_origin, *storage_origins],
        "img-src": shown,
        "media-src": shown,
        "font-src": ["data:", "https:", *storage_origins],
        "frame-src": shown,
        "object-src": shown,
        "worker-src": ["blob:"],
        "connect-src": ["data:", "blob:", *storage_origins, *connect],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
        "sandbox": [SANDBOX],
    }
    if portal_origin is not None:
        directives["frame-ancestors"] = [portal_origin]
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def _document(page: str, assets: PageAssets) -> str:
    """A whole HTML document with the bridge, and with the crowd elements that were asked for."""
    page = _in_a_language(page)
    head = [
        '<meta charset="utf-8">',
        f'<meta name="color-scheme" content="{_colour_schemes(page)}">',
        f'<script src="{html.escape(assets.bridge)}" data-portal="{html.escape(assets.portal_origin)}" data-ours>',
        "</script>",
    ]
    if not _TITLE.search(page):
        head.insert(1, "<title>Worker page</title>")
    if "viewport" not in page:
        head.insert(1, '<meta name="viewport" content="width=device-width, initial-scale=1">')
    if assets.crowd_script is not None:
        ours = f'<script src="{html.escape(assets.crowd_script)}" data-ours></script>'
        page, found = _CROWD_SCRIPT.subn(lambda _: ours, page)
        if not found and (_CROWD_ELEMENT.search(page) or (_FIELD.search(page) and not _SUBMITS.search(page))):
            head.append(ours)
    return _with_head(page, "".join(head))


def _in_a_language(page: str) -> str:
    """The page with an ``html`` element that says its language: the author's, or else English, as the elements are."""
    found = _HTML.search(page)
    if found is None:
        doctype = _DOCTYPE.match(page)
        end = doctype.end() if doctype else 0
        return f'{page[:end]}<html lang="en">{page[end:]}'
    if _LANGUAGE.search(found[0]):
        return page
    return f'{page[: found.end() - 1]} lang="en">{page[found.end() :]}'


def _colour_schemes(page: str) -> str:
    """Dark only where it is safe: a template with colours of its own that never mentions dark stays light."""
    # Blocks of styles are parted, each to its end, rather than matched: the time grows with the page's length only.
    blocks = (part.partition("</")[0] for part in _STYLE.split(page)[1:])
    coloured = _COLOURED.search(page) or any(_COLOUR.search(block) for block in blocks)
    return "light" if coloured and not _KNOWS_DARK.search(page) else "light dark"


def _with_head(page: str, head: str) -> str:
    """The page as a document, never in quirks mode, with ``head`` before all that the template brings."""
    if not _DOCTYPE.match(page):
        page = f"<!doctype html>{page}"
    opening = _HEAD.search(page) or _HTML.search(page) or _DOCTYPE.match(page)
    end = opening.end() if opening else 0
    return f"{page[:end]}{head}{page[end:]}"
