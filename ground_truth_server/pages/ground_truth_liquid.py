"""Liquid as Ground Truth runs it: escaping by default, with filters of its own, collecting errors.

Ground Truth's filters beyond standard Liquid are ``grant_read_access``, ``to_json``, ``skip_autoescape`` and
``escape_once``. An error leaves out what it stands in, and the rest of the page is rendered.
"""

import html
import json
import re
from collections.abc import Callable, ItemsView, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

from liquid import Environment, Node, RenderContext, Token, TokenStream
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.capture_tag import CaptureNode, CaptureTag
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import FilterArgumentError, LiquidError, OutputStreamLimitError, ResourceLimitError
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined

Presign = Callable[[str], str]
"""Takes an S3 URI and gives an HTTPS (or loopback HTTP) URL at which the page that shows it can read it."""

_GetNode = Callable[[TokenStream], Node]
_PATH = re.compile(r"[\w-]+(?:\.[\w-]+|\[[^]]*\])*")
_MOST_CHARACTERS = 20_000_000
_SAFE_JSON = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"})


@dataclass(frozen=True)
class Place:
    """Where in a template something is.

    Attributes:
        line: The line, counted from 1.
        column: The column, counted from 1.
        text: That line, without the white space around it.
    """

    line: int
    column: int
    text: str


@dataclass(frozen=True)
class LiquidProblem:
    """Something Liquid could not parse or run.

    Attributes:
        message: What is wrong.
        place: Where.
    """

    message: str
    place: Place

    def __str__(self) -> str:
        return f"line {self.place.line}, column {self.place.column}: {self.message}: {self.place.text}"


@dataclass(frozen=True)
class MissingVariable:
    """A variable that the template shows or loops over and that the task input lacks.

    A variable that is only asked for, by ``if`` or the ``default`` filter, isn't missing.

    Attributes:
        path: The variable as the template reads it, such as ``task.input.image.file``.
        place: Where it is read.
    """

    path: str
    place: Place

    def __str__(self) -> str:
        where = f"line {self.place.line}, column {self.place.column}"
        return f"{where}: the task input has no {self.path}: {self.place.text}"


@dataclass(frozen=True)
class RenderedTemplate:
    """A template's text and what went wrong with it.

    Attributes:
        text: What Liquid put out.
        errors: In the order in which they were met, each place once.
        missing: The variables that the task input lacks, each place once.
    """

    text: str
    errors: tuple[LiquidProblem, ...]
    missing: tuple[MissingVariable, ...]


def render_template(template: str, task_input: Mapping[str, Any] | None, presign: Presign) -> RenderedTemplate:
    """Run a worker page's Liquid on one task input, which is ``task.input`` to the template.

    Args:
        template: HTML with Liquid.
        task_input: What the pre-annotation function answered; ``None`` to parse the template only.
        presign: Gives a readable URL for an S3 URI. A ``ValueError`` or ``OSError`` of it becomes an error at
            the line that asked for the URL.
    """
    liquid = _GroundTruthLiquid(presign)
    try:
        parsed = liquid.from_string(template)
        text = "" if task_input is None else parsed.render(task={"input": task_input})
        if len(text) > _MOST_CHARACTERS:  # Liquid's own limit would change line ends
            raise OutputStreamLimitError(f"the page has more than {_MOST_CHARACTERS:,} characters", token=None)
    except LiquidError as error:  # the few that python-liquid raises past its own error handling, and its limits
        liquid.error(error)
        text = ""
    except RecursionError:
        liquid.errors.append(LiquidProblem("the template is nested too deep", Place(1, 1, "")))
        text = ""
    errors, missing = dict.fromkeys(liquid.errors), dict.fromkeys(liquid.missing)
    return RenderedTemplate(text, tuple(errors), tuple(missing))


class _Safe(str):
    """Text to put out as it is: markup, or escaped already."""

    __slots__ = ()


class _GroundTruthLiquid(Environment):
    """One rendering's Liquid, which notes errors and missing variables."""

    # No page of anybody's needs as much; without them a template can take all of a machine.
    loop_iteration_limit = 1_000_000
    local_namespace_limit = 50_000_000

    def __init__(self, presign: Presign) -> None:
        super().__init__(undefined=_noting_undefined(self))
        self.errors: list[LiquidProblem] = []
        self.missing: list[MissingVariable] = []
        self._parsing: list[Token] = []
        for tag in (_EscapingOutput, _EscapingEcho, _SafeCapture):
            self.add_tag(tag)
        for parser in self.tags.values():
            parser.get_node = self._tracked(parser.get_node)  # type: ignore[method-assign, assignment]
        self.filters |= {
            "grant_read_access": _grant_read_access(presign),
            "to_json": _to_json,
            "skip_autoescape": lambda value: _Safe(_text(value)),
            "escape": lambda value: _Safe(_escaped(_text(value))),
            "escape_once": lambda value: _Safe(_escaped(html.unescape(_text(value)))),
            "newline_to_br": lambda value: _Safe(re.sub(r"\r?\n", "<br />\n", _escaped(_text(value)))),
        }

    def error(self, exc: type[LiquidError] | LiquidError, msg: str | None = None, token: Token | None = None) -> None:
        """Note an error and let the rest of the page be rendered."""
        if not isinstance(exc, LiquidError):
            exc = exc(msg, token=token)
        if isinstance(exc, ResourceLimitError) and token is not None:
            raise exc  # the rest would meet it as well
        known = next((known for known in (exc.token, token, *reversed(self._parsing)) if _is_placed(known)), None)
        self.errors.append(LiquidProblem(str(exc.message), _place(known)))

    def _tracked(self, get_node: _GetNode) -> _GetNode:
        """Remember the tag being parsed: python-liquid forgets where a cut-off expression was."""

        def tracked(stream: TokenStream) -> Node:
            self._parsing.append(stream.current)
            try:
                return get_node(stream)
            finally:
                self._parsing.pop()

        return tracked


def _noting_undefined(liquid: _GroundTruthLiquid) -> type[Undefined]:
    """A kind of undefined that tells ``liquid`` when a page shows it or loops over it."""

    class NotedUndefined(Undefined):
        __slots__ = ()

        def __str__(self) -> str:
            self._note()
            return ""

        def items(self) -> ItemsView[Any, object]:
            self._note()
            return super().items()

        def _note(self) -> None:
            written = self.token and _PATH.match(self.token.source, self.token.start_index)
            path = written.group() if written else self.name
            liquid.missing.append(MissingVariable(path, _place(self.token)))

    return NotedUndefined


def _is_placed(token: Token | None) -> bool:
    return token is not None and token.start_index >= 0


def _place(token: Token | None) -> Place:
    """The place of a token; the template's first line if Liquid doesn't know."""
    if token is None or not _is_placed(token):
        return Place(1, 1, "")
    before = token.source[: token.start_index]
    start = before.rfind("\n") + 1
    text = token.source[start:].partition("\n")[0].strip()
    return Place(before.count("\n") + 1, len(before) - start + 1, text)


def _text(value: object) -> str:
    """Text as Liquid puts it out; lists and objects as JSON, which scripts of pages parse."""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return to_liquid_string(value, autoescape=False)


def _escaped(text: str) -> str:
    return html.escape(text).replace("&#x27;", "&#39;")


def _to_json(value: object) -> str:
    """JSON as Ground Truth puts it out, not escaped; harmless in scripts and single-quoted attributes."""
    if isinstance(value, Undefined):
        value = str(value) or None
    return _Safe(json.dumps(value, ensure_ascii=False, default=str).translate(_SAFE_JSON))


def _grant_read_access(presign: Presign) -> Callable[[object], str]:
    def grant_read_access(value: object) -> str:
        uri = _text(value).strip()
        if not uri.lower().startswith("s3://"):
            return uri
        try:
            return presign(uri)
        except (ValueError, OSError) as error:
            raise FilterArgumentError(f"grant_read_access of {uri}: {error}", token=None) from error

    return grant_read_access


def _put_out(node: OutputNode, context: RenderContext, buffer: TextIO) -> int:
    """Write an expression's value, escaped unless a filter made it safe."""
    value = node.expression.evaluate(context)
    return buffer.write(value if isinstance(value, _Safe) else _escaped(_text(value)))


class _EscapingOutputNode(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _put_out(self, context, buffer)


class _EscapingOutput(Output):
    node_class = _EscapingOutputNode


class _EscapingEchoNode(EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _put_out(self, context, buffer)


class _EscapingEcho(EchoTag):
    node_class = _EscapingEchoNode


class _SafeCaptureNode(CaptureNode):
    """What is captured was escaped on its way in, so it isn't escaped again on its way out."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        captured = context.get_buffer(buffer)
        self.block.render(context, captured)
        context.assign(self.name, _Safe(captured.getvalue()))
        return 0


class _SafeCapture(CaptureTag):
    node_class = _SafeCaptureNode
