"""axe, in a real browser, on every page there is, in each of its states and colour schemes: it finds nothing."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Literal

import pytest
from labeling.job import load
from labeling.worker_page import page as welding_page
from playwright.sync_api import Browser, Frame, Page

from ground_truth_server.engine.engine import Engine
from tests.conftest import ROOT
from tests.ground_truth_server.engine.labeling import Bench, answer_all, request
from tests.ground_truth_server.portal.portal_site import TEMPLATE, PortalSite, portal_site

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
WELD = welding_page(
    load(ROOT / "labeling_job" / "job.toml"),
    (ROOT / "labeling_job" / "worker-task.liquid.html").read_text(encoding="utf-8"),
)
WORKER_PAGES = {
    "classifier": TEMPLATE,
    "weld": WELD,
    "bare": "<p>What is it?</p><crowd-form><crowd-input name='a' label='Answer'></crowd-input></crowd-form>",
    "no form": "<label>What is it? <input name='a'></label>",
    "whole document": "<!doctype html><html lang='de'><head><title>Naht</title></head><body><main><h1>Naht</h1>"
    "<crowd-form><crowd-text-area name='a' label='Was?'></crowd-text-area></crowd-form></main></body></html>",
    "entities": "<crowd-entity-annotation name='a' header='Mark it' text='Ada was here' labels='[\"person\"]' "
    "initial-value='[{label: \"person\", startOffset: 0, endOffset: 3}]'></crowd-entity-annotation>",
    "ranking": "<crowd-form><crowd-text-ranking name='a' text='Why?' responses='[\"So\", \"No\"]' "
    "ordinal-ranking-dimensions='[{name: \"Clarity\"}]'></crowd-text-ranking></crowd-form>",
    "questions": "<crowd-form><crowd-question-answer-generation name='a' text='Ada was here' question-tags='[\"Who\"]'>"
    "</crowd-question-answer-generation></crowd-form>",
    "no picture": "<crowd-form><crowd-polygon name='a' header='Mark it'></crowd-polygon></crowd-form>",
}
SCHEMES = ["light", "dark", "forced"]


def faults(where: Page | Frame) -> list[str]:
    """What axe finds, each with the first element that has it."""
    where.evaluate(AXE)
    found = where.evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


@pytest.fixture
def site(bench: Bench) -> Iterator[PortalSite]:
    with portal_site(bench) as site:
        yield site


@pytest.fixture(params=SCHEMES)
def page(browser: Browser, site: PortalSite, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme: Literal["light", "dark"] = "dark" if request.param == "dark" else "light"
    forced: Literal["active", "none"] = "active" if request.param == "forced" else "none"
    context = browser.new_context(base_url=site.origin, color_scheme=scheme, forced_colors=forced)
    context.add_cookies([{"name": "worker", "value": "Ada", "url": site.origin}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def started(site: PortalSite, name: str, **changes: Any) -> Engine:
    site.engine.create(request(name, **changes))
    return site.engine


def open_task(page: Page, site: PortalSite, name: str) -> Frame:
    page.goto(f"/jobs/{name}")
    page.wait_for_selector("iframe:not(.coming)")
    handle = page.query_selector("iframe:not(.coming)")
    assert handle is not None
    frame = handle.content_frame()
    assert frame is not None
    frame.wait_for_load_state("load")
    frame.wait_for_timeout(500)
    return frame


def test_the_portal_and_the_console(page: Page, site: PortalSite) -> None:
    site.bench.put("template.liquid.html", TEMPLATE)
    found: dict[str, list[str]] = {}

    def look(name: str, path: str) -> None:
        page.goto(path)
        if problems := faults(page):
            found[f"{name} ({path})"] = problems

    look("no jobs", "/")
    look("console without jobs", "/console/")
    engine = started(site, "Welds1")
    page.wait_for_timeout(500)
    look("jobs", "/")
    look("console", "/console/")
    look("job", "/console/jobs/Welds1")
    look("object", "/console/jobs/Welds1/objects/0")
    look("no such job", "/jobs/none")
    look("no such page", "/nothing")
    look("no such object", "/console/jobs/Welds1/objects/999")
    answer_all(engine, "Ada")
    page.wait_for_timeout(500)
    look("nothing left", "/jobs/Welds1")
    look("finished", "/console/jobs/Welds1")
    look("labeled object", "/console/jobs/Welds1/objects/0")
    page.context.clear_cookies()
    look("sign-in", "/")
    assert found == {}


@pytest.mark.parametrize("name", WORKER_PAGES)
def test_the_task_page_and_what_it_frames(page: Page, site: PortalSite, name: str) -> None:
    site.bench.put("template.liquid.html", WORKER_PAGES[name])
    started(site, "Welds1")
    frame = open_task(page, site, "Welds1")
    assert (faults(page), faults(frame)) == ([], [])
