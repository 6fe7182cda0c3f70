"""Panels that are no line over time: spectra, spectrograms and histograms of what the plots show large."""

from typing import Final, NamedTuple

import numpy as np
from labeling.panels import PlotArea
from labeling.sources import Derived, TimeSeriesSource
from numpy.typing import NDArray

from plotting.canvas import Canvas, Color
from plotting.derived import channel_values
from plotting.focus import Stretch
from plotting.frames import heading, horizontal_axis, limits, vertical_axis
from plotting.layout import HEIGHT, LEFT, NO_DATA, PALE_INK, RIGHT, SUMMARY_SIZE, WIDTH, TimeAxis
from plotting.lines import Box, draw_line
from plotting.numerals import count, plain, seconds
from plotting.recording import Recording
from plotting.spectra import Samples, TooFewRowsError, even_pieces, power_density, spectrogram
from plotting.thinning import thin

Values = NDArray[np.float64]

BARS: Final = 80  # of a histogram at most
DECIBELS: Final = 45.0  # below the strongest, from which on a spectrogram is white
_WHOLE: Final = TimeAxis(0.0, 1.0, 1.0)


class Chart(NamedTuple):
    """A panel's picture and words.

    Attributes:
        canvas: The picture.
        alt: What it shows, in words.
        notes: What its reader should know.
        area: Where in it which time lies, if it has a time axis.
    """

    canvas: Canvas
    alt: str
    notes: tuple[str, ...] = ()
    area: PlotArea | None = None


def draw_chart(recording: Recording, source: TimeSeriesSource, derived: Derived, axis: TimeAxis, color: Color) -> Chart:
    """Draw a spectrum, spectrogram or histogram.

    Args:
        recording: What was measured.
        source: As what it was read.
        derived: What is drawn.
        axis: The item's time axis; of a spectrum or histogram, what it is of.
        color: The line's.
    """
    values = channel_values(recording, source, derived.of)
    stretch, unit = Stretch(axis.begin, axis.end), source.unit_of(derived)
    if derived.kind == "histogram":
        return _histogram(recording, values, derived, stretch, unit, color)
    try:
        pieces = even_pieces(recording, values, stretch)
    except TooFewRowsError as error:
        return _empty(derived, str(error))
    if derived.kind == "spectrum":
        return _spectrum(max(pieces, key=lambda piece: len(piece.values)), len(pieces), derived, unit, color)
    return _spectrogram(pieces, derived, axis, unit, color)


def _box(low: float, high: float, begin: float, end: float, axis: TimeAxis = _WHOLE) -> Box:
    return Box(LEFT, axis.bottom, RIGHT, axis.top, begin, end, low, high)


def _empty(derived: Derived, why: str) -> Chart:
    canvas, box = Canvas(WIDTH, HEIGHT), _box(0.0, 1.0, 0.0, 1.0)
    canvas.rectangles([(box.left, box.bottom, box.right, box.top)], NO_DATA)
    heading(canvas, box, derived.title, [])
    canvas.text(((box.left + box.right) / 2, (box.bottom + box.top) / 2), why, SUMMARY_SIZE, PALE_INK, align="center")
    return Chart(canvas, f"{derived.title}: none. {why}", (why,))


def _decibels(density: Values) -> Values:
    """Ten times the logarithm; what is nothing is far below everything."""
    smallest = np.finfo(np.float64).tiny
    found: Values = 10 * np.log10(np.maximum(density, smallest))
    return found


def _spectrum(samples: Samples, pieces: int, derived: Derived, unit: str, color: Color) -> Chart:
    frequencies, density = power_density(samples)
    frequencies, density = frequencies[1:], density[1:]  # the mean was taken away
    levels = _decibels(density)
    strongest = int(np.argmax(levels))
    levels = np.maximum(levels, levels[strongest] - 120)
    low, high = limits(float(levels.min()), float(levels.max()))
    box = _box(low, high, 0.0, float(frequencies[-1]))
    canvas = Canvas(WIDTH, HEIGHT)
    horizontal_axis(canvas, box, "Frequency", "Hz")
    vertical_axis(canvas, box, "Power", f"dB re 1 {unit}²/Hz" if unit else "dB")
    summary = [count(len(samples.values), "row"), f"{plain(samples.rate)} Hz"]
    heading(canvas, box, derived.title, summary)
    none = np.array([], np.intp)
    draw_line(canvas, box, thin(frequencies, levels, none, box.end, box.right - box.left), color)
    at = f"strongest at {plain(float(frequencies[strongest]))} Hz"
    half = float(frequencies[int(np.searchsorted(np.cumsum(density), density.sum() / 2))])
    alt = (
        f"{derived.title}, spectrum from {seconds(samples.begin)} to {seconds(_end_of(samples))}, up to "
        f"{plain(float(frequencies[-1]))} Hz: {at}; half of the power lies below {plain(half)} Hz."
    )
    notes = samples.notes
    if pieces > 1:
        notes += (f"The spectrum is of the longest of {pieces} pieces without a gap.",)
    return Chart(canvas, alt, notes)


def _end_of(samples: Samples) -> float:
    return samples.begin + (len(samples.values) - 1) / samples.rate


def _spectrogram(pieces: list[Samples], derived: Derived, axis: TimeAxis, unit: str, color: Color) -> Chart:
    highest = max(samples.rate for samples in pieces) / 2
    box = _box(0.0, highest, axis.begin, axis.end, axis)
    drawn = [(samples, *spectrogram(samples)) for samples in pieces]
    if not any(density[:, 1:].any() for *_, density in drawn):
        return _empty(derived, "Nothing changes in the stretch that is shown: there is no power at any frequency.")
    top = max(float(_decibels(density[:, 1:]).max()) for _, _, _, density in drawn)
    levels = np.zeros((box.top - box.bottom, box.right - box.left), np.uint8)
    columns = box.begin + (np.arange(levels.shape[1]) + 0.5) / levels.shape[1] * (box.end - box.begin)
    rows = (np.arange(levels.shape[0]) + 0.5) / levels.shape[0] * highest
    for samples, middles, frequencies, density in drawn:
        shades = np.clip(1 + (_decibels(density) - top) / DECIBELS, 0, 1) * 255
        across = np.flatnonzero((columns >= samples.begin) & (columns <= _end_of(samples)))
        upwards = np.flatnonzero(rows <= frequencies[-1])
        if len(across):
            nearest = np.clip(np.searchsorted((middles[1:] + middles[:-1]) / 2, columns[across]), 0, len(middles) - 1)
            bins = np.round(rows[upwards] / frequencies[1]).astype(np.intp).clip(1, len(frequencies) - 1)
            levels[np.ix_(upwards, across)] = shades[np.ix_(nearest, bins)].T.round().astype(np.uint8)
    canvas = Canvas(WIDTH, axis.height)
    horizontal_axis(canvas, box, "Time", "s")
    vertical_axis(canvas, box, "Frequency", "Hz")
    canvas.raster((box.left, box.bottom), levels, color)
    scale = f"{plain(top - DECIBELS)} to {plain(top)} {f'dB re 1 {unit}²/Hz' if unit else 'dB'}"
    heading(canvas, box, derived.title, [f"white to full colour: {scale}"])
    total = sum(density.sum(axis=0)[1:].sum() for *_, density in drawn)
    centre = sum((density.sum(axis=0)[1:] * frequencies[1:]).sum() for _, _, frequencies, density in drawn) / total
    alt = (
        f"{derived.title}, spectrogram from {seconds(axis.begin)} to {seconds(axis.end)}, up to {plain(highest)} Hz; "
        f"the power's centre lies at {plain(float(centre))} Hz."
    )
    return Chart(
        canvas, alt, tuple(dict.fromkeys(note for samples in pieces for note in samples.notes)), axis.area(0.0, highest)
    )


def _histogram(  # noqa: PLR0913, PLR0917  (what is counted, and how it looks)
    recording: Recording, values: Values, derived: Derived, stretch: Stretch, unit: str, color: Color
) -> Chart:
    within = (recording.time >= stretch.begin) & (recording.time <= stretch.end) & ~np.isnan(values)
    values = values[within]
    if not len(values):
        return _empty(derived, "Nothing was measured in the stretch that is shown.")
    low, high = float(values.min()), float(values.max())
    edge = limits(low, high) if low == high else (low, high)
    counts, edges = np.histogram(values, bins=min(BARS, max(1, round(2 * len(values) ** 0.5))), range=edge)
    begin, end = edge
    box = _box(0.0, 1.06 * float(counts.max()), begin, end)
    canvas = Canvas(WIDTH, HEIGHT)
    horizontal_axis(canvas, box, derived.title, unit)
    vertical_axis(canvas, box, "Rows", "")
    heading(canvas, box, derived.title, [count(len(values), "row")])
    places, tops = box.x(edges), box.y(counts.astype(np.float64))
    bars = zip(places[:-1], places[1:], tops, counts, strict=True)
    canvas.rectangles(((a + 1, box.bottom, b - 1, top) for a, b, top, rows in bars if rows), color)
    fullest = int(np.argmax(counts))
    said = f"{plain(float(edges[fullest]))} to {plain(float(edges[fullest + 1]))}{f' {unit}' if unit else ''}"
    share = plain(100 * float(counts[fullest]) / len(values))
    alt = (
        f"{derived.title}, histogram of {count(len(values), 'row')} from {seconds(stretch.begin)} to "
        f"{seconds(stretch.end)}: from {plain(low)} to {plain(high)}{f' {unit}' if unit else ''}; most, {share} %, "
        f"lie at {said}."
    )
    return Chart(canvas, alt)
