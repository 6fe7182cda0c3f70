"""Recordings to measure with: an arc welded in pulses, as long as asked for."""

import io

import numpy as np


def recording(rows: int) -> bytes:
    """A recording of the welding job: milliseconds, electrode position, current, voltage, and two columns more.

    Always the same bytes for the same number of rows.
    """
    random = np.random.default_rng(7)
    time = np.arange(rows) * 0.5
    pulse = np.where(time % 10 < 4, 1.0, 0.0)
    position = time / 40 + random.normal(0, 0.05, rows)
    current = 90 + 120 * pulse + random.normal(0, 6, rows)
    voltage = 18 + 8 * pulse + random.normal(0, 0.5, rows)
    gas, wire = random.normal(15, 0.1, rows), random.normal(8, 0.2, rows)
    text = io.BytesIO()
    columns = np.column_stack([time, position, current, voltage, gas, wire])
    np.savetxt(text, columns, delimiter=",", fmt="%.3f")
    return text.getvalue()
