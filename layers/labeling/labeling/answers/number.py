"""``number``: a number, by the median."""

import math
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Annotated, Any

import msgspec

from labeling.answers.question import BrokenAnswerError, Question, is_open
from labeling.consolidation import ConsolidationConfiguration
from labeling.decoding import shown

GREATEST = 1e300


class NumberQuestion(Question, frozen=True, kw_only=True, tag="number"):
    """A number that workers read or count.

    Attributes:
        unit: Its unit, shown behind the field.
        least: The smallest that is allowed.
        most: The greatest that is allowed.
        integer: Whether only whole numbers are.
        tolerance: Answers as far as this from the median, in the unit, agree with it.
    """

    unit: Annotated[str, msgspec.Meta(max_length=20)] = ""
    least: float | None = None
    most: float | None = None
    integer: bool = False
    tolerance: Annotated[float, msgspec.Meta(ge=0)] = 0.0

    def contradictions(self) -> Sequence[tuple[str, str]]:
        """As `Answering.contradictions`."""
        for key in ("least", "most", "tolerance"):
            value = getattr(self, key)
            if value is not None and not math.isfinite(value):
                return ((key, f"found {value!r}; allowed: any number"),)
        if self.least is not None and self.most is not None and self.least >= self.most:
            return (("most", f"found {self.most!r}; allowed: more than least, {self.least!r}"),)
        return ()

    def read(self, value: object, channels: Collection[str]) -> float | None:  # noqa: ARG002  (as `Answering.read`)
        """The number."""
        if is_open(value):
            return None
        number = _number(value)
        if number is None or not self._allows(number):
            raise BrokenAnswerError(f"found {shown(value)}; expected {self._expected()}")
        return number

    def _allows(self, number: float) -> bool:
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (not self.integer or number.is_integer())
        )

    def _expected(self) -> str:
        bounds = [f"from {self.least:g}"] if self.least is not None else []
        bounds += [f"to {self.most:g}"] if self.most is not None else []
        return " ".join(["a whole number" if self.integer else "a number", *bounds])

    def consolidate(
        self,
        answers: Mapping[str, Mapping[str, float]],
        settings: ConsolidationConfiguration,  # noqa: ARG002  (as `Answering.consolidate`)
    ) -> dict[str, dict[str, Any]]:
        """``{"value": median, "spread", "lowest", "highest", "confidence", "answers": how many}``.

        The spread is the median absolute deviation from the median, in the unit; the confidence is the share of answers
        within the tolerance. Where nobody answered, the numbers are null.
        """
        return {key: self._label(sorted(numbers.values())) for key, numbers in answers.items()}

    def _label(self, numbers: Sequence[float]) -> dict[str, Any]:
        if not numbers:
            return {"value": None, "spread": None, "lowest": None, "highest": None, "confidence": 0.0, "answers": 0}
        value = median(numbers)
        away = [abs(number - value) for number in numbers]
        # A decimal fraction is rarely exact: 0.3 - 0.2 is more than 0.1.
        agreeing = sum(math.isclose(one, self.tolerance, abs_tol=1e-12) or one < self.tolerance for one in away)
        return {
            "value": value,
            "spread": median(away),
            "lowest": numbers[0],
            "highest": numbers[-1],
            "confidence": round(agreeing / len(numbers), 4),
            "answers": len(numbers),
        }

    def answer_schema(self) -> dict[str, Any]:
        """A number, or its digits as a form submits them."""
        number: dict[str, Any] = {"type": "integer" if self.integer else "number"}
        number |= {"minimum": self.least} if self.least is not None else {}
        number |= {"maximum": self.most} if self.most is not None else {}
        return {"anyOf": [number, {"type": "string"}]}


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    # Of two larger ones not even the mean is a number.
    return number if abs(number) <= GREATEST else None
