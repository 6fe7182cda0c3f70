"""Where an axis has its marks, and what they say."""

import math
from dataclasses import dataclass
from typing import Final

from plotting.numerals import plain, power

# A label longer than this would reach out of the margin.
DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Ticks:
    """The marks of an axis.

    Attributes:
        positions: Where they stand, in data units.
        labels: What they say: the position less ``offset``, in units of ten to the ``exponent``.
        exponent: 0, or the power of ten that keeps labels of very large or very small numbers short.
        offset: 0, or what is taken from every label because the values hardly differ from it.
    """

    positions: tuple[float, ...]
    labels: tuple[str, ...]
    exponent: int
    offset: float

    def axis_name(self, quantity: str, unit: str) -> str:
        """Name the axis so that its labels can be read as they stand: ``Current − 20,000 (10⁻³ A)``."""
        if self.offset:
            sign = "−" if self.offset > 0 else "+"
            quantity = f"{quantity} {sign} {plain(abs(self.offset))}"
        inside = f"{power(self.exponent)} {unit}".strip() if self.exponent else unit
        return f"{quantity} ({inside})" if inside else quantity


def ticks(low: float, high: float, about: int) -> Ticks:
    """Place marks at round numbers.

    Args:
        low: Where the axis begins.
        high: Where it ends, above ``low``.
        about: How many marks there should be, roughly.
    """
    step = _round_step((high - low) / about)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    positions = tuple(number * step for number in range(first, last + 1))
    place = math.floor(math.log10(step) + 1e-9)
    offset = 0.0
    greatest = max(abs(low), abs(high))
    if math.floor(math.log10(greatest)) - place >= DIGITS:
        offset = positions[0]
        greatest = high - low
    leading = math.floor(math.log10(greatest))
    exponent = leading // 3 * 3 if leading >= DIGITS or leading < -3 else 0
    decimals = max(0, exponent - place)
    unit = 10.0**exponent
    labels = tuple(_signed((position - offset) / unit, decimals) for position in positions)
    return Ticks(positions, labels, exponent, offset)


def _round_step(step: float) -> float:
    """The nearest, by ratio, of 1, 2 and 5 times the powers of ten."""
    power_of_ten = 10.0 ** math.floor(math.log10(step))
    limits = ((1.0, math.sqrt(2)), (2.0, math.sqrt(10)), (5.0, math.sqrt(50)), (10.0, math.inf))
    return next(factor for factor, limit in limits if step < limit * power_of_ten) * power_of_ten


def _signed(value: float, decimals: int) -> str:
    label = f"{abs(value):,.{decimals}f}"
    return f"−{label}" if value < 0 and label.strip("0.,") else label
