"""Marks of axes: round numbers, short labels, and an axis name that says what the labels leave out."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plotting.ticks import ticks


@pytest.mark.parametrize(
    ("low", "high", "labels", "name"),
    [
        (0, 10, ("0", "2", "4", "6", "8", "10"), "Current (A)"),
        (-1, 1, ("−1.0", "−0.5", "0.0", "0.5", "1.0"), "Current (A)"),
        (-54, 954, ("0", "200", "400", "600", "800"), "Current (A)"),
        (0, 50_000, ("0", "10,000", "20,000", "30,000", "40,000", "50,000"), "Current (A)"),
        (0, 5e6, ("0", "1", "2", "3", "4", "5"), "Current (×10⁶ A)"),
        (0, 5e-9, ("0", "1", "2", "3", "4", "5"), "Current (×10⁻⁹ A)"),
        (1e9, 1e9 + 0.05, ("0.00", "0.01", "0.02", "0.03", "0.04", "0.05"), "Current − 1×10⁹ (A)"),
    ],
)
def test_labels_and_axis_name(low: float, high: float, labels: tuple[str, ...], name: str) -> None:
    axis = ticks(low, high, 5)
    assert axis.labels == labels
    assert axis.axis_name("Current", "A") == name


def test_a_pure_number_has_no_unit() -> None:
    assert ticks(0, 1, 5).axis_name("Ratio", "") == "Ratio"
    assert ticks(0, 1e7, 5).axis_name("Ratio", "") == "Ratio (×10⁶)"


@settings(deadline=None)
@given(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100), st.sampled_from([5, 10]))
def test_any_axis_has_a_few_different_short_labels(one: float, other: float, about: int) -> None:
    low, high = min(one, other), max(one, other)
    assume(high - low > 1e-12 * max(abs(low), abs(high)) and high - low > 1e-100)
    axis = ticks(low, high, about)
    assert about // 2 <= len(axis.labels) <= 2 * about + 1
    assert len(set(axis.labels)) == len(axis.labels)
    assert max(map(len, axis.labels)) <= 8
    margin = (high - low) * 1e-6
    assert low - margin <= axis.positions[0] <= axis.positions[-1] <= high + margin
