"""A reference: between what values the recordings of good items lie, from the moment on at which their focus begins.

Each item is taken in the same steps of time, counted from the beginning of its focus without the margin before it, so
that recordings that were started sooner or later still lie upon each other. In each step an item has one value a
channel, the mean of its rows there. Across the items these have a median, and a band from the 5th to the 95th
percentile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from labeling.errors import ReferenceUnusableError
from labeling.sources import TimeSeriesSource
from numpy.typing import NDArray

from plotting.focus import Stretch
from plotting.numerals import count, plain, seconds
from plotting.recording import Recording
from plotting.rows import LARGEST

Values = NDArray[np.float64]

# About six pixels of a plot each. In twice as many, each has less than a cycle of a short-circuiting arc, and scatters.
STEPS: Final = 300
# Of fewer items no band can be told; each step needs so many as well.
FEWEST_ITEMS: Final = 3
PERCENTILES: Final = (5, 50, 95)
# Of a file that somebody else may have written.
MOST_STEPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of equal time, counted from where a focus begins.

    Attributes:
        begin: Where the first one begins, in seconds; not after 0.
        length: How long each is, in seconds.
        number: How many there are.
    """

    begin: float
    length: float
    number: int

    @property
    def middles(self) -> Values:
        """The middle of each, in seconds, shape (number,)."""
        return self.begin + self.length * (np.arange(self.number, dtype=np.float64) + 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A channel's reference, NaN in steps that too few items reach, in the channel's unit.

    Attributes:
        low: The 5th percentile of the items' means in each step, shape (n,).
        median: Their median, shape (n,).
        high: The 95th percentile, shape (n,).
    """

    low: Values
    median: Values
    high: Values

    def extent(self, *, band: bool = False) -> tuple[float, float] | None:
        """From where to where the median reaches, or the band; nothing if there is none."""
        found = ~np.isnan(self.median)
        if not found.any():
            return None
        low, high = (self.low, self.high) if band else (self.median, self.median)
        return float(low[found].min()), float(high[found].max())


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What good items have in common.

    Attributes:
        items: How many they are.
        steps: In what steps of time it is told.
        curves: One a channel, by its key.
    """

    items: int
    steps: Steps
    curves: Mapping[str, Curve]


def steps_over(focuses: Sequence[Stretch]) -> Steps:
    """Find the steps in which a reference is told: over all that at least three of the items' focuses cover.

    Args:
        focuses: One an item.

    Raises:
        ReferenceUnusableError: If there are fewer than three.
    """
    if len(focuses) < FEWEST_ITEMS:
        raise ReferenceUnusableError(
            f"found {count(len(focuses), 'item')} that can be read; expected at least {FEWEST_ITEMS}: a median and a "
            "band can't be told of fewer. Name a job or a manifest with more good items"
        )
    begin = sorted(one.begin - one.onset for one in focuses)[FEWEST_ITEMS - 1]
    end = sorted(one.end - one.onset for one in focuses)[-FEWEST_ITEMS]
    if end <= begin:
        raise ReferenceUnusableError(
            f"found no time that the focuses of {FEWEST_ITEMS} items have in common; expected recordings of one kind: "
            "check the items and the focus of their sources"
        )
    return Steps(begin, (end - begin) / STEPS, STEPS)


def in_steps(
    recordings: Sequence[tuple[Recording, TimeSeriesSource]], focus: Stretch, steps: Steps
) -> dict[str, Values]:
    """Take an item's recordings in steps of time.

    A step's value is the mean of the rows in it. In one without a row, where rows are further apart than steps, it is
    the value at its middle on the line between the rows about it; over a gap or a missing value there is no line.

    Args:
        recordings: All of an item, on one clock, each with the source that it was read as.
        focus: The item's; what lies outside of it doesn't count.
        steps: The steps, counted from the focus' onset.

    Returns:
        The values of each channel by its key, shape (number of steps,); NaN where there are none.
    """
    found = {}
    for recording, source in recordings:
        rows = slice(*np.searchsorted(recording.time, [focus.begin, np.nextafter(focus.end, np.inf)]))
        with np.errstate(over="ignore"):
            place = np.floor((recording.time[rows] - focus.onset - steps.begin) / steps.length)
        step = np.clip(place, -1, steps.number).astype(np.intp)
        moments = steps.middles + focus.onset
        within = (moments >= focus.begin) & (moments <= focus.end)
        for channel, values in zip(source.channels, recording.values, strict=True):
            means = _means(step, values[rows], steps.number)
            between = within & np.isnan(means)
            means[between] = _on_the_line(recording, values, moments[between])
            found[channel.key] = means
    return found


def _means(step: NDArray[np.intp], values: Values, steps: int) -> Values:
    counted = (step >= 0) & (step < steps) & ~np.isnan(values)
    step, values = step[counted], values[counted]
    numbers = np.bincount(step, minlength=steps)
    sums = np.bincount(step, weights=values, minlength=steps)
    means: Values = np.full(steps, np.nan)
    np.divide(sums, numbers, out=means, where=numbers > 0)
    return means


def _on_the_line(recording: Recording, values: Values, moments: Values) -> Values:
    """The values at moments between rows, shape (m,); NaN where no line leads over them."""
    after = np.searchsorted(recording.time, moments)
    has_line = (after > 0) & (after < recording.rows) & ~np.isin(after - 1, recording.gaps)
    after = np.clip(after, 1, recording.rows - 1)
    before = after - 1
    length = recording.time[after] - recording.time[before]
    share = np.divide(moments - recording.time[before], length, out=np.zeros(len(moments)), where=length > 0)
    return np.where(has_line, values[before] + share * (values[after] - values[before]), np.nan)


def combine(steps: Steps, items: Sequence[Mapping[str, Values]]) -> Reference:
    """Find the median and the band of items.

    Args:
        steps: The steps in which they were taken.
        items: What `in_steps` gave of each, at least three.
    """
    return Reference(
        len(items), steps, {key: _curve(np.stack([item[key] for item in items])) for key in (items[0] if items else ())}
    )


def _curve(values: Values) -> Curve:
    """The reference of a channel by its values in each item and step, shape (items, steps)."""
    found = np.full((len(PERCENTILES), values.shape[1]), np.nan)
    enough = np.count_nonzero(~np.isnan(values), axis=0) >= FEWEST_ITEMS
    if enough.any():
        found[:, enough] = np.nanpercentile(values[:, enough], PERCENTILES, axis=0)
    return Curve(*found)


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """A reference behind the lines of an item, on the item's own clock.

    Attributes:
        reference: The reference.
        title: What its items are, such as ``good welds``.
        onset: Where the item's focus begins, in seconds on its clock.
    """

    reference: Reference
    title: str
    onset: float

    @property
    def whose(self) -> str:
        """How many items it is of, and whose, as a legend says."""
        return f"{self.reference.items:,} {self.title}"

    @property
    def time(self) -> Values:
        """The middle of each step, in seconds on the item's clock, shape (n,)."""
        return self.reference.steps.middles + self.onset

    def told(self, key: str, own: Values) -> str:
        """Say in words how an item lies to its reference.

        Args:
            key: The channel's.
            own: The item's values in the reference's steps, as `in_steps` gives them, shape (n,).
        """
        about = f"Behind it, median and 5 to 95 % of {self.whose}"
        curve = self.reference.curves.get(key)
        compared = np.zeros(len(own), bool) if curve is None else ~np.isnan(own) & ~np.isnan(curve.median)
        if curve is None or not compared.any():
            return f"{about}: none of this time."
        above, below = own > curve.high, own < curve.low
        share = 1 - np.count_nonzero(above | below) / np.count_nonzero(compared)
        (steps, longest), *_ = sorted((self._longest(above, "above"), self._longest(below, "below")), reverse=True)
        said = f", longest {longest}" if steps >= len(own) / 50 else ""
        return f"{about}: {share:.0%} of the time within{said}."

    def _longest(self, away: NDArray[np.bool_], name: str) -> tuple[int, str]:
        """How many steps the longest run has that lies away, and which that is in words."""
        edges = np.flatnonzero(np.diff(np.concatenate([[0], away, [0]])))
        if not len(edges):
            return 0, ""
        lengths = edges[1::2] - edges[::2]
        run = int(np.argmax(lengths))
        steps = self.reference.steps
        begin, end = (self.onset + steps.begin + float(edge) * steps.length for edge in edges[2 * run : 2 * run + 2])
        return int(lengths[run]), f"{name} from {plain(begin)} to {seconds(end)}"


class _Curve(msgspec.Struct):
    low: list[float | None]
    median: list[float | None]
    high: list[float | None]


class _File(msgspec.Struct):
    """As a reference is kept: seconds, and numbers a step, ``null`` where there is none."""

    items: int
    begin: float
    step: float
    curves: dict[str, _Curve]


# Made once: threads that are the first at once to make one can end the process (msgspec 0.22).
_DECODER: Final = msgspec.json.Decoder(_File)


def encode(reference: Reference) -> bytes:
    """Write a reference as JSON, numbers to nine digits."""
    curves = {
        key: _Curve(_written(curve.low), _written(curve.median), _written(curve.high))
        for key, curve in reference.curves.items()
    }
    return msgspec.json.encode(_File(reference.items, reference.steps.begin, reference.steps.length, curves))


def decode(data: bytes) -> Reference:
    """Read a reference.

    Args:
        data: As `encode` wrote it.

    Raises:
        ReferenceUnusableError: If it is none.
    """
    try:
        file = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReferenceUnusableError(f"found no reference in it ({error})") from None
    curves = {key: Curve(*map(_read, (one.low, one.median, one.high))) for key, one in file.curves.items()}
    lengths = {len(values) for curve in curves.values() for values in (curve.low, curve.median, curve.high)}
    if len(lengths) != 1 or not 1 < max(lengths) <= MOST_STEPS:
        found = ", ".join(map(str, sorted(lengths))) or "no"
        raise ReferenceUnusableError(f"found curves of {found} steps; expected one length, 2 to {MOST_STEPS:,}")
    good = file.step > 0 and max(abs(file.begin), file.step) <= LARGEST and file.items >= FEWEST_ITEMS
    if not good or any(_is_beyond(curve) for curve in curves.values()):
        raise ReferenceUnusableError("found numbers in it that no reference has")
    return Reference(file.items, Steps(file.begin, file.step, max(lengths)), curves)


def _written(values: Values) -> list[float | None]:
    return [None if np.isnan(value) else float(f"{value:.9g}") for value in values.tolist()]


def _read(values: list[float | None]) -> Values:
    return np.array(values, np.float64)


def _is_beyond(curve: Curve) -> bool:
    """Whether a curve holds what can't be drawn, or has its band upside down; comparisons with NaN are no trouble."""
    whole = np.stack([curve.low, curve.median, curve.high])
    unequal = np.isnan(whole).any(axis=0) != np.isnan(whole).all(axis=0)
    return bool((np.abs(whole) > LARGEST).any() or (np.diff(whole, axis=0) < 0).any() or unequal.any())
