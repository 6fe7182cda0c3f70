"""Sounds and videos on a worker page, in a browser: what plays moves the plots' cursor, and the other way round."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import pytest
import soundfile
from labeling.job import JobConfiguration, load
from labeling.sources import ImageSource, VideoSource
from labeling.worker_page import page
from playwright.sync_api import Browser, Locator, expect
from plotting.panels import draw_files

from tests.conftest import ROOT
from tests.ground_truth_server.pages.webm_file import webm
from tests.ground_truth_server.pages.worker_page_frame import Shown, WorkerPages, served

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "labeling_job" / "worker-task.liquid.html").read_text(encoding="utf-8")
RATE = 8_000
SECONDS = 8.0
CORS = {"Access_Control_Allow_Origin": "*"}
LEFT, RIGHT = 190 / 2000, 1956 / 2000  # of plots, as the plotting layer lays them out


def job(**sources: Any) -> JobConfiguration:
    known = load(ROOT / "labeling_job" / "examples" / "grinding-sound.toml")
    return msgspec.structs.replace(known, sources={**known.sources, **sources})


def grinding(kind: str) -> bytes:
    """A hiss in which a tone sets in."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    hiss = np.random.default_rng(3).normal(scale=0.05, size=len(time))
    file = io.BytesIO()
    soundfile.write(file, hiss + np.where(time > 4, 0.4 * np.sin(2 * np.pi * 900 * time), 0), RATE, format=kind)
    return file.getvalue()


def spindle() -> bytes:
    rows = (f"{row / 100:.2f},{3 + np.sin(row / 50):.4f}" for row in range(1000))
    return "\n".join(["t,power", *rows]).encode()


@dataclass
class Playing:
    """A page with players."""

    shown: Shown
    pages: WorkerPages

    @property
    def group(self) -> Locator:
        return self.shown.task.locator(".plots")

    def x_of(self, moment: float, panel: int = 0) -> tuple[float, float]:
        """Where a moment is on the page, in a plot of the item's 10 s, and the plot's middle."""
        box = self.shown.task.locator(".plots .panel img").nth(panel).bounding_box()
        assert box is not None
        x = box["x"] + box["width"] * (LEFT + moment / self.duration * (RIGHT - LEFT))
        return x, box["y"] + box["height"] / 2

    duration = 9.99

    def move_to(self, moment: float, panel: int = 0) -> None:
        self.shown.page.mouse.move(*self.x_of(moment, panel))

    def cursors(self) -> list[float | None]:
        """At what moment the cursor of each plot stands, the sound's frequencies among them."""
        found: list[float | None] = []
        for panel in self.shown.task.locator(".plots .panel").all():
            cursor, picture = panel.locator(".cursor").bounding_box(), panel.locator("img").bounding_box()
            if cursor is None or picture is None:
                found.append(None)
            else:
                share = (cursor["x"] - picture["x"]) / picture["width"]
                found.append((share - LEFT) / (RIGHT - LEFT) * self.duration)
        return found

    def player(self, name: str = "audio") -> Locator:
        return self.shown.task.locator(f".player {name}")

    def time(self, name: str = "audio") -> float:
        """Where a player is, once it has got there."""
        there = "while (media.seeking) await new Promise(requestAnimationFrame)"
        return float(self.player(name).evaluate(f"async (media) => {{ {there}; return media.currentTime }}"))


@pytest.fixture
def pages(browser: Browser) -> Iterator[WorkerPages]:
    with served() as portal, served() as site:
        pages = WorkerPages(browser, portal, site)
        yield pages
        pages.close()


def show(
    pages: WorkerPages, of: JobConfiguration, files: dict[str, bytes], *, lost: str = "", **options: Any
) -> Playing:
    """Shows an item as the pre-labeling function prepares it, with this site in place of S3."""
    contents = prepared(pages, of, files)
    pages.pages.files.pop(f"/b/{lost}", None)
    panels = [{"kind": p.kind, "key": p.key, "name": p.name, "unit": p.unit, **contents[p.key]} for p in of.panels]
    template = page(of, TEMPLATE)
    assert len(template) < 128_000  # what RenderUiTemplate takes
    shown = pages.show(template, {"panels": panels}, **{"size": (1400, 1300), **options})
    found = Playing(shown, pages)
    if of.recordings:
        expect(shown.task.locator(".plots.live:not([aria-busy])")).to_be_visible()
    for player in shown.task.locator("audio, video").all():
        there = "media.readyState < 1 && !media.error"
        player.evaluate(f"async (media) => {{ while ({there}) await new Promise(requestAnimationFrame) }}")
    return found


def prepared(pages: WorkerPages, of: JobConfiguration, files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """Puts an item's files and plots where the page finds them, and gives its panels by key."""
    contents: dict[str, dict[str, Any]] = {}
    for key, source in of.sources.items():
        if as_it_is := source.file_panel(f"s3://b/{key}"):
            pages.pages.put(f"/b/{key}", files[key], "application/octet-stream")
            contents[key] = as_it_is
    if not of.recordings:
        return contents
    drawn = draw_files([(files[key], source, f"s3://b/{key}") for key, source in of.recordings.items()])
    for panel in drawn.panels:
        pages.pages.put(f"/b/{panel.key}.png", panel.png, "image/png")
        contents[panel.key] = {"file": f"s3://b/{panel.key}.png", "title": "", "alt": panel.alt}
        contents[panel.key] |= {"area": msgspec.to_builtins(panel.area), "series": panel.series}
        contents[panel.key]["notes"] = list(panel.notes)
    for (key, source), (numbers, layout) in zip(of.recordings.items(), drawn.data, strict=True):
        pages.pages.put(f"/b/{key}.bin", bytes(numbers), "application/octet-stream", **CORS)
        for channel in source.channels:
            contents[channel.key]["data"] = {"file": f"s3://b/{key}.bin", **msgspec.to_builtins(layout)}
    return contents


def heard(pages: WorkerPages, kind: str = "WAV", **options: Any) -> Playing:
    return show(pages, job(), {"sound": grinding(kind), "spindle": spindle()}, **options)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "MP3"])
def test_a_sound_s_player_follows_the_cursor(pages: WorkerPages, kind: str) -> None:
    """The sound began a quarter of a second before the item."""
    found = heard(pages, kind)
    for moment, panel in ((3.0, 0), (5.5, 1), (1.25, 2), (2.0, 1)):
        found.move_to(moment, panel)
        assert found.time() == pytest.approx(moment + 0.25, abs=0.02)
        assert found.cursors() == pytest.approx([moment] * 3, abs=0.02)
    found.move_to(9.5)  # it has ended by then
    assert found.time() == pytest.approx(SECONDS, abs=0.15)
    assert found.shown.errors == []


def test_the_cursor_follows_what_plays(pages: WorkerPages) -> None:
    found = heard(pages)
    found.move_to(2.0)
    found.shown.page.mouse.click(*found.x_of(2.0))
    assert found.time() == pytest.approx(2.25, abs=0.02)
    found.shown.page.keyboard.press("Space")
    expect(found.shown.task.locator(".plots.playing")).to_be_visible()
    found.shown.page.wait_for_timeout(600)
    found.move_to(7.0, panel=1)  # while it plays, a mouse that only passes by moves neither
    found.shown.page.wait_for_timeout(300)
    found.shown.page.keyboard.press("Space")
    expect(found.shown.task.locator(".plots.playing")).to_have_count(0)
    now = found.time() - 0.25
    assert 2.4 < now < 6
    assert found.cursors() == pytest.approx([now] * 3, abs=0.1)
    said = found.shown.task.locator(".plots .value:visible").all_inner_texts()
    power = float(re.findall(r"[\d.]+(?= kW)", said[-1])[-1])
    assert power == pytest.approx(3 + np.sin(now * 2), abs=0.25)
    assert found.shown.errors == []


def test_a_click_goes_there_while_it_plays(pages: WorkerPages) -> None:
    found = heard(pages)
    found.shown.page.mouse.click(*found.x_of(1.0))
    found.shown.page.keyboard.press("Space")
    found.shown.page.wait_for_timeout(200)
    found.shown.page.mouse.click(*found.x_of(6.0, panel=2))
    found.shown.page.wait_for_timeout(300)
    found.shown.page.keyboard.press("Space")
    assert 6.25 < found.time() < 7.75


def test_keys_move_cursor_and_player(pages: WorkerPages) -> None:
    found = heard(pages)
    found.group.focus()
    found.shown.page.keyboard.press("ArrowRight")
    moment = 9.99 / 2 + 9.99 / 200
    assert found.time() == pytest.approx(moment + 0.25, abs=0.02)
    expect(found.shown.task.locator(".plots-bar .spoken")).to_contain_text(f"{moment:.2f}")


def test_the_player_s_own_bar_moves_the_cursor(pages: WorkerPages) -> None:
    found = heard(pages)
    found.player().evaluate("(media) => { media.currentTime = 4.25 }")
    expect(found.shown.task.locator(".plots .cursor:visible")).to_have_count(3)
    assert found.cursors() == pytest.approx([4.0] * 3, abs=0.02)


def test_what_plays_turns_the_page_where_the_plots_are_zoomed_in(pages: WorkerPages) -> None:
    found = heard(pages)
    found.shown.page.mouse.move(*found.x_of(1.0))
    found.shown.page.mouse.down()
    found.shown.page.mouse.move(*found.x_of(1.5))
    found.shown.page.mouse.up()
    expect(found.shown.task.locator(".plots-bar .shown")).to_contain_text("1.00")
    found.group.focus()
    found.player().evaluate("(media) => { media.currentTime = 1.6; return media.play() }")
    expect(found.shown.task.locator(".plots-bar .shown")).not_to_contain_text("1.00")
    found.player().evaluate("(media) => media.pause()")
    begin = float(found.shown.task.locator(".plots-bar .shown").inner_text().split()[0])
    assert begin > 1.4


def test_a_video_follows_the_cursor_and_moves_it(pages: WorkerPages, browser: Browser) -> None:
    """It gets lighter from black to white within 4 s, and begins at 1.5 s."""
    of = job(camera=VideoSource(title="Camera at the wheel", folder="videos", offset_seconds=1.5))
    film = webm(browser, 4.0)
    found = show(pages, of, {"sound": grinding("FLAC"), "spindle": spindle(), "camera": film})
    assert found.player("video").evaluate("(video) => video.duration") == pytest.approx(4, abs=0.11)
    shade = """async (video) => {
      while (video.seeking) await new Promise(requestAnimationFrame);
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      context.drawImage(video, 0, 0, 1, 1);
      return context.getImageData(0, 0, 1, 1).data[0];
    }"""
    found.player("video").evaluate("(video) => { video.crossOrigin = 'anonymous' }")
    pages.pages.put("/b/camera", film, "video/webm", **CORS)
    found.player("video").evaluate(
        "async (video) => { video.load(); while (video.readyState < 2) await new Promise(requestAnimationFrame) }"
    )
    for moment in (2.5, 4.5, 3.55):
        found.move_to(moment)
        assert found.time("video") == pytest.approx(moment - 1.5, abs=0.02)
        grey = float(found.player("video").evaluate(shade))
        assert grey == pytest.approx(255 * (moment - 1.5) / 4, abs=14)
        assert found.time("audio") == pytest.approx(moment + 0.25, abs=0.02)
    found.shown.page.mouse.move(5, 5)
    found.player("video").evaluate("(video) => video.play()")
    found.shown.page.wait_for_timeout(500)
    found.player("video").evaluate("(video) => video.pause()")
    now = found.time("video") + 1.5
    assert now > 3.8
    assert found.cursors() == pytest.approx([now] * 3, abs=0.15)
    assert found.time("audio") == pytest.approx(now + 0.25, abs=0.3)
    assert found.shown.errors == []


def test_a_video_needs_no_plots(pages: WorkerPages, browser: Browser) -> None:
    of = msgspec.structs.replace(
        job(), sources={"camera": VideoSource(title="Camera", folder="videos"), "image": ImageSource("Photo", "images")}
    )
    picture = (ROOT / "labeling_job/sample/images/weld.2.png").read_bytes()
    found = show(pages, of, {"camera": webm(browser, 1.0), "image": picture})
    found.player("video").evaluate("(video) => video.play()")
    found.shown.page.wait_for_timeout(300)
    assert found.time("video") > 0.1
    assert found.shown.errors == []


def test_what_cannot_be_loaded_is_said_and_the_plots_stay(pages: WorkerPages) -> None:
    found = heard(pages, lost="sound")
    expect(found.shown.task.get_by_text("Sound of the grinder: this sound could not be loaded.")).to_be_visible()
    found.move_to(3.0, panel=2)
    expect(found.shown.task.locator(".plots .cursor:visible")).to_have_count(3)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(pages: WorkerPages, browser: Browser, dark: bool) -> None:
    of = job(camera=VideoSource(title="Camera at the wheel", folder="videos", offset_seconds=1.5))
    item = {"sound": grinding("FLAC"), "spindle": spindle(), "camera": webm(browser, 4.0)}
    found = show(pages, of, item, dark=dark)
    found.move_to(4.5)
    found.time("video")
    found.shown.page.wait_for_timeout(1000)  # until the player's own waiting mark has gone
    assert found.player("video").evaluate("(video) => video.readyState") == 4
    found.shown.picture(f"grinding-{'dark' if dark else 'light'}")
    found.shown.page.frames[1].evaluate(AXE)
    script = "axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations)"
    violations: Any = found.shown.evaluate(script)
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []


def test_it_is_shown_on_a_telephone(pages: WorkerPages) -> None:
    found = heard(pages, size=(390, 844))
    found.shown.picture("grinding-narrow")
    assert found.shown.evaluate("document.documentElement.scrollWidth") == 390
