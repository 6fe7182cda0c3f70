"""Several answers become one label, by vote and by expectation maximisation."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labeling.consolidation import STRATEGIES, Choices, Verdict, bayesian, consolidate
from labeling.job import load_configured

NAMES = load_configured({}).label.category_names


@pytest.fixture(scope="module", autouse=True)
def fewer_draws() -> Iterator[None]:
    """Of hundreds of batches; how good the draws are is tested with all of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bayesian, "CHAINS", 3)
        patch.setattr(bayesian, "SWEEPS", 80)
        yield


def by(strategy: str = "majority-vote", tie: Any = "not-sure") -> tuple[Choices, str]:
    return Choices(NAMES, "Not sure", tie), strategy


def votes(*categories: str) -> dict[str, str]:
    return {f"worker-{number}": category for number, category in enumerate(categories)}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_most_votes_win(strategy: str) -> None:
    answers = {"0": votes("Good Weld", "Burn Through", "Good Weld"), "1": votes("Burn Through", "Burn Through")}
    verdicts = consolidate(answers, *by(strategy))
    assert verdicts["0"].category == "Good Weld"
    assert verdicts["1"].category == "Burn Through"
    assert all(0.5 < verdict.confidence <= 1 for verdict in verdicts.values())


def test_the_confidence_of_a_vote_is_its_share() -> None:
    answers = {"0": votes("Good Weld", "Burn Through", "Good Weld"), "1": votes("Not sure")}
    assert consolidate(answers, *by()) == {"0": Verdict("Good Weld", 0.6667), "1": Verdict("Not sure", 1.0)}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("tie", "category"), [("not-sure", "Not sure"), ("category-order", "Burn Through")])
def test_a_tie_is_settled_as_configured(strategy: str, tie: str, category: str) -> None:
    verdict = consolidate({"0": votes("Contamination", "Burn Through")}, *by(strategy, tie))["0"]
    assert verdict.category == category
    assert verdict.confidence <= 0.5


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_object_without_answers_is_not_sure_and_leaves_the_others_alone(strategy: str) -> None:
    verdicts = consolidate({"0": {}, "1": votes("Good Weld")}, *by(strategy))
    assert verdicts["0"] == Verdict("Not sure", 0.0)
    assert verdicts["1"].category == "Good Weld"
    assert consolidate({"0": {}}, *by(strategy)) == {"0": Verdict("Not sure", 0.0)}
    assert consolidate({}, *by(strategy)) == {}


answered = st.dictionaries(
    st.integers(0, 20).map(str), st.dictionaries(st.sampled_from("abcde"), st.sampled_from(NAMES)), max_size=12
)


@given(answered, st.sampled_from(sorted(STRATEGIES)), st.sampled_from(["not-sure", "category-order"]), st.randoms())
def test_any_batch_gets_one_verdict_an_object_whatever_the_order(
    answers: dict[str, dict[str, str]], strategy: str, tie: str, order: random.Random
) -> None:
    verdicts = consolidate(answers, *by(strategy, tie))
    assert verdicts.keys() == answers.keys()
    assert all(verdict.category in NAMES and 0 <= verdict.confidence <= 1 for verdict in verdicts.values())
    shuffled = {
        key: dict(order.sample(list(of.items()), len(of)))
        for key, of in order.sample(list(answers.items()), len(answers))
    }
    assert consolidate(shuffled, *by(strategy, tie)) == verdicts


@given(st.sampled_from(NAMES), st.integers(1, 5), st.integers(1, 6), st.sampled_from(sorted(STRATEGIES)))
def test_what_all_say_is_the_label(category: str, workers: int, objects: int, strategy: str) -> None:
    answers = {str(number): votes(*[category] * workers) for number in range(objects)}
    assert {verdict.category for verdict in consolidate(answers, *by(strategy)).values()} == {category}


def test_dawid_skene_learns_whom_to_trust() -> None:
    """Two careless workers who agree by chance outvote a good one; the model trusts the good one more often."""
    generator = random.Random(7)
    truth = {str(number): generator.choice(NAMES) for number in range(200)}
    accuracy = {"good": 0.95, "fair": 0.85, "careless": 0.35, "hasty": 0.35}

    def says(worker: str, true: str) -> str:
        return true if generator.random() < accuracy[worker] else generator.choice(NAMES)

    answers = {key: {worker: says(worker, true) for worker in accuracy} for key, true in truth.items()}

    def right(strategy: str) -> int:
        verdicts = consolidate(answers, *by(strategy))
        return sum(verdicts[key].category == true for key, true in truth.items())

    assert right("dawid-skene") >= 188
    assert right("dawid-skene") > right("majority-vote") + 10


def test_dawid_skene_undoes_a_swap() -> None:
    """A worker who takes one defect for another, always, is as good as one who doesn't."""
    answers = {}
    for number in range(60):
        true = NAMES[number % 3]
        swapped = {"Good Weld": "Good Weld", "Burn Through": "Contamination", "Contamination": "Burn Through"}[true]
        answers[str(number)] = {"one": true, "two": true, "swapping": swapped}
    answers["only-swapping"] = {"swapping": "Contamination"}
    assert consolidate(answers, *by("dawid-skene"))["only-swapping"].category == "Burn Through"
