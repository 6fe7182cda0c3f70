"""Signing in to an account, by TLS, in a browser: by invitation, and again when a session is over in mid-work."""

import re
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Browser, Page, expect

from benchmarks.local_server import BUCKET, LocalServer, create_job, free_ports, start
from ground_truth_server.commands.main import main
from ground_truth_server.edge.key_pair import KeyPair
from tests.conftest import ROOT
from tests.ground_truth_server.engine.labeling import wait_until

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
SCREENSHOTS = ROOT / "build" / "screenshots" / "people"
PASSWORD = "three small seams"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    file, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return file, key


@pytest.fixture(scope="module")
def server(certificate: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server with a certificate of its own, as on a network; AWS's clients reach it by loopback's S3."""
    ports = free_ports()
    url, pages_url = (f"https://127.0.0.1:{port}" for port in ports[:2])
    options = ("--people", "accounts", "--url", url, "--pages-url", pages_url)
    tls = ("--certificate", str(certificate[0]), "--certificate-key", str(certificate[1]))
    folder = tmp_path_factory.mktemp("workspace")
    server = start(folder, ports, *options, *tls, certificate=certificate[0])
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(ignore_https_errors=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command says."""
    lines: list[str] = []
    monkeypatch.setattr("ground_truth_server.commands.people.print_line", lambda text, **_: lines.append(text))
    return lines


def people(server: LocalServer, *arguments: str) -> None:
    assert server.keys.file is not None
    assert main(["people", *arguments, "--workspace", str(server.keys.file.parent.parent)]) == 0


def show(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def faults(page: Page) -> list[str]:
    """What axe finds; added to the page by the browser, since the page's own policy lets no script of others in."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]


def test_from_the_invitation_to_a_label_and_over_the_end_of_the_session(
    page: Page, server: LocalServer, said: list[str]
) -> None:
    create_job(server, 3, 1, "numbers")
    sagemaker = server.sagemaker()
    wait_until(lambda: sagemaker.describe_labeling_job(LabelingJobName="numbers")["LabelingJobStatus"] == "InProgress")
    people(server, "invite", "Ada Lovelace", "--url", server.url)
    page.goto(said[0])
    expect(page.get_by_role("heading", name="Welcome, Ada Lovelace")).to_be_visible()
    assert not faults(page)
    show(page, "invitation")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same once more").fill("three small seem")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("differ")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.locator(".who")).to_have_text("Ada Lovelace")
    (session,) = page.context.cookies()
    assert (session["name"], session["secure"], session["httpOnly"]) == ("__Host-session", True, True)

    page.goto(f"{server.url}/jobs/numbers")
    frame = page.frame_locator("iframe:not(.coming)")
    frame.get_by_role("radio", name="even").check()
    people(server, "sign-out", "Ada Lovelace")
    frame.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="Sign in again")).to_be_visible()
    show(page, "session-over")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Your name").fill("ada lovelace")
    page.get_by_label("Password").fill(f"{PASSWORD} no")
    assert not faults(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("don't belong together")
    show(page, "sign-in-password")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.url}/jobs/numbers")
    expect(page.get_by_text("1 of 3 answers")).to_be_visible()  # the one that was given before
    page.get_by_role("button", name=re.compile("Stop", re.IGNORECASE)).first.click()
    sagemaker.stop_labeling_job(LabelingJobName="numbers")
    wait_until(lambda: sagemaker.describe_labeling_job(LabelingJobName="numbers")["LabelingJobStatus"] == "Stopped")
    s3 = server.s3()
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="output/numbers/annotations/worker-response")["Contents"]
    (answer,) = [s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in found]
    assert b'"even"' in answer


def test_who_signs_out_is_out(page: Page, server: LocalServer, said: list[str]) -> None:
    people(server, "invite", "Grace", "--url", server.url, "--role", "admin")
    page.goto(said[0])
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button").click()
    page.goto(f"{server.url}/console/people")
    assert not faults(page)
    show(page, "people-of-accounts")
    page.goto(server.url)
    cookies = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.context.add_cookies([dict(one) for one in cookies])  # type: ignore[misc]  # as they were
    page.goto(f"{server.url}/console/")
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(said[0])
    expect(page.get_by_role("heading", name="This invitation is over")).to_be_visible()
    assert not faults(page)


def test_health_is_told_by_any_name_and_nothing_else_is(server: LocalServer) -> None:
    assert server.certificate is not None
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/", 421)):
        answer = httpx.get(server.url + path, headers={"Host": "10.0.0.7:8085"}, verify=str(server.certificate))
        assert answer.status_code == status


def test_machines_sign_by_tls_too(server: LocalServer) -> None:
    assert "everyone" in {team["WorkteamName"] for team in server.sagemaker().list_workteams()["Workteams"]}
    stranger = LocalServer(server.process, server.url, server.s3_url, KeyPair.new(), server.certificate)
    with pytest.raises(ClientError, match=r"\(UnrecognizedClientException\)"):
        stranger.sagemaker().list_workteams()
