"""How far workers agree: from how many of them chose each category of each object."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Confusion(NamedTuple):
    """Two categories that were chosen for the same objects.

    Attributes:
        one: A category.
        other: Another, later in the alphabet.
        share: Of all that disagree, so many disagree in these two.
    """

    one: str
    other: str
    share: float


@dataclass
class Agreement:
    """Counts what workers chose, an object at a time; an object with one answer tells nothing, and isn't counted.

    Attributes:
        objects: How many objects have two answers or more.
        answers: How many answers those have.
    """

    objects: int = 0
    answers: int = 0
    _coincidences: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    _agreeing: float = 0.0
    _sizes: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, votes: Iterable[Mapping[str, int]]) -> "Agreement":
        """Count all objects."""
        found = cls()
        for one in votes:
            found.add(one)
        return found

    def add(self, votes: Mapping[str, int]) -> None:
        """Count an object.

        Args:
            votes: How many workers chose each category.
        """
        chosen = {category: count for category, count in votes.items() if count > 0}
        size = sum(chosen.values())
        if size < 2:
            return
        self.objects += 1
        self.answers += size
        self._sizes.add(size)
        self._agreeing += sum(count * (count - 1) for count in chosen.values()) / (size * (size - 1))
        for one, count in chosen.items():
            for other, others in chosen.items():
                pairs = count * (others - (one == other))
                self._coincidences[one, other] += pairs / (size - 1)

    @property
    def alpha(self) -> float | None:
        """Krippendorff's alpha for categories without order: 1 for all alike, 0 for what chance would give.

        ``None`` where nobody could disagree: no object has two answers, or all answers are of one category.

        Source:
            K. Krippendorff, "Content Analysis: An Introduction to Its Methodology", chapter 11: reliability, from the
            matrix of coincidences.
        """
        totals = self._totals
        if len(totals) < 2:
            return None
        expected = self.answers**2 - sum(total**2 for total in totals.values())
        observed = self.answers - sum(self._coincidences[category, category] for category in totals)
        return 1 - (self.answers - 1) * observed / expected

    @property
    def kappa(self) -> float | None:
        """Fleiss' kappa, for objects that all have as many answers; ``None`` where they haven't, and where alpha is.

        Source:
            J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76(5), 1971,
            378-382.
        """
        if len(self._sizes) != 1 or len(self._totals) < 2:
            return None
        chance = sum((total / self.answers) ** 2 for total in self._totals.values())
        return (self._agreeing / self.objects - chance) / (1 - chance)

    @property
    def by_category(self) -> dict[str, float]:
        """How probable it is that, where one worker chose a category, another of the same object did, too."""
        return {category: self._coincidences[category, category] / total for category, total in self._totals.items()}

    @property
    def confusions(self) -> list[Confusion]:
        """Which categories were chosen for the same objects, those first that were most often."""
        pairs = {(one, other): count for (one, other), count in self._coincidences.items() if one < other and count}
        total = sum(pairs.values())
        found = [Confusion(one, other, count / total) for (one, other), count in pairs.items()]
        return sorted(found, key=lambda pair: (-pair.share, pair.one, pair.other))

    @property
    def _totals(self) -> dict[str, float]:
        """How many answers there are of each category."""
        totals: dict[str, float] = defaultdict(float)
        for (one, _), count in sorted(self._coincidences.items()):
            totals[one] += count
        return dict(totals)
