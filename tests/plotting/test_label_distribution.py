"""The picture of a job's labels."""

import io
import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from plotting.label_distribution import AGREED, DISPUTED, Bar, draw

BARS = [Bar("Good Weld", 1412, 60), Bar("Contamination", 320, 140), Bar("Not sure", 44, 44), Bar("Lack of Fusion", 0)]


def pixels(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def area(png: bytes, color: tuple[int, int, int]) -> int:
    """How many pixels are of a colour, as near as the palette has it."""
    return int((np.abs(pixels(png).astype(int) - color).max(axis=2) <= 4).sum())


def test_areas_are_in_proportion_to_labels() -> None:
    png = draw("Welds-1", BARS)
    agreed, disputed = (sum(bar.labels - bar.disputed for bar in BARS), sum(bar.disputed for bar in BARS))
    legend = 40 * 26
    ratio = (area(png, DISPUTED) - legend) / (area(png, AGREED) - legend)
    assert ratio == pytest.approx(disputed / agreed, rel=0.03)


def test_a_job_without_disputes_has_no_legend() -> None:
    agreed = [bar._replace(disputed=0) for bar in BARS]
    assert area(draw("Welds-1", agreed), DISPUTED) == 0
    assert pixels(draw("Welds-1", agreed)).shape[0] < pixels(draw("Welds-1", BARS)).shape[0]


def test_there_is_a_row_for_each_category() -> None:
    heights = [pixels(draw("Welds-1", BARS[:count])).shape[0] for count in (1, 2, 3, 4)]
    assert {after - before for before, after in itertools.pairwise(heights)} == {76}


@pytest.mark.parametrize(
    "bars",
    [
        [],
        [Bar("none", 0)],
        [Bar("one", 1)],
        [Bar("many", 10**9), Bar("few", 1)],
        [Bar("溶接 \n<b>$x$" * 20, 3, 1), Bar("", 2)],
    ],
)
def test_odd_distributions_stay_within_the_margins(bars: list[Bar]) -> None:
    found = pixels(draw("a-name-" * 9, bars, without_label=10**9, confidence=0.5))
    assert found.shape[1] == 2000
    assert (found[:, :30] == 255).all()
    assert (found[:, -30:] == 255).all()


def test_the_same_labels_give_the_same_bytes() -> None:
    assert draw("Welds-1", BARS, without_label=3, confidence=0.9) == draw(
        "Welds-1", BARS, without_label=3, confidence=0.9
    )
