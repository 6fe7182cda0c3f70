"""Any file is drawn, or refused by name: whatever its numbers, times and lines."""

import io
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.sources import Channel, TimeColumn, TimeSeriesSource
from PIL import Image
from plotting.errors import RecordingError
from plotting.panels import draw_files
from plotting.rows import LONGEST_LINE

UNITS = ("us", "ms", "s", "epoch-s", "epoch-ms", "iso8601")


def source(unit: Any = "s", **changes: Any) -> TimeSeriesSource:
    channels = (Channel("current", "Welding current", 1, "current", "A"),)
    return TimeSeriesSource(
        **{"title": "R", "folder": "f", "channels": channels, "time": TimeColumn(unit=unit), **changes}
    )


def drawn(*files: tuple[bytes, TimeSeriesSource]) -> list[str]:
    """Draws an item, with every warning an error; gives the alt texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw_files([(data, of, f"s3://b/{n}.csv") for n, (data, of) in enumerate(files)])
        made = list(drawn.panels)
        assert len(list(drawn.data)) == len(files)
    for panel in made:
        assert Image.open(io.BytesIO(panel.png)).size in ((2000, 680), (2000, 820))
    return [panel.alt for panel in made]


def refusal(*files: tuple[bytes, TimeSeriesSource]) -> str:
    """Why an item can't be drawn; nothing if it can."""
    try:
        drawn(*files)
    except RecordingError as error:
        return str(error)
    return ""


TINY = 5e-324
VALUES = {
    "denormals": [0, TINY, 2 * TINY],
    "a denormal apart": [1.0, 1.0, np.nextafter(1.0, 2)],
    "near the smallest": [2.3e-308, 2.2e-308, 2.25e-308],
    "huge": [1e308, -1e308, 1e308],
    "huge and small": [1e99, -1e99, TINY],
    "far and near": [1e15, 1e15 + 1, 1e15 + 2],
    "zero": [0, -0.0, 0],
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("scale", [1.0, 1e-300, -1e300])
def test_values_of_any_size(name: str, scale: float) -> None:
    channel = Channel("current", "Welding current", 1, "current", "A", scale=scale)
    text = "".join(f"{time},{value!r}\n" for time, value in enumerate(map(float, VALUES[name])))
    assert refusal((text.encode(), source(channels=(channel,)))) == "" or "no number in any row" in refusal(
        (text.encode(), source(channels=(channel,)))
    )


@pytest.mark.parametrize("unit", ["us", "ms", "s", "epoch-s", "epoch-ms"])
@pytest.mark.parametrize("times", [[0, TINY], [0, 1e-9], [1e99, -1e99, 2e99], [1.7e9, 1.7e9 + 1e-6], [TINY, 1, 2]])
def test_times_of_any_size(unit: str, times: list[float]) -> None:
    text = "".join(f"{time!r},{number}\n" for number, time in enumerate(sorted(map(float, times))))
    assert refusal((text.encode(), source(unit))) == "" or "time stands still" in refusal((text.encode(), source(unit)))


@pytest.mark.parametrize(
    "times",
    [
        ("9999-12-31T23:59:59.999998", "9999-12-31T23:59:59.999999"),
        ("9999-12-31T23:59:59.999998-12:00", "9999-12-31T23:59:59.999999-12:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00.000001+14:00"),
        ("0001-01-01", "9999-12-31"),
    ],
)
def test_iso_times_at_the_ends_of_the_calendar(times: tuple[str, str]) -> None:
    text = f"{times[0]},1\n{times[1]},2\n".encode()
    one, two = drawn((text, source("iso8601")), (text, source("iso8601", folder="g")))
    assert one.startswith("Welding current over ")
    assert one == two


NUMBERS = st.one_of(
    st.floats().map(repr),
    st.floats(width=16, allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-3, 3).map(lambda n: repr(n * TINY)),
    st.sampled_from(
        ["", "na", "1e999999999", "-1e400", "9" * 400, "0x10", "１", "1_0", "2026-01-01T00:00:00Z", '"1', '1"', "\0"]
    ),
)


@settings(max_examples=400, deadline=None)
@given(
    rows=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12),
    unit=st.sampled_from(UNITS),
    delimiter=st.sampled_from([",", ";", " "]),
    sort=st.booleans(),
)
def test_any_rows(rows: list[tuple[str, str]], unit: str, delimiter: str, sort: bool) -> None:
    if sort:
        rows = [(str(number), value) for number, (_, value) in enumerate(rows)]
    text = "\n".join(delimiter.join(row) for row in rows).encode()
    assert (refusal((text, source(unit, delimiter=delimiter, max_rows_left_out=0.5))) or "s3://b/0.csv").startswith(
        "s3://b/0.csv"
    )


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(UNITS))
def test_any_bytes(data: bytes, unit: str) -> None:
    assert (refusal((data, source(unit))) or "s3://b/0.csv").startswith("s3://b/0.csv")


def test_a_line_of_the_longest_length_is_read_and_one_more_byte_is_not() -> None:
    line = b"1,2," + b"x" * (LONGEST_LINE - 4)
    assert drawn((b"0,1\n" + line + b"\n2,3", source()))
    with pytest.raises(RecordingError, match=r"0\.csv, line 2: a line of 1,000,001 bytes"):
        drawn((b"0,1\n" + line + b"x\n2,3", source()))
    with pytest.raises(RecordingError, match="line 1: a line of 1,000,001 bytes; expected lines of at most 1,000,000"):
        drawn((line + b"x", source()))


HUGE_LINE = """
import resource
from labeling.sources import Channel, TimeColumn, TimeSeriesSource
from plotting.errors import RecordingError
from plotting.recording import read
source = TimeSeriesSource(title="R", folder="f", channels=(Channel("c", "C", 1, "c"),), time=TimeColumn(unit="s"))
data = b"0,1\\n" + b"1," * 50_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read(data, source, "s3://b/k")
except RecordingError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_line_of_a_hundred_megabytes_takes_little_memory() -> None:
    """It took 28 times its size: it was taken apart before it was looked at."""
    done = subprocess.run([sys.executable, "-c", HUGE_LINE], capture_output=True, text=True, check=True)
    said, megabytes = done.stdout.splitlines()
    assert said.startswith("s3://b/k, line 2: a line of 100,000,000 bytes")
    assert int(megabytes) < 500
