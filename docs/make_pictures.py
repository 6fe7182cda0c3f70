"""Makes the README's pictures, so that they show what is there: ``make pictures``.

The demonstration runs in ``build/demo``; then a labeling job runs in ``build/pictures``, at which two simulated workers
and a browser work. Every picture goes into ``docs/images``.
"""

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from labeling.job import load
from labeling.job_request import OUTPUT_FOLDER
from labeling.reference import ReferenceFile
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, expect, sync_playwright
from plotting.panels import draw_files, read_files
from plotting.reference import combine, encode, in_steps, steps_over
from rich.console import Console

from demo.demonstration import Demonstration, stretches_of, truth_of
from demo.job_workspace import ROOT, JobWorkspace
from demo.portal_client import PortalClient
from demo.report import read_output, show
from demo.workers import WORKERS, SimulatedWorker
from ground_truth_server.aws_services import Ports
from ground_truth_server.engine.labeling_job import ENDED
from ground_truth_server.server import GroundTruthServer
from labeling_job.sample_recordings import recording
from labeling_job.sample_welds import GOOD_WELD, WELDS

IMAGES = ROOT / "docs" / "images"
JOB = ROOT / "labeling_job" / "job.toml"
SAMPLE = ROOT / "labeling_job" / "sample"
CHROMIUM = Path("/usr/bin/chromium")
WIDE = (1280, 800)
TABLET = (820, 1180)
# A weld whose photograph and plots tell something at a glance: the arc burns through.
ITEM = 1
_MOST_BYTES = 250_000
_COLOURS = 256


def main() -> int:
    """Make them all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    console = Console()
    demonstration = JobWorkspace(JOB, SAMPLE, ROOT / "build" / "demo")
    Demonstration(console, demonstration).run()
    _save(IMAGES / "plot.png", next((demonstration.bucket / "plots").glob("weld.2.csv-*-voltage.png")).read_bytes())
    _save(IMAGES / "reference.png", _compared())
    _terminal(demonstration)
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]) as browser,
    ):
        _pages(browser, console)
    for image in sorted(IMAGES.iterdir()):
        console.print(f"{image.stat().st_size:>9,} bytes  {image.relative_to(ROOT)}")
    return 0


def _compared() -> bytes:
    """The same weld's current, before what twelve good welds have in common."""
    (source,) = load(JOB).recordings.values()
    welds = [replace(GOOD_WELD, number=100 + number) for number in range(12)]
    items = [read_files([(recording(weld).encode(), source, f"weld {weld.number}")]) for weld in welds]
    steps = steps_over([item.focus[0] for item in items])
    good = combine(steps, [in_steps(item.recordings, item.focus[0], steps) for item in items])
    file = (recording(WELDS[ITEM]).encode(), source, "weld")
    return next(draw_files([file], ReferenceFile("good welds", encode(good), "")).panels).png


def _terminal(workspace: JobWorkspace) -> None:
    """The table that the demonstration ends with, as text that scales."""
    console = Console(record=True, width=126, file=io.StringIO())
    name = f"{workspace.job.name}-1"
    manifest = workspace.bucket / OUTPUT_FOLDER / name / "manifests" / "output" / "output.manifest"
    console.print("[green]$[/green] make demo")
    show(console, read_output(manifest, workspace.job, {}), workspace.job, truth_of(SAMPLE))
    console.save_svg(str(IMAGES / "demo.svg"), title="make demo", unique_id="demo")


def _pages(browser: Browser, console: Console) -> None:
    """Portal and console while a job runs, and an object of it when it has its label."""
    workspace = JobWorkspace(JOB, SAMPLE, ROOT / "build" / "pictures")
    workspace.clear()
    with GroundTruthServer(workspace.settings(Ports.beginning_at(0))) as ground_truth:
        workspace.fill_bucket(ground_truth.services, console)
        name = workspace.start_run(ground_truth)
        ada, ben, cas = WORKERS[:3]
        _answer(workspace, ground_truth, ada, name, 7)
        _answer(workspace, ground_truth, ben, name, 4)
        _answer(workspace, ground_truth, cas, name, ITEM)
        task = f"{ground_truth.url}/jobs/{name}"
        with _browsing(browser, cas.name, ground_truth.url, size=(1280, 420)) as page:
            page.goto(ground_truth.url)
            _picture(page, "portal-jobs")
        for picture, size, dark in (
            ("task-light", WIDE, False),
            ("task-dark", WIDE, True),
            ("task-tablet", TABLET, False),
        ):
            with _browsing(browser, cas.name, ground_truth.url, size=size, dark=dark) as page:
                page.goto(task)
                _wait_for_task(page)
                if picture != "task-tablet":
                    _mark(page)
                _picture(page, picture)
        with _browsing(browser, cas.name, ground_truth.url, size=(1280, 960)) as page:
            page.goto(f"{ground_truth.url}/console/jobs/{name}")
            _picture(page, "console-job")
        _answer(workspace, ground_truth, ben, name, 3)
        _answer(workspace, ground_truth, cas, name, 7 - ITEM)
        _wait_for_end(ground_truth, name)
        with _browsing(browser, cas.name, ground_truth.url, size=(1280, 1100)) as page:
            page.goto(f"{ground_truth.url}/console/jobs/{name}/objects/{ITEM}")
            expect(page.frame_locator("iframe").locator("img").first).to_be_visible()
            _picture(page, "console-object")


def _answer(
    workspace: JobWorkspace, ground_truth: GroundTruthServer, worker: SimulatedWorker, name: str, tasks: int
) -> None:
    """Let a simulated worker answer so many tasks."""
    job, truth, stretches = workspace.job, truth_of(SAMPLE), stretches_of(SAMPLE)
    portal = PortalClient(ground_truth.url, worker.name)
    while tasks:
        if not (task := portal.next_task(name).task):
            time.sleep(0.05)
            continue
        item = f"dataset/dataset-{int(task['object']) + 1}.json"
        choice = worker.answer(item, job.label.category_names, truth)
        further = worker.further(item, job.questions, stretches[item])
        portal.answer(task["id"], {job.label.name: {"label": choice}} | further)
        tasks -= 1
    portal.close()


def _mark(page: Page) -> None:
    """Mark the hole, from 7.3 to 8.4 s of 11.7 s."""
    task = page.frame_locator("iframe:not(.coming)")
    task.get_by_role("button", name="Mark: Defect").click()
    box = cast(FloatRect, task.locator(".plots .surface").first.bounding_box())
    left, width = box["x"] + 0.095 * box["width"], 0.883 * box["width"]
    page.mouse.move(left + 7.3 / 11.7 * width, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(left + 8.4 / 11.7 * width, box["y"] + 80, steps=4)
    page.mouse.up()
    expect(task.locator(".marks li")).to_have_count(1)


@contextmanager
def _browsing(
    browser: Browser, worker: str, url: str, *, size: tuple[int, int] = WIDE, dark: bool = False
) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=1.5,
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": "worker", "value": worker, "url": url}])
    yield context.new_page()
    context.close()


def _wait_for_end(ground_truth: GroundTruthServer, name: str) -> None:
    end = time.monotonic() + 60
    while ground_truth.engine.describe(name)["LabelingJobStatus"] not in ENDED:
        if time.monotonic() > end:
            raise TimeoutError(f"the labeling job {name} has not ended after 60 s")
        time.sleep(0.1)


def _wait_for_task(page: Page) -> None:
    frame = page.frame_locator("iframe:not(.coming)")
    expect(frame.get_by_role("button", name="Submit", exact=True)).to_be_visible()
    for number in range(frame.locator("img:visible").count()):
        frame.locator("img:visible").nth(number).evaluate("image => image.decode()")


def _picture(page: Page, name: str) -> None:
    page.wait_for_timeout(600)  # ms; what comes with the page is there, fonts and live parts too
    _save(IMAGES / f"{name}.png", page.screenshot())


def _save(path: Path, png: bytes) -> None:
    """Keep a picture, with fewer colours where it would be too large for a README."""
    if len(png) > _MOST_BYTES:
        smaller = io.BytesIO()
        # Maximum coverage keeps rare colours, such as that of a thin line; k-means then fits the frequent ones.
        image = Image.open(io.BytesIO(png)).convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)
        image.save(smaller, "PNG", optimize=True)
        png = smaller.getvalue()
    path.write_bytes(png)
    if len(png) > _MOST_BYTES:
        raise ValueError(f"{path} has {len(png):,} bytes, and at most {_MOST_BYTES:,} are wanted")


if __name__ == "__main__":
    sys.exit(main())
