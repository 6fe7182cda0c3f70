"""A day of labeling in a browser: corrections, remarks, putting aside, one's own history, and nothing typed is lost."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, expect

from ground_truth_server.pages.worker_page import SANDBOX
from tests.ground_truth_server.engine.labeling import Bench, request, wait_for_end, wait_until
from tests.ground_truth_server.portal.portal_site import TEMPLATE, PortalSite, Worker, browsing, portal_site
from tests.ground_truth_server.portal.test_accessibility import faults

JOB = "Welds1"
FORM = """
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<h1>Weld {{ task.input.source }}</h1>
<crowd-form>
  <crowd-text-area name="note" label="Note"></crowd-text-area>
  <crowd-checkbox name="seen" value="seam">Seam</crowd-checkbox>
  <label>Length <input name="length"></label>
</crowd-form>
"""

# Pages that send what no worker entered.
FORGING = """
<script>
  document.addEventListener("crowd-read-only", () => {
    for (const type of ["answer", "draft"]) parent.postMessage({ type, answer: { class: { label: "Forged" } } }, "*");
  });
</script>
"""
ODD_DRAFTS = """
<script>
  addEventListener("load", () => {
    for (const answer of ["text", 7, null, [1], { class: { label: "<img src=x onerror=alert(1)>" } }]) {
      parent.postMessage({ type: "draft", answer }, "*");
    }
  });
</script>
"""


@pytest.fixture
def site(bench: Bench) -> Iterator[PortalSite]:
    bench.put("template.liquid.html", TEMPLATE)
    with portal_site(bench) as site:
        yield site


@pytest.fixture
def ada(browser: Browser, site: PortalSite) -> Iterator[Worker]:
    with browsing(browser, site, "Ada") as worker:
        yield worker
        assert worker.errors == []


def start(site: PortalSite, worker: Worker, template: str = TEMPLATE, **changes: Any) -> None:
    site.bench.put("template.liquid.html", template)
    site.engine.create(request(JOB, **changes))
    wait_until(lambda: site.engine.ledger.progress(JOB).get("open", 0) > 0)
    worker.page.goto(f"/jobs/{JOB}")
    worker.sees_task()


def choose(worker: Worker, category: str) -> None:
    worker.task.get_by_role("radio", name=category).check()
    worker.task.get_by_role("button", name="Submit", exact=True).click()


def at_object(worker: Worker, number: int) -> None:
    expect(worker.task.get_by_text(f"Weld s3://welds/dataset/{number}.json")).to_be_visible(timeout=15_000)


def answers(site: PortalSite, number: int) -> list[tuple[object, str | None]]:
    return [(one.content, one.remark) for one in site.engine.ledger.data_object(JOB, str(number)).answers]


def label(category: str) -> dict[str, Any]:
    return {"class": {"label": category}}


def beside(worker: Worker) -> FrameLocator:
    return worker.page.frame_locator("#beside iframe")


class TestCorrections:
    def test_the_last_answer_is_corrected_and_the_task_in_hand_stays(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        choose(ada, "Good Weld")
        at_object(ada, 1)
        ada.task.get_by_role("radio", name="Lack of Fusion").check()
        ada.page.keyboard.press("b")
        expect(ada.page.locator("#correcting")).to_contain_text("You correct your answer to object 0.")
        expect(ada.page.get_by_role("status").filter(has_text="Your answer to object 0")).to_have_count(1)
        at_object(ada, 0)
        expect(ada.task.get_by_role("radio", name="Good Weld")).to_be_checked()
        expect(ada.page.locator("#number")).to_have_text("Correcting object 0")
        for name in ("Decline", "Stop", "Put aside"):
            expect(ada.page.get_by_role("button", name=name)).to_be_disabled()
        assert faults(ada.page) == []
        ada.picture("correcting")
        ada.page.keyboard.press("2")
        ada.page.keyboard.press("Enter")
        at_object(ada, 1)
        expect(ada.task.get_by_role("radio", name="Lack of Fusion")).to_be_checked()
        expect(ada.page.locator("#correcting")).to_be_hidden()
        assert answers(site, 0) == [(label("Burn Through"), None)]
        (former,) = site.engine.ledger.data_object(JOB, "0").former
        assert former.content == label("Good Weld")

    def test_one_is_chosen_from_the_list_and_left_as_it_is(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        choose(ada, "Good Weld")
        at_object(ada, 1)
        ada.page.keyboard.press("y")
        dialog = ada.page.get_by_role("dialog", name="Yours")
        expect(dialog.get_by_text("Good Weld")).to_be_visible()
        dialog.get_by_role("button", name="Correct object 0").click()
        at_object(ada, 0)
        ada.page.get_by_role("button", name="Back to the task").click()
        at_object(ada, 1)
        assert answers(site, 0) == [(label("Good Weld"), None)]
        assert site.engine.ledger.data_object(JOB, "0").former == []

    def test_what_is_labeled_can_t_be_corrected_and_that_is_said(self, site: PortalSite, ada: Worker) -> None:
        site.bench.put_manifest([{"source": "s3://welds/dataset/0.json"}])
        start(site, ada)
        choose(ada, "Good Weld")
        wait_for_end(site.engine)
        task = site.engine.ledger.data_object(JOB, "0").tasks[0].id
        ada.page.goto(f"/jobs/{JOB}?correct={task}")
        expect(ada.page.get_by_role("alert")).to_contain_text("can't be corrected any more")
        expect(ada.page.get_by_role("heading", name="All done")).to_be_visible()
        assert ada.page.url == f"{site.origin}/jobs/{JOB}"
        refused = ada.page.request.post(
            f"/tasks/{task}/correct", data={"worker": "Ada", "answer": label("Burn Through"), "version": 1},
            headers={"Origin": site.origin},
        )  # fmt: skip
        assert refused.status == 409
        assert "can't be corrected any more" in refused.json()["message"]

    def test_the_console_shows_the_versions(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        task = site.engine.ledger.data_object(JOB, "0").tasks[0].id
        site.engine.desk.submit(task, "Ada", label("Good Weld"), "clean <b>seam</b>")
        site.engine.desk.correct(task, "Ada", label("Burn Through"), "a hole, on second thought")
        ada.page.goto(f"/console/jobs/{JOB}/objects/0")
        shown = ada.page.locator("article.answer")
        expect(shown).to_contain_text("“a hole, on second thought”")
        shown.get_by_text("Version 1: Good Weld, until it was corrected").click()
        expect(shown.get_by_text("“clean <b>seam</b>”")).to_be_visible()
        assert faults(ada.page) == []
        ada.picture("console-versions")


class TestHistory:
    def test_own_answers_and_what_became_of_them(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada, NumberOfHumanWorkersPerDataObject=2)
        for number, category in enumerate(("Good Weld", "Burn Through", "Lack of Fusion")):
            at_object(ada, number)
            choose(ada, category)
        expect(ada.page.get_by_role("heading", name="Nothing for you right now")).to_be_visible()
        site.engine.create(request("Other"))
        for number, category in enumerate(("Good Weld", "Good Weld")):
            task = site.engine.desk.next_task("bo", JOB)
            assert task is not None
            assert task.object_id == str(number)
            site.bench.clock.pass_seconds(1)
            site.engine.desk.submit(task.id, "bo", label(category))
        ada.page.goto("/")
        ada.page.get_by_role("link", name="Your answers").click()
        rows = ada.page.get_by_role("row")
        expect(rows).to_have_count(4)
        all_there = "all answers are there"
        became = (("Good Weld", all_there), ("Burn Through", all_there), ("Lack of Fusion", "waits for others"))
        for number, (answer, state) in enumerate(became):
            row = ada.page.get_by_role("row").filter(has_text=f"{number}.json")
            expect(row).to_contain_text(answer)
            expect(row).to_contain_text(state)
        ada.page.get_by_role("link", name="Correct object 2").click()
        at_object(ada, 2)
        site.engine.desk.submit(site.engine.desk.next_task("bo", JOB).id, "bo", label("Lack of Fusion"))  # type: ignore[union-attr]
        wait_for_end(site.engine)
        ada.page.goto(f"/history?job={JOB}")
        expect(ada.page.get_by_role("row").filter(has_text="0.json")).to_contain_text("label agrees")
        # The majority of two different answers is the first by name.
        expect(ada.page.get_by_role("row").filter(has_text="1.json")).to_contain_text("label agrees")
        expect(ada.page.get_by_role("link", name="Correct")).to_have_count(0)
        assert faults(ada.page) == []
        ada.picture("history")
        with browsing_as(ada, site, "bo") as bo:
            bo.page.goto("/history")
            row = bo.page.get_by_role("row").filter(has_text="1.json")
            expect(row).to_contain_text("label differs")
            expect(row).to_contain_text("Burn Through")

    def test_it_is_paged_and_only_one_s_own(self, site: PortalSite, ada: Worker) -> None:
        site.bench.put_manifest({"source": f"s3://welds/dataset/{number}.json"} for number in range(60))
        start(site, ada)
        wait_until(lambda: site.engine.ledger.progress(JOB).get("open") == 60)
        for _ in range(55):
            task = site.engine.desk.next_task("Ada", JOB)
            assert task is not None
            site.bench.clock.pass_seconds(1)
            site.engine.desk.submit(task.id, "Ada", label("Good Weld"))
        other = site.engine.desk.next_task("bo", JOB)
        assert other is not None
        site.engine.desk.submit(other.id, "bo", label("Burn Through"))
        ada.page.goto("/history")
        first = [row.inner_text() for row in ada.page.get_by_role("row").all()][1:]
        ada.page.get_by_role("link", name="Older").click()
        expect(ada.page.get_by_role("row")).to_have_count(6)
        rest = [row.inner_text() for row in ada.page.get_by_role("row").all()][1:]
        assert len(first) == 50
        assert [row.split()[0] for row in (*first, *rest)] == [str(number) for number in reversed(range(55))]
        expect(ada.page.get_by_role("link", name="Older")).to_have_count(0)
        ada.page.get_by_role("link", name="Newest").click()
        expect(ada.page.get_by_role("row")).to_have_count(51)
        with site.client("Ada") as client:
            assert client.get(f"/tasks/{other.id}/own").status_code == 409
            assert client.get("/history?before=%00~x").status_code == 200
            assert client.get("/history?job=none").status_code == 404
        with site.client() as nobody:
            assert nobody.get(f"/tasks/{other.id}/own").status_code == 401
            assert nobody.get(f"/jobs/{JOB}/own").status_code == 401


class TestRemarks:
    def test_a_remark_goes_with_the_answer(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        ada.page.keyboard.press("r")
        field = ada.page.get_by_label("Why? A remark to go with your answer")
        expect(field).to_be_focused()
        ada.page.keyboard.type("the dark spot at 2")
        assert faults(ada.page) == []
        ada.picture("remark")
        ada.page.keyboard.press("Escape")
        expect(field).to_be_hidden()
        expect(ada.page.locator("iframe:not(.coming)").first).to_be_focused()
        expect(ada.page.get_by_role("button", name="Remark is written")).to_be_visible()
        ada.page.keyboard.press("2")
        ada.page.keyboard.press("Enter")
        at_object(ada, 1)
        expect(ada.page.get_by_role("button", name="Remark R", exact=True)).to_be_visible()
        assert answers(site, 0) == [(label("Burn Through"), "the dark spot at 2")]
        ada.page.keyboard.press("r")
        expect(field).to_have_value("")
        ada.page.keyboard.type("s")
        ada.page.keyboard.press("Control+Enter")  # nothing is chosen yet: the page says so
        expect(ada.task.get_by_text("Choose a category.").first).to_be_visible()
        ada.page.keyboard.press("Escape")
        ada.page.keyboard.press("b")
        at_object(ada, 0)
        expect(field).to_have_value("the dark spot at 2")
        ada.page.get_by_role("button", name="Back to the task").click()
        expect(field).to_have_value("s")
        ada.page.goto("/history")
        expect(ada.page.get_by_role("row").filter(has_text="0.json")).to_contain_text("“the dark spot at 2”")


class TestAside:
    def test_a_task_is_put_aside_listed_and_taken_up(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        ada.task.get_by_role("radio", name="Lack of Fusion").check()
        ada.page.keyboard.press("p")
        at_object(ada, 1)
        expect(ada.page.locator("#put-aside")).to_have_text("1 put aside")
        expect(ada.page.locator("#left")).to_have_text("3 left for you")
        choose(ada, "Good Weld")
        at_object(ada, 2)
        ada.page.keyboard.press("y")
        dialog = ada.page.get_by_role("dialog", name="Yours")
        expect(dialog.get_by_role("heading", name="Put aside")).to_be_visible()
        expect(dialog.get_by_role("listitem").first).to_contain_text("10 minutes left")
        assert faults(ada.page) == []
        ada.picture("yours")
        dialog.get_by_role("button", name="Take up object 0").press("Enter")
        at_object(ada, 0)
        expect(ada.task.get_by_role("radio", name="Lack of Fusion")).to_be_checked()
        ada.task.get_by_role("button", name="Submit", exact=True).click()
        # What was in hand went aside for it, and is all that is left.
        expect(ada.page.get_by_role("heading", name="What is left for you is put aside")).to_be_focused()
        ada.picture("only-aside-left")
        assert faults(ada.page) == []
        ada.page.keyboard.press("Tab")
        expect(ada.page.get_by_role("button", name="Take up object 2")).to_be_focused()
        ada.page.wait_for_timeout(2500)  # it is looked again whether there is something, and nothing moves
        ada.page.keyboard.press("Enter")
        at_object(ada, 2)
        choose(ada, "Good Weld")
        wait_for_end(site.engine)
        assert [line["Weld"]["class"] for line in site.bench.output()] == ["Lack of Fusion", "Good Weld", "Good Weld"]


class TestHowLong:
    def test_what_is_left_and_about_how_long(self, site: PortalSite, ada: Worker) -> None:
        site.bench.put_manifest({"source": f"s3://welds/dataset/{number}.json"} for number in range(43))
        start(site, ada)
        wait_until(lambda: site.engine.ledger.progress(JOB).get("open") == 43)
        for seconds in (30, 90, 45):
            task = site.engine.desk.next_task("Ada", JOB)
            assert task is not None
            site.bench.clock.pass_seconds(seconds)
            site.engine.desk.submit(task.id, "Ada", label("Good Weld"))
        ada.page.reload()
        expect(ada.page.locator("#left")).to_have_text("40 left for you, about 30 min")  # 40 times the median, 45 s


class TestBeside:
    def test_an_earlier_item_is_shown_beside_and_takes_nothing(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        choose(ada, "Burn Through")
        at_object(ada, 1)
        ada.page.get_by_role("button", name="Yours").click()
        ada.page.get_by_role("button", name="Show object 0 beside this one").click()
        expect(ada.page.get_by_role("heading", name="Object 0")).to_be_focused()
        expect(beside(ada).get_by_text("Weld s3://welds/dataset/0.json")).to_be_visible()
        expect(beside(ada).get_by_role("radio", name="Burn Through")).to_be_checked()
        expect(beside(ada).get_by_role("radio", name="Burn Through")).to_be_disabled()
        expect(beside(ada).get_by_role("button", name="Submit")).to_have_count(0)
        expect(ada.page.locator("#beside")).to_contain_text("Your answer: Burn Through")
        expect(ada.page.locator("#beside iframe")).to_have_attribute("sandbox", SANDBOX)
        assert faults(ada.page) == []
        ada.picture("beside")
        # Keys go on with the task, and the other item stays.
        ada.page.keyboard.press("1")
        ada.page.keyboard.press("Enter")
        at_object(ada, 2)
        expect(beside(ada).get_by_text("Weld s3://welds/dataset/0.json")).to_be_visible()
        ada.page.get_by_role("button", name="Close").click()
        expect(ada.page.locator("#beside")).to_be_hidden()
        expect(ada.page.locator("#main iframe:not(.coming)")).to_be_focused()
        assert answers(site, 0) == [(label("Burn Through"), None)]
        assert answers(site, 1) == [(label("Good Weld"), None)]

    def test_whatever_its_page_sends_goes_nowhere(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada, TEMPLATE + FORGING)
        ada.page.keyboard.press("p")
        at_object(ada, 1)
        ada.page.keyboard.press("y")
        ada.page.get_by_role("button", name="Show object 0 beside this one").click()
        expect(ada.page.locator("#beside")).to_contain_text("You put it aside. To look at.")
        expect(beside(ada).get_by_text("dataset/0.json")).to_be_visible()
        ada.page.wait_for_timeout(500)
        at_object(ada, 1)
        assert answers(site, 0) == answers(site, 1) == []
        assert "Forged" not in json.dumps(ada.page.evaluate("({ ...localStorage })"))

    def test_its_page_and_files_are_its_worker_s_for_a_day(self, site: PortalSite, ada: Worker) -> None:
        site.bench.put("dataset/0.json", "a recording")
        link = "<p id='link'>{{ task.input.source | grant_read_access }}</p>"
        start(site, ada, TEMPLATE + link)
        choose(ada, "Good Weld")
        at_object(ada, 1)
        task = site.engine.ledger.data_object(JOB, "0").tasks[0].id
        with site.client("Ada") as client:
            address = client.get(f"/tasks/{task}/own").json()["page"]
            page = client.get(address)
            file = page.text.split("<p id='link'>")[1].split("<")[0]
            assert client.get(file).text == "a recording"
            assert client.get(address.replace("worker=Ada", "worker=bo")).status_code == 403
            assert client.get(address.replace("/own/", "/tasks/")).status_code == 403
            site.bench.clock.pass_seconds(2 * 24 * 3600)
            assert client.get(address).status_code == 403
            assert client.get(file).status_code == 403


class TestKeys:
    def test_two_keys_are_enough_for_a_plain_category(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        pressed = 0
        for number, digit in enumerate("312"):
            at_object(ada, number)
            for key in (digit, "Enter"):
                ada.page.keyboard.press(key)
                pressed += 1
        expect(ada.page.get_by_role("heading", name="All done")).to_be_visible()
        assert pressed == 2 * 3
        given = [answers(site, number) for number in range(3)]
        assert given == [[(label(one), None)] for one in ("Lack of Fusion", "Good Weld", "Burn Through")]


class TestNothingIsLost:
    def test_a_reload_brings_back_what_was_typed(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada, FORM)
        ada.task.get_by_label("Note").click()
        ada.page.keyboard.type("half an hour of ü")
        ada.task.get_by_label("Length").fill("12 mm")
        ada.task.get_by_text("Seam", exact=True).click()
        ada.page.keyboard.press("r")
        expect(ada.page.get_by_label("Why?")).to_be_focused()
        ada.page.keyboard.type("because")
        ada.page.reload()
        ada.sees_task()
        expect(ada.task.get_by_label("Note")).to_have_value("half an hour of ü")
        expect(ada.task.get_by_label("Length")).to_have_value("12 mm")
        expect(ada.task.get_by_role("checkbox", name="Seam")).to_be_checked()
        expect(ada.page.get_by_label("Why?")).to_have_value("because")
        expect(ada.page.get_by_role("status").filter(has_text="with what you had entered")).to_have_count(1)
        ada.task.get_by_role("button", name="Submit", exact=True).click()
        at_heading(ada, 1)
        expect(ada.task.get_by_label("Note")).to_have_value("")
        assert answers(site, 0) == [
            ({"note": "half an hour of ü", "seen": {"seam": True}, "length": "12 mm"}, "because")
        ]
        assert [key for key in ada.page.evaluate("Object.keys(localStorage)") if "object 0" in key] == []

    def test_the_last_key_before_a_reload_is_there(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada, FORM)
        ada.task.get_by_label("Note").click()
        for letter in "abcdef":
            ada.page.keyboard.press(letter)
        ada.page.reload()
        ada.sees_task()
        expect(ada.task.get_by_label("Note")).to_have_value("abcdef")

    def test_the_end_of_the_time_is_said_and_the_draft_offered_when_the_task_comes_back(
        self, site: PortalSite, ada: Worker
    ) -> None:
        ada.page.clock.install()
        start(site, ada, FORM)
        ada.task.get_by_label("Note").fill("almost done")
        ada.page.clock.fast_forward(600_000)
        expect(ada.page.get_by_role("heading", name="The time for this task is up")).to_be_focused()
        expect(ada.page.locator(".panel")).to_contain_text("What you had entered is kept in this browser")
        site.bench.clock.pass_seconds(601)
        wait_until(lambda: site.engine.ledger.progress(JOB).get("open") == 3)
        ada.page.get_by_role("button", name="Take the next task").click()
        at_heading(ada, 0)
        offer = ada.page.get_by_role("region", name="What you entered before")
        expect(offer).to_contain_text("You had begun this one before.")
        expect(ada.task.get_by_label("Note")).to_have_value("")
        assert faults(ada.page) == []
        ada.picture("offered")
        offer.get_by_role("button", name="Put it in").press("Enter")
        expect(ada.task.get_by_label("Note")).to_have_value("almost done")
        expect(offer).to_be_hidden()
        ada.task.get_by_role("button", name="Submit", exact=True).click()
        at_heading(ada, 1)
        assert answers(site, 0)[0][0] == {"note": "almost done", "seen": {"seam": False}, "length": ""}

    def test_an_answer_that_came_too_late_is_offered_too_and_can_be_left(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        site.bench.clock.pass_seconds(601)
        choose(ada, "Lack of Fusion")
        expect(ada.page.locator(".panel")).to_contain_text("You had answered: Lack of Fusion")
        expect(ada.page.locator(".panel")).to_contain_text("offered again if the task comes back to you")
        ada.page.get_by_role("button", name="Take the next task").click()
        at_object(ada, 0)
        ada.errors.clear()
        ada.page.get_by_role("button", name="Begin anew").click()
        expect(ada.task.get_by_role("radio", name="Lack of Fusion")).not_to_be_checked()
        ada.page.reload()
        at_object(ada, 0)
        expect(ada.page.locator("#offered")).to_be_hidden()

    def test_answers_wait_for_the_network_and_are_taken_once(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        taken: list[str] = []

        def lose_the_reply(route: Any) -> None:
            """The server gets it, and the browser doesn't hear so."""
            taken.append(route.fetch().text())
            route.abort()

        ada.page.route("**/answer", lose_the_reply)
        choose(ada, "Good Weld")
        expect(ada.page.locator("#lost")).to_contain_text("Your answer is kept here until it is saved")
        ada.page.goto("/")  # the job's page is left with the answer on its way
        expect(ada.page.locator("#unsent")).to_contain_text("1 answer of yours waits in this browser to be sent.")
        assert faults(ada.page) == []
        ada.page.unroute("**/answer")
        expect(ada.page.locator("#unsent")).to_contain_text("was sent: 1 answer.", timeout=10_000)
        ada.picture("unsent")
        ada.page.goto(f"/jobs/{JOB}")
        at_object(ada, 1)
        ada.page.context.set_offline(True)
        choose(ada, "Burn Through")
        expect(ada.page.locator("#lost")).to_be_visible()
        ada.page.context.set_offline(False)
        at_object(ada, 2)
        assert len(taken) >= 2, "the server got it more than once"
        assert [answers(site, number) for number in range(2)] == [
            [(label("Good Weld"), None)],
            [(label("Burn Through"), None)],
        ]
        submitted = [event for event in site.engine.ledger.events(JOB) if event.kind == "submitted"]
        assert len(submitted) == 2
        assert [key for key in ada.page.evaluate("Object.keys(localStorage)") if "unsent" in key] == []
        ada.errors.clear()

    def test_a_correction_waits_for_the_network_and_is_one_version(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada)
        choose(ada, "Good Weld")
        at_object(ada, 1)
        ada.page.keyboard.press("b")
        at_object(ada, 0)
        ada.page.route("**/correct", lambda route: (route.fetch(), route.abort()), times=1)
        choose(ada, "Burn Through")
        at_object(ada, 1)
        assert answers(site, 0) == [(label("Burn Through"), None)]
        assert len(site.engine.ledger.data_object(JOB, "0").former) == 1
        ada.errors.clear()

    def test_a_draft_of_another_page_s_making_stays_data(self, site: PortalSite, ada: Worker) -> None:
        start(site, ada, TEMPLATE + ODD_DRAFTS)
        ada.page.wait_for_timeout(300)
        ada.page.reload()
        ada.sees_task()
        assert ada.page.locator("img").count() == 0
        choose(ada, "Good Weld")
        at_object(ada, 1)
        assert answers(site, 0) == [(label("Good Weld"), None)]


def at_heading(worker: Worker, number: int) -> None:
    expect(worker.task.get_by_role("heading", name=f"Weld s3://welds/dataset/{number}.json")).to_be_visible(
        timeout=15_000
    )


def browsing_as(worker: Worker, site: PortalSite, name: str) -> Any:
    browser = worker.page.context.browser
    assert browser is not None
    return browsing(browser, site, name)
