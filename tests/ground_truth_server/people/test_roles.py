"""What each kind of person gets of each route: an outsider, a worker of another team, a worker, owners, an admin."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError
from starlette.routing import Mount, Route

from benchmarks.local_server import BUCKET, LocalServer, create_job, local_server
from ground_truth_server.commands.main import main
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.pages.page_origin import PageOrigin
from ground_truth_server.people.accounts import Accounts
from ground_truth_server.people.sessions import Sessions
from ground_truth_server.portal.console import create_console
from ground_truth_server.portal.console_commands import Endpoints
from ground_truth_server.portal.portal import create_portal
from ground_truth_server.portal.sign_in_by_password import SignInByPassword
from tests.ground_truth_server.engine.labeling import wait_until

PASSWORD = "three small seams"
JOB = "seams"
PEOPLE = {
    "outsider": None,
    "stranger": ("worker", "painters"),
    "worker": ("worker", "welders"),
    "rival": ("owner", "engineers"),
    "owner": ("owner", "engineers"),
    "admin": ("admin", "engineers"),
}
WHO = tuple(PEOPLE)
SIGN_IN = 'name="password"'  # on the page that asks to sign in


@dataclass
class Team:
    """A server with people, a job of the welders that belongs to the owner, and its worker's task."""

    server: LocalServer
    workspace: Path
    clients: dict[str, httpx.Client]
    ids: dict[str, str]
    task: dict[str, Any]
    said: list[str]

    def command(self, *arguments: str) -> str:
        """Run ``ground-truth``; gives what it prints."""
        self.said.clear()
        assert main([*arguments, "--workspace", str(self.workspace)]) == 0
        return "\n".join(self.said)


def come(server: LocalServer, invitation: str) -> httpx.Client:
    """Accept an invitation, as a browser does."""
    client = httpx.Client(base_url=server.url, headers={"Accept": "text/html"})
    page = client.get(invitation)
    assert page.status_code == 200
    accepted = client.post(invitation, data={"password": PASSWORD, "again": PASSWORD})
    assert accepted.status_code == 303
    return client


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    workspace = tmp_path_factory.mktemp("workspace")
    with local_server(workspace, "--people", "accounts") as server, pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        for module in ("people", "keys"):
            patch.setattr(f"ground_truth_server.commands.{module}.print_line", lambda text, **_: said.append(text))
        clients, ids = {"outsider": httpx.Client(base_url=server.url, headers={"Accept": "text/html"})}, {}
        for name, given in PEOPLE.items():
            if given is not None:
                role, group = given
                options = ("--role", role, "--group", group, "--workspace", str(workspace))
                assert main(["people", "invite", name, *options]) == 0
                clients[name] = come(server, said[-2])
        assert main(["people", "list", "--workspace", str(workspace)]) == 0
        for line in said:
            if found := re.match(r"(.+?) +(worker|owner|admin) .*(person-\w+)", line):
                ids[found[1]] = found[3]
        assert main(["keys", "add", "--person", "owner", "--workspace", str(workspace)]) == 0
        access, secret = (line.partition("=")[2] for line in said[-2:])
        team_arn = server.sagemaker().create_workteam(
            WorkteamName="welders",
            Description="who weld",
            MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["welders"]}}],
        )["WorkteamArn"]
        owners = _of_owner(server, access, secret)
        create_job(owners, 8, 2, JOB, WorkteamArn=team_arn)

        def turn() -> dict[str, Any]:
            given: dict[str, Any] = clients["worker"].post(f"/jobs/{JOB}/next", json={"worker": ids["worker"]}).json()
            return given

        wait_until(lambda: turn()["state"] == "task")
        yield Team(server, workspace, clients, ids, turn()["task"], said)
        for client in clients.values():
            client.close()


class _Owners(LocalServer):
    def sagemaker(self) -> Any:
        session = boto3.Session(self.keys.access_key, self.keys.secret_key, region_name="eu-west-1")
        return session.client("sagemaker", endpoint_url=self.url)


def _of_owner(server: LocalServer, access: str, secret: str) -> LocalServer:
    return _Owners(server.process, server.url, server.s3_url, KeyPair(access, secret))


def _status(server: LocalServer) -> str:
    return server.sagemaker().describe_labeling_job(LabelingJobName=JOB)["LabelingJobStatus"]


@dataclass(frozen=True)
class Case:
    """A route, and the status that each of `WHO` gets, in their order."""

    method: str
    path: str
    statuses: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# An owner and an admin may label only where they are of the team, as everybody; the console is another matter.
CASES = (
    Case("GET", "/", (200, 200, 200, 200, 200, 200)),
    Case("GET", "/jobs", (401, 200, 200, 200, 200, 200)),
    Case("GET", "/jobs/{job}", (200, 404, 200, 404, 404, 404)),
    Case("GET", "/jobs/{job}/progress", (401, 404, 200, 404, 404, 404)),
    Case("POST", "/jobs/{job}/next", (401, 404, 200, 404, 404, 404)),
    Case("POST", "/tasks/{task}/answer", (401, 409, None, 409, 409, 409)),
    Case("POST", "/tasks/{task}/incomplete", (401, 409, 200, 409, 409, 409)),
    Case("POST", "/tasks/{task}/decline", (401, 409, None, 409, 409, 409)),
    Case("POST", "/tasks/{task}/release", (401, 409, None, 409, 409, 409)),
    Case("POST", "/tasks/{task}/aside", (401, 409, None, 409, 409, 409)),
    Case("POST", "/tasks/{task}/take-up", (401, 409, 200, 409, 409, 409)),
    Case("POST", "/tasks/{task}/correct", (401, 400, 400, 400, 400, 400)),
    Case("GET", "/tasks/{task}/own", (401, 409, 200, 409, 409, 409)),
    Case("GET", "/jobs/{job}/own", (401, 404, 200, 404, 404, 404)),
    Case("GET", "/history", (200, 200, 200, 200, 200, 200)),
    Case("GET", "/console/", (200, 403, 403, 200, 200, 200)),
    Case("GET", "/console/jobs", (200, 403, 403, 200, 200, 200)),
    Case("GET", "/console/jobs/{job}", (200, 403, 403, 404, 200, 200)),
    Case("GET", "/console/jobs/{job}/live", (200, 403, 403, 404, 200, 200)),
    Case("POST", "/console/jobs/{job}/stop", (401, 403, 403, 404, None, None)),
    Case("GET", "/console/jobs/{job}/request.json", (200, 403, 403, 404, 200, 200)),
    Case("GET", "/console/jobs/{job}/objects/{object_id}", (200, 403, 403, 404, 200, 200)),
    Case("GET", "/console/jobs/{job}/objects/{object_id}/source", (200, 403, 403, 404, 404, 404)),
    Case("GET", "/console/jobs/{job}/files/{path:path}", (200, 403, 403, 404, 404, 404)),
    Case("GET", "/console/people", (200, 403, 403, 403, 403, 200)),
    Case("POST", "/console/people/{person}/sign-out", (401, 403, 403, 403, 403, 404)),
    Case("POST", "/console/people/{person}/disable", (401, 403, 403, 403, 403, 404)),
    Case("POST", "/console/people/{person}/enable", (401, 403, 403, 403, 403, 404)),
)
OPEN = {"/sign-in", "/sign-out", "/invitation/{token}", "/static"}
"""Routes of those who aren't signed in yet; their own tests are elsewhere."""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_gets_what_they_should(team: Team, case: Case) -> None:
    path = case.path.replace("{path:path}", "nothing")
    for name, value in {"job": JOB, "task": team.task["id"], "object_id": "0", "person": "nobody"}.items():
        path = path.replace(f"{{{name}}}", value)
    for who, expected in zip(WHO, case.statuses, strict=True):
        if expected is None:  # it would end the task or the job; shown by other tests
            continue
        body: dict[str, Any] = (
            {"json": {"worker": team.ids.get(who, ""), "answer": {}}} if case.method == "POST" else {}
        )
        answer = team.clients[who].request(case.method, path, **body)
        assert answer.status_code == expected, (who, answer.text[-500:])
        if who == "outsider" and expected == 200:
            assert SIGN_IN in answer.text
            assert "Even or odd" not in answer.text


def test_the_table_above_has_every_route(bench: Any) -> None:
    with bench.engine() as engine:
        pages = PageOrigin("http://127.0.0.1:2", "http://127.0.0.1:1", lambda uri: uri)
        sign_in = SignInByPassword(Accounts(engine.records), Sessions(engine.records), secure=False)
        console = create_console(engine, pages, bench.s3, Endpoints("http://127.0.0.1:1"), sign_in)
        portal = create_portal(engine, pages, console, sign_in=sign_in)
    found = {(method, path) for method, path in _routes(portal) if path not in OPEN}
    assert found == {(case.method, case.path) for case in CASES}


def _routes(app: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in getattr(app, "_app", app).routes:
        if isinstance(route, Route):
            yield from ((method, prefix + route.path) for method in (route.methods or ()) if method != "HEAD")
        elif isinstance(route, Mount) and route.path != "/static":
            yield from _routes(route.app, prefix + route.path)


def test_only_the_worker_s_own_portal_gives_the_way_to_a_page(team: Team) -> None:
    page = httpx.get(team.task["page"])
    assert page.status_code == 200
    assert httpx.get(team.task["page"].partition("&signature")[0]).status_code == 403
    assert httpx.get(team.task["page"].replace("signature=", "signature=0")).status_code == 403
    origin = team.task["page"].partition("/tasks/")[0]
    assert httpx.get(f"{origin}/objects/{JOB}/0").status_code == 403
    console = team.clients["owner"].get(f"/console/jobs/{JOB}/objects/0").text
    address = re.search(r'src="(http[^"]+/objects/[^"]+)"', console)
    assert address is not None
    shown = address[1].replace("&amp;", "&")
    assert httpx.get(shown).status_code == 200
    assert httpx.get(shown.replace("/0?", "/1?")).status_code == 403


def test_a_page_is_closed_with_the_session_of_its_worker(team: Team) -> None:
    assert httpx.get(team.task["page"]).status_code == 200
    try:
        assert "signed out of 1 places" in team.command("people", "sign-out", "worker")
        assert httpx.get(team.task["page"]).status_code == 403
        assert SIGN_IN in team.clients["worker"].get("/").text
    finally:
        team.clients["worker"].post("/sign-in", data={"name": "worker", "password": PASSWORD})
    assert httpx.get(team.task["page"]).status_code == 200


def test_nobody_acts_in_another_s_name(team: Team) -> None:
    answer = team.clients["stranger"].post(f"/jobs/{JOB}/next", json={"worker": team.ids["worker"]})
    assert (answer.status_code, answer.json()["kind"]) == (401, "signed-out")
    answer = team.clients["outsider"].post(f"/jobs/{JOB}/next", json={"worker": team.ids["worker"]})
    assert (answer.status_code, answer.json()["kind"]) == (401, "session-over")


def test_workers_stay_out_from_addresses_that_the_workforce_does_not_allow(team: Team) -> None:
    sagemaker = team.server.sagemaker()
    sagemaker.update_workforce(WorkforceName="default", SourceIpConfig={"Cidrs": ["10.0.0.0/8"]})
    try:
        assert team.clients["worker"].get("/").status_code == 403
        refused = team.clients["worker"].post(f"/jobs/{JOB}/next", json={"worker": team.ids["worker"]})
        assert (refused.status_code, refused.json()["kind"]) == (403, "wrong-place")
        assert team.clients["admin"].get("/").status_code == 200  # so that nobody locks themselves out
    finally:
        sagemaker.update_workforce(WorkforceName="default", SourceIpConfig={"Cidrs": []})
    assert team.clients["worker"].get("/").status_code == 200


# -- machines


def keys(team: Team, *options: str) -> Any:
    """A session of boto3 with a new key."""
    said = team.command("keys", "add", *options)
    access, secret = (line.partition("=")[2] for line in said.splitlines())
    return boto3.Session(access, secret, region_name="eu-west-1")


def test_keys_see_the_jobs_of_their_person(team: Team) -> None:
    own = keys(team, "--person", "owner").client("sagemaker", endpoint_url=team.server.url)
    other = keys(team, "--person", "rival").client("sagemaker", endpoint_url=team.server.url)
    admin = keys(team, "--role", "admin").client("sagemaker", endpoint_url=team.server.url)
    for client, seen in ((own, [JOB]), (other, []), (admin, [JOB])):
        found = client.list_labeling_jobs()["LabelingJobSummaryList"]
        assert [job["LabelingJobName"] for job in found] == seen
    with pytest.raises(ClientError, match=r"\(ResourceNotFound\)"):
        other.describe_labeling_job(LabelingJobName=JOB)
    with pytest.raises(ClientError, match=r"\(ResourceNotFound\)"):
        other.stop_labeling_job(LabelingJobName=JOB)
    with pytest.raises(ClientError, match=r"\(AccessDeniedException\).*for admins"):
        own.update_workteam(WorkteamName="welders", Description="others")


def test_an_ended_wrong_or_unknown_key_gets_aws_s_own_errors(team: Team) -> None:
    session = keys(team)
    credentials = session.get_credentials()
    assert session.client("s3", endpoint_url=team.server.s3_url).list_objects_v2(Bucket=BUCKET)["KeyCount"] > 0
    wrong = boto3.Session(credentials.access_key, "x" * 40, region_name="eu-west-1")
    with pytest.raises(ClientError, match=r"\(SignatureDoesNotMatch\)"):
        wrong.client("s3", endpoint_url=team.server.s3_url).list_buckets()
    with pytest.raises(ClientError, match=r"\(InvalidSignatureException\)"):
        wrong.client("sagemaker", endpoint_url=team.server.url).list_workteams()
    assert "taken no more" in team.command("keys", "remove", credentials.access_key)
    with pytest.raises(ClientError, match=r"\(InvalidAccessKeyId\)"):
        session.client("s3", endpoint_url=team.server.s3_url).list_buckets()
    with pytest.raises(ClientError, match=r"\(UnrecognizedClientException\)"):
        session.client("sagemaker", endpoint_url=team.server.url).list_workteams()


# -- sign-in as strangers try it


def sign_in(team: Team, name: str, password: str, address: str = "127.0.0.1") -> httpx.Response:
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(base_url=team.server.url, transport=transport) as client:
        return client.post("/sign-in", data={"name": name, "password": password})


def test_a_wrong_name_and_a_wrong_password_read_the_same(team: Team) -> None:
    known = sign_in(team, "rival", "wrong password", "127.0.0.2")
    unknown = sign_in(team, "nobody here", "wrong password", "127.0.0.2")
    assert known.status_code == unknown.status_code == 403
    assert known.text.replace("rival", "") == unknown.text.replace("nobody here", "")


def test_after_some_tries_even_the_right_password_waits(team: Team) -> None:
    tries = 0
    while sign_in(team, "stranger", "wrong", "127.0.0.3").status_code == 403:  # on a slow machine a wait may be over
        tries += 1
        assert tries < 12
    assert tries >= 5
    refused = sign_in(team, "stranger", PASSWORD, "127.0.0.3")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1


def test_no_form_leads_to_another_site(team: Team) -> None:
    for goal in ("https://evil.example", "//evil.example", "/\\evil.example", "/\nevil"):
        with httpx.Client(base_url=team.server.url) as client:
            answer = client.post("/sign-in", data={"name": "admin", "password": PASSWORD, "goal": goal})
        assert answer.headers["location"] == "/"


def test_a_page_of_another_site_signs_nobody_in(team: Team) -> None:
    host = urlsplit(team.server.url).netloc
    connection = HTTPConnection(host)
    headers = {"Origin": "https://evil.example", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", f"name=admin&password={PASSWORD.replace(' ', '+')}", headers)
    answer = connection.getresponse()
    assert answer.status == 403
    assert answer.getheader("set-cookie") is None


def test_ids_in_the_output_tell_nothing_of_the_person(team: Team) -> None:
    client = team.clients["worker"]
    while (turn := client.post(f"/jobs/{JOB}/next", json={"worker": team.ids["worker"]}).json())["state"] == "task":
        answer = {"worker": team.ids["worker"], "answer": {"class": {"label": "even"}}}
        assert client.post(f"/tasks/{turn['task']['id']}/answer", json=answer).status_code == 200
    team.server.sagemaker().stop_labeling_job(LabelingJobName=JOB)
    wait_until(lambda: _status(team.server) == "Stopped")
    s3 = team.server.s3()
    found = [
        s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read().decode()
        for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=f"output/{JOB}/annotations/worker-response")["Contents"]
    ]
    assert len(found) == 8
    for text in found:
        (answer,) = json.loads(text)["answers"]
        assert re.fullmatch(r"private\.eu-west-1\.[0-9a-f]{16}", answer["workerId"])
        assert team.ids["worker"] not in text
        assert '"worker"' not in text
    assert "worker" in team.clients["owner"].get(f"/console/jobs/{JOB}").text
