"""Agreement beside the krippendorff package, and beside examples from the literature."""

import random

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.agreement import Agreement, Confusion

# Fleiss's own example as Wikipedia gives it: ten objects, fourteen raters, five categories.
FLEISS = (
    *((0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1)),
    *((7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7)),
)


def votes(counts: tuple[int, ...]) -> dict[str, int]:
    return {f"c{number}": count for number, count in enumerate(counts)}


def test_fleiss_kappa_is_that_of_the_example() -> None:
    found = Agreement.of(map(votes, FLEISS))
    assert found.kappa == pytest.approx(0.210, abs=0.0005)
    assert (found.objects, found.answers) == (10, 140)


def test_alpha_is_that_of_krippendorff_s_example() -> None:
    """Four observers, twelve units, some values missing ("Computing Krippendorff's alpha-reliability", 2011): 0.743."""
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3"]
    found = Agreement.of({value: unit.count(value) for value in unit} for unit in units)
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    assert found.objects == 11  # one unit has one value only


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=4, max_size=4), min_size=1, max_size=30))
def test_alpha_is_the_package_s(counts: list[list[int]]) -> None:
    table = np.array(counts)
    several = table[table.sum(axis=1) > 1]
    found = Agreement.of(votes(tuple(row)) for row in counts)
    assert found.answers == several.sum()
    if not len(several) or np.count_nonzero(several.sum(axis=0)) < 2:
        assert found.alpha is None
    else:
        expected = krippendorff.alpha(value_counts=table, level_of_measurement="nominal")
        assert found.alpha == pytest.approx(float(expected), abs=1e-9)


def test_chance_gives_nothing_and_agreement_all() -> None:
    chance = random.Random(1)
    random_votes = [[chance.randrange(3) for _ in range(5)] for _ in range(4000)]
    found = Agreement.of({str(value): one.count(value) for value in one} for one in random_votes)
    assert found.alpha == pytest.approx(0, abs=0.02)
    assert found.kappa == pytest.approx(0, abs=0.02)
    assert found.by_category == pytest.approx({"0": 1 / 3, "1": 1 / 3, "2": 1 / 3}, abs=0.02)
    alike = Agreement.of([{"a": 3}, {"b": 3}])
    assert (alike.alpha, alike.kappa, alike.confusions) == (1, 1, [])
    assert alike.by_category == {"a": 1, "b": 1}


def test_it_says_what_is_taken_for_what() -> None:
    found = Agreement.of([{"a": 1, "b": 1}, {"b": 1, "a": 1}, {"b": 1, "c": 1}, {"a": 2}, {"c": 1}])
    assert found.confusions == [Confusion("a", "b", 2 / 3), Confusion("b", "c", 1 / 3)]
    assert found.by_category == pytest.approx({"a": 0.5, "b": 0, "c": 0})


@pytest.mark.parametrize("known", [[], [{"a": 1}], [{"a": 3}], [{}], [{"a": 2, "b": 0}]])
def test_where_nobody_could_disagree_there_is_no_coefficient(known: list[dict[str, int]]) -> None:
    found = Agreement.of(known)
    assert (found.alpha, found.kappa) == (None, None)
