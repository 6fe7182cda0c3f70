"""Simulated workers: people who mostly see what is there, each with an accuracy of their own."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class SimulatedWorker(NamedTuple):
    """Somebody who labels without looking.

    Attributes:
        name: What the worker is called.
        accuracy: How often the answer is the truth, 0 to 1.
    """

    name: str
    accuracy: float

    def answer(self, item: str, categories: Sequence[str], truth: Mapping[str, str]) -> str:
        """Chooses a category: always the same for the same item, so that two demonstrations agree.

        Args:
            item: The item's dataset file, as its key in the bucket.
            categories: What can be chosen.
            truth: The right category of some items; of others any is as good.
        """
        seed = hashlib.sha256(f"{self.name} {item}".encode()).digest()
        generator = random.Random(seed)  # noqa: S311 - it plays a person, it keeps no secret
        if item in truth and generator.random() < self.accuracy:
            return truth[item]
        return generator.choice(categories)


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
