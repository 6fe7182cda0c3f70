"""The worker page: its template, with what `job.toml` says written into it.

The task input holds an item's panels only, so label and categories are written into the page when it is put into the
bucket. What is left for Ground Truth to fill in is the plainest Liquid: ``task.input``, ``if``, ``for`` and
``grant_read_access``, which AWS's own pages use.
"""

import base64
import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import Environment, StrictUndefined, TemplateError, TemplateSyntaxError
from markupsafe import Markup, escape

from labeling.answers import AnyQuestion
from labeling.answers.question import Question
from labeling.errors import WorkerPageError
from labeling.job import JobConfiguration
from labeling.panels import PlotArea

STYLES = ("plots.css", "players.css", "questions.css")
# In the order in which they run.
SCRIPTS = ("uplot.min.js", "plots.js", "players.js", "photographs.js", "marks.js", "questions.js")
# What is said where a question must be answered and isn't.
MISSING = {
    "category": "Choose one.",
    "categories": "Choose at least one.",
    "number": "Type a number.",
    "text": "Type an answer.",
    "regions": "Mark a stretch in the plots, or say that there is none.",
    "instants": "Mark a moment in the plots, or say that there is none.",
}


def page(job: JobConfiguration, template: str) -> str:
    """The worker page of a job.

    The template is HTML and Liquid with what stands in ``<% … %>`` and ``<%= … %>``: Jinja's statements and expressions
    under other marks, since Liquid has Jinja's own. It may use:

    - ``label_name``: the answer's name in the form, ``{label_name: {"label": category}}``;
    - ``header``: the question that the worker answers;
    - ``categories``, in the order in which they are shown, each with ``name``, ``description`` and ``look_for``;
    - ``category_names``: the names of all as a JSON array, for ``<crowd-classifier categories="…">``;
    - ``parts``: by each kind of panel that the job has, what shows one ``panel`` of ``task.input.panels``: ``image``,
      ``plot``, ``audio`` and ``video``;
    - ``images`` and ``plots``, for pages that name each panel of the task input by its key: in order, each with ``key``
      and ``title``, a plot with its ``unit`` as well; ``area``: the names of what a plot's `PlotArea` holds;
    - ``questions``: what else is asked, each as `job.toml` has it, with ``settings``, all that is its kind's own as
      JSON, and ``missing``, what is said where it must be answered and isn't;
    - ``styles`` and ``scripts``, for ``<style>`` and ``<script>``: what makes plots and photographs ones to work in,
      puts sounds and videos on the plots' clock, and answers the questions.

    Every text is escaped for HTML, and can't be read as Liquid.

    Args:
        job: The labeling job.
        template: ``worker-task.liquid.html``, or another; one without such marks is the page as it is.

    Raises:
        WorkerPageError: If the template can't be read, or names what isn't there.
    """
    try:
        return _marks().from_string(template).render(_known(job))
    except TemplateSyntaxError as error:
        raise WorkerPageError(f"the worker page's template, line {error.lineno}: {error.message}") from None
    except TemplateError as error:
        names = ", ".join(_known(job))
        raise WorkerPageError(f"the worker page's template: {error.message}; what is there: {names}") from None


def _known(job: JobConfiguration) -> dict[str, Any]:
    """What the template may name."""
    return {
        "label_name": job.label.name,
        "header": job.title,
        "categories": job.label.categories,
        "category_names": json.dumps(job.label.category_names, ensure_ascii=False),
        "parts": {panel.kind: _Part(_text(f"{panel.kind}.liquid.html")) for panel in job.panels},
        "images": [{"key": one.key, "title": one.name} for one in job.panels if one.kind == "image"],
        "plots": [{"key": one.key, "title": one.name, "unit": one.unit} for one in job.panels if one.kind == "plot"],
        "area": PlotArea.__struct_fields__,
        "questions": [_question(question) for question in job.questions],
        "styles": _Part("\n".join(_text(name) for name in STYLES)),
        "scripts": _scripts(),
    }


def _question(question: AnyQuestion) -> dict[str, Any]:
    known: dict[str, Any] = msgspec.to_builtins(question)
    own = {name: value for name, value in known.items() if name not in Question.__struct_fields__}
    return known | {"settings": json.dumps(own, ensure_ascii=False), "missing": MISSING[question.kind]}


class _Part(Markup):
    """A part of the page that comes with this library, and stands in it as it is."""


@cache
def _scripts() -> _Part:
    """The page's scripts as one that unpacks and runs them.

    Packed they take a third of the characters, of which a page may have 128,000; a browser's tools show them under
    their names as they are.
    """
    parts = json.dumps([(name, _text(name)) for name in SCRIPTS]).encode()
    packed = base64.b64encode(gzip.compress(parts, mtime=0)).decode()
    return _Part(_text("unpack.js").replace("PACKED", packed))


def _text(name: str) -> str:
    return files("labeling").joinpath("page", name).read_text(encoding="utf-8")


@cache
def _marks() -> Environment:
    return Environment(
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<%=",
        variable_end_string="%>",
        comment_start_string="<%#",
        comment_end_string="%>",
        autoescape=True,
        finalize=_without_liquid,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _without_liquid(value: object) -> Markup:
    """Escape a value for HTML, braces too: a browser shows them, and Liquid doesn't see them."""
    if isinstance(value, _Part):
        return value
    return Markup(str(escape(value)).replace("{", "&#123;"))  # noqa: S704  (escaped just now)
