"""Simulated workers: people who mostly see what is there, each with an accuracy of their own."""

import hashlib
import json
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from labeling.answers import (
    AnyQuestion,
    CategoriesQuestion,
    CategoryQuestion,
    InstantsQuestion,
    NumberQuestion,
    RegionsQuestion,
)

Stretches = Sequence[tuple[float, float]]
"""Where a defect shows in an item, in seconds, the first one first."""


class SimulatedWorker(NamedTuple):
    """Somebody who labels without looking.

    Attributes:
        name: What the worker is called.
        accuracy: How often the answer is the truth, 0 to 1.
        marks_on: The key of the channel on which regions are marked that are of one.
    """

    name: str
    accuracy: float
    marks_on: str = ""

    def answer(self, item: str, categories: Sequence[str], truth: Mapping[str, str]) -> str:
        """Chooses a category: always the same for the same item, so that two demonstrations agree.

        Args:
            item: The item's dataset file, as its key in the bucket.
            categories: What can be chosen.
            truth: The right category of some items; of others any is as good.
        """
        generator = self._chance(item)
        if item in truth and generator.random() < self.accuracy:
            return truth[item]
        return generator.choice(categories)

    def further(self, item: str, questions: Sequence[AnyQuestion], stretches: Stretches) -> dict[str, str]:
        """Answers further questions, as the worker page's form submits them.

        Regions are marked where the defect is, some of them missed, with edges a tenth of a second off; what nobody can
        know is guessed.

        Args:
            item: The item's dataset file.
            questions: The questions.
            stretches: Where the defect shows; regions are marked there.
        """
        return {one.name: self._answer(one, self._chance(f"{item} {one.name}"), stretches) for one in questions}

    def _answer(self, question: AnyQuestion, chance: random.Random, stretches: Stretches) -> str:
        if isinstance(question, RegionsQuestion):
            marks = self._marked(question, chance, stretches)
            # What a page would know: nobody here looks at how long the item is.
            return json.dumps({"regions": marks, "duration": max([1.0, *(mark["end"] for mark in marks)])})
        if isinstance(question, InstantsQuestion):
            return json.dumps({"instants": []})
        if isinstance(question, CategoriesQuestion):
            return json.dumps({"categories": [name for name in question.categories if chance.random() < 0.5]})
        if isinstance(question, CategoryQuestion):
            return chance.choice(question.categories)
        if isinstance(question, NumberQuestion):
            least = question.least if question.least is not None else (question.most or 0.0) - 10
            number = chance.uniform(least, question.most if question.most is not None else least + 10)
            return str(math.ceil(number) if question.integer else number)
        return "Simulated."[: question.most_characters]

    def _marked(self, question: RegionsQuestion, chance: random.Random, stretches: Stretches) -> list[dict[str, Any]]:
        marks: list[dict[str, Any]] = []
        for stretch in stretches:
            begin, end = (max(0.0, round(edge + chance.gauss(0, 0.1), 3)) for edge in stretch)
            free = not marks or marks[-1]["end"] < begin
            if begin < end and free and chance.random() < self.accuracy:
                channel = {"channel": self.marks_on} if question.channels == "one" else {}
                marks.append({"category": question.categories[0], "begin": begin, "end": end, **channel})
        return marks

    def _chance(self, about: str) -> random.Random:
        seed = hashlib.sha256(f"{self.name} {about}".encode()).digest()
        return random.Random(seed)  # noqa: S311 - it plays a person, it keeps no secret


# The first three answer in most jobs; Ground Truth allows nine workers an object.
WORKERS = tuple(
    SimulatedWorker(name, accuracy)
    for name, accuracy in (
        ("Ada", 0.95),
        ("Ben", 0.85),
        ("Cas", 0.7),
        ("Dev", 0.9),
        ("Eva", 0.8),
        ("Finn", 0.9),
        ("Gita", 0.6),
        ("Hugo", 0.85),
        ("Ines", 0.95),
    )
)
