import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ground_truth_server.engine.manifest import ManifestLine, check_line, read_manifest
from ground_truth_server.engine.s3_location import S3Location
from tests.ground_truth_server.engine.labeling import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SOURCE = {"source": "s3://b/dataset-1.json"}


def problem_of(line: str | bytes) -> str | None:
    return check_line(7, line if isinstance(line, bytes) else line.encode()).problem


def read(s3: "S3Client", body: bytes) -> list[ManifestLine]:
    s3.put_object(Bucket=BUCKET, Key="input.manifest", Body=body)
    return list(read_manifest(s3, S3Location(BUCKET, "input.manifest")))


@pytest.mark.parametrize(
    "line",
    [
        SOURCE,
        {"source-ref": "s3://b/weld.png"},
        {"source": "any text, not only a URI"},
        {**SOURCE, "Weld1": {"class": "Not sure"}, "Weld1-metadata": {"confidence": 0.5}, "note": "é"},
        {**SOURCE, "note": "x" * 20_000},
    ],
)
def test_a_good_line_is_carried_whole(line: dict[str, Any]) -> None:
    assert check_line(7, json.dumps(line).encode()) == ManifestLine(7, line)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{'source': 1}", "not JSON: Expecting property name enclosed in double quotes"),
        ('{"source": "a"', "not JSON: Expecting ',' delimiter"),
        ('\ufeff{"source": "a"}', "not JSON: Unexpected UTF-8 BOM"),
        ("[" * 100_000, "it is nested more than 100 levels deep"),
        ('{"source": "a", "x": ' + "[" * 400 + "]" * 400 + "}", "it is nested more than 100 levels deep"),
        ('{"source": "a", "x": NaN}', "not JSON: NaN is not a JSON number"),
        ('{"source": "a", "x": 1e999}', "not JSON: attribute 'x' holds a number out of range"),
        (b'{"source": "\xff"}', "not UTF-8: invalid start byte at byte 13"),
        ('["s3://b/a"]', "found a JSON array, expected a JSON object"),
        ('"s3://b/a"', "found text, expected a JSON object"),
        ("null", "found null, expected a JSON object"),
        ('{"sauce": "a"}', "neither 'source' nor 'source-ref' is there; expected one of them"),
        ('{"source": 5}', "'source' is a number, expected text that is not empty"),
        ('{"source": ""}', "'source' is empty text, expected text that is not empty"),
        ('{"source-ref": {"s3": "a"}}', "'source-ref' is a JSON object, expected text that is not empty"),
        ('{"source-ref": "weld.png"}', "'source-ref' is 'weld.png', expected an S3 URI, s3://BUCKET/KEY"),
        ('{"source": "a", "$x": 1}', "attribute name '$x' begins with $, which Ground Truth reserves"),
    ],
)
def test_a_bad_line_is_named(line: str | bytes, problem: str) -> None:
    assert (problem_of(line) or "").startswith(problem)


def test_the_limits_count_characters_and_not_bytes() -> None:
    attributes = {f"note{i}": "é" * 19_000 for i in range(5)}
    line = {**SOURCE, **attributes}
    assert problem_of(json.dumps(line, ensure_ascii=False)) is None
    assert problem_of(json.dumps({**SOURCE, "note": "é" * 20_001}, ensure_ascii=False)) == (
        "attribute 'note' has 20,001 characters, at most 20,000 are allowed"
    )
    long = json.dumps({**line, "last": "x" * 10_000}, ensure_ascii=False)
    assert problem_of(long) == f"the line has {len(long):,} characters, at most 100,000 are allowed"


def test_lines_end_with_a_line_feed_with_or_without_a_carriage_return(s3: "S3Client") -> None:
    lines = read(s3, b'{"source": "a"}\r\n{"source": "b"}\n{"source": "c"}')

    assert lines == [ManifestLine(i, {"source": s}) for i, s in enumerate("abc", 1)]


def test_an_empty_line_is_bad_but_not_at_the_end(s3: "S3Client") -> None:
    lines = read(s3, b'{"source": "a"}\n\n{"source": "b"}\n\n \n')

    assert [(line.number, line.problem) for line in lines] == [
        (1, None),
        (2, "the line is empty; expected a JSON object"),
        (3, None),
    ]


def test_a_bad_line_leaves_the_others_alone(s3: "S3Client") -> None:
    lines = read(s3, b'{"source": "a"}\nnonsense\n{"source": "c"}\n')

    assert [line.problem is None for line in lines] == [True, False, True]


def test_a_file_without_line_ends_is_one_bad_line(s3: "S3Client") -> None:
    lines = read(s3, b"x" * 3_000_000 + b'\n{"source": "a"}\n')

    assert lines == [
        ManifestLine(1, None, "the line has more than 100,000 characters, at most 100,000 are allowed"),
        ManifestLine(2, {"source": "a"}),
    ]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_line_or_a_problem(raw: bytes) -> None:
    found = check_line(1, raw)
    assert (found.problem is None) <= (found.data_object is not None)


@given(st.dictionaries(st.text(max_size=9), st.none() | st.floats() | st.lists(st.text()), max_size=3))
def test_any_json_object_is_carried_or_named(data_object: dict[str, Any]) -> None:
    found = check_line(1, json.dumps({**data_object, "source": "a"}).encode())
    assert found.problem or found.data_object == {**data_object, "source": "a"}
