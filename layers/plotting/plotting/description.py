"""What a plot shows, in words, for people who can't see it."""

from typing import Final

import numpy as np
from labeling.sources import Channel
from numpy.typing import NDArray

from plotting.focus import Stretch
from plotting.numerals import count, plain, seconds
from plotting.recording import Recording

LONGEST: Final = 600

# A value departs from its surroundings if it is this many times further from them than values usually are:
# six standard deviations where they scatter normally.
FAR: Final = 6.0

# The surroundings of a value are a twentieth of the recording; with fewer values than this there are none.
BLOCKS: Final = 20
FEWEST: Final = 100


def describe(recording: Recording, index: int, channel: Channel, focus: Stretch | None = None) -> str:
    """Describe a channel: what it is, its range and mean, its trend, where it departs, and its gaps.

    Args:
        recording: What was measured.
        index: Which channel of the recording it is.
        channel: That channel's configuration.
        focus: What the plot shows large of it; the whole if not given.

    Returns:
        One to four plain sentences, at most 600 characters, the same for the same recording.
    """
    time, values = recording.time, recording.values[index]
    unit = f" {channel.unit}" if channel.unit else ""
    about = f"{channel.title} over {seconds(recording.duration)}"
    elsewhere = ""
    if focus is not None:
        shown = (time >= focus.begin) & (time <= focus.end)
        end = float(time[-1])
        about = f"{channel.title} from {plain(focus.begin)} to {seconds(focus.end)} of {seconds(end)}"
        elsewhere = _elsewhere(values[~shown], unit)
        time, values = time[shown], values[shown]
    measured = ~np.isnan(values)
    missing = len(values) - int(np.count_nonzero(measured))
    time, values = (time[measured], values[measured]) if missing else (time, values)
    if not len(values):
        return " ".join(filter(None, (f"{about}: no value.", elsewhere, _absent(recording, missing))))
    low, high = float(values.min()), float(values.max())
    if low == high:
        sentences = [f"{about}: constant at {plain(low)}{unit}."]
    elif plain(low) == plain(high):
        within = f"all values within {plain(high - low)}{unit}"
        sentences = [f"{about}: nearly constant at {plain(low)}{unit}, {within}."]
    else:
        sentences = [
            f"{about}: from {plain(low)} to {plain(high)}{unit}, {_middle(values, unit)}.",
            _trend(time, values, unit),
            _departures(time, values, unit),
        ]
    sentences += [elsewhere, _absent(recording, missing)]
    text = " ".join(sentence for sentence in sentences if sentence)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _elsewhere(values: NDArray[np.float64], unit: str) -> str:
    """Say what is not shown large."""
    values = values[~np.isnan(values)]
    if not len(values):
        return ""
    low, high = plain(float(values.min())), plain(float(values.max()))
    found = f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
    return f"Outside of that stretch: {found}."


def _middle(values: NDArray[np.float64], unit: str) -> str:
    quarter, three_quarters = (plain(float(value)) for value in np.percentile(values, [25, 75]))
    half = f"at {quarter}" if quarter == three_quarters else f"between {quarter} and {three_quarters}"
    return f"mean {plain(float(values.mean()))}{unit}, half of the values {half}{unit}"


def _trend(time: NDArray[np.float64], values: NDArray[np.float64], unit: str) -> str:
    """Say how far the line through the values (least squares) rises or falls, if that stands out."""
    if len(values) < 3 or time[-1] == time[0]:
        return ""
    centred = (time - time.mean()) / (time[-1] - time[0])
    change = float(centred @ (values - values.mean()) / (centred @ centred))
    if abs(change) < max(0.1 * float(np.ptp(values)), 0.5 * float(values.std())):
        return "No lasting trend."
    rounded = plain(float(f"{abs(change):.2g}"))
    return f"Overall it {'rises' if change > 0 else 'falls'} by about {rounded}{unit}."


def _departures(time: NDArray[np.float64], values: NDArray[np.float64], unit: str) -> str:
    """Say where values lie far from their surroundings, the three furthest places in order of time."""
    if len(values) < FEWEST:
        return ""
    away = np.abs(values - _surroundings(values))
    # The median of normally scattered distances is 1 / 1.4826 of a standard deviation.
    usual = 1.4826 * float(np.median(away))
    far = _inside(np.flatnonzero(away > max(FAR * usual, 0.02 * float(np.ptp(values)))), len(values))
    if not len(far):
        return ""
    # Places closer than a fiftieth of the recording are one.
    places = np.split(far, np.flatnonzero(np.diff(time[far]) > (time[-1] - time[0]) / 50) + 1)
    peaks = [int(place[np.argmax(away[place])]) for place in places]
    furthest = sorted(sorted(peaks, key=lambda i: -away[i])[:3])
    named = ", ".join(f"{plain(float(values[i]))}{unit} at {seconds(float(time[i]))}" for i in furthest)
    if len(peaks) > 3:
        return f"It departs from its surroundings in {len(peaks)} places, most at {named}."
    return f"It departs from its surroundings at {named}."


def _inside(far: NDArray[np.intp], rows: int) -> NDArray[np.intp]:
    """Leave out how a recording begins and ends: a short run of rows up to the first or the last is no departure.

    A spike near an edge stays, since between it and the edge lie rows that are as usual; so does what goes on for
    longer than a block, and isn't only the arc being lit or put out.
    """
    begin = int(np.argmin(np.append(far, -1) == np.arange(len(far) + 1)))
    end = int(np.argmin(np.append(far[::-1], -1) == rows - 1 - np.arange(len(far) + 1)))
    # What scatters about the limit right beside such a run belongs to it.
    beside = rows // 50
    first = begin + beside if 0 < begin <= rows // BLOCKS else 0
    last = rows - end - beside if 0 < end <= rows // BLOCKS else rows
    return far[(far >= first) & (far < last)]


def _surroundings(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The medians of the recording's twentieths, joined by straight lines that go on to both ends, shape (n,)."""
    blocks = np.array_split(values, BLOCKS)
    lengths = np.array([len(block) for block in blocks])
    middles = np.cumsum(lengths) - lengths / 2
    medians = np.array([np.median(block) for block in blocks])
    for edge, beside, row in ((0, 1, -0.5), (-1, -2, len(values) - 0.5)):
        slope = (medians[edge] - medians[beside]) / (middles[edge] - middles[beside])
        at_end = medians[edge] + slope * (row - middles[edge])
        place = 0 if edge == 0 else len(medians)
        medians, middles = np.insert(medians, place, at_end), np.insert(middles, place, row)
    around: NDArray[np.float64] = np.interp(np.arange(len(values)), middles - 0.5, medians)
    return around


def _absent(recording: Recording, missing: int) -> str:
    parts = []
    if len(recording.gaps):
        lengths = recording.time[recording.gaps + 1] - recording.time[recording.gaps]
        begin = float(recording.time[recording.gaps[np.argmax(lengths)]])
        which = "the longest" if len(lengths) > 1 else "of"
        longest = f"{which} {seconds(float(lengths.max()))} from {seconds(begin)}"
        parts.append(f"{count(len(recording.gaps), 'gap')} in time, {longest}")
    if missing:
        parts.append(f"{count(missing, 'value')} missing")
    return f"{'; '.join(parts)}." if parts else ""
