"""Worker pages that others wrote, in a browser: what they lack is said, and what they do themselves is left to them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.engine.labeling import Bench, request
from tests.ground_truth_server.portal.portal_site import PortalSite, Worker, browsing, portal_site


@pytest.fixture
def site(bench: Bench) -> Iterator[PortalSite]:
    with portal_site(bench) as site:
        yield site


@pytest.fixture
def ada(browser: Browser, site: PortalSite) -> Iterator[Worker]:
    with browsing(browser, site, "Ada") as worker:
        yield worker


def open_page(site: PortalSite, worker: Worker, template: str) -> None:
    site.bench.put("template.liquid.html", template)
    site.engine.create(request("Welds1"))
    worker.page.goto("/jobs/Welds1")
    expect(worker.page.locator("iframe:not(.coming)")).to_be_visible()


def remarks(site: PortalSite) -> list[str]:
    return [event.message for event in site.engine.ledger.events("Welds1") if event.kind == "remark"]


def answers(site: PortalSite) -> list[object]:
    return [one.content for number in range(3) for one in site.engine.ledger.data_object("Welds1", str(number)).answers]


def test_a_page_whose_answer_would_be_missing_says_so_and_submits_nothing(site: PortalSite, ada: Worker) -> None:
    open_page(site, ada, "<crowd-form><crowd-time-machine name='a'></crowd-time-machine></crowd-form>")
    name = "crowd-time-machine"
    expect(ada.task.get_by_role("alert").filter(has_text=f"<{name}>")).to_contain_text("This page can't be submitted")
    ada.task.get_by_role("button", name="Submit").click()
    expect(ada.task.get_by_text(f"Not submitted: {name} can't be answered here.")).to_be_visible()
    assert answers(site) == []
    assert remarks(site) == [f"The worker page uses {name}, which nobody defines: it can't be submitted."]


def test_the_owner_is_told_of_what_a_page_could_not_show(site: PortalSite, ada: Worker) -> None:
    element = "<crowd-polygon name='a' src='/nothing.png' labels=\"['x', 'x']\"></crowd-polygon>"
    open_page(site, ada, f"<crowd-form>{element}<input name='b' value='1'></crowd-form>")
    expect(ada.task.get_by_text("could not be loaded").first).to_be_visible()
    ada.page.wait_for_timeout(1500)
    told = sorted(remarks(site))
    assert len(told) == 2
    assert told[0].startswith("Worker page of data object ")
    assert '<crowd-polygon name="a">: The label “x” is there twice; it is shown once.' in told[0]
    assert '<crowd-polygon name="a">: The picture could not be loaded' in told[1]
    ada.task.get_by_label("Submit without this picture").check()
    ada.task.get_by_role("button", name="Submit", exact=True).click()
    ada.page.wait_for_timeout(300)
    assert answers(site)[0] == {"b": "1"}


def test_an_element_that_a_late_script_defines_is_there(site: PortalSite, ada: Worker) -> None:
    script = "<script>setTimeout(() => customElements.define('crowd-own', class extends HTMLElement {}), 50)</script>"
    open_page(site, ada, f"<crowd-form><crowd-own name='a'></crowd-own><input name='b' value='1'></crowd-form>{script}")
    ada.page.wait_for_timeout(600)
    ada.task.get_by_role("button", name="Submit").click()
    ada.page.wait_for_timeout(300)
    assert answers(site)[0] == {"b": "1"}
    assert remarks(site) == []


def test_a_page_without_form_and_button_gets_the_portal_s(site: PortalSite, ada: Worker) -> None:
    open_page(
        site, ada, "<p>What is it?</p><label>Name <input name='what'></label><select name='how'><option>well</select>"
    )
    ada.task.get_by_label("Name").fill("a weld")
    ada.task.get_by_role("button", name="Submit").click()
    ada.page.wait_for_timeout(300)
    assert answers(site)[0] == {"what": "a weld", "how": "well"}


HOTKEYS = """
<p id="x">x</p><crowd-form><crowd-input name="a" label="A"></crowd-input></crowd-form><p id="pressed"></p>
<script>
  const pressed = document.getElementById("pressed");
  document.addEventListener("keydown", (event) => { pressed.textContent += event.key; });
</script>
"""


def test_single_letters_are_the_page_s_where_it_listens_for_keys(site: PortalSite, ada: Worker) -> None:
    open_page(site, ada, HOTKEYS)
    ada.task.locator("#x").click()
    ada.page.keyboard.press("d")
    ada.page.keyboard.press("s")
    ada.page.keyboard.press("?")
    expect(ada.task.locator("#pressed")).to_have_text("ds?")
    assert ada.page.locator("dialog[open]").count() == 0
    assert "/jobs/Welds1" in ada.page.url


def test_single_letters_are_the_portal_s_where_it_does_not(site: PortalSite, ada: Worker) -> None:
    open_page(site, ada, "<p id='x'>x</p><crowd-form><crowd-input name='a' label='A'></crowd-input></crowd-form>")
    ada.task.locator("#x").click()
    ada.page.keyboard.press("d")
    expect(ada.page.locator("#declining")).to_be_visible()


def test_stopping_asks_first_when_something_was_entered(site: PortalSite, ada: Worker) -> None:
    open_page(site, ada, "<p id='x'>x</p><crowd-form><crowd-input name='a' label='A'></crowd-input></crowd-form>")
    ada.task.get_by_label("A", exact=True).fill("half an hour of work")
    ada.task.locator("#x").click()
    ada.page.keyboard.press("s")
    expect(ada.page.locator("#stopping")).to_be_visible()
    ada.page.keyboard.press("Escape")
    expect(ada.task.get_by_label("A", exact=True)).to_have_value("half an hour of work")
    ada.page.get_by_role("button", name="Stop", exact=True).click()
    ada.page.locator("#stopping").get_by_role("button", name="Stop").click()
    ada.page.wait_for_url("**/?left=*")


def test_stopping_with_nothing_entered_is_one_key(site: PortalSite, ada: Worker) -> None:
    open_page(site, ada, "<p id='x'>x</p><crowd-form><crowd-input name='a' label='A'></crowd-input></crowd-form>")
    ada.task.locator("#x").click()
    ada.page.keyboard.press("s")
    ada.page.wait_for_url("**/?left=*")


STORAGE = """
<crowd-form><input name="a" id="a"></crowd-form>
<script>
  localStorage.setItem("k", 1); sessionStorage.k = "2"; document.cookie = "c=3; path=/";
  document.getElementById("a").value = [localStorage.getItem("k"), localStorage.length, document.cookie].join("|");
</script>
"""


def test_storage_and_cookies_do_not_throw(site: PortalSite, ada: Worker) -> None:
    open_page(site, ada, STORAGE)
    expect(ada.task.locator("#a")).to_have_value("1|1|c=3")
    assert ada.errors == []


@pytest.mark.parametrize("holder", ["<iframe src='{}'></iframe>", "<embed src='{}'>", "<object data='{}'></object>"])
def test_a_pdf_can_be_opened(site: PortalSite, ada: Worker, holder: str) -> None:
    """Chromium shows none in a sandboxed frame; a tab of its own shows it."""
    address = "https://documents.example/log.pdf?X-Amz-Signature=1"
    open_page(site, ada, f"<crowd-form>{holder.format(address)}</crowd-form>")
    link = ada.task.get_by_role("link", name="Open the PDF in a new tab")
    expect(link).to_have_attribute("href", address)
    expect(link).to_have_attribute("target", "_blank")


def test_a_refused_answer_is_said_kept_and_sent_once(site: PortalSite, ada: Worker) -> None:
    page = "<crowd-form><input name='a' id='a'><input name='b' id='b' value='kept'></crowd-form>"
    open_page(site, ada, page)
    sent: list[str] = []
    ada.page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/answer") else None)
    ada.task.locator("#a").evaluate("(field) => { field.value = '\\ud83d'; }")
    ada.task.get_by_role("button", name="Submit").click()
    expect(ada.task.locator("crowd-form .status.bad")).not_to_be_empty()
    ada.page.wait_for_timeout(1500)
    assert len(sent) == 1
    expect(ada.task.locator("#b")).to_have_value("kept")
    ada.task.locator("#a").fill("whole")
    ada.task.get_by_role("button", name="Submit").click()
    ada.page.wait_for_timeout(500)
    assert answers(site)[0] == {"a": "whole", "b": "kept"}
