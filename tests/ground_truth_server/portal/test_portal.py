import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy.exc import SQLAlchemyError

from tests.ground_truth_server.engine.labeling import (
    PRE,
    Bench,
    answer_all,
    label_all,
    request,
    wait_for_end,
    wait_until,
)
from tests.ground_truth_server.portal.portal_site import TEMPLATE, PortalSite, Worker, browsing, portal_site

JOB = "Welds1"
GOOD = {"class": {"label": "Good Weld"}}


@pytest.fixture
def site(bench: Bench) -> Iterator[PortalSite]:
    bench.put("template.liquid.html", TEMPLATE)
    with portal_site(bench) as found:
        yield found


def start(site: PortalSite, **changes: Any) -> None:
    """Start a job of three objects and wait until workers can take all of them."""
    site.engine.create(request(JOB, **changes))
    wait_until(lambda: site.engine.ledger.progress(JOB).get("open") == 3)


def take(site: PortalSite, worker: str = "ann") -> dict[str, Any]:
    with site.client(worker) as client:
        found: dict[str, Any] = client.post(f"/jobs/{JOB}/next", json={"worker": worker}).json()
    return found


def act(site: PortalSite, path: str, worker: str = "ann", **body: Any) -> httpx.Response:
    with site.client(worker) as client:
        return client.post(path, json={"worker": worker, **body})


def answers_of(site: PortalSite, object_id: str) -> list[tuple[str, dict[str, Any]]]:
    return [(answer.worker, answer.content) for answer in site.engine.ledger.data_object(JOB, object_id).answers]


# -- over HTTP


def test_signing_in_sets_a_cookie_that_scripts_and_other_sites_do_not_get(site: PortalSite) -> None:
    with site.client() as client:
        answer = client.post("/sign-in", data={"worker": "  Ann   Müller "})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert answer.headers["set-cookie"].startswith("worker=Ann%20M%C3%BCller;")
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=lax" in answer.headers["set-cookie"]
        assert "Ann Müller" in client.get("/").text


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\u0007b"])
def test_a_name_that_is_none_is_refused(site: PortalSite, name: str) -> None:
    with site.client() as client:
        answer = client.post("/sign-in", data={"worker": name})
    assert answer.status_code == 422
    assert "choose a name" in answer.text


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_leads_to_no_other_site(site: PortalSite, goal: str) -> None:
    with site.client() as client:
        assert client.post("/sign-in", data={"worker": "ann", "goal": goal}).headers["location"] == "/"


def test_names_that_have_worked_are_offered(site: PortalSite) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2)
    take(site, "<Zoe>")
    with site.client() as client:
        assert '<button name="worker" value="&lt;Zoe&gt;">' in client.get("/").text


def test_the_list_tells_how_far_a_job_is_and_what_is_left(site: PortalSite) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2)
    task = take(site)["task"]
    site.engine.desk.submit(task["id"], "ann", GOOD)
    with site.client("ann") as client:
        html = client.get("/jobs").text.replace("&nbsp;", " ")
    for text in ("1 of 6 answers", "1 by you", "2 tasks for you", "Continue", "Classify the weld"):
        assert text in html


def test_a_task_has_its_page_at_the_other_origin_and_only_for_its_worker(site: PortalSite) -> None:
    start(site)
    task = take(site)["task"]
    assert task["page"].startswith(site.pages.origin)
    assert task["secondsLeft"] == 600

    page = httpx.get(task["page"])
    assert page.status_code == 200
    assert "s3://welds/dataset/0.json" in page.text
    policy = page.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy
    assert "allow-same-origin" not in policy
    assert f"frame-ancestors {site.origin}" in policy
    assert httpx.get(task["page"].replace("worker=ann", "worker=bo")).status_code == 403


def test_submitted_is_said_when_the_answer_is_kept_and_again_for_the_same_answer(site: PortalSite) -> None:
    start(site)
    path = f"/tasks/{take(site)['task']['id']}/answer"
    for _ in range(2):
        assert act(site, path, answer=GOOD).json() == {"state": "submitted"}
    assert answers_of(site, "0") == [("ann", GOOD)]
    other = act(site, path, answer={"class": {"label": "Burn Through"}})
    assert (other.status_code, other.json()["kind"]) == (409, "closed")


def test_an_answer_that_came_too_late_is_shown_to_the_worker(site: PortalSite) -> None:
    start(site)
    task = take(site)["task"]
    site.bench.clock.pass_seconds(601)
    refused = act(site, f"/tasks/{task['id']}/answer", answer=GOOD)
    assert (refused.status_code, refused.json()["kind"]) == (409, "expired")
    assert "was not counted" in refused.json()["panel"]
    assert "Good Weld" in refused.json()["panel"]


@pytest.mark.parametrize("answer", [None, [], "Good Weld"])
def test_an_answer_is_a_json_object(site: PortalSite, answer: object) -> None:
    start(site)
    assert act(site, f"/tasks/{take(site)['task']['id']}/answer", answer=answer).status_code == 400


def test_a_page_of_one_worker_does_not_act_for_another(site: PortalSite) -> None:
    start(site)
    task = take(site)["task"]
    with site.client("bo") as client:  # somebody else signed in in this browser meanwhile
        refused = client.post(f"/tasks/{task['id']}/answer", json={"worker": "ann", "answer": GOOD})
    assert (refused.status_code, refused.json()["kind"]) == (401, "signed-out")
    assert answers_of(site, "0") == []


def test_a_declined_task_does_not_come_back_and_a_released_one_does(site: PortalSite) -> None:
    start(site)
    first = take(site)["task"]
    act(site, f"/tasks/{first['id']}/release")
    again = take(site)["task"]
    assert again["object"] == first["object"]
    assert again["id"] != first["id"]
    act(site, f"/tasks/{again['id']}/decline")
    assert take(site)["task"]["object"] != first["object"]


def test_turns_without_a_task_say_why(site: PortalSite) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2)
    answer_all(site.engine, "ann", JOB)
    waiting = take(site)
    assert (waiting["state"], waiting["mayChange"]) == ("waiting", True)
    assert "3&nbsp;objects still open" in waiting["panel"]

    label_all(site.engine, ["ann", "bo"], JOB)
    completed = take(site)
    assert (completed["state"], completed["mayChange"]) == ("completed", False)
    assert "All done" in completed["panel"]


def test_a_stopped_job_says_so(site: PortalSite) -> None:
    start(site)
    site.engine.stop(JOB)
    wait_for_end(site.engine, JOB, 10)
    assert take(site)["state"] == "stopped"


def test_a_failed_job_says_why(site: PortalSite) -> None:
    site.bench.functions.functions[PRE] = lambda event: {"nothing": event}
    site.engine.create(request(JOB))
    wait_for_end(site.engine, JOB, 10)
    failed = take(site)
    assert failed["state"] == "failed"
    assert "PreHumanTaskLambda" in failed["panel"]


def test_unknown_jobs_and_pages_have_a_page_of_their_own(site: PortalSite) -> None:
    with site.client("ann") as client:
        for path in ("/jobs/nowhere", "/nothing"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert "All jobs" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},  # a sandboxed frame
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine: the page origin
    ],
)
def test_other_origins_change_nothing(site: PortalSite, headers: dict[str, str]) -> None:
    start(site)
    with site.client("ann") as client:
        assert client.post(f"/jobs/{JOB}/next", json={"worker": "ann"}, headers=headers).status_code == 403
        assert client.post("/sign-in", data={"worker": "eve"}, headers=headers).status_code == 403
        assert client.post(f"/console/jobs/{JOB}/stop", headers=headers).status_code == 403
    assert site.engine.ledger.workers(JOB) == []
    assert site.engine.describe(JOB)["LabelingJobStatus"] == "InProgress"


def test_another_name_of_the_machine_is_sent_on_and_changes_nothing(site: PortalSite) -> None:
    with site.client("ann") as client:
        moved = client.get("/jobs/x?a=b", headers={"Host": "evil.example"})
        assert (moved.status_code, moved.headers["location"]) == (307, f"{site.origin}/jobs/x?a=b")
        assert client.post("/sign-out", headers={"Host": "evil.example"}).status_code == 421


def test_pages_allow_scripts_of_their_own_only(site: PortalSite) -> None:
    with site.client("ann") as client:
        headers = client.get("/").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


# -- in a browser


def choose(worker: Worker, category: str) -> None:
    worker.task.get_by_role("radio", name=category).check()
    worker.task.get_by_role("button", name="Submit", exact=True).click()


def test_three_workers_at_once_label_a_job_to_the_end(site: PortalSite, browser: Browser) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=3)
    with browsing(browser, site) as ann, browsing(browser, site) as bo, browsing(browser, site) as cy:
        for name, worker in (("ann", ann), ("bo", bo), ("cy", cy)):
            worker.page.goto("/")
            worker.page.get_by_label("Your name").fill(name)
            worker.page.get_by_role("button", name="Sign in").click()
            worker.page.get_by_role("link", name="Start").click()
            worker.sees_task()
        for number in range(3):
            for worker in (ann, bo, cy):
                expect(worker.page.locator("#number")).to_have_text(f"Task {number + 1}")
                expect(worker.task.get_by_text(f"Weld s3://welds/dataset/{number}.json")).to_be_visible()
                choose(worker, "Burn Through" if worker is cy else "Good Weld")
        for worker in (ann, bo, cy):
            expect(worker.page.get_by_role("heading", name="All done")).to_be_focused()
            expect(worker.page.locator(".panel")).to_contain_text("You gave 3 answers of 9.")
            assert worker.errors == []
        ann.picture("all-done")
    assert wait_for_end(site.engine, JOB, 10)["LabelingJobStatus"] == "Completed"
    assert [line["Weld"] for line in site.bench.output(JOB)] == [{"class": "Good Weld"}] * 3
    assert [worker for worker, _ in answers_of(site, "0")] == ["ann", "bo", "cy"]


def test_the_keyboard_is_enough(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site) as ann:
        keys = ann.page.keyboard
        ann.page.goto("/")
        keys.type("ann")
        keys.press("Enter")
        ann.page.wait_for_selector(".job")
        for _ in range(10):
            keys.press("Tab")
            if ann.page.evaluate("document.activeElement.textContent.trim()") == "Start":
                break
        keys.press("Enter")
        for number, category in enumerate(("2", "1", "3")):
            ann.sees_task()
            expect(ann.task.get_by_text(f"dataset/{number}.json")).to_be_visible()
            expect(ann.page.locator("iframe:not(.coming)")).to_be_focused()
            if number == 0:
                keys.press("?")
                expect(ann.page.get_by_role("dialog", name="Keys")).to_be_visible()
                keys.press("Escape")
                expect(ann.page.locator("iframe:not(.coming)")).to_be_focused()
            keys.press(category)
            keys.press("Enter")
        expect(ann.page.get_by_role("heading", name="All done")).to_be_focused()
        keys.press("Enter")
        expect(ann.page.get_by_role("heading", name="Labeling jobs")).to_be_visible()
        assert ann.errors == []
    labels = [answers_of(site, str(number))[0][1]["class"]["label"] for number in range(3)]
    assert labels == ["Burn Through", "Good Weld", "Lack of Fusion"]


def test_keys_reach_the_page_wherever_the_focus_is(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        ann.page.locator("#main").focus()
        ann.page.keyboard.press("2")
        expect(ann.task.get_by_role("radio", name="Burn Through")).to_be_checked()


def test_declining_asks_first_and_goes_on_with_another(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        ann.page.keyboard.press("d")
        expect(ann.page.get_by_role("dialog", name="Decline this task?")).to_be_visible()
        ann.page.keyboard.press("Escape")
        expect(ann.page.get_by_role("dialog")).to_have_count(0)
        expect(ann.task.get_by_text("dataset/0.json")).to_be_visible()
        ann.page.get_by_role("button", name="Decline").click()
        ann.page.keyboard.press("d")
        expect(ann.task.get_by_text("dataset/1.json")).to_be_visible()
        assert ann.errors == []
    (found,) = site.engine.ledger.workers(JOB)
    assert found["declined"] == 1


def test_stopping_hands_the_task_back_and_resuming_goes_on(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        choose(ann, "Good Weld")
        expect(ann.task.get_by_text("dataset/1.json")).to_be_visible()
        ann.page.get_by_role("button", name="Stop").click()
        expect(ann.page.get_by_role("status")).to_contain_text("What you submitted is saved")
        (found,) = site.engine.ledger.workers(JOB)
        assert (found["submitted"], found["released"]) == (1, 1)
        ann.page.get_by_role("link", name="Continue").click()
        ann.sees_task()
        expect(ann.task.get_by_text("dataset/1.json")).to_be_visible()
        expect(ann.page.locator("#number")).to_have_text("Task 2")


def test_a_task_whose_time_ran_out_says_so_and_offers_the_next(site: PortalSite, browser: Browser) -> None:
    start(site, TaskTimeLimitInSeconds=2)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        expect(ann.page.get_by_text("Less than a minute left")).to_be_visible()
        expect(ann.page.get_by_role("heading", name="The time for this task is up")).to_be_focused()
        ann.picture("time-is-up")
        site.bench.clock.pass_seconds(2)
        ann.page.get_by_role("button", name="Take the next task").click()
        ann.sees_task()


def test_an_answer_that_comes_too_late_is_not_lost_silently(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        site.bench.clock.pass_seconds(601)
        choose(ann, "Lack of Fusion")
        expect(ann.page.get_by_role("heading", name="The time for this task was up")).to_be_focused()
        expect(ann.page.locator(".panel")).to_contain_text("You had answered: Lack of Fusion")
        ann.page.get_by_text("The whole answer").click()
        expect(ann.page.locator("pre")).to_contain_text("Lack of Fusion")
        ann.picture("too-late")
        ann.page.get_by_role("button", name="Take the next task").click()
        ann.sees_task()


def test_an_answer_is_kept_while_the_connection_is_lost(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        ann.page.context.set_offline(True)
        choose(ann, "Good Weld")
        expect(ann.page.locator("#lost")).to_contain_text("Your answer is kept here until it is saved")
        expect(ann.page.locator("#toast")).not_to_have_text("Submitted")
        ann.picture("connection-lost")
        assert answers_of(site, "0") == []
        ann.page.context.set_offline(False)
        expect(ann.task.get_by_text("dataset/1.json")).to_be_visible()
        expect(ann.page.locator("#lost")).to_be_hidden()
    assert answers_of(site, "0") == [("ann", GOOD)]


def test_an_unsent_answer_survives_a_reload(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        ann.page.route("**/answer", lambda route: route.abort())
        choose(ann, "Good Weld")
        expect(ann.page.locator("#lost")).to_be_visible()
        ann.page.unroute("**/answer")
        ann.page.on("dialog", lambda dialog: dialog.accept())
        ann.page.reload()
        expect(ann.task.get_by_text("dataset/1.json")).to_be_visible()
    assert answers_of(site, "0") == [("ann", GOOD)]


def test_a_worker_who_waits_gets_what_comes_back(site: PortalSite, browser: Browser) -> None:
    start(site)
    mine = [take(site, name)["task"]["id"] for name in ("bo", "cy", "di")]
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        expect(ann.page.get_by_role("heading", name="Nothing for you right now")).to_be_focused()
        ann.picture("nothing-now")
        site.engine.desk.release(mine[1], "cy")
        ann.sees_task()
        expect(ann.task.get_by_text("dataset/1.json")).to_be_visible()


HOSTILE = (
    TEMPLATE
    + """
<script>
const tried = {};
const attempt = async (name, act) => {
  try { tried[name] = await act() ?? "nothing"; } catch (error) { tried[name] = "refused"; }
};
(async () => {
  await attempt("portal document", () => parent.document.title);
  await attempt("portal cookies", () => document.cookie);
  await attempt("portal storage", () => localStorage.length);
  await attempt("fetch", () => fetch("PORTAL/jobs").then((response) => response.text()));
  await attempt("post", () => fetch("PORTAL/sign-out", { method: "POST", mode: "no-cors", credentials: "include" })
    .then(() => "sent"));
  await attempt("navigate", () => { top.location = "about:blank"; });
  document.body.dataset.tried = JSON.stringify(tried);
})();
</script>"""
)


def test_a_template_does_not_touch_the_portal(site: PortalSite, browser: Browser) -> None:
    site.bench.put("template.liquid.html", HOSTILE.replace("PORTAL", site.origin))
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        body = ann.task.locator("body[data-tried]")
        tried = json.loads(body.get_attribute("data-tried") or "{}")
        assert set(tried) == {
            "portal document", "portal cookies", "portal storage", "fetch", "post", "navigate"
        }  # fmt: skip
        # Of its own it has a little storage, in which nothing of the portal's is.
        empty = {"portal cookies": "", "portal storage": 0}
        assert tried == {**dict.fromkeys(tried, "refused"), **empty}
        assert ann.page.url == f"{site.origin}/jobs/{JOB}"


def test_a_page_that_does_not_load_can_be_declined(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.clock.install()
        ann.page.route(f"{site.pages.origin}/tasks/**", lambda route: route.fulfill(status=500, body="broken"))
        ann.page.goto(f"/jobs/{JOB}")
        expect(ann.page.locator("iframe.coming")).to_be_attached()
        ann.page.clock.run_for(21_000)
        expect(ann.page.get_by_role("heading", name="The worker page does not load")).to_be_focused()
        ann.picture("not-loading")
        ann.page.unroute(f"{site.pages.origin}/tasks/**")
        ann.page.get_by_role("main").get_by_role("button", name="Decline").click()
        ann.page.keyboard.press("d")
        expect(ann.task.get_by_text("dataset/1.json")).to_be_visible()


def test_a_worker_can_stop_while_a_page_is_loading(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.route(f"{site.pages.origin}/tasks/**", lambda route: route.fulfill(body="<p>Not ready"))
        ann.page.goto(f"/jobs/{JOB}")
        expect(ann.page.locator("iframe.coming")).to_be_attached()
        ann.page.get_by_role("button", name="Stop").click()
        expect(ann.page.get_by_role("heading", name="Labeling jobs")).to_be_visible()
    (found,) = site.engine.ledger.workers(JOB)
    assert found["released"] == 1


def test_a_page_left_over_from_the_task_before_answers_nothing(site: PortalSite, browser: Browser) -> None:
    again = (
        "<script>onmessage = () => document.dispatchEvent(new CustomEvent('crowd-answer', { detail: {} }));</script>"
    )
    site.bench.put("template.liquid.html", TEMPLATE + again)
    start(site)
    with browsing(browser, site, "ann") as ann:
        ann.page.goto(f"/jobs/{JOB}")
        ann.sees_task()
        ann.page.route(f"{site.pages.origin}/tasks/**", lambda route: route.fulfill(body="<p>Not ready"))
        choose(ann, "Good Weld")
        expect(ann.page.locator("iframe.coming")).to_be_attached()
        ann.page.locator("#main").focus()
        ann.page.keyboard.press("1")  # the page before gets it, and answers once more
        expect(ann.page.get_by_role("button", name="Decline")).to_be_disabled()
        ann.page.get_by_role("button", name="Stop").click()
        expect(ann.page.get_by_role("heading", name="Labeling jobs")).to_be_visible()
    assert answers_of(site, "0") == [("ann", GOOD)]
    assert answers_of(site, "1") == []


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), SQLAlchemyError("server gone")])
def test_a_database_that_is_down_is_said_with_when_to_try_again(
    site: PortalSite, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise error

    start(site)
    task = take(site)["task"]
    with monkeypatch.context() as broken:
        broken.setattr(site.engine.desk, "keys_in_progress", fails)
        broken.setattr(site.engine.desk, "submit", fails)
        broken.setattr(site.engine, "list", fails)
        with site.client("ann") as client:
            for path in ("/", "/console/"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        refused = act(site, f"/tasks/{task['id']}/answer", answer=GOOD)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert "Nothing was lost" in refused.json()["message"]
    assert act(site, f"/tasks/{task['id']}/answer", answer=GOOD).status_code == 200
    assert answers_of(site, "0") == [("ann", GOOD)]
