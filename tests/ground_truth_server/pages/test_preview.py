import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from ground_truth_server.pages.page_frame import create_page_frame
from ground_truth_server.pages.page_origin import PageOrigin, presigned_by
from ground_truth_server.pages.preview import Preview, PreviewFailed, PreviewSource
from ground_truth_server.portal.preview_page import create_preview
from tests.ground_truth_server.engine.labeling import BUCKET, PRE, Functions
from tests.ground_truth_server.portal.portal_site import Site, browsing, listen, serving

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TEMPLATE = """<crowd-form>
  <crowd-classifier name="class" categories="['Good Weld', 'Burn Through']" header="{{ task.input.title }}">
    <classification-target><p>{{ task.input.source }}</p></classification-target>
  </crowd-classifier>
</crowd-form>
"""
LINES = [{"source": f"s3://{BUCKET}/dataset/{number}.json"} for number in (1, 2, 3)]


def titled(event: Mapping[str, Any]) -> Any:
    """A pre-annotation function that fails for the second line."""
    source = event["dataObject"]["source"]
    if source.endswith("2.json"):
        raise ValueError(f"{source} has no recording")
    return {"taskInput": {"source": source, "title": "What is this weld?"}}


@dataclass
class Bench:
    """A template and a manifest in a folder, with a preview of them."""

    template: Path
    manifest: Path
    functions: Functions
    pages: PageOrigin
    s3: "S3Client"

    def preview(self, **changes: Any) -> Preview:
        source = {"template": self.template, "manifest": str(self.manifest), "pre_annotation": PRE, **changes}
        return Preview(PreviewSource(**source), self.pages, self.s3, self.functions)


@pytest.fixture
def bench(tmp_path: Path, s3: "S3Client") -> Bench:
    template, manifest = tmp_path / "page.liquid.html", tmp_path / "input.manifest"
    template.write_text(TEMPLATE)
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in LINES) + "{broken\n")
    pages = PageOrigin("http://pages.test", "http://preview.test", presigned_by(s3))
    return Bench(template, manifest, Functions({PRE: titled}), pages, s3)


def test_lines_of_a_local_manifest_and_of_one_in_s3_are_the_same(bench: Bench) -> None:
    bench.s3.put_object(Bucket=BUCKET, Key="input.manifest", Body=bench.manifest.read_bytes())
    local, in_s3 = bench.preview(), bench.preview(manifest=f"s3://{BUCKET}/input.manifest")
    assert local.lines() == in_s3.lines()
    assert [line.data_object for line in local.lines()] == [*LINES, None]


def test_a_missing_manifest_is_named(bench: Bench) -> None:
    with pytest.raises(PreviewFailed, match=r"nowhere\.manifest can't be read"):
        bench.preview(manifest="nowhere.manifest").lines()
    with pytest.raises(PreviewFailed, match="s3://welds/nowhere can't be read"):
        bench.preview(manifest="s3://welds/nowhere").lines()


def test_the_task_input_is_the_functions_and_made_once(bench: Bench) -> None:
    preview = bench.preview()
    expected = {"source": LINES[0]["source"], "title": "What is this weld?"}
    assert preview.task_input(1) == preview.task_input(1) == expected
    assert [event["dataObject"] for event in bench.functions.events_of(PRE)] == [LINES[0]]
    preview.forget(1)
    preview.task_input(1)
    assert len(bench.functions.events_of(PRE)) == 2


def test_without_a_function_the_line_is_the_task_input(bench: Bench) -> None:
    assert bench.preview(pre_annotation=None).task_input(2) == LINES[1]


def test_a_failing_function_a_bad_line_and_a_wrong_answer_say_why(bench: Bench) -> None:
    preview = bench.preview()
    with pytest.raises(PreviewFailed, match=r"2\.json has no recording") as failed:
        preview.render(2)
    assert failed.value.detail is not None
    assert failed.value.detail["event"]["dataObject"] == LINES[1]
    with pytest.raises(PreviewFailed, match=r"Line 4 of .* not JSON"):
        preview.render(4)
    with pytest.raises(PreviewFailed, match="has no line 9"):
        preview.render(9)
    bench.functions.functions[PRE] = lambda _: {"taskinput": {}}
    with pytest.raises(PreviewFailed, match="taskInput"):
        preview.render(1)


def test_errors_and_missing_variables_have_the_templates_own_lines(bench: Bench) -> None:
    bench.template.write_text("<p>one</p>\n{{ task.input.nothing }}\n{% if %}{% endif %}\n")
    preview = bench.preview(prepare=lambda template: template.replace("<p>one</p>", "<p>two</p>\n<p>three</p>\n<hr>"))
    page = preview.render(1)
    assert [(missing.path, missing.place.line) for missing in page.missing] == [("task.input.nothing", 2)]
    assert [error.place.line for error in page.errors] == [3]


def test_a_template_that_cannot_be_prepared_is_said(bench: Bench) -> None:
    def refuse(template: str) -> str:
        raise ValueError(f"line 3 of {len(template)} characters")

    bench.template.write_text("<p>one</p>")
    with pytest.raises(PreviewFailed, match="can't be prepared: line 3 of 10 characters"):
        bench.preview(prepare=refuse).render(1)


def test_the_version_changes_with_the_template_and_what_else_is_watched(bench: Bench, tmp_path: Path) -> None:
    job = tmp_path / "job.toml"
    preview = bench.preview(watched=[job])
    versions = [preview.version()]
    for file in (bench.template, job, bench.manifest):
        file.touch()
        os.utime(file, ns=(1, 1))
        versions.append(preview.version())
    assert len(set(versions)) == 4


# -- in a browser


@pytest.fixture
def site(bench: Bench) -> Iterator[Site]:
    (own_socket, origin), (page_socket, page_origin) = listen(), listen()
    bench.pages = PageOrigin(page_origin, origin, presigned_by(bench.s3))
    preview = bench.preview()
    app, frames = create_preview(preview, bench.pages), create_page_frame(bench.pages, bench.s3, preview=preview)
    with serving((own_socket, app), (page_socket, frames)):
        yield Site(origin)


def test_the_page_follows_the_template(bench: Bench, site: Site, browser: Browser) -> None:
    with browsing(browser, site, size=(1360, 800)) as author:
        page = author.page
        page.goto("/")
        expect(author.task.get_by_role("heading", name="What is this weld?")).to_be_visible()
        expect(page.get_by_text("Liquid is fine")).to_be_visible()
        expect(page.locator("#facts")).to_contain_text('"title": "What is this weld?"')
        author.picture("preview-light")
        bench.template.write_text(TEMPLATE.replace("<p>", "<p>{{ task.input.image.file }} Changed: "))
        expect(author.task.get_by_text("Changed: s3://welds/dataset/1.json")).to_be_visible()
        expect(page.get_by_text("Line 3: the task input has no task.input.image.file")).to_be_visible()
        bench.template.write_text(TEMPLATE + "{% for %}{% endfor %}\n{{ task.input.title | no_such_filter }}")
        expect(page.get_by_text("Line 6, column")).to_be_visible()
        author.picture("preview-errors")
        assert author.errors == []


def test_the_page_shows_the_line_s_files(bench: Bench, site: Site, browser: Browser) -> None:
    bench.s3.put_object(Bucket=BUCKET, Key="dataset/1.json", Body=b'{"weld": 1}')
    bench.template.write_text("<crowd-form><p id=file>{{ task.input.source | grant_read_access }}</p></crowd-form>")
    with browsing(browser, site, size=(1360, 800)) as author:
        author.page.goto("/")
        file = author.task.locator("#file")
        expect(file).to_have_text(re.compile(f"^{bench.pages.origin}/files/.*/1.json$"))
        assert file.evaluate("file => fetch(file.textContent).then(found => found.json())") == {"weld": 1}
        assert author.errors == []


def test_the_answer_that_would_be_submitted_is_shown(site: Site, browser: Browser) -> None:
    with browsing(browser, site, dark=True, size=(1360, 800)) as author:
        author.page.goto("/?line=3")
        expect(author.task.get_by_text("dataset/3.json")).to_be_visible()
        for category in ("Good Weld", "Burn Through"):  # and again
            author.task.get_by_role("radio", name=category).check()
            author.task.get_by_role("button", name="Submit", exact=True).click()
            expect(author.page.locator("#answer pre")).to_contain_text(f'"label": "{category}"')
        author.picture("preview-answer")
        assert author.errors == []


def test_lines_are_chosen_and_a_failing_one_says_why(bench: Bench, site: Site, browser: Browser) -> None:
    with browsing(browser, site, size=(390, 844)) as author:
        page = author.page
        page.goto("/")
        author.sees_task()
        page.get_by_role("button", name="Next line").click()
        expect(page.get_by_role("heading", name="No page for this line")).to_be_visible()
        expect(page.locator("#facts")).to_contain_text("has no recording")
        expect(page.locator("#facts")).to_contain_text("aws lambda invoke")
        author.picture("preview-failed")
        bench.functions.functions[PRE] = lambda event: {"taskInput": event["dataObject"]}
        page.get_by_role("button", name="Try again").click()
        expect(author.task.get_by_text("dataset/2.json")).to_be_visible()
        page.get_by_label("Line of the manifest").select_option("3")
        expect(author.task.get_by_text("dataset/3.json")).to_be_visible()
        author.picture("preview-narrow")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_preview_serves_its_own_origin_only(site: Site) -> None:
    refused = httpx.post(f"{site.origin}/again?line=1", json={}, headers={"Origin": "null"})
    assert refused.status_code == 403
    assert httpx.get(site.origin, headers={"Host": "evil.example"}).status_code == 307
