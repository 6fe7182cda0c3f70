import html
import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ground_truth_server.pages.worker_page import PageAssets, RenderedPage, content_security_policy, render

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def presign(uri: str) -> str:
    if uri.endswith("missing.png"):
        raise FileNotFoundError("no such object")
    return f"https://storage.test/{uri.removeprefix('s3://')}?a=1&b=2"


def shown(template: str, **task_input: object) -> RenderedPage:
    return render(template, task_input, presign)


def body(template: str, **task_input: object) -> str:
    page = shown(template, **task_input)
    assert page.errors == ()
    return page.html.rpartition("</script>")[2]


class TestFilters:
    def test_values_are_escaped_by_default_and_names_may_have_hyphens(self) -> None:
        assert body("{{ task.input.source-ref }}", **{"source-ref": "<b> & 'x'"}) == "&lt;b&gt; &amp; &#39;x&#39;"

    @pytest.mark.parametrize(
        ("output", "expected"),
        [
            (
                "\"Have you read 'James & the Giant Peach'?\"",
                "Have you read &#39;James &amp; the Giant Peach&#39;?",
            ),
            ("\"'James & x'\" | escape", "&#39;James &amp; x&#39;"),
            ("\"'James &amp; x'\" | escape_once", "&#39;James &amp; x&#39;"),
            ("\"'James & x'\" | skip_autoescape", "'James & x'"),
            ('"s3://b/a&b.png" | grant_read_access', "https://storage.test/b/a&amp;b.png?a=1&amp;b=2"),
            ('"https://elsewhere.test/x.png" | grant_read_access', "https://elsewhere.test/x.png"),
            ('"a b" | upcase | split: " " | join: "-"', "A-B"),
        ],
    )
    def test_a_filter_puts_out_what_the_developer_guide_shows(self, output: str, expected: str) -> None:
        assert body("{{ " + output + " }}") == expected

    def test_an_uri_put_together_in_liquid_is_presigned_unescaped(self) -> None:
        template = "{{ 's3://b/' | append: task.input.key | grant_read_access }}"
        assert body(template, key="a&b.png") == "https://storage.test/b/a&amp;b.png?a=1&amp;b=2"

    def test_what_is_captured_is_escaped_once(self) -> None:
        assert body("{% capture c %}<i>{{ task.input.t }}</i>{% endcapture %}{{ c }}", t="a&b") == "<i>a&amp;b</i>"

    def test_echo_escapes_too(self) -> None:
        assert body("{% echo task.input.t %}", t="<script>") == "&lt;script&gt;"

    @given(value=JSON)
    def test_json_survives_scripts_and_attributes(self, value: object) -> None:
        script, single, double = body(
            "{{ task.input.v | to_json }}\x00'{{ task.input.v | to_json }}'\x00"
            '"{{ task.input.v | to_json | escape }}"',
            v=value,
        ).split("\x00")
        assert "<" not in script
        assert json.loads(script) == value
        assert single.count("'") == 2
        assert json.loads(html.unescape(single[1:-1])) == value
        assert double.count('"') == 2
        assert json.loads(html.unescape(double[1:-1])) == value

    @given(text=st.text())
    def test_no_text_breaks_out_of_an_attribute_or_opens_a_tag(self, text: str) -> None:
        put_out = body("{{ task.input.t }}", t=text)
        assert not re.search("[<>\"']", put_out)
        assert html.unescape(put_out) == html.unescape(html.escape(text))


class TestErrors:
    @pytest.mark.parametrize(
        ("template", "line", "message"),
        [
            ("<p>\n{{ 'a' | nofilter }}", 2, "unknown filter 'nofilter'"),
            ("<p>\n\n{% if task.input.a %}\n never closed", 3, "endif"),
            ("<p>\n{% for x in %}{% endfor %}", 2, "expected"),
            ("\n{% assign x = %}", 2, "expected"),
            ("\n\n{{ task.input.a ", 3, "expected '}}'"),
            ("\n{% endfor %}", 2, "endfor"),
            ("\n{{ 1 | divided_by: 0 }}", 2, "divide by 0"),
            ("\n{{ 's3://b/missing.png' | grant_read_access }}", 2, "s3://b/missing.png: no such object"),
        ],
    )
    def test_an_error_has_its_line_and_the_lines_text(self, template: str, line: int, message: str) -> None:
        (error,) = shown(template).errors
        assert error.place.line == line
        assert error.place.text == template.split("\n")[line - 1].strip()
        assert message in error.message
        assert str(error).startswith(f"line {line}, column ")

    def test_the_rest_of_the_page_is_rendered_and_all_errors_are_named(self) -> None:
        page = shown("{{ 1 | no }}first\n{{ 2 | nor }}second")
        assert [error.place.line for error in page.errors] == [1, 2]
        assert page.html.endswith("first\nsecond")

    @given(template=st.text(alphabet="{}% |.:'\"\nabif-endforasigtk=[]01", max_size=60))
    def test_no_template_makes_it_fall_over(self, template: str) -> None:
        page = shown(template, a=[1])
        assert page.html.startswith("<!doctype html>")


class TestMissingVariables:
    def test_what_is_shown_or_looped_over_and_not_there_is_named_with_its_line(self) -> None:
        page = shown("{{ task.input.a }}\n{{ task.input.image.file | grant_read_access }}\n"
                     "{% for p in task.input.panels %}{{ p }}{% endfor %}", image={})  # fmt: skip
        assert [(missing.path, missing.place.line) for missing in page.missing] == [
            ("task.input.a", 1),
            ("task.input.image.file", 2),
            ("task.input.panels", 3),
        ]

    def test_what_a_loop_reads_of_its_items_is_named_once(self) -> None:
        page = shown("{% for p in task.input.panels %}{{ p.title }}{% endfor %}", panels=[{}, {}, {"title": "x"}])
        assert [missing.path for missing in page.missing] == ["p.title"]

    def test_defaults_and_guards_are_not_loud(self) -> None:
        page = shown(
            "{{ task.input.a | default: 'x' }}{% if task.input.b %}{{ task.input.b }}{% endif %}"
            "{% unless task.input.c %}none{% endunless %}{% if task.input.d == 'x' %}d{% endif %}"
        )
        assert page.missing == ()
        assert page.html.endswith("xnone")

    def test_null_is_there(self) -> None:
        assert shown("{{ task.input.a }}", a=None).missing == ()


class TestDocument:
    ASSETS = PageAssets(crowd_script="http://pages.test/crowd.js", bridge="/b.js", portal_origin="http://portal.test")

    @pytest.mark.parametrize(
        "script",
        [
            '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>',
            "<script src='https://assets.crowd.aws/crowd-html-elements.js'></script>",
            "<SCRIPT defer type=module src=https://assets.crowd.aws/crowd-html-elements.js ></SCRIPT >",
            '<script\n  src = "//assets.crowd.aws/crowd-html-elements.js?v=1"\n async>\n</script>',
        ],
    )
    def test_the_crowd_script_is_ours_however_it_is_written(self, script: str) -> None:
        page = render(f"{script}<crowd-form></crowd-form>", {}, presign, self.ASSETS).html
        assert "assets.crowd.aws" not in page
        assert page.count('<script src="http://pages.test/crowd.js" data-ours></script>') == 1

    def test_a_page_that_leaves_the_script_to_the_service_gets_it(self) -> None:
        assert "http://pages.test/crowd.js" in render("<crowd-form></crowd-form>", {}, presign, self.ASSETS).html

    def test_a_page_without_crowd_elements_is_left_without(self) -> None:
        assert "crowd.js" not in render("<p>plain</p>", {}, presign, self.ASSETS).html

    def test_hosted_leaves_awss_script(self) -> None:
        script = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
        page = render(script, {}, presign, PageAssets(crowd_script=None)).html
        assert page.endswith(script)
        assert "bridge.js" in page

    def test_other_scripts_stay(self) -> None:
        script = '<script src="https://example.test/crowd-html-elements.js"></script>'
        assert script in render(script, {}, presign, self.ASSETS).html

    def test_the_bridge_comes_before_all_that_the_template_brings(self) -> None:
        template = "<!DOCTYPE html>\n<html lang=en><head class=x><script>first()</script></head><body>"
        page = render(template, {}, presign, self.ASSETS).html
        assert page.index('<script src="/b.js" data-portal="http://portal.test" data-ours>') < page.index("first()")
        assert page.startswith("<!DOCTYPE html>\n<html lang=en><head class=x><meta charset")

    @pytest.mark.parametrize(
        ("template", "schemes"),
        [
            ("<crowd-form></crowd-form>", "light dark"),
            ("<style>body { margin: 0 }</style>", "light dark"),
            ("<style>.card { background: #fff }</style>", "light"),
            ('<p style="color: black">', "light"),
            (
                "<style>:root { color-scheme: light dark } p { color: light-dark(#000, #fff) }</style>",
                "light dark",
            ),
        ],
    )
    def test_pages_with_colours_of_their_own_stay_light_unless_they_know_dark(
        self, template: str, schemes: str
    ) -> None:
        assert f'<meta name="color-scheme" content="{schemes}">' in shown(template).html


def test_the_policy_lets_nothing_reach_the_portal() -> None:
    policy = content_security_policy(
        assets_origin="http://127.0.0.1:2",
        portal_origin="http://127.0.0.1:1",
        storage_origins=["http://127.0.0.1:3"],
    )
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "http://127.0.0.1:1"
    assert [name for name, sources in directives.items() if "127.0.0.1:1" in sources] == ["frame-ancestors"]
    assert "http://127.0.0.1:3" in directives["img-src"]
    assert "allow-same-origin" not in directives["sandbox"]


@pytest.mark.parametrize(
    "part",
    [
        "<script src=",
        "<script src= ",
        "<head ",
        "<html ",
        "style='",
        "<style>",
        "<link ",
        "<input ",
        "<button ",
        "<title",
        "<crowd-",
    ],
)
def test_a_page_takes_a_time_that_grows_with_its_length_only(part: str) -> None:
    """Patterns ran over the rest of the page from each of its places: four times the time for twice the length."""
    page = part * (2_000_000 // len(part)) + " " * 20_000
    began = time.process_time()
    render(page, {}, presign)
    assert time.process_time() - began < 8
