"""Spectra of recordings: the power of each frequency, over all of a stretch or as it changes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from plotting.focus import Stretch
from plotting.numerals import count, plain
from plotting.recording import Recording

Values = NDArray[np.float64]

FEWEST: Final = 64  # evenly sampled rows in one piece, for a spectrum
LONGEST_SEGMENT: Final = 4096  # rows
SEGMENTS: Final = 8  # that a spectrum is a mean of, where there are rows enough
FRAME: Final = 256  # rows of a spectrogram's segments, where there are enough
LONGEST_FRAME: Final = 1024  # where there are so many that it still is no more than a few pixels wide
FRAMES_BESIDE: Final = 200  # of the longest, that a stretch has room for beside each other
MOST_FRAMES: Final = 2000
TRANSFORMED: Final = 4_000_000  # numbers at once
EVEN: Final = 0.01  # of an interval, by which intervals may differ


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Evenly sampled values.

    Attributes:
        begin: When the first was measured, in seconds.
        rate: How many there are a second.
        values: Shape (n,).
        notes: What people should know about them.
    """

    begin: float
    rate: float
    values: Values
    notes: tuple[str, ...] = ()


class TooFewRowsError(ValueError):
    """There are too few rows for a spectrum; the text says how many, and how many are needed."""


def even_pieces(recording: Recording, values: Values, stretch: Stretch) -> list[Samples]:
    """The unbroken pieces of a channel in a stretch, sampled evenly.

    Where intervals differ, values are put on an even grid of the median interval by straight lines.

    Raises:
        TooFewRowsError: If no piece has rows enough.
    """
    within = (recording.time >= stretch.begin) & (recording.time <= stretch.end) & ~np.isnan(values)
    rows = np.flatnonzero(within)
    broken = np.zeros(recording.rows, dtype=bool)
    broken[recording.gaps + 1] = True
    passed = np.cumsum(broken)
    cuts = np.flatnonzero((np.diff(rows) > 1) | (np.diff(passed[rows]) > 0)) + 1
    pieces = [piece for piece in np.split(rows, cuts) if len(piece) >= FEWEST]
    sampled = [_evenly(recording.time[piece], values[piece]) for piece in pieces]
    samples = [one for one in sampled if len(one.values) >= FEWEST]
    if not samples:
        longest = max((len(piece) for piece in np.split(rows, cuts)), default=0)
        raise TooFewRowsError(
            f"A spectrum needs {FEWEST} rows without a gap; the longest piece has {count(longest, 'row')}."
        )
    return samples


def _evenly(time: Values, values: Values) -> Samples:
    intervals = np.diff(time)
    usual = float(np.median(intervals))
    if usual <= 0:  # rows of the same time, in bursts
        usual = float(time[-1] - time[0]) / (len(time) - 1)
    if usual <= 0:
        return Samples(float(time[0]), 1.0, values[:0])
    if np.abs(intervals - usual).max() <= EVEN * usual:
        return Samples(float(time[0]), 1 / float(np.mean(intervals)), values)
    grid = np.arange(time[0], time[-1] + usual / 2, usual)
    note = f"Not sampled evenly: put on an even grid of {plain(1 / usual)} Hz for the spectrum."
    return Samples(float(time[0]), 1 / usual, np.interp(grid, time, values), (note,))


def power_density(samples: Samples) -> tuple[Values, Values]:
    """Estimate the power spectral density, by the mean of the periodograms of overlapping segments.

    Welch's method ("The use of fast Fourier transform for the estimation of power spectra", IEEE Transactions on Audio
    and Electroacoustics 15(2), 1967), with Hann's window and half of each segment shared with the next.

    Returns:
        The frequencies in Hz, and the density in the channel's unit squared per Hz, one-sided: its integral is the
        variance of the values. Each of shape (m,).
    """
    length = _power_of_two(min(LONGEST_SEGMENT, max(FEWEST, 2 * len(samples.values) // (SEGMENTS + 1))))
    segments = _segments(samples.values, length, length // 2)
    density: Values = _periodograms(segments, samples.rate).mean(axis=0)
    return _frequencies(length, samples.rate), density


def spectrogram(samples: Samples) -> tuple[Values, Values, Values]:
    """Estimate the power spectral density as it changes.

    Where there are more segments than a picture has room for, each density is the mean of some beside each other, which
    overlap by half: what is short is paler then, but never left out.

    Returns:
        The middles of the segments in seconds, shape (k,), the frequencies in Hz, shape (m,), and the density in the
        channel's unit squared per Hz, shape (k, m).
    """
    rows = len(samples.values)
    frame = max(FRAME, min(LONGEST_FRAME, rows // FRAMES_BESIDE))
    length = _power_of_two(min(frame, max(FEWEST // 2, rows // 8)))
    hop = min(length // 2, max(1, length // 8, -(-rows // MOST_FRAMES)))
    segments = _segments(samples.values, length, hop)
    each = -(-len(segments) // MOST_FRAMES)
    firsts = np.arange(0, len(segments), each)
    counts = np.minimum(each, len(segments) - firsts)
    together = max(1, TRANSFORMED // (length * each)) * each
    density = np.concatenate(
        [
            np.add.reduceat(periodograms, np.arange(0, len(periodograms), each), axis=0)
            for first in range(0, len(segments), together)
            if len(periodograms := _periodograms(segments[first : first + together], samples.rate))
        ]
    )
    middles = ((firsts + (counts - 1) / 2) * hop + (length - 1) / 2) / samples.rate
    return samples.begin + middles, _frequencies(length, samples.rate), density / counts[:, np.newaxis]


def _frequencies(length: int, rate: float) -> Values:
    found: Values = np.fft.rfftfreq(length, 1 / rate).astype(np.float64)
    return found


def _power_of_two(most: int) -> int:
    return 1 << (most.bit_length() - 1)


def _segments(values: Values, length: int, hop: int) -> Values:
    found: Values = np.lib.stride_tricks.sliding_window_view(values, length)[::hop]
    return found


def _periodograms(segments: Values, rate: float) -> Values:
    length = segments.shape[1]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    centred = segments - segments.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(centred * window, axis=1)) ** 2 / (rate * np.sum(window**2))
    power[:, 1:-1] *= 2  # of one side; zero and half of the rate have no other
    found: Values = power.astype(np.float64, copy=False)
    return found
