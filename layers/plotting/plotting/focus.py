"""What of a recording matters: the stretch in which something happens, between those in which nothing does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from labeling.sources import Focus, Sound, TimeSeriesSource
from numpy.typing import NDArray

from plotting.numerals import plain
from plotting.recording import Recording

# A recording is looked at in so many equal times.
BLOCKS: Final = 1000
# A channel rests while it stays where it mostly is: within this share of its range, or six standard deviations of where
# it is there, if those are not more than the share below.
STEADY: Final = 0.02
SIGMAS: Final = 6.0
# What moves more than this share of its range while it is where it mostly is doesn't rest at all.
RESTLESS: Final = 0.1
# All is shown unless resting takes more than this share of the time.
MOST_SHOWN: Final = 0.5
# With fewer rows than this nobody can tell; a block has so many at least.
FEWEST: Final = 100
ROWS_EACH: Final = 4
# So many blocks must be awake, and this share of those from the first to the last.
FEWEST_AWAKE: Final = 3
SHARE_AWAKE: Final = 0.2
MARGIN: Final = 0.05  # of the stretch, before and after it


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time.

    Attributes:
        begin: Seconds.
        end: Seconds, after ``begin``.
        onset: When what matters begins, after the margin that is shown before it; seconds, ``begin`` if there is none.
    """

    begin: float
    end: float
    onset: float = 0.0


def find_focus(recordings: Sequence[tuple[Recording, TimeSeriesSource]]) -> tuple[Stretch, tuple[str, ...]]:
    """Find what plots of an item show large: whatever matters in any of its recordings.

    Args:
        recordings: All of an item, on one clock, each with the source that it was read as.

    Returns:
        The stretch, on the item's clock, from 0 to the end if everything is shown; and what readers should know of how
        it was found.
    """
    end = max(float(recording.time[-1]) for recording, _ in recordings)
    stretches, notes = [], []
    # A sound is hardly ever at rest, and would show everything: beside other recordings they decide.
    for recording, source in [pair for pair in recordings if not isinstance(pair[1], Sound)] or recordings:
        found, note = _stretch(recording, source)
        notes += note
        stretches.append(found or Stretch(0.0, end))
    begin, onset = min(one.begin for one in stretches), min(one.onset for one in stretches)
    return Stretch(begin, max(one.end for one in stretches), onset), tuple(notes)


def _stretch(recording: Recording, source: TimeSeriesSource) -> tuple[Stretch | None, list[str]]:
    """What matters in a recording; ``None`` if that is everything."""
    if source.focus == "whole":
        return None, []
    if isinstance(source.focus, Focus):
        return _by_rule(recording, source, source.focus)
    return _unless_at_rest(recording), []


def _by_rule(recording: Recording, source: TimeSeriesSource, focus: Focus) -> tuple[Stretch | None, list[str]]:
    index = next(i for i, channel in enumerate(source.channels) if channel.key == focus.channel)
    values, channel = recording.values[index], source.channels[index]
    above = -np.inf if focus.above is None else focus.above
    below = np.inf if focus.below is None else focus.below
    rows = np.flatnonzero((values > above) & (values < below))
    if not len(rows):
        unit = f" {channel.unit}" if channel.unit else ""
        levels = [("above", focus.above), ("below", focus.below)]
        rule = " and ".join(f"{name} {plain(level)}{unit}" for name, level in levels if level is not None)
        return None, [f"Nowhere is {channel.title} {rule}, so the whole recording is shown."]
    return _with_margin(recording, rows[0], rows[-1], focus.margin_seconds), []


def _unless_at_rest(recording: Recording) -> Stretch | None:
    """Find what lies between the times in which every channel rests; ``None`` if they aren't most of the time.

    If a channel rests for more than half of the time, it rests in the median block: that tells where, and how much it
    moves there, without knowing a level.
    """
    if recording.rows < FEWEST:
        return None
    firsts = _blocks(recording.time)
    channels = [_Blocks.of(values, firsts) for values in recording.values]
    if not all(channel.rests for channel in channels):
        return None
    awake = np.flatnonzero(np.logical_or.reduce([channel.awake for channel in channels]))
    # Spikes alone are no stretch.
    if len(awake) < FEWEST_AWAKE or len(awake) < SHARE_AWAKE * (awake[-1] - awake[0]):
        return None
    between = slice(int(awake[0]), int(awake[-1]) + 1)
    # Else what lies between is the rest, and what lasts longer is a steady process.
    if not any(channel.is_livelier(between) for channel in channels):
        return None
    first, last = int(firsts[between.start]), int(np.append(firsts, recording.rows)[between.stop])
    rows = first + np.flatnonzero(
        np.logical_or.reduce(
            [channel.beyond(values[first:last]) for channel, values in zip(channels, recording.values, strict=True)]
        )
    )
    if recording.time[rows[-1]] - recording.time[rows[0]] >= MOST_SHOWN * recording.duration:
        return None
    return _with_margin(recording, int(rows[0]), int(rows[-1]), None)


def _blocks(time: NDArray[np.float64]) -> NDArray[np.intp]:
    """The first row of each of the equal times that has rows."""
    edges = np.linspace(time[0], time[-1], min(BLOCKS, len(time) // ROWS_EACH) + 1)[:-1]
    return np.unique(np.searchsorted(time, edges))


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """A channel in blocks of equal time.

    Attributes:
        lows: The smallest value in each, NaN where all are missing, shape (n,).
        highs: The greatest.
        low: Where it rests, the lower end.
        high: The upper end.
        extent: From its smallest value to its greatest.
    """

    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    low: float
    high: float
    extent: float

    @classmethod
    def of(cls, values: NDArray[np.float64], firsts: NDArray[np.intp]) -> "_Blocks":
        lows, highs = (reduce.reduceat(values, firsts) for reduce in (np.fmin, np.fmax))  # what is missing is no value
        return cls(
            lows,
            highs,
            float(np.nanmedian(lows)),
            float(np.nanmedian(highs)),
            float(np.nanmax(highs) - np.nanmin(lows)),
        )

    @property
    def tolerance(self) -> float:
        """How far beyond its ends it still rests."""
        away = max(float(np.nanmedian(np.abs(ends - rest))) for ends, rest in self._ends)
        # The median of normally scattered distances is 1 / 1.4826 of a standard deviation.
        return max(STEADY * self.extent, SIGMAS * 1.4826 * away)

    @property
    def _ends(self) -> tuple[tuple[NDArray[np.float64], float], ...]:
        return (self.lows, self.low), (self.highs, self.high)

    @property
    def rests(self) -> bool:
        """Whether it rests at all."""
        return max(self.high - self.low, self.tolerance) <= RESTLESS * self.extent

    @property
    def awake(self) -> NDArray[np.bool_]:
        """In which blocks it doesn't rest, shape (n,)."""
        return self.beyond(self.lows) | self.beyond(self.highs)

    def beyond(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which values aren't where it rests."""
        tolerance = self.tolerance
        return (values < self.low - tolerance) | (values > self.high + tolerance)

    def is_livelier(self, between: slice) -> bool:
        """Whether it moves more in these blocks than where it rests."""
        moves = (self.highs - self.lows)[between]
        measured = moves[~np.isnan(moves)]
        return len(measured) > 0 and float(np.median(measured)) > max(2 * (self.high - self.low), STEADY * self.extent)


def _with_margin(recording: Recording, first: int, last: int, margin: float | None) -> Stretch:
    begin, end = float(recording.time[first]), float(recording.time[last])
    if margin is None:
        margin = MARGIN * (end - begin)
    # A single row has no length of its own: enough that it is seen among its neighbours.
    margin = max(margin, recording.duration / BLOCKS)
    return Stretch(max(float(recording.time[0]), begin - margin), min(float(recording.time[-1]), end + margin), begin)
