"""Addresses and cookies that no page of ours makes: a page that says so, and never an error of the server."""

from urllib.parse import quote

import httpx
import pytest

from tests.ground_truth_server.engine.labeling import Bench, request
from tests.ground_truth_server.portal.portal_site import portal_site

ODD = ["9" * 20, "9" * 5_000, "-1", "٣", "1e3", "%00", "%ED%A0%80", "..%2F..", "'\"<b>", "x" * 8_000, "0x10", " 1"]
PATHS = [
    "/jobs/{}",
    "/jobs/{}/progress",
    "/console/jobs/{}",
    "/console/jobs/Welds1/objects/{}",
    "/console/jobs/Welds1/objects/{}/source",
    "/console/jobs/Welds1/files/{}",
    "/console/jobs/Welds1?start={}",
    "/console/jobs/Welds1?objects={}",
    "/?left={}",
]
PAGES = ["/tasks/{}?worker=Ada", "/tasks/x?worker={}", "/objects/Welds1/{}", "/objects/{}/0", "/preview/{}"]
PAGES += ["/files/{}", "/files/{}/a.png", "/files/a.{}", "/files/{}.a"]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_address_leads_to_an_error_of_the_server(bench: Bench, odd: str) -> None:
    with portal_site(bench) as site, site.client("Ada") as client:
        site.engine.create(request("Welds1"))
        part = odd if "%" in odd else quote(odd, safe="")
        for path in PATHS:
            assert client.get(path.format(part)).status_code < 500, path
        for path in PAGES:
            assert httpx.get(f"{site.pages.origin}{path.format(part)}").status_code < 500, path
        for path in ("/jobs/{}/next", "/tasks/{}/answer", "/tasks/{}/decline", "/tasks/{}/incomplete"):
            body = {"worker": "Ada", "answer": {}, "elements": [odd, 1, None]}
            assert client.post(path.format(part), json=body).status_code < 500, path


@pytest.mark.parametrize("after", ["9" * 20, "٣"])
def test_a_live_page_asked_for_what_comes_after_an_odd_number(bench: Bench, after: str) -> None:
    with portal_site(bench) as site, site.client("Ada") as client:
        site.engine.create(request("Welds1"))
        assert client.get(f"/console/jobs/Welds1/live?after={after}", timeout=30).status_code < 500


@pytest.mark.parametrize("name", ["x" * 60_000, "x" * 200, "a\u200bb", "%00", "\u202eeve"])
def test_a_cookie_s_name_follows_the_form_s_rules(bench: Bench, name: str) -> None:
    with portal_site(bench) as site:
        for cookie in (quote(name, safe="%"),):
            answer = httpx.get(site.origin, headers={"Cookie": f"worker={cookie}"})
            assert answer.status_code in (200, 400, 431)
            if answer.status_code == 200:
                assert "Sign in" in answer.text or "Choose" in answer.text
                assert name not in answer.text
