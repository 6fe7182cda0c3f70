"""The sensor recordings of the sample welds, as CSV text.

A recording begins with the wire touching the plate and ends after the crater is filled. Between them the arc
goes through its short-circuit cycle: a drop bridges the gap (a few volts, current rising as the source's
inductance lets it), breaks (voltage jumps above its mean, current decays), burns, and the next drop comes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labeling_job.sample_welds import SEAM_END_MM, SEAM_START_MM, Array, Weld

INTERVAL_S = 1 / 400
IGNITION_S = 0.03
RUN_IN_S = 0.30
CRATER_FILL_S = 0.55
AFTER_S = 0.18
OPEN_CIRCUIT_V = 58.0
SHORT_CIRCUIT_RISE = 19_000.0  # A/s, as the inductance of the source lets it
SHORT_CIRCUIT_LIMIT = 190.0  # A above the arc's current, where the source holds it
BETWEEN_SHORTS = -22.0  # A: the arc's current settles this far below the mean, to which the peaks lift it
COLUMNS = ("time_ms", "electrode_position_mm", "current_a", "voltage_v", "wire_feed_m_min", "gas_flow_l_min")


@dataclass(frozen=True)
class Course:
    """Where the electrode is, and in which phase the weld is, at each row.

    Attributes:
        time: Seconds since the recording began, shape (rows,).
        position: Millimetres along the seam, shape (rows,).
        ended: Whether the source has been switched off, shape (rows,).
        heat: Share of the full current: a hot start, then 1, then the crater fill, shape (rows,).
    """

    time: Array
    position: Array
    ended: npt.NDArray[np.bool_]
    heat: Array


def recording(weld: Weld) -> str:
    """What the sensors recorded while the weld was made.

    Returns:
        Comma-separated lines without a header: time in ms, electrode position in mm, current in A, voltage in
        V, wire feed in m/min, gas flow in l/min (``COLUMNS``).
    """
    rng = _randomness(weld)
    course = travel(weld, rng)
    current, voltage = electrical(weld, course, rng)
    wire_feed, gas_flow = supplies(weld, course, rng)
    position = np.round(course.position + rng.normal(0, 0.012, course.time.size), 2) + 0.0  # no -0.00
    rows = zip(course.time * 1000, position, current, voltage, wire_feed, gas_flow, strict=True)
    return "".join(
        f"{ms:.1f},{mm:.2f},{ampere:.1f},{volt:.2f},{feed:.2f},{flow:.1f}\n"
        for ms, mm, ampere, volt, feed, flow in rows
    )


def defect_stretches(weld: Weld) -> list[tuple[float, float]]:
    """When the electrode was where the arc is disturbed: from the first to the last row there, in seconds."""
    course = travel(weld, _randomness(weld))
    inside = [course.time[(course.position >= one.start_mm) & (course.position <= one.end_mm)] for one in weld.defects]
    # What is recorded has a tenth of a millisecond, and its clock begins with the first row.
    return [(round(float(times[0]), 4), round(float(times[-1]), 4)) for times in inside]


def _randomness(weld: Weld) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(1000 + weld.number))


def travel(weld: Weld, rng: np.random.Generator) -> Course:
    """Move the electrode along the seam at the weld's speed."""
    seam = np.linspace(SEAM_START_MM, SEAM_END_MM, 2001)
    speed = weld.travel_speed * weld.along("speed_factor", seam)
    arrival = np.concatenate(([0.0], np.cumsum(np.diff(seam) * 2 / (speed[1:] + speed[:-1]))))
    leave = IGNITION_S + RUN_IN_S
    stop = leave + arrival[-1]
    end = stop + CRATER_FILL_S
    count = int((end + AFTER_S) / INTERVAL_S)
    time = np.arange(count, dtype=np.float64) * INTERVAL_S
    time[1:] += rng.uniform(-0.12, 0.12, count - 1) * INTERVAL_S
    heat = np.interp(
        time, [IGNITION_S, leave - 0.1, leave + 0.1, stop, stop + 0.2, end], [1.22, 1.15, 1, 1, 0.68, 0.55]
    )
    return Course(
        time=time,
        position=np.interp(time - leave, arrival, seam),
        ended=time >= end,
        heat=heat,
    )


def electrical(weld: Weld, course: Course, rng: np.random.Generator) -> tuple[Array, Array]:
    """Current in A and voltage in V at each row of the course."""
    position = course.position
    wander = flutter(course, rng) * weld.along("flutter", position)
    mean_voltage = weld.arc.voltage + weld.along("voltage_shift", position) + wander
    # A constant-voltage source answers a longer arc with less current: some 10 A for each volt.
    mean_current = weld.arc.current + weld.along("current_shift", position) - 10 * wander
    mean_current = np.maximum(mean_current, 25.0) * course.heat
    mean_voltage = mean_voltage * (0.8 + 0.2 * np.minimum(course.heat, 1))
    current, voltage = short_circuit_cycle(weld, course, mean_current, mean_voltage, rng)
    put_out(weld, course, current, voltage, rng)
    ignite(course, current, voltage)
    current[course.ended] = 0.0
    voltage[course.ended] = 0.0
    current += rng.normal(0, 1.6, current.size)
    voltage += rng.normal(0, 0.16, voltage.size)
    return np.maximum(current, 0.0), np.maximum(voltage, 0.0)


def flutter(course: Course, rng: np.random.Generator) -> Array:
    """Slow wandering of the arc with unit spread: random levels 12 times a second, joined by lines."""
    knots = np.arange(0, course.time[-1] + 0.2, 1 / 12)
    return np.interp(course.time, knots, rng.normal(0, 1.25, knots.size))


def short_circuit_cycle(
    weld: Weld, course: Course, mean_current: Array, mean_voltage: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Let drops bridge the gap, one after another, around the mean values."""
    starts, lengths = short_circuits(weld, course, rng)
    latest = np.searchsorted(starts, course.time, side="right") - 1
    since = np.where(latest >= 0, course.time - starts[latest], 1.0)
    length = np.where(latest >= 0, lengths[latest], 0.0)
    shorted = since < length
    after = np.maximum(since - length, 0.0)
    rise = np.minimum(SHORT_CIRCUIT_RISE * np.minimum(since, length), SHORT_CIRCUIT_LIMIT)
    current = mean_current + BETWEEN_SHORTS + rise * np.exp(-after / 0.0055)
    voltage = np.where(shorted, 2.2 + 0.011 * current, mean_voltage + 5.0 * np.exp(-after / 0.0030))
    return current, voltage


def short_circuits(weld: Weld, course: Course, rng: np.random.Generator) -> tuple[Array, Array]:
    """When drops bridge the gap: the start and length of each short circuit in seconds, in order."""
    rate = weld.arc.shorts_per_second * weld.along("shorts_factor", course.position)
    spread = weld.arc.irregularity + weld.along("irregularity", course.position)
    starts, lengths = [], []
    now = IGNITION_S
    while now < course.time[-1]:
        row = min(int(now / INTERVAL_S), course.time.size - 1)
        wait, stretch = np.exp(spread[row] * rng.normal(size=2))
        if rate[row] < 1:  # the wire touches nothing here
            now += 0.02
            continue
        starts.append(now)
        lengths.append(stretch * weld.arc.short_ms / 1000)
        now += wait / rate[row] + lengths[-1] * 0.5
    return np.array(starts), np.array(lengths)


def put_out(weld: Weld, course: Course, current: Array, voltage: Array, rng: np.random.Generator) -> None:
    """Interrupt the arc where the weld's stretches say so: open-circuit voltage, no current, then a surge."""
    rate = weld.along("arc_outs_per_second", course.position)
    chance = rng.uniform(size=course.time.size) < rate * INTERVAL_S
    for row in np.flatnonzero(chance & ~course.ended):
        rows = slice(row, row + int(rng.integers(3, 12)))
        restart = slice(rows.stop, rows.stop + 4)
        height = rng.uniform(0.6, 1.0)
        voltage[rows] = OPEN_CIRCUIT_V * height
        current[rows] *= 0.06
        voltage[restart] *= 0.35
        current[restart] += 130


def ignite(course: Course, current: Array, voltage: Array) -> None:
    """Begin with the touch that lights the arc: the wire on the plate, few volts and the highest current."""
    touch = course.time < IGNITION_S
    voltage[touch] = 4.0
    current[touch] = 330.0 * course.time[touch] / IGNITION_S


def supplies(weld: Weld, course: Course, rng: np.random.Generator) -> tuple[Array, Array]:
    """Wire feed in m/min, which sets the current, and gas flow in l/min."""
    set_feed = weld.arc.current / 22.5
    creep = np.where(course.time < IGNITION_S, 0.35, 1.0)
    feed = creep * set_feed + rng.normal(0, 0.03, course.time.size)
    feed[course.ended] = 0.0
    flow = 15.0 * weld.along("gas_flow", course.position, ramp_mm=3.0)
    return feed, np.maximum(flow + rng.normal(0, 0.12, course.time.size), 0.0)
