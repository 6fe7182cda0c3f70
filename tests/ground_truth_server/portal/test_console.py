import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from ground_truth_server.portal.console_commands import invoke_command
from ground_truth_server.portal.console_objects import select_objects
from ground_truth_server.portal.short_text import in_short
from tests.ground_truth_server.engine.labeling import (
    BUCKET,
    PRE,
    Bench,
    answer_all,
    label_all,
    request,
    wait_for_end,
    wait_until,
)
from tests.ground_truth_server.portal.portal_site import TEMPLATE, PortalSite, browsing, portal_site

JOB = "Welds1"
CONSOLE = f"/console/jobs/{JOB}"


@pytest.fixture
def site(bench: Bench) -> Iterator[PortalSite]:
    bench.put("template.liquid.html", TEMPLATE)
    with portal_site(bench) as found:
        yield found


def start(site: PortalSite, **changes: Any) -> None:
    site.engine.create(request(JOB, **changes))
    wait_until(lambda: site.engine.ledger.progress(JOB).get("open") == 3)


def html(site: PortalSite, path: str) -> str:
    with site.client() as client:
        return client.get(path).raise_for_status().text.replace("&nbsp;", " ")


def fail_the_function(site: PortalSite, message: str = "no such channel: <current>") -> None:
    def fail(_: object) -> object:
        raise KeyError(message)

    site.bench.functions.functions[PRE] = fail
    site.engine.create(request(JOB))
    wait_for_end(site.engine, JOB, 10)


# -- what it says


def test_without_a_job_the_console_says_how_to_start_one(site: PortalSite) -> None:
    found = html(site, "/console/")
    assert "No labeling job yet" in found
    assert "aws sagemaker create-labeling-job --cli-input-json file://request.json" in found
    assert "export AWS_ENDPOINT_URL_SAGEMAKER=" in found


def test_the_list_has_each_job_with_its_state(site: PortalSite) -> None:
    start(site)
    label_all(site.engine, ["ann"], JOB)
    found = html(site, "/console/jobs")
    for text in (f'href="{CONSOLE}"', "Completed", "3 of 3"):
        assert text in found


def test_a_job_shows_counters_workers_objects_log_and_files(site: PortalSite) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2)
    label_all(site.engine, ["ann", "bo"], JOB)
    found = html(site, CONSOLE)
    for text in (
        '<dt>Labeled</dt><dd>3</dd>',
        "6 <small>of 6</small>",
        "<td>ann</td>",
        "dataset/2.json".rpartition("/")[2],
        "Good Weld <span",
        "ann answered object 0",
        f"{CONSOLE}/files/manifests/output/output.manifest",
        "--labeling-job-name Welds1-2",
    ):  # fmt: skip
        assert text in found, text


def test_the_filters_pick_objects(site: PortalSite) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2)
    answer_all(site.engine, "ann", JOB)
    task = site.engine.desk.next_task("bo", JOB)
    assert task is not None
    site.engine.desk.submit(task.id, "bo", {"class": {"label": "Burn Through"}})

    def picked(chosen: str) -> list[str]:
        return [row.object_id for row in select_objects(site.engine, JOB, chosen, 0, 10)[0]]

    assert picked("all") == picked("open") == ["0", "1", "2"]
    assert picked("disagreement") == ["0"]
    assert picked("labeled") == picked("failed") == []
    assert "disagree" in html(site, f"{CONSOLE}?show=disagreement")


def test_a_long_table_goes_on_where_the_page_before_ended(site: PortalSite) -> None:
    start(site)
    rows, following = select_objects(site.engine, JOB, "all", 0, 2)
    assert ([row.object_id for row in rows], following) == (["0", "1"], 2)
    rows, following = select_objects(site.engine, JOB, "all", 2, 2)
    assert ([row.object_id for row in rows], following) == (["2"], None)


def test_bad_lines_are_failed_objects_with_their_reason(site: PortalSite) -> None:
    site.bench.put_manifest([{"source": "good"}, "{broken", {"source": "fine"}])
    site.engine.create(request(JOB))
    wait_until(lambda: site.engine.ledger.progress(JOB).get("open") == 2)
    assert "not JSON" in html(site, f"{CONSOLE}?show=failed")
    assert "not JSON" in html(site, f"{CONSOLE}/objects/1")


def test_a_failed_job_shows_the_reason_the_traceback_and_the_command(site: PortalSite) -> None:
    fail_the_function(site)
    found = html(site, CONSOLE)
    for text in ("Exception invoking the Lambda function", "KeyError", "no such channel: &lt;current&gt;",
                 "line 1", f"aws lambda invoke --function-name {PRE}"):  # fmt: skip
        assert text in found, text
    (called_with,) = [event.detail["event"] for event in site.engine.ledger.events(JOB) if event.detail]
    number = called_with["dataObject"]["source"].rpartition("/")[2].removesuffix(".json")
    assert "KeyError" in html(site, f"{CONSOLE}/objects/{number}")


def test_the_command_repeats_the_call() -> None:
    detail = {"functionArn": PRE, "event": {"dataObject": {"source": "it's $HOME"}}}
    words = shlex.split(invoke_command(detail))
    assert json.loads(words[words.index("--payload") + 1]) == detail["event"]


def test_an_object_shows_input_answers_label_and_history(site: PortalSite) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2)
    label_all(site.engine, ["ann", "bo"], JOB)
    found = html(site, f"{CONSOLE}/objects/1")
    for text in ("Object 1", "2 of 2", "<strong>bo</strong>", "&#34;class&#34;", "bo took object 1",
                 f"{site.pages.origin}/objects/{JOB}/1", "line 2"):  # fmt: skip
        assert text in found, text


def test_what_an_object_names_in_s3_can_be_opened_and_nothing_else(site: PortalSite) -> None:
    start(site)
    site.bench.put("dataset/1.json", "{}")
    with site.client() as client:
        opened = client.get(f"{CONSOLE}/objects/1/source", params={"uri": f"s3://{BUCKET}/dataset/1.json"})
        assert opened.status_code == 307
        assert client.get(opened.headers["location"]).text == "{}"
        other = client.get(f"{CONSOLE}/objects/1/source", params={"uri": f"s3://{BUCKET}/input.manifest"})
        assert other.status_code == 404


def test_an_object_s_page_leads_to_its_worker_response(site: PortalSite) -> None:
    start(site)
    label_all(site.engine, ["ann"], JOB)
    assert "worker-response" not in html(site, CONSOLE)  # a large job has as many as objects
    (link,) = re.findall(r'href="([^"]+)"[^>]*>worker response<', html(site, f"{CONSOLE}/objects/1"))
    with site.client() as client:
        (answer,) = client.get(link).json()["answers"]
    assert answer["answerContent"] == {"class": {"label": "Good Weld"}}


def test_output_files_are_plain_text(site: PortalSite) -> None:
    start(site)
    label_all(site.engine, ["ann"], JOB)
    with site.client() as client:
        manifest = client.get(f"{CONSOLE}/files/manifests/output/output.manifest")
        assert client.get(f"{CONSOLE}/files/nothing").status_code == 404
    assert manifest.headers["content-type"] == "text/plain; charset=utf-8"
    assert manifest.headers["x-content-type-options"] == "nosniff"
    assert json.loads(manifest.text.splitlines()[0])["Weld"] == {"class": "Good Weld"}


def test_the_request_of_a_job_can_be_had_to_start_it_again(site: PortalSite) -> None:
    start(site)
    with site.client() as client:
        assert client.get(f"{CONSOLE}/request.json").json() == request(JOB)


def test_stopping_a_job_that_has_ended_is_refused_with_the_reason(site: PortalSite) -> None:
    start(site)
    with site.client() as client:
        assert client.post(f"{CONSOLE}/stop").status_code == 303
        wait_for_end(site.engine, JOB, 10)
        refused = client.post(f"{CONSOLE}/stop")
    assert refused.status_code == 409
    assert "Stopped" in refused.text


@pytest.mark.parametrize("path", ["/console/jobs/nowhere", f"{CONSOLE}/objects/99", f"{CONSOLE}/objects/x"])
def test_what_is_not_there_has_a_page(site: PortalSite, path: str) -> None:
    start(site)
    with site.client() as client:
        answer = client.get(path)
    assert answer.status_code == 404
    assert "That did not work" in answer.text


def test_live_answers_what_is_new_at_once(site: PortalSite) -> None:
    start(site)
    with site.client() as client:
        before = client.get(f"{CONSOLE}/live?after=0").json()
        assert "Object 0 is ready for workers" in before["log"]
        answer_all(site.engine, "ann", JOB)
        news = client.get(f"{CONSOLE}/live", params={"after": before["after"]}).json()
    assert "ann answered object 0" in news["log"]
    assert "is ready for workers" not in news["log"]
    assert "<td>ann</td>" in news["workers"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"class": {"label": "Good Weld", "workerComment": "see the edge"}}, "Good Weld"),
        ({"class": {"labels": ["A", "B"]}}, "A, B"),
        ({"box": {"on": True}, "other": {"on": False}}, "on"),
        ({"size": 3, "note": ""}, "3"),
        ({"class": "Good Weld", "confidence": 0.67, "votes": {"Good Weld": 2, "Not sure": 1}}, "Good Weld"),
        ({}, "{}"),
        ({"class": "Burn Through", "marks": '{"regions":[{"category":"Defect","begin":7.3}]}'}, "Burn Through, Defect"),
        ({"class": "Burn Through", "marks": '{"regions":[]}'}, "Burn Through"),
        ({"note": "{no JSON"}, "{no JSON"),
        ({"note": "[" * 70}, "[" * 70),
        ({"deep": json.loads("[" * 900 + "]" * 900)}, '{"deep": ' + "[" * 70 + "…"),
        ({"text": "x" * 100}, "x" * 79 + "…"),
    ],
)
def test_answers_in_short(content: object, text: str) -> None:
    assert in_short(content) == text


# -- in a browser


def test_the_console_follows_the_job_and_stops_it(site: PortalSite, browser: Browser) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2)
    with browsing(browser, site) as owner:
        page = owner.page
        page.goto(CONSOLE)
        expect(page.get_by_text("Nobody has taken a task yet.")).to_be_visible()
        answer_all(site.engine, "ann", JOB)
        expect(page.get_by_role("cell", name="ann", exact=True)).to_be_visible()
        expect(page.get_by_text("ann answered object 2")).to_be_visible()
        page.get_by_role("button", name="Stop…").click()
        expect(page.get_by_role("dialog", name="Stop Welds1?")).to_be_visible()
        page.get_by_role("button", name="Let it go on").click()
        assert site.engine.describe(JOB)["LabelingJobStatus"] == "InProgress"
        page.get_by_role("button", name="Stop…").click()
        page.get_by_role("button", name="Stop the job").click()
        expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
        expect(page.get_by_role("link", name="manifests/output/output.manifest")).to_be_visible()
        assert owner.errors == []


def test_commands_are_copied(site: PortalSite, browser: Browser) -> None:
    with browsing(browser, site) as owner:
        owner.page.goto("/console/")
        owner.page.get_by_role("button", name="Copy").click()
        expect(owner.page.get_by_role("button", name="Copied")).to_be_visible()
        assert "create-labeling-job" in owner.page.evaluate("navigator.clipboard.readText()")


def test_the_page_in_the_console_submits_nothing(site: PortalSite, browser: Browser) -> None:
    start(site)
    with browsing(browser, site) as owner:
        owner.page.goto(f"{CONSOLE}/objects/0")
        owner.task.get_by_role("radio", name="Good Weld").check()
        owner.task.get_by_role("button", name="Submit", exact=True).click()
        expect(owner.task.get_by_text("nothing is submitted from here")).to_be_visible()
        assert owner.errors == []
    assert site.engine.ledger.data_object(JOB, "0").answers == []


@pytest.mark.parametrize(
    ("name", "dark", "size"),
    [
        ("light-wide", False, (1280, 800)),
        ("dark-wide", True, (1280, 800)),
        ("light-narrow", False, (390, 844)),
        ("dark-tablet", True, (820, 1180)),
    ],
)
def test_every_page_fits_its_window(
    site: PortalSite, browser: Browser, name: str, *, dark: bool, size: tuple[int, int]
) -> None:
    start(site, NumberOfHumanWorkersPerDataObject=2, TaskTitle="Classify a weld")
    answer_all(site.engine, "ann", JOB)
    task = site.engine.desk.next_task("bo", JOB)
    assert task is not None
    site.engine.desk.submit(task.id, "bo", {"class": {"label": "Burn Through"}})
    pages = {"jobs": "/", "console": "/console/", "console-job": CONSOLE, "console-object": f"{CONSOLE}/objects/0"}
    with browsing(browser, site, "bo", dark=dark, size=size) as found:
        for shown, path in pages.items():
            found.page.goto(path)
            assert found.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, shown
            found.picture(f"{shown}-{name}", full_page=True)
        found.page.goto(f"/jobs/{JOB}")
        found.sees_task()
        assert found.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        small = found.page.evaluate(
            "[...document.querySelectorAll('.task-bar button, .task-bar a')].filter((one) => one.offsetHeight"
            " && (one.offsetHeight < 44 || one.offsetWidth < 44)).map((one) => one.textContent)"
        )
        assert small == [], "touch targets of less than 44 px"
        found.picture(f"task-{name}")
        found.page.keyboard.press("?")
        found.picture(f"keys-{name}")
        found.page.context.clear_cookies()
        found.page.goto("/")
        found.picture(f"sign-in-{name}")
        assert found.errors == []
