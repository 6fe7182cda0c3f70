"""Plots to work in, on the welding job's page in a browser: what is read at the cursor are the recording's numbers."""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
import pytest
from labeling.job import JobConfiguration, load
from labeling.sources import TimeColumn
from labeling.worker_page import page
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, expect
from plotting.panels import draw
from plotting.pyramid import build
from plotting.recording import Recording
from plotting.reference import Behind, Curve, Reference, Steps

from tests.conftest import ROOT
from tests.ground_truth_server.pages.worker_page_frame import Shown, WorkerPages, served

Values = NDArray[np.float64]
Pixels = NDArray[np.int64]
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
DATA = "/b/plots/numbers.bin"


def job() -> JobConfiguration:
    """The welding job without its photograph and its further questions, recorded in seconds."""
    known = load(ROOT / "labeling_job" / "job.toml")
    source = msgspec.structs.replace(known.recordings["sensor_data"], time=TimeColumn(unit="s"), focus="whole")
    return msgspec.structs.replace(known, sources={"sensor_data": source}, questions=())


JOB = job()
TEMPLATE = page(JOB, (ROOT / "labeling_job/worker-task.liquid.html").read_text(encoding="utf-8"))


@dataclass
class Plotted:
    """A page that shows plots, and what was measured."""

    shown: Shown
    pages: WorkerPages
    time: Values
    values: tuple[Values, ...]

    @property
    def group(self) -> Locator:
        return self.shown.task.locator(".plots")

    @property
    def view(self) -> tuple[float, float]:
        """What the bar says is shown."""
        text = self.shown.task.locator(".plots-bar .shown").inner_text().replace(",", "")
        begin, end = re.findall(r"[\d.]+", text)[:2]
        return float(begin), float(end)

    def settle(self) -> None:
        expect(self.shown.task.locator(".plots.live:not([aria-busy])")).to_be_visible()

    def surface(self, channel: int = 0) -> tuple[float, float, float, float]:
        """Left and right end of a plot's time axis, and its upper and lower edge, in pixels of the page."""
        box = self.shown.task.locator(".plots .surface").nth(channel).bounding_box()
        assert box is not None
        left, right = 190 / 2000, 1956 / 2000  # as the plotting layer lays panels out
        x, width = box["x"], box["width"]
        return x + left * width, x + right * width, box["y"], box["y"] + box["height"]

    def move_to(self, moment: float, channel: int = 0) -> None:
        """Put the mouse where a moment is, by what the bar says is shown."""
        left, right, top, bottom = self.surface(channel)
        begin, end = self.view
        x = left + (moment - begin) / (end - begin) * (right - left)
        self.shown.page.mouse.move(x, (top + bottom) / 2)

    def read(self) -> list[str]:
        """What stands at the cursor, of each channel."""
        return self.shown.task.locator(".plots .value").all_inner_texts()

    def canvas(self, channel: int) -> Pixels:
        """What is drawn in a picture's place, shape (height, width, 4)."""
        script = f"document.querySelectorAll('.plots .drawn canvas')[{channel}].toDataURL()"
        data = str(self.shown.evaluate(script)).partition(",")[2]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"), dtype=np.int64)

    def drawn(self) -> list[bool]:
        """Whether each panel is drawn in the picture's place."""
        return [one.is_visible() for one in self.shown.task.locator(".plots .drawn").all()]


@pytest.fixture
def pages(browser: Browser) -> Iterator[WorkerPages]:
    with served() as portal, served() as site:
        pages = WorkerPages(browser, portal, site)
        yield pages
        pages.close()


def show(
    pages: WorkerPages,
    time: Values,
    *values: Values,
    gaps: tuple[int, ...] = (),
    lost: bool = False,
    template: str = TEMPLATE,
    compared: Behind | None = None,
) -> Plotted:
    (source,) = JOB.recordings.values()
    measured = Recording(time, values, np.array(gaps, np.intp), 0, (), ((),) * len(values))
    file, layout = build(measured, compared, source)
    if not lost:
        pages.pages.put(DATA, bytes(file), "application/octet-stream", Access_Control_Allow_Origin="*")
    panels: list[dict[str, Any]] = []
    for configured, panel in zip(JOB.panels, draw([(measured, source)], compared=compared), strict=True):
        pages.pages.put(f"/b/plots/{panel.key}.png", panel.png, "image/png")
        about = {
            "kind": "plot",
            "key": panel.key,
            "name": configured.name,
            "unit": configured.unit,
            "file": f"s3://b/plots/{panel.key}.png",
            "alt": panel.alt,
            "notes": list(panel.notes),
            "area": msgspec.to_builtins(panel.area),
            "series": panel.series,
            "data": {"file": "s3:/" + DATA, **msgspec.to_builtins(layout)},
        }
        panels.append(about)
    found = Plotted(pages.show(template, {"panels": panels}, size=(1400, 1000)), pages, time, values)
    found.settle()
    return found


def few(pages: WorkerPages, template: str = TEMPLATE) -> Plotted:
    """400 rows, one every 25 ms: no more than are shown one by one."""
    time = np.arange(400, dtype=np.float64) * 0.025
    return show(pages, time, 100 + 20 * np.sin(time), np.cos(3 * time), time**2, template=template)


def many(pages: WorkerPages) -> Plotted:
    """200,000 rows, one every 100 µs, with a spike."""
    time = np.arange(200_000, dtype=np.float64) * 1e-4
    noise = np.random.default_rng(5).normal(size=(2, len(time)))
    noise[0][123_456] = 77.5
    return show(pages, time, noise[0], noise[1], time)


def test_one_cursor_reads_all_channels(pages: WorkerPages) -> None:
    found = few(pages)
    found.move_to(3.0, channel=1)
    row = 120  # a negative voltage
    current, voltage, electrode = (float(values[row]) for values in found.values)
    assert found.read() == [f"{current:.5g} A", f"−{abs(voltage):.5g} V", f"{electrode:.5g} mm"]
    expect(found.shown.task.locator(".plots .cursor:visible")).to_have_count(3)
    assert found.drawn() == [False] * 3  # the pictures are there, as they were drawn for this view
    found.shown.page.mouse.move(5, 5)
    expect(found.shown.task.locator(".plots .cursor:visible")).to_have_count(0)
    assert found.shown.errors == []


def test_a_stretch_that_is_dragged_over_is_shown_and_reset_brings_the_picture_back(pages: WorkerPages) -> None:
    found = few(pages)
    found.move_to(2.0)
    found.shown.page.mouse.down()
    found.move_to(4.0, channel=0)
    expect(found.shown.task.locator(".plots .chosen:visible")).to_have_count(3)
    found.shown.page.mouse.up()
    found.settle()
    assert found.view == pytest.approx((2.0, 4.0), abs=0.02)
    assert found.drawn() == [True] * 3
    found.move_to(3.0)
    assert found.read()[2] == "9 mm"
    found.shown.task.get_by_role("button", name="Show what was shown first").click()
    found.settle()
    assert found.drawn() == [False] * 3
    assert found.view == pytest.approx((0, 9.975), abs=0.006)


def test_zoom_goes_down_to_single_rows_and_reads_only_what_it_shows(pages: WorkerPages) -> None:
    found = many(pages)
    found.move_to(12.3456)
    low, high = found.read()[0].removesuffix(" A").split(" to ")
    assert float(high) == 77.5  # a spike is there however far away one looks
    about = found.values[0][123_000:124_000]
    assert float(low.replace("−", "-")) in [pytest.approx(float(value), abs=1e-4) for value in np.sort(about)[:200]]
    found.group.focus()
    for _ in range(30):
        found.shown.page.keyboard.press("+")
        found.settle()
    begin, end = found.view
    assert end - begin < 0.001
    assert found.shown.task.locator(".plots .heading small").first.inner_text() == "every row"
    found.move_to(12.3456)
    assert found.read()[0] == "77.5 A"
    row = found.values[1][123_456]
    assert found.read()[1] == f"{row:.5g} V".replace("-", "−")
    requests = [path for path in found.pages.pages.requested if path.startswith(DATA)]
    assert 2 <= len(requests) < 20
    assert found.shown.errors == []


def test_keys_work_in_the_plots_only_and_categories_have_theirs(pages: WorkerPages) -> None:
    found = few(pages)
    before = found.view
    found.shown.page.keyboard.press("+")
    assert found.view == before
    found.group.focus()
    found.shown.page.keyboard.press("+")
    found.settle()
    begin, end = found.view
    assert end - begin == pytest.approx(9.975 / 1.5, abs=0.02)
    found.shown.page.keyboard.press("Shift+ArrowRight")
    found.settle()
    assert found.view[0] == pytest.approx(begin + (end - begin) / 4, abs=0.02)
    found.shown.page.keyboard.press("ArrowRight")
    spoken = found.shown.task.locator(".spoken").inner_text()
    assert re.fullmatch(
        r"[\d.]+ s: Welding current [\d.]+ A, Welding voltage −?[\d.]+ V, Electrode position [\d.]+ mm", spoken
    )
    moment = float(spoken.partition(" s")[0])
    row = int(np.abs(found.time - moment).argmin())
    assert f"Welding current {found.values[0][row]:.5g} A" in spoken
    found.shown.page.keyboard.press("Home")
    found.settle()
    assert found.view == before
    found.shown.page.keyboard.press("2")
    found.shown.page.keyboard.press("Enter")
    assert found.shown.answer() == {"WeldingClassification": {"label": "Burn Through"}}


def test_the_wheel_scrolls_the_page_until_somebody_works_in_the_plots(pages: WorkerPages) -> None:
    found = few(pages)
    before = found.view
    found.move_to(5.0)
    found.shown.page.mouse.wheel(0, -200)
    found.shown.page.wait_for_timeout(100)
    assert found.view == before
    found.shown.page.mouse.click(*_point(found, 5.0))
    found.shown.page.mouse.wheel(0, -200)
    found.shown.page.wait_for_timeout(100)
    found.settle()
    begin, end = found.view
    assert end - begin < before[1] - before[0]
    middle = (5.0 - begin) / (end - begin)
    assert middle == pytest.approx(5.0 / before[1], abs=0.02)  # what is under the pointer stays there


def _point(found: Plotted, moment: float) -> tuple[float, float]:
    left, right, top, bottom = found.surface()
    begin, end = found.view
    return left + (moment - begin) / (end - begin) * (right - left), (top + bottom) / 2


def test_with_shift_a_drag_moves_what_is_shown(pages: WorkerPages) -> None:
    found = few(pages)
    found.group.focus()
    for _ in range(2):
        found.shown.page.keyboard.press("+")
    found.settle()
    begin, end = found.view
    found.move_to(begin + 0.5 * (end - begin))
    found.shown.page.keyboard.down("Shift")
    found.shown.page.mouse.down()
    found.move_to(begin + 0.25 * (end - begin))
    found.shown.page.mouse.up()
    found.shown.page.keyboard.up("Shift")
    found.settle()
    assert found.view[0] == pytest.approx(begin + 0.25 * (end - begin), abs=0.03)
    assert found.view[1] - found.view[0] == pytest.approx(end - begin, abs=0.02)


def touch(found: Plotted, *steps: list[tuple[float, float]]) -> None:
    """Put fingers on the page, move them, and take them away; each step has a place for each finger."""
    session = found.shown.page.context.new_cdp_session(found.shown.page)
    for number, step in enumerate([*steps, []]):
        kind = "touchStart" if number == 0 else "touchMove" if step else "touchEnd"
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(step)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    found.settle()


def test_two_fingers_zoom_and_one_moves_on(pages: WorkerPages) -> None:
    found = few(pages)
    left, right, top, bottom = found.surface()
    y, width = (top + bottom) / 2, right - left
    middle = left + width / 2
    apart = [[(middle - step, y), (middle + step, y)] for step in np.linspace(60, 180, 13)]
    touch(found, *apart)
    begin, end = found.view
    assert end - begin == pytest.approx(9.975 / 3, rel=0.05)  # the fingers are three times as far apart
    assert (begin + end) / 2 == pytest.approx(9.975 / 2, abs=0.2)  # about what lies between them
    touch(found, *([(middle - step, y)] for step in np.linspace(0, width / 4, 9)))
    assert found.view[0] == pytest.approx(begin + (end - begin) / 4, abs=0.1)
    assert found.view[1] - found.view[0] == pytest.approx(end - begin, abs=0.02)
    assert found.shown.errors == []


def test_buttons_and_the_bar_of_the_whole_move_what_is_shown(pages: WorkerPages) -> None:
    found = few(pages)
    task = found.shown.task

    def press(name: str) -> tuple[float, float]:
        task.get_by_role("button", name=name, exact=True).click()
        found.settle()
        return found.view

    begin, end = press("Zoom in")
    assert end - begin == pytest.approx(9.975 / 1.5, abs=0.02)
    later = press("Later")
    assert later[0] == pytest.approx(begin + (end - begin) / 4, abs=0.02)
    assert press("Earlier") == pytest.approx((begin, end), abs=0.02)
    bar = task.locator(".plots-bar .whole").bounding_box()
    assert bar is not None
    found.shown.page.mouse.click(bar["x"] + bar["width"] - 2, bar["y"] + bar["height"] / 2)
    found.settle()
    assert found.view == pytest.approx((9.975 - (end - begin), 9.975), abs=0.02)
    assert press("Show the whole recording") == pytest.approx((0, 9.975), abs=0.006)


def test_heights_fit_what_is_shown_unless_they_are_kept(pages: WorkerPages) -> None:
    found = few(pages)
    found.group.focus()
    for _ in range(8):
        found.shown.page.keyboard.press("+")
    found.settle()

    def spread() -> float:
        """How much of the third channel's height its line takes."""
        red, green, blue, opaque = np.moveaxis(found.canvas(2), 2, 0)
        line = (red < 60) & (green > 120) & (blue > 80) & (blue < 160) & (opaque > 200)
        rows = np.flatnonzero(line.any(axis=1))
        return float(rows[-1] - rows[0]) / len(line)

    assert spread() > 0.5
    found.shown.task.get_by_role("button", name="Fit the heights to what is shown").click()
    assert spread() < 0.2  # on the scale of the whole, a short stretch hardly rises


def test_a_channel_can_be_hidden_and_shown_again_and_be_logarithmic(pages: WorkerPages) -> None:
    found = few(pages)
    task = found.shown.task
    task.get_by_role("button", name="Welding voltage: hide").click(force=True)
    expect(task.locator(".plots .panel:visible")).to_have_count(2)
    task.get_by_role("button", name="Show Welding voltage").click()
    expect(task.locator(".plots .panel:visible")).to_have_count(3)
    logarithmic = task.get_by_role("button", name="Electrode position: logarithmic")
    logarithmic.click(force=True)
    expect(logarithmic).to_have_attribute("aria-pressed", "true")
    assert found.drawn() == [False, False, True]


def test_where_the_numbers_are_lost_the_pictures_stay_and_the_page_says_so(pages: WorkerPages) -> None:
    found = show(pages, np.arange(10.0), *(np.arange(10.0),) * 3, lost=True)
    expect(found.shown.task.locator(".plots-bar .shown")).to_contain_text("could not be loaded (")
    assert found.drawn() == [False] * 3
    expect(found.shown.task.locator(".plots .panel img").first).to_be_visible()
    found.shown.tell({"type": "key", "key": "1"})
    found.shown.tell({"type": "key", "key": "Enter"})
    assert found.shown.answer() == {"WeldingClassification": {"label": "Good Weld"}}


def test_no_line_leads_over_a_gap(pages: WorkerPages) -> None:
    time = np.concatenate([np.arange(0, 4, 0.01), np.arange(6, 10, 0.01)])
    found = show(pages, time, *(np.ones(len(time)),) * 3, gaps=(399,))
    found.group.focus()
    found.shown.page.keyboard.press("+")
    found.settle()
    red, green, blue_part, opaque = np.moveaxis(found.canvas(0), 2, 0)
    blue = ((red < 80) & (green > 80) & (blue_part > 140) & (opaque > 200)).any(axis=0)
    begin, end = found.view
    left, right = 190 / 2000 * len(blue), 1956 / 2000 * len(blue)
    columns = np.arange(len(blue))
    moments = begin + (columns - left) / (right - left) * (end - begin)
    assert not blue[(moments > 4.05) & (moments < 5.95)].any()
    assert blue[(moments > begin + 0.1) & (moments < 3.9)].all()


PURPLE = (145, 60, 115)  # of the reference, as in the pictures


def good_welds(*, missing: slice | None = None) -> Behind:
    """What 12 good welds have in common: a current of 60 to 80 A, 70 A in the middle, from 1 s to 9 s."""
    values = np.array([[60.0], [70.0], [80.0]]) + np.zeros(80)
    if missing:
        values[:, missing] = np.nan
    curves = {"current": Curve(*values), "voltage": Curve(*(values / 100)), "electrode": Curve(*(values * 0 - 5))}
    return Behind(Reference(12, Steps(-0.5, 0.1, 80), curves), "good welds", 1.5)


def compared(pages: WorkerPages, **options: Any) -> Plotted:
    time = np.arange(400, dtype=np.float64) * 0.025
    return show(pages, time, 100 + 20 * np.sin(time), np.cos(3 * time), time**2, compared=good_welds(**options))


def purple(pixels: Pixels, share: float) -> NDArray[np.bool_]:
    """Where the reference's colour is, as strong as this; the canvas itself may be transparent."""
    away: NDArray[np.int64] = np.abs(pixels - (*PURPLE, round(255 * share))).sum(axis=2)
    return away < 40


def test_what_good_items_have_in_common_lies_behind_what_is_zoomed_into(pages: WorkerPages) -> None:
    found = compared(pages)
    found.group.focus()
    for _ in range(2):
        found.shown.page.keyboard.press("+")
    found.settle()
    begin, end = found.view
    pixels = found.canvas(0)
    height, width = pixels.shape[:2]
    scale = width / found.shown.task.locator(".plots .drawn canvas").first.evaluate("one => one.clientWidth")
    left, right, top, bottom = 190 / 2000 * width, 1956 / 2000 * width, 32 * scale, height - 44 * scale
    # The heights fit 60 A, the band's lower end, to the line's top, and 6 % of that more.
    shown = found.values[0][(found.time >= begin) & (found.time <= end)]
    margin = (shown.max() - 60) * 0.06
    low, high = 60 - margin, shown.max() + margin

    def row(value: float) -> int:
        return int(bottom - (value - low) / (high - low) * (bottom - top))

    band = purple(pixels, 0x38 / 255)
    middle = round((left + right) / 2)
    assert band[[row(75), row(62)], middle].all()
    assert not band[[row(84), row(59)]].any()
    dashes = purple(pixels, 1.0)[row(70) - 2 : row(70) + 3, round(left) + 4 : round(right) - 4].any(axis=0)
    assert 0.4 < dashes.mean() < 0.8
    heading = found.shown.task.locator(".plots .heading small").first.inner_text()
    assert heading == "every row · dashed: 12 good welds, median, 5–95 %"
    found.move_to(5.0)
    assert found.read()[0] == f"{found.values[0][200]:.5g} A (reference 60 to 80)"
    assert found.shown.errors == []
    requests = [path for path in found.pages.pages.requested if path.startswith(DATA)]
    assert len(requests) == 2  # all numbers are in one chunk, and the reference is read once


def test_it_ends_where_there_is_none(pages: WorkerPages) -> None:
    found = compared(pages, missing=slice(30, 50))  # from 4 s to 6 s
    found.shown.task.get_by_role("button", name="Welding current: logarithmic").click(force=True)
    pixels = found.canvas(0)
    columns: Any = purple(pixels, 0x38 / 255).any(axis=0)
    width = pixels.shape[1]
    moments = (np.arange(width) / width - 190 / 2000) / ((1956 - 190) / 2000) * 9.975
    drawn = [columns[(moments > moment + 0.1) & (moments < moment + 0.9)].mean() for moment in range(9)]
    # But for the grid, which lies over the band.
    assert [round(share, 1) for share in drawn] == [0, 1, 1, 1, 0, 0, 1, 1, 1]
    found.move_to(5.0)
    assert "reference" not in found.read()[0]
    found.move_to(2.0)
    assert found.read()[0].endswith(" A (reference 60 to 80)")
    assert found.shown.errors == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_while_plots_are_worked_in(pages: WorkerPages, dark: bool) -> None:
    found = compared(pages)
    if dark:
        found.shown.page.emulate_media(color_scheme="dark")
    found.group.focus()
    found.shown.page.keyboard.press("+")
    found.settle()
    found.shown.evaluate(AXE)
    result: Any = found.shown.page.frames[1].evaluate("axe.run({ resultTypes: ['violations'], iframes: false })")
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in result["violations"]] == []
    found.shown.picture(f"plots-{'dark' if dark else 'light'}")
