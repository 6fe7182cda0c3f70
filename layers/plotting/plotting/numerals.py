"""Numbers as people read them."""

import math
from typing import Final

SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(exponent: int) -> str:
    """A power of ten as a factor: ``×10⁻³``."""
    return f"×10{str(exponent).translate(SUPERSCRIPTS)}"


def plain(value: float) -> str:
    """A number for people, to four digits or to the unit: ``0.01234``, ``12.3``, ``12,345``, ``1.2×10⁹``."""
    if value == 0:
        return "0"
    leading = math.floor(math.log10(abs(value)))
    if -4 <= leading < 9:
        label = f"{abs(value):,.{max(0, 3 - leading)}f}"
        label = label.rstrip("0").rstrip(".") if "." in label else label
    else:
        mantissa, _, exponent = f"{abs(value):.2e}".partition("e")
        label = f"{float(mantissa):g}{power(int(exponent))}"
    return f"−{label}" if value < 0 else label


def count(number: int, noun: str) -> str:
    """So many of something: ``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seconds(value: float) -> str:
    """A time: ``1.37 s``."""
    return f"{plain(value)} s"
