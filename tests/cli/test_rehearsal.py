"""What a start finds out before workers do: the page, the role, the files and how browsers reach them.

moto answers every origin and every signature; a bucket without CORS and a role without rights are small servers here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cli import rehearsal
from ground_truth_server.edge.loopback import serving
from tests.cli.conftest import REFUSED_ROLE, ROLE, STACK, Command
from tests.conftest import Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory


@contextmanager
def files(status: int, headers: dict[str, str], text: str = "x") -> Iterator[tuple[str, list[Request]]]:
    """A server of one file, and the requests that it got."""
    got: list[Request] = []

    def answer(request: Request) -> Response:
        got.append(request)
        return PlainTextResponse(text, status, headers)

    with serving(Starlette(routes=[Route("/weld.png", answer)])) as url:
        yield f"{url}/weld.png?X-Amz-Signature=1&amp;a=b", got


def own_page(tmp_path: Path, html: str) -> list[str]:
    page = tmp_path / "page.liquid.html"
    page.write_text(html)
    return ["--page", str(page)]


def test_the_page_of_the_first_item_is_rendered_and_its_files_are_fetched(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket
) -> None:
    done = command("start", "--stack", STACK)
    assert done.status == 0
    assert "Rendered the page of line 1 with SageMaker, and fetched its 5 files as a browser does." in done.err
    plots = [key for key in welds.keys("plots/") if key.endswith(".png")]
    assert len(plots) == 3
    assert all("weld.1.csv" in key for key in plots)


def test_errors_of_the_page_start_nothing(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket, tmp_path: Path
) -> None:
    before = welds.keys("worker-page/")
    done = command("start", "--stack", STACK, *own_page(tmp_path, "<p>\n{% if task.input.image %}"))
    assert done.status == 2
    assert "The worker page has errors, so nothing was started:" in done.err
    assert "TemplateError: line 2" in done.err
    assert (jobs.jobs, welds.keys("worker-page/")) == ({}, before)


def test_a_rehearsal_can_be_left_out(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket, tmp_path: Path
) -> None:
    done = command("start", "--stack", STACK, "--no-rehearsal", *own_page(tmp_path, "{% if task.input.image %}"))
    assert (done.status, len(jobs.jobs)) == (0, 1)
    assert welds.keys("plots/") == []


def test_a_role_that_sagemaker_cannot_assume_is_named(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], tmp_path: Path
) -> None:
    done = command("start", "--stack", STACK, *own_page(tmp_path, REFUSED_ROLE))
    assert done.status == 2
    assert f"under the role {ROLE} (ValidationException: Could not assume role)" in done.err
    assert jobs.jobs == {}


def test_a_file_that_the_role_may_not_read_is_named(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], tmp_path: Path
) -> None:
    with files(403, {}, "<Error><Code>AccessDenied</Code></Error>") as (link, _):
        done = command("start", "--stack", STACK, *own_page(tmp_path, f'<img src="{link}">'))
    assert done.status == 2
    assert f"weld.png, which the worker page shows, can't be fetched with the rights of {ROLE}" in done.err
    assert "(status 403, AccessDenied)" in done.err
    assert jobs.jobs == {}


@pytest.mark.parametrize(("headers", "status"), [({}, 2), ({"Access-Control-Allow-Origin": "*"}, 0)])
def test_a_bucket_without_cors_is_said(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    with files(200, headers) as (link, got):
        done = command("start", "--stack", STACK, *own_page(tmp_path, f'<img src="{link}">'))
    assert done.status == status
    assert len(jobs.jobs) == (status == 0)
    assert ("the bucket needs a CORS rule" in done.err) is (status == 2)
    assert got[0].url.query == "X-Amz-Signature=1&a=b"
    assert got[0].headers["Origin"].startswith("https://")


def test_a_broken_item_is_passed_over_and_only_broken_ones_are_not(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket
) -> None:
    lines = welds.get("manifests/input.manifest").decode().splitlines()
    gone = json.dumps({"source": f"s3://{welds.name}/dataset/gone.json"})
    welds.put("manifests/input.manifest", "\n".join([gone, "no json", *lines]))
    assert "Rendered the page of line 3" in command("start", "--stack", STACK).err
    welds.put("manifests/input.manifest", f"{gone}\n" * rehearsal.ITEMS + lines[0])
    done = command("start", "--stack", STACK)
    assert done.status == 2
    assert "None of the first 10 items" in done.err
    assert "The first trouble is in line 1: " in done.err
    assert "dataset/gone.json" in done.err
    assert len(jobs.jobs) == 1


def test_labeled_items_need_no_page(command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket) -> None:
    line = json.loads(welds.get("manifests/input.manifest").decode().splitlines()[0])
    welds.put("manifests/input.manifest", json.dumps({**line, "WeldingLabel": {"WeldingClassification": "Good Weld"}}))
    assert "Every item has its label already" in command("start", "--stack", STACK).err
