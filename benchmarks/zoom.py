"""Plots to work in, of 5,000,000 rows in four channels: ``python -m benchmarks.zoom``.

A server of ours on loopback, its page in Chromium: how long until the first view is there, and how long a step of
zooming or moving takes until it is drawn. Beside it, for 10,000 rows, what the numbers take in S3 and what they cost
the pre-labeling function.
"""

import io
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
import numpy as np
from labeling.job import load
from labeling.sources import Channel, TimeColumn, TimeSeriesSource
from labeling.worker_page import page
from playwright.sync_api import Frame, Page, sync_playwright
from plotting.panels import Panel, aligned, draw, draw_files
from plotting.pyramid import build
from plotting.recording import Recording, read

from benchmarks.judge import Judge
from benchmarks.local_server import BUCKET, LocalServer, create_job, local_server
from benchmarks.recordings import recording

ROOT: Final = Path(__file__).parents[1]
ROWS: Final = 5_000_000
CHANNELS: Final = 4
STEPS: Final = 60
CHROMIUM: Final = "/usr/bin/chromium"
# Zooms in to single rows, moves, and out again; a step is done when what it asked for is drawn.
_STEPS: Final = """async (steps) => {
  const group = document.querySelector(".plots"), times = [];
  const press = (key, shiftKey) => group.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
  const done = async () => { while (group.hasAttribute("aria-busy")) await new Promise(requestAnimationFrame); };
  await done();
  for (let step = 0; step < steps; step += 1) {
    const begin = performance.now();
    if (step % 3 === 2) press("ArrowRight", true);
    else press(step < steps * 0.7 ? "+" : "-", false);
    await done();
    times.push(performance.now() - begin);
  }
  return times;
}"""


def main() -> int:
    """Measure, print, and judge."""
    judge = Judge()
    with tempfile.TemporaryDirectory(prefix="zoom") as folder, local_server(Path(folder) / "w", "--quiet") as server:
        _start_job(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            _zoom(browser.new_page(viewport={"width": 1600, "height": 1000}), server, judge)
            browser.close()
    _cost(judge)
    return 1 if judge.failed else 0


def _source() -> TimeSeriesSource:
    channels = tuple(Channel(f"c{number}", f"Channel {number}", number + 1, f"c{number}") for number in range(CHANNELS))
    return TimeSeriesSource(title="Recording", folder="recordings", time=TimeColumn(), channels=channels)


def _recording() -> Recording:
    rng = np.random.default_rng(1)
    moments = np.arange(ROWS, dtype=np.float64) * 1e-4
    values = tuple(rng.normal(size=ROWS).cumsum() for _ in range(CHANNELS))
    return Recording(moments, values, np.array([], np.intp), 0, (), ((),) * CHANNELS)


def _start_job(server: LocalServer) -> None:
    """Create a job with one object, whose line is what a pre-labeling function would answer."""
    s3, source, measured = server.s3(), _source(), _recording()
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    file, layout = build(measured)
    s3.put_object(Bucket=BUCKET, Key="plots/data.bin", Body=bytes(file))
    panels: list[dict[str, Any]] = []
    for panel in draw([(measured, source)]):
        s3.put_object(Bucket=BUCKET, Key=f"plots/{panel.key}.png", Body=panel.png, ContentType="image/png")
        panels.append(_panel(panel, msgspec.to_builtins(layout)))
    job = msgspec.structs.replace(load(ROOT / "labeling_job" / "job.toml"), sources={"recording": source})
    template = (ROOT / "labeling_job" / "worker-task.liquid.html").read_text(encoding="utf-8")
    create_job(server, 1, 1, "zoom", line={"panels": panels}, page=page(job, template))


def _panel(panel: Panel, layout: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "plot",
        "key": panel.key,
        "name": panel.key,
        "file": f"s3://{BUCKET}/plots/{panel.key}.png",
        "title": "",
        "alt": panel.alt,
        "notes": [],
        "area": msgspec.to_builtins(panel.area),
        "series": panel.series,
        "data": {"file": f"s3://{BUCKET}/plots/data.bin", **layout},
    }


def _zoom(portal: Page, server: LocalServer, judge: Judge) -> None:
    portal.goto(server.url)
    portal.fill("input[name=worker]", "ann")
    portal.keyboard.press("Enter")
    portal.get_by_text("zoom").first.wait_for()
    began = time.monotonic()
    portal.goto(f"{server.url}/jobs/zoom")
    while not (frames := [frame for frame in portal.frames[1:] if _is_drawn(frame)]):
        if time.monotonic() > began + 60:
            raise TimeoutError("the plots were not there within a minute")
        portal.wait_for_timeout(10)
    first = frames[0].evaluate("performance.now()")
    judge("first view, from the page's beginning", first / 1000, "s", most=1)
    times = sorted(frames[0].evaluate(_STEPS, STEPS))
    judge("a step of zooming, median", median(times), "ms")
    judge("a step of zooming, p95", times[len(times) * 95 // 100], "ms", most=100)


def _is_drawn(frame: Frame) -> bool:
    return bool(
        frame.evaluate("!!document.querySelector('.plots.live') && !document.querySelector('.plots[aria-busy]')")
    )


def _cost(judge: Judge) -> None:
    """What the numbers of 10,000 rows take, and how much longer pre-labeling takes for them."""
    job = load(ROOT / "labeling_job" / "job.toml")
    (source,) = job.recordings.values()
    data = recording(10_000)
    (measured,) = aligned([read(data, source, "s3://bucket/run.csv")])
    judge("numbers of 10,000 rows, of the recording", len(build(measured)[0]) / len(data), "×", most=2)
    with_numbers: list[float] = []
    without: list[float] = []
    for _ in range(15):
        for times, wanted in ((with_numbers, True), (without, False)):
            began = time.perf_counter()
            drawn = draw_files([(data, source, "s3://bucket/run.csv")])
            kept = [io.BytesIO(content) for content, _ in drawn.data] if wanted else []
            assert len([panel.png for panel in drawn.panels]) + len(kept) >= len(source.channels)
            times.append(time.perf_counter() - began)
    judge("drawing with numbers beside without", median(with_numbers) / median(without), "×", most=1.3)


if __name__ == "__main__":
    sys.exit(main())
