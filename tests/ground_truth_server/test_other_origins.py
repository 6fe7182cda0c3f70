"""A page of another origin in the same browser, against every socket of a server that runs."""

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.local_server import BUCKET, LocalServer, create_job, local_server
from demo.portal_client import PortalClient

STACK = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Touch:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.touch, Runtime: python3.13, CodeUri: ., Timeout: 30, MemorySize: 256}
"""
CODE = "def touch(event, context):\n    print('touched')\n    return {}\n"
SECRET = b"the recording of a weld"
KEY = "secret.csv"

# Everything that a page can send without leave: reading as fetch does, and writing as forms and beacons do.
ATTACK = """
async ({ s3, functions, portal, pages, bucket, key }) => {
  const read = async (url, options) => {
    try {
      const answer = await fetch(url, options);
      return [answer.type, answer.status, (await answer.text()).slice(0, 300)];
    } catch (error) {
      return ["blocked", 0, ""];
    }
  };
  const text = { "Content-Type": "text/plain" };
  const found = {};
  for (const mode of ["cors", "no-cors"]) {
    const send = (url, method, body, headers = text) =>
      read(url, { method, body, headers, mode, credentials: "include" });
    const object = `${s3}/${bucket}/${key}`;
    const signed = "Signature=x&AWSAccessKeyId=y&Expires=9999999999";
    const deletion = `<Delete><Object><Key>${key}</Key></Object></Delete>`;
    const invocations = `${functions}/2015-03-31/functions/Touch/invocations`;
    found[`list ${mode}`] = await send(`${s3}/${bucket}?list-type=2`, "GET");
    found[`read ${mode}`] = await send(object, "GET");
    found[`read as if signed ${mode}`] = await send(`${object}?${signed}`, "GET");
    found[`delete ${mode}`] = await send(`${s3}/${bucket}?delete`, "POST", deletion);
    const form = new FormData();
    form.append("key", key);
    form.append("file", new Blob(["overwritten"]), "a");
    found[`form ${mode}`] = await send(`${s3}/${bucket}`, "POST", form, {});
    found[`invoke ${mode}`] = await send(invocations, "POST", "{}");
    found[`event ${mode}`] = await send(`${invocations}?Qualifier=$LATEST`, "POST", "{}");
    const role = "Action=AssumeRole&RoleSessionName=aa&RoleArn=arn:aws:iam::111122223333:role/a";
    found[`role ${mode}`] = await send(`${functions}/`, "POST", role);
    found[`stop ${mode}`] = await send(`${portal}/`, "POST", JSON.stringify({ LabelingJobName: "welds" }));
    found[`stop in the console ${mode}`] = await send(`${portal}/console/jobs/welds/stop`, "POST", "");
    found[`sign in ${mode}`] = await send(`${portal}/sign-in`, "POST", "worker=Mallory");
    found[`take a task ${mode}`] = await send(`${portal}/jobs/welds/next`, "POST", JSON.stringify({ worker: "Ada" }));
    found[`console ${mode}`] = await send(`${portal}/console/jobs/welds`, "GET");
    found[`page ${mode}`] = await send(`${pages}/`, "GET");
  }
  for (const method of ["PUT", "DELETE"]) {
    const body = method === "PUT" ? "overwritten" : undefined;
    found[method] = await read(`${s3}/${bucket}/${key}`, { method, body });
  }
  return found;
}
"""


class Site(NamedTuple):
    server: LocalServer
    workspace: Path
    places: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with a function, an object and a labeling job that Ada has begun."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "template.yaml").write_text(STACK)
    (folder / "app.py").write_text(CODE)
    with local_server(folder / "w", "--template", str(folder / "template.yaml")) as server:
        create_job(server, 3, 1, "welds")
        server.s3().put_object(Bucket=BUCKET, Key=KEY, Body=SECRET)
        PortalClient(server.url, "Ada").close()
        printed = (folder / "w" / "server.log").read_text().splitlines()
        lines = dict(line.partition("export ")[2].split("=", 1) for line in printed if "export " in line)
        places = {"portal": server.url, "s3": server.s3_url, "bucket": BUCKET, "key": KEY}
        places |= {"functions": lines["AWS_ENDPOINT_URL_LAMBDA"], "pages": _pages_of(server)}
        yield Site(server, folder / "w", places)


def _pages_of(server: LocalServer) -> str:
    """The origin of the worker pages, as a task names it."""
    ada = PortalClient(server.url, "Ben")
    turn = ada.next_task("welds")
    while not turn.task:
        turn = ada.next_task("welds")
    ada.close()
    page: str = turn.task["page"]
    return "/".join(page.split("/")[:3])


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    """The port of another program that serves pages on this machine."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Nice pictures</title>")

        def log_message(self, *_: Any) -> None:
            """Nothing to tell."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port)
        server.shutdown()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def sign_in(site: Site, page: Page, name: str) -> None:
    page.goto(f"{site.server.url}/")
    page.get_by_role("textbox").fill(name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def unharmed(site: Site) -> None:
    """Nothing was read, written, begun or ended."""
    assert (site.workspace / BUCKET / KEY).read_bytes() == SECRET
    assert "touched" not in (site.workspace / "functions.log").read_text()
    job = site.server.sagemaker().describe_labeling_job(LabelingJobName="welds")
    assert job["LabelingJobStatus"] == "InProgress"


@pytest.mark.parametrize("host", ["evil.localhost", "127.0.0.1"], ids=["another site", "another port"])
def test_a_page_of_another_origin_reads_and_changes_nothing(site: Site, stranger: str, page: Page, host: str) -> None:
    sign_in(site, page, "Ada")
    page.goto(f"http://{host}:{stranger}/")

    found = page.evaluate(ATTACK, site.places)

    assert len(found) == 30
    for name, (kind, status, text) in found.items():
        assert kind in ("blocked", "opaque"), (name, kind, status, text)
        assert text == ""
    unharmed(site)
    assert {cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "worker"} == {"Ada"}


def test_a_form_that_is_sent_for_the_user_changes_nothing(site: Site, stranger: str, page: Page) -> None:
    """A navigation, which no rule for scripts holds back."""
    places = site.places
    forms = [
        (f"{places['s3']}/{BUCKET}", "multipart/form-data", {"key": KEY, "file": "overwritten"}),
        (
            f"{places['s3']}/{BUCKET}?delete",
            "text/plain",
            {"<Delete><Object><Key>secret.csv</Key></Object></Delete>": ""},
        ),
        (f"{places['functions']}/2015-03-31/functions/Touch/invocations", "text/plain", {'{"a": "': '"}'}),
        (f"{places['portal']}/console/jobs/welds/stop", "application/x-www-form-urlencoded", {}),
        (f"{places['portal']}/sign-in", "application/x-www-form-urlencoded", {"worker": "Mallory"}),
    ]
    for action, kind, fields in forms:
        page.goto(f"http://evil.localhost:{stranger}/")
        with page.expect_navigation() as navigation:
            page.evaluate(
                """([action, kind, fields]) => {
                  const form = document.body.appendChild(document.createElement("form"));
                  Object.assign(form, { action, enctype: kind, method: "post" });
                  for (const [name, value] of Object.entries(fields)) {
                    const input = form.appendChild(document.createElement("input"));
                    Object.assign(input, { name, value });
                  }
                  form.submit();
                }""",
                [action, kind, fields],
            )
        response = navigation.value
        assert response is not None
        assert response.status == 403, action
    unharmed(site)
    assert [cookie for cookie in page.context.cookies() if cookie["name"] == "worker"] == []


@pytest.mark.parametrize("place", ["portal", "pages", "s3", "functions"])
def test_a_name_that_somebody_points_at_this_machine_gets_nothing(site: Site, page: Page, place: str) -> None:
    """DNS rebinding: the page's own origin, as the browser sees it."""
    port = site.places[place].rpartition(":")[2]
    response = page.goto(f"http://rebound.localhost:{port}/")
    assert response is not None
    assert (response.status, response.headers["connection"]) == (421, "close")
    assert page.evaluate("fetch('/console/').then(answer => answer.status)") == 421


def test_a_worker_page_has_no_power_over_what_is_stored(site: Site, page: Page, tmp_path: Path) -> None:
    """Its scripts run in the worker's browser, in a frame of no origin."""
    script = (
        f"({ATTACK})({json.dumps(site.places)}).then((found) => {{ document.body.append(JSON.stringify(found)); }});"
    )
    template = f"<crowd-form><input name=a></crowd-form><script>{script}</script>"
    site.server.s3().put_object(Bucket=BUCKET, Key="hostile.html", Body=template.encode())
    create_job(site.server, 1, 1, "hostile", UiConfig={"UiTemplateS3Uri": f"s3://{BUCKET}/hostile.html"})
    sign_in(site, page, "Cleo")
    page.goto(f"{site.server.url}/jobs/hostile")
    body = page.frame_locator("iframe:not(.coming)").locator("body")
    body.get_by_text('"PUT"').wait_for(timeout=30_000)
    found = json.loads("{" + body.inner_text().partition("{")[2].rpartition("}")[0] + "}")
    assert len(found) == 30
    assert {kind for kind, _, _ in found.values()} <= {"blocked", "opaque"}
    unharmed(site)
