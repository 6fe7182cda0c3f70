"""The job written into the worker page: read back from the HTML, after Ground Truth's Liquid has run over it."""

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from typing import Any

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
    area = (f"area.{name}" for name in PlotArea.__struct_fields__)
    reference = (f"data.reference.{name}" for name in ("start", "entries", "whose"))
    of_plots = ("key", "unit", "series", "data.file", "data.channels", "data.chunk", *reference, *area)
    fields = {f"panel.{field}" for field in ("name", "file", "alt", "title", *of_plots)}
    assert variables == {"note", "level.start", "level.entries", "level.rows", "gap.begin", "gap.end", *fields}
    assert "<%" not in made
    assert len(made) < 128_000  # what RenderUiTemplate takes
    in_order = " ".join(f"{{{{ panel.area.{name} }}}}" for name in PlotArea.__struct_fields__)
    assert f'data-area="{in_order}"' in made  # in the order in which the script reads them


def panel_of(kind: str, key: str, **more: Any) -> dict[str, Any]:
    file = {"file": f"s3://b/{key}", "title": f" from {key}", "alt": f"What {key} shows", "notes": [f"Note of {key}."]}
    return {"kind": kind, "key": key, "name": f"Name of {key}", "unit": "", **file, **more}


def test_the_page_goes_through_the_panels_in_their_order() -> None:
    """However many an item has: they needn't be the job's own."""
    panels = [panel_of("plot", "p1"), panel_of("image", "i1"), panel_of("plot", "p2"), panel_of("image", "i2")]
    found = Texts(render_template(page(JOB, TEMPLATE), {"panels": panels}, lambda uri: f"https://{uri[5:]}").text)
    pictures = [one for one in found.attributes if one["tag"] == "img" and one.get("src")]
    in_columns = ("i1", "i2", "p1", "p2")
    assert [(one["src"], one["alt"]) for one in pictures] == [(f"https://b/{k}", f"What {k} shows") for k in in_columns]
    assert re.findall(r"Note of \w+\.", found.text) == [f"Note of {key}." for key in in_columns]
    assert re.findall(r"Name of \w+ from \w+", found.text) == [
        f"Name of {k} from {k}" for k in ("p1", "i1", "p2", "i2")
    ]


def test_a_task_input_without_a_list_of_panels_is_said() -> None:
    assert "The task input lists no panels" in seen(JOB, TEMPLATE).text


def test_a_page_may_name_each_panel_by_its_key() -> None:
    """As the article's page does, and as ours did: by hand, or from the job's panels."""
    own = (
        '<img src="{{ task.input.image.file | grant_read_access }}"> {{ task.input.current.title }}\n'
        "<% for plot in plots %><b><%= plot.title %> (<%= plot.unit %>)</b>"
        "{{ task.input.<%= plot.key %>.file }};<% endfor %>"
        "<% for image in images %><i><%= image.title %></i><% endfor %>"
        "<% for name in area %>{{ task.input.current.area.<%= name %> }} <% endfor %>"
    )
    panels = {one.key: panel_of(one.kind, one.key) for one in JOB.panels}
    panels["current"]["area"] = dict(zip(PlotArea.__struct_fields__, range(9), strict=True))
    made = render_template(page(JOB, own), {**panels, "panels": []}, lambda uri: f"https://{uri[5:]}").text
    assert made == (
        '<img src="https://b/image">  from current\n'
        "<b>Welding current (A)</b>s3://b/current;<b>Welding voltage (V)</b>s3://b/voltage;"
        "<b>Electrode position (mm)</b>s3://b/electrode;<i>Photograph of the weld</i>0 1 2 3 4 5 6 7 8 "
    )


def test_styles_stand_in_the_page_and_scripts_packed_as_they_are() -> None:
    folder = ROOT / "layers/labeling/labeling/page"
    rendered = render_template(page(JOB, TEMPLATE), {}, str).text
    for style in folder.glob("*.css"):
        assert style.read_text(encoding="utf-8") in rendered
        assert not re.search(r"\{\{|\{%|</style", style.read_text(encoding="utf-8"))
    (packed,) = re.findall(r'atob\("([A-Za-z0-9+/=]+)"\)', rendered)
    scripts = json.loads(gzip.decompress(base64.b64decode(packed)))
    names = [name for name, _ in scripts]
    assert names.index("uplot.min.js") < names.index("plots.js") < names.index("marks.js")
    assert {name: text.encode() for name, text in scripts} == {
        path.name: path.read_bytes() for path in folder.glob("*.js") if path.name != "unpack.js"
    }


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
