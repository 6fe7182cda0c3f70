"""The kinds of questions: what is read of a page's answer, and what several answers come to."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema
import msgspec
import pytest
from labeling.answers import (
    AnyQuestion,
    BrokenAnswerError,
    CategoriesQuestion,
    CategoryQuestion,
    InstantsQuestion,
    NumberQuestion,
    RegionsQuestion,
    TextQuestion,
)
from labeling.consolidation import ConsolidationConfiguration

COLORS = ("red", "green", "blue")
CATEGORY = CategoryQuestion(name="q", title="Which?", categories=COLORS, not_sure="blue")
CATEGORIES = CategoriesQuestion(name="q", title="Which of them?", categories=COLORS)
NUMBER = NumberQuestion(name="q", title="How many?", least=0, most=10, tolerance=0.1)
WHOLE = NumberQuestion(name="q", title="How many?", integer=True)
TEXT = TextQuestion(name="q", title="Why?", most_characters=5)
REGIONS = RegionsQuestion(name="q", title="Where?", categories=COLORS)
INSTANTS = InstantsQuestion(name="q", title="When?", categories=COLORS, tolerance_seconds=1, channels="one")


def label_of(question: AnyQuestion, *answers: Any, **settings: Any) -> Mapping[str, Any]:
    workers = {f"w{number}": answer for number, answer in enumerate(answers)}
    return question.consolidate({"0": workers}, ConsolidationConfiguration(**settings))["0"]


@pytest.mark.parametrize(
    ("question", "value", "answer"),
    [
        (CATEGORY, "red", "red"),
        (CATEGORY, {"label": "red"}, "red"),
        (msgspec.structs.replace(CATEGORY, required=False), "", None),
        (msgspec.structs.replace(CATEGORY, required=False), {"label": None}, None),
        (CATEGORIES, '{"categories": ["blue", "red"]}', ("red", "blue")),
        (CATEGORIES, {"categories": []}, ()),
        (CATEGORIES, None, None),
        (NUMBER, "3.5", 3.5),
        (NUMBER, 3, 3.0),
        (NUMBER, " ", None),
        (WHOLE, "-4", -4.0),
        (TEXT, "  why\n", "why"),
        (TEXT, " \n", None),
        (TEXT, "a\ud800", "a?"),
    ],
)
def test_an_answer_is_read(question: AnyQuestion, value: object, answer: object) -> None:
    assert question.read(value, ()) == answer


@pytest.mark.parametrize(
    ("question", "value", "message"),
    [
        (CATEGORY, "pink", "found 'pink'; expected one of 'red', 'green', 'blue'"),
        (CATEGORY, {"label": None}, "found None"),
        (CATEGORY, ["red"], r"found \['red'\]"),
        (CATEGORIES, "red", "found 'red'; expected JSON"),
        (CATEGORIES, {"categories": "red"}, "categories: found 'red'; expected a list"),
        (CATEGORIES, {"categories": ["red", "pink"]}, "found 'pink'; expected some of"),
        (CATEGORIES, {"categories": [["red"]]}, r"found \['red'\]"),
        (CATEGORIES, {"categories": ["red", "red"]}, "found a category twice"),
        (CATEGORIES, {"categories": [*COLORS, *COLORS, ["red"]]}, "found 7 categories; expected 3 at most"),
        (NUMBER, "three", "found 'three'; expected a number from 0 to 10"),
        (NUMBER, 11, "found 11; expected a number from 0 to 10"),
        (NUMBER, -0.1, "found -0.1"),
        (NUMBER, "nan", "found 'nan'"),
        (WHOLE, "1e308", "found '1e308'"),
        (NUMBER, "1e999", "found '1e999'"),
        (NUMBER, True, "found True"),
        (NUMBER, [3], r"found \[3\]"),
        (NUMBER, 10**400, "found 1000"),
        (WHOLE, "3.5", "found '3.5'; expected a whole number"),
        (TEXT, "abcdef", "found 6 characters; expected 5 at most"),
        (TEXT, 3, "found 3; expected a text"),
    ],
)
def test_what_is_no_answer_is_refused_by_name(question: AnyQuestion, value: object, message: str) -> None:
    with pytest.raises(BrokenAnswerError, match=message):
        question.read(value, ())


def test_a_category_is_decided_as_configured() -> None:
    assert label_of(CATEGORY, "red", "green", "red") == {
        "category": "red",
        "confidence": 0.6667,
        "votes": {"red": 2, "green": 1},
    }
    assert label_of(CATEGORY, "red", "green")["category"] == "blue"
    assert label_of(CATEGORY, "red", "green", tie="category-order")["category"] == "red"
    assert label_of(CATEGORY) == {"category": "blue", "confidence": 0.0, "votes": {}}


def test_each_of_several_categories_is_decided_by_most() -> None:
    assert label_of(CATEGORIES, ("red", "green"), ("red",), ("red", "blue")) == {
        "categories": ["red"],
        "confidence": 0.6667,  # two of three said no to green, and to blue
        "votes": {"red": 3, "blue": 1, "green": 1},
    }
    assert label_of(CATEGORIES, ("red",), ())["categories"] == []  # half of them isn't most
    assert label_of(CATEGORIES, (), ()) == {"categories": [], "confidence": 1.0, "votes": {}}
    assert label_of(CATEGORIES)["confidence"] == 0.0


def test_a_number_is_the_median_with_its_spread() -> None:
    assert label_of(NUMBER, 1.0, 1.1, 5.0, 1.4) == {
        "value": 1.25,
        "spread": pytest.approx(0.2),  # away from it: 0.15, 0.15, 0.25, 3.75
        "lowest": 1.0,
        "highest": 5.0,
        "confidence": 0.0,
        "answers": 4,
    }
    assert label_of(NUMBER, 0.2, 0.3, 0.9)["confidence"] == 0.6667  # 0.3 - 0.2 is 0.1, whatever doubles say
    assert label_of(NUMBER)["value"] is None


def test_all_texts_are_kept() -> None:
    assert label_of(TEXT, "b", "a", "b") == {"texts": ["b", "a", "b"]}
    assert label_of(TEXT) == {"texts": []}


ANSWERS: list[tuple[AnyQuestion, object, object]] = [
    (CATEGORY, "red", "pink"),
    (CATEGORY, {"label": "red"}, {"label": "pink"}),
    (CATEGORIES, {"categories": ["red"]}, {"categories": ["pink"]}),
    (NUMBER, 3, 11),
    (WHOLE, 3, 3.5),
    (TEXT, "why", "because"),
    (REGIONS, {"regions": [{"category": "red", "begin": 0, "end": 1}], "duration": 2}, {"regions": [{"begin": 0}]}),
    (
        INSTANTS,
        {"instants": [{"category": "red", "time": 0, "channel": "current"}], "duration": 1},
        {"instants": [{"time": 0}]},
    ),
]


@pytest.mark.parametrize(("question", "right", "wrong"), ANSWERS)
def test_the_schema_takes_what_is_read_and_nothing_else(question: AnyQuestion, right: object, wrong: object) -> None:
    schema = question.answer_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(right, schema)
    question.read(right, ("current",))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)
    with pytest.raises(BrokenAnswerError):
        question.read(wrong, ("current",))


@pytest.mark.parametrize(("question", "right", "_"), ANSWERS)
def test_an_answer_in_a_hidden_field_is_the_same(question: AnyQuestion, right: object, _: object) -> None:
    if isinstance(right, dict) and "label" not in right:
        assert question.read(json.dumps(right), ("current",)) == question.read(right, ("current",))


def test_a_category_says_what_it_was_learned_from() -> None:
    answers = {str(number): {"one": "red", "two": "red"} for number in range(6)}
    earlier = {str(number): {"one": "red", "two": "green", "three": "red"} for number in range(4)}
    learned = CATEGORY.consolidate(answers, ConsolidationConfiguration("bayesian"), earlier)["0"]
    assert (learned["category"], learned["votes"], learned["evidence"]) == ("red", {"red": 2}, 24)
    assert "strategy" not in learned
    chosen = CATEGORY.consolidate(answers, ConsolidationConfiguration("auto"), earlier)["0"]
    assert (chosen["strategy"], chosen["evidence"]) == ("bayesian", 24)
    few = CATEGORY.consolidate({"0": {"one": "red"}}, ConsolidationConfiguration("auto"))["0"]
    assert few == {"category": "red", "confidence": 1.0, "votes": {"red": 1}, "strategy": "majority-vote"}
