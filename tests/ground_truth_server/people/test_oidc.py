"""Sign-in at a provider: oidc-provider, a certified implementation, in a browser; and what a hostile one may send."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from playwright.sync_api import Browser, BrowserContext, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks.local_server import LocalServer, create_job, free_ports, start
from ground_truth_server.edge.loopback import serving
from ground_truth_server.people.oidc import OidcSignIn, ProviderUnavailable, SignInRefused
from ground_truth_server.people.oidc_settings import OidcSettings
from ground_truth_server.records.records import Records
from tests.conftest import ROOT
from tests.ground_truth_server.engine.labeling import wait_until
from tests.ground_truth_server.people.conftest import SECRET, oidc_provider

SCREENSHOTS = ROOT / "build" / "screenshots" / "people"


@pytest.fixture(scope="module")
def server(provider_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    ports, (at_provider, *_) = free_ports(), free_ports()
    with oidc_provider(provider_folder, at_provider, f"http://127.0.0.1:{ports[0]}") as issuer:
        options = ("--people", "oidc", "--oidc-issuer", issuer, "--oidc-client-id", "ground-truth")
        groups = ("--oidc-admin-group", "admins", "--oidc-owner-group", "owners")
        with patch.dict(os.environ, {"GROUND_TRUTH_OIDC_CLIENT_SECRET": SECRET}):
            server = start(tmp_path_factory.mktemp("workspace"), ports, *options, *groups)
        try:
            yield server
        finally:
            server.process.terminate()
            server.process.wait()


@contextmanager
def signed_in(browser: Browser, server: LocalServer, name: str, path: str = "/") -> Iterator[Page]:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(server.url + path)
        sign_in(page, name)
        page.wait_for_url(f"{server.url}/**")
        yield page
    finally:
        context.close()


def sign_in(page: Page, name: str) -> None:
    page.get_by_role("link", name="Sign in").click()
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill("any")
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Continue").click()


def session_of(context: BrowserContext) -> list[Any]:
    return [cookie for cookie in context.cookies() if cookie["name"] == "session"]


def test_people_sign_in_where_they_do_for_everything_and_out(browser: Browser, server: LocalServer) -> None:
    with signed_in(browser, server, "ada", "/?x=1") as page:
        expect(page.locator(".who")).to_have_text("Ada")
        assert urlsplit(page.url).path == "/"
        (session,) = session_of(page.context)
        assert session["httpOnly"]
        assert session["sameSite"] == "Lax"
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "jobs.png")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name=re.compile("yes, sign me out", re.IGNORECASE)).click()
        expect(page).to_have_url(f"{server.url}/")
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        page.screenshot(path=SCREENSHOTS / "sign-in-provider.png")
        # The old session is over on the server, not only in this browser.
        page.context.add_cookies([session])
        page.goto(server.url)
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_groups_decide_roles_and_teams(browser: Browser, server: LocalServer) -> None:
    sagemaker = server.sagemaker()
    team = sagemaker.create_workteam(
        WorkteamName="welders",
        Description="who weld",
        MemberDefinitions=[{"OidcMemberDefinition": {"Groups": ["welders", "smiths"]}}],
    )["WorkteamArn"]
    create_job(server, 3, 1, "seams", WorkteamArn=team)
    wait_until(lambda: sagemaker.describe_labeling_job(LabelingJobName="seams")["LabelingJobStatus"] == "InProgress")
    with signed_in(browser, server, "ada") as page:
        expect(page.get_by_text("Even or odd")).to_be_visible()
        assert page.request.get(f"{server.url}/console/").status == 403
    with signed_in(browser, server, "paul") as page:
        expect(page.locator(".who")).to_have_text("Paul")
        expect(page.get_by_text("Even or odd")).to_have_count(0)
        assert page.request.get(f"{server.url}/jobs/seams").status == 404
    with signed_in(browser, server, "olga", "/console/") as page:
        expect(page.get_by_role("heading", name="Labeling jobs")).to_be_visible()
        expect(page.get_by_text("seams")).to_have_count(0)  # somebody else's
    with signed_in(browser, server, "root", "/console/") as page:
        expect(page.get_by_text("seams").first).to_be_visible()
        page.get_by_role("link", name="People who sign in here").click()
        expect(page.get_by_role("row", name=re.compile("Ada worker engineers, welders"))).to_be_visible()
        page.screenshot(path=SCREENSHOTS / "people.png", full_page=True)


def test_an_admin_signs_somebody_out(browser: Browser, server: LocalServer) -> None:
    with signed_in(browser, server, "ada") as ada, signed_in(browser, server, "root", "/console/people") as root:
        root.reload()
        root.get_by_role("row", name=re.compile("Ada")).get_by_role("button", name="Sign out").click()
        ada.reload()
        expect(ada.get_by_role("link", name="Sign in")).to_be_visible()
        root.get_by_role("row", name=re.compile("Ada")).get_by_role("button", name="Disable").click()
        sign_in_again = ada.get_by_role("link", name="Sign in")
        sign_in_again.click()  # the provider still knows her
        expect(ada.get_by_text("You may not sign in here any more")).to_be_visible()
        root.get_by_role("row", name=re.compile("Ada")).get_by_role("button", name="Enable").click()
        ada.goto(server.url)
        ada.get_by_role("link", name="Sign in").click()
        expect(ada.locator(".who")).to_have_text("Ada")


def test_an_answer_of_another_browser_s_sign_in_is_refused(browser: Browser, server: LocalServer) -> None:
    with signed_in(browser, server, "ada") as page:
        page.goto(f"{server.url}/sign-in/callback?code=x&state=y")
        expect(page.get_by_text("not begun in this browser")).to_be_visible()


# -- a provider that says what a test wants


class Provider:
    """A provider of tests: signs whatever claims it is told to. A stand-in, for what no real one says."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.signer = self.key
        self.claims: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.verifier = ""
        self.issuer = ""

    def app(self) -> Starlette:
        async def describe(_: Request) -> JSONResponse:
            ends = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
            return JSONResponse({"issuer": self.issuer, **ends, "userinfo_endpoint": f"{self.issuer}/userinfo"})

        async def token(request: Request) -> JSONResponse:
            form = parse_qs((await request.body()).decode())
            self.verifier = form["code_verifier"][0]
            id_token = jwt.encode({"alg": "RS256", "kid": "1"}, self.claims, self.signer)
            return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": id_token})

        async def keys(_: Request) -> JSONResponse:
            return JSONResponse({"keys": [self.key.as_dict(private=False)]})

        async def info(_: Request) -> JSONResponse:
            return JSONResponse(self.info)

        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", describe),
                Route("/token_endpoint", token, methods=["POST"]),
                Route("/jwks_uri", keys),
                Route("/userinfo", info),
            ]
        )


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    with serving(made.app()) as origin:
        made.issuer = origin
        yield made


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Flow:
    """One sign-in, from its beginning to its end."""

    def __init__(self, provider: Provider, records: Records) -> None:
        self.provider = provider
        self.at = datetime.now(UTC)
        settings = OidcSettings(provider.issuer, "us", "secret", admin_group="admins", owner_group="owners")
        self.sign_in = OidcSignIn(lambda: settings, records, "https://us/sign-in/callback", lambda: self.at)
        url, self.state = self.sign_in.begin("/jobs/welds")
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        issued = int(datetime.now(UTC).timestamp())
        provider.claims = {
            "iss": provider.issuer,
            "aud": "us",
            "sub": "7",
            "nonce": self.asked["nonce"],
            "iat": issued,
            "exp": issued + 300,
            "name": "Ada",
        }
        provider.info = {"sub": "7", "groups": ["welders"]}

    def end(self, **answer: str) -> Any:
        return self.sign_in.end(self.state, {"state": self.state, "code": "c", **answer})


def test_the_code_is_exchanged_with_the_proof_of_who_asked(provider: Provider, records: Records) -> None:
    flow = Flow(provider, records)
    assert flow.asked["code_challenge_method"] == "S256"
    assert flow.asked["response_type"] == "code"
    assert flow.asked["redirect_uri"] == "https://us/sign-in/callback"
    found = flow.end()
    assert (found.goal, found.person.name, found.person.groups) == ("/jobs/welds", "Ada", frozenset({"welders"}))
    assert found.person.role == "worker"
    # The challenge by its definition, RFC 7636, section 4.2.
    digest = hashlib.sha256(provider.verifier.encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == flow.asked["code_challenge"]


def test_a_person_keeps_their_id_and_gets_what_the_provider_says_now(provider: Provider, records: Records) -> None:
    first = Flow(provider, records).end().person
    flow = Flow(provider, records)
    provider.info = {"sub": "7", "groups": "owners admins"}  # some send one text
    again = flow.end().person
    assert again.id == first.id
    assert (again.role, again.groups) == ("admin", frozenset({"owners", "admins"}))
    flow = Flow(provider, records)
    provider.claims["sub"] = provider.info["sub"] = "8"
    assert flow.end().person.id != first.id


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://other"}, "iss"),
        ({"aud": "others"}, "aud"),
        ({"aud": ["us", "others"]}, "another service"),
        ({"azp": "others"}, "another service"),
        ({"nonce": "another"}, "nonce"),
        ({"exp": 1}, "expired"),
        ({"sub": None}, "sub"),
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(
    provider: Provider, records: Records, claims: dict[str, Any], reason: str
) -> None:
    flow = Flow(provider, records)
    provider.claims = {name: value for name, value in {**provider.claims, **claims}.items() if value is not None}
    with pytest.raises(SignInRefused, match=reason):
        flow.end()
    assert not records.people.all()


def test_a_token_of_another_signer_is_refused(provider: Provider, records: Records) -> None:
    flow = Flow(provider, records)
    provider.signer = RSAKey.generate_key(2048, {"kid": "1"})
    with pytest.raises(SignInRefused, match="can't be taken"):
        flow.end()


def test_a_token_that_nobody_signed_is_refused(provider: Provider, records: Records) -> None:
    flow = Flow(provider, records)

    def encoded(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    unsigned = f"{encoded({'alg': 'none'})}.{encoded(provider.claims)}."
    signing = patch("tests.ground_truth_server.people.test_oidc.jwt.encode", return_value=unsigned)
    with signing, pytest.raises(SignInRefused, match="can't be taken"):
        flow.end()


def test_another_person_s_information_is_not_taken(provider: Provider, records: Records) -> None:
    flow = Flow(provider, records)
    provider.info = {"sub": "1", "groups": ["admins"]}
    assert flow.end().person.role == "worker"


def test_a_sign_in_ends_once_in_time_and_in_its_browser(provider: Provider, records: Records) -> None:
    flow = Flow(provider, records)
    with pytest.raises(SignInRefused, match="not begun in this browser"):
        flow.sign_in.end("another", {"state": flow.state, "code": "c"})
    with pytest.raises(SignInRefused, match="not begun in this browser"):
        flow.sign_in.end("", {"code": "c"})
    flow.end()
    with pytest.raises(SignInRefused, match="used already"):
        flow.end()
    late = Flow(provider, records)
    late.at += timedelta(minutes=16)
    with pytest.raises(SignInRefused, match="longer than 15 minutes"):
        late.end()
    mixed = Flow(provider, records)
    with pytest.raises(SignInRefused, match="another sign-in service"):
        mixed.end(iss="https://other")
    refused = Flow(provider, records)
    with pytest.raises(SignInRefused, match="did not let you in: denied"):
        refused.end(error="access_denied", error_description="denied")


def test_a_provider_that_can_t_be_reached_is_told_from_a_refusal(provider: Provider, records: Records) -> None:
    settings = OidcSettings("http://127.0.0.1:9", "us")
    with pytest.raises(ProviderUnavailable, match=r"127\.0\.0\.1:9"):
        OidcSignIn(lambda: settings, records, "https://us").begin("/")
    wrong = OidcSettings(f"{provider.issuer}/", "us")
    with pytest.raises(ProviderUnavailable, match="describes"):
        OidcSignIn(lambda: wrong, records, "https://us").begin("/")
