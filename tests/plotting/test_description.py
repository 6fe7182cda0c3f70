"""Descriptions: what a person who can't see a plot is told of it."""

import numpy as np
import pytest
from labeling.sources import Channel, TimeColumn, TimeSeriesSource
from numpy.typing import NDArray
from plotting.description import describe
from plotting.recording import read

CURRENT = Channel("current", "Welding current", 1, "current", "A")


def described(values: NDArray[np.float64], time: NDArray[np.float64] | None = None) -> str:
    time = np.arange(len(values)) / 100 if time is None else time
    source = TimeSeriesSource(title="R", folder="f", channels=(CURRENT,), time=TimeColumn(unit="s"))
    rows = "\n".join(f"{t!r},{v!r}" for t, v in zip(time.tolist(), values.tolist(), strict=True))
    return describe(read(rows.encode(), source, "s3://bucket/run.csv"), 0, CURRENT)


noise = np.random.default_rng(5).normal(0, 1, 1000)


def test_a_steady_signal() -> None:
    assert described(150 + noise) == (
        "Welding current over 9.99 s: from 146.7 to 153.1 A, mean 150 A, "
        "half of the values between 149.3 and 150.7 A. No lasting trend."
    )


@pytest.mark.parametrize(
    ("slope", "words"), [(20, "Overall it rises by about 20 A."), (-20, "Overall it falls by about 20 A.")]
)
def test_a_trend(slope: float, words: str) -> None:
    assert words in described(150 + noise / 10 + np.linspace(0, slope, 1000))


def test_spikes_and_drops_with_value_and_time() -> None:
    values = 150 + noise
    values[200] = 220.5
    values[700] = 90.0
    assert described(values).endswith("It departs from its surroundings at 220.5 A at 2 s, 90 A at 7 s.")


def test_many_departures_are_counted_and_the_furthest_named() -> None:
    values = 150 + noise
    values[50::100] += np.arange(10) * 3 + 30
    assert described(values).endswith(
        "departs from its surroundings in 10 places, most at 200.1 A at 7.5 s, 203.6 A at 8.5 s, 206.2 A at 9.5 s."
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full(50, 7.5), "Welding current over 0.49 s: constant at 7.5 A."),
        (1e6 + np.arange(50) / 1000, "nearly constant at 1,000,000 A, all values within 0.049 A."),
    ],
)
def test_constants(values: NDArray[np.float64], words: str) -> None:
    assert described(values).endswith(words)


def test_what_is_missing() -> None:
    values = 150 + noise
    values[10:13] = np.nan
    time = np.arange(1000) / 100
    time[500:] += 4
    assert described(values, time).endswith("1 gap in time, of 4.01 s from 4.99 s; 3 values missing.")


def far(text: str) -> str:
    """What is said of departures."""
    _, found, rest = text.partition("It departs from its surroundings")
    return found + rest


TIME = np.linspace(0, 1, 1000)


@pytest.mark.parametrize(
    "values",
    [
        100 * TIME,
        -3 * TIME + 7,
        100 * TIME + noise / 10,
        np.sin(TIME * 12) * 10,
        np.exp(TIME * 5),
        np.sqrt(TIME) * 30,
        np.where(TIME < 0.004, 0, 150.0) + noise,  # the arc is lit in the first rows
        np.where(TIME > 0.99, 0, 150.0) + noise,
    ],
    ids=["ramp", "falling ramp", "scattered ramp", "sine", "exponential", "root", "begins late", "ends early"],
)
def test_how_a_recording_begins_and_ends_is_no_departure(values: NDArray[np.float64]) -> None:
    assert far(described(values)) == ""


@pytest.mark.parametrize("row", [3, 30, 500, 970, 996])
@pytest.mark.parametrize("shape", [150 * TIME, 150 + 0 * TIME], ids=["ramp", "steady"])
def test_a_spike_is_a_departure_wherever_it_is(row: int, shape: NDArray[np.float64]) -> None:
    values = shape + noise / 10
    values[row] += 60
    assert far(described(values)).startswith("It departs from its surroundings at ")
    assert far(described(values)).count(" at ") == 2  # one place, with its time
