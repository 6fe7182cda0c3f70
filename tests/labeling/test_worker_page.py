"""The job written into the worker page: read back from the HTML, after Ground Truth's Liquid has run over it."""

import json
import re
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeling.errors import WorkerPageError
from labeling.job import JobConfiguration, load
from labeling.panels import PlotArea
from labeling.worker_page import page

from ground_truth_server.pages.ground_truth_liquid import render_template
from tests.conftest import ROOT

JOB = load(ROOT / "labeling_job" / "job.toml")
TEMPLATE = (ROOT / "labeling_job" / "worker-task.liquid.html").read_text(encoding="utf-8")
# What HTML's parsers normalise is no text of a job: carriage returns, and what stands for nothing.
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("{}%<>&\"'"), max_size=30)
WORD = TEXT.filter(str.strip)


class Texts(HTMLParser):
    """The attributes of each element, and the text between tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append({"tag": tag, **dict(attrs)})

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(job: JobConfiguration, template: str) -> Texts:
    """What a browser gets of a template, with one task input."""
    rendered = render_template(page(job, template), {}, str)
    assert rendered.errors == ()
    return Texts(rendered.text)


def job_with(header: str, names: list[str], text: str) -> JobConfiguration:
    category = JOB.label.categories[0]
    categories = tuple(msgspec.structs.replace(category, name=name, description=text) for name in names)
    return msgspec.structs.replace(JOB, title=header, label=msgspec.structs.replace(JOB.label, categories=categories))


@given(header=WORD, names=st.lists(WORD, min_size=1, max_size=4), text=TEXT)
def test_the_page_holds_any_text_as_it_was_written(header: str, names: list[str], text: str) -> None:
    template = (
        '<a header="<%= header %>" categories="<%= category_names %>"></a>'
        "<% for category in categories %>[<%= category.name %>|<%= category.description %>]<% endfor %>"
    )
    found = seen(job_with(header, names, text), template)
    assert found.attributes[0]["header"] == header
    assert json.loads(found.attributes[0]["categories"] or "") == names
    assert found.text == "".join(f"[{name}|{text}]" for name in names)


@pytest.mark.parametrize("text", ["{{ task.input }}", "{% raw %}", "{%- comment -%}", "<%= header %>", '"><script>'])
def test_a_text_of_the_job_is_never_run(text: str) -> None:
    found = seen(job_with(text, [text, "b"], text), TEMPLATE)
    classifier = next(one for one in found.attributes if one["tag"] == "crowd-classifier")
    assert classifier["header"] == text
    assert json.loads(classifier["categories"] or "") == [text, "b"]


def test_liquid_is_left_to_ground_truth_and_is_the_plainest() -> None:
    """AWS's own pages use these and no others, so its Liquid, whose code isn't public, surely knows them."""
    made = page(JOB, TEMPLATE)
    tags = set(re.findall(r"\{%-?\s*(\w+)", made))
    outputs = re.findall(r"\{\{(.*?)\}\}", made)
    assert tags == {"if", "else", "endif", "for", "endfor"}
    assert {part.strip() for output in outputs for part in output.split("|")[1:]} == {"grant_read_access"}
    variables = {output.split("|")[0].strip() for output in outputs}
    panels = ("image", "current", "voltage", "electrode")
    of_all = ("file", "alt", "title")
    area = (f"area.{name}" for name in PlotArea.__struct_fields__)
    reference = (f"data.reference.{name}" for name in ("start", "entries", "whose"))
    of_plots = ("series", "data.file", "data.channels", "data.chunk", *reference, *area)
    fields = {f"task.input.{panel}.{field}" for panel in panels for field in of_all}
    fields |= {f"task.input.{panel}.{field}" for panel in panels[1:] for field in of_plots}
    assert variables == {"note", "level.start", "level.entries", "level.rows", "gap.begin", "gap.end", *fields}
    assert "<%" not in made
    assert len(made) < 128_000  # what RenderUiTemplate takes


@pytest.mark.parametrize("name", ["uplot.min.js", "plots.js", "plots.css", "photographs.js"])
def test_the_parts_of_the_page_stand_in_it_as_they_are(name: str) -> None:
    part = (ROOT / "layers/labeling/labeling/page" / name).read_text(encoding="utf-8")
    assert part in page(JOB, TEMPLATE)
    assert part in render_template(page(JOB, TEMPLATE), {}, str).text
    assert not re.search(r"\{\{|\{%|</script|</style", part)


def test_a_page_without_marks_is_left_as_it_is() -> None:
    own = (
        "<script>const a = [[1, 2], [3, 4]]; if (a[0] < 5 % 2) {}</script>\n{{ task.input.x }} {% if a %}#{% endif %}\n"
    )
    assert page(JOB, own) == own


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("<p>\n<% for x in plots %>\n", r"line \d: .*endfor"),
        ("<p>\n\n<%= header | shout %>", r"line 3: No filter named 'shout'"),
        ("<%= haeder %>", r"'haeder' is undefined; what is there: label_name, header, categories, category_names,"),
    ],
)
def test_a_template_that_cannot_be_used_is_said(template: str, message: str) -> None:
    with pytest.raises(WorkerPageError, match=message):
        page(JOB, template)
