"""Manifest lines within Ground Truth's limits."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling import manifest
from labeling.errors import ManifestLineError
from labeling.manifest import Line


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20).map(lambda text: text.replace(b"\n", b""))), st.integers(1, 7))
def test_lines_are_the_same_however_the_file_comes(texts: list[bytes], size: int) -> None:
    file = b"".join(text + b"\n" for text in texts)
    chunks = [file[start : start + size] for start in range(0, len(file), size)]
    while texts and not texts[-1].strip():
        texts.pop()
    found = list(manifest.lines(chunks))
    assert [line.number for line in found] == list(range(1, len(texts) + 1))
    assert [line.text for line in found] == [text.removesuffix(b"\r") if text.strip() else b"" for text in texts]


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    chunks = (b"x" * 100_000 for _ in range(1000))
    assert list(manifest.lines(chunks)) == [Line(1, None)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "more than 100,000 characters"),
        (json.dumps({"source": "s3://b/k", "a": "x" * 99_990}), "100,0"),
        (json.dumps({"source": "s3://b/k", "a": "x" * 20_001}), "20,001 characters in the attribute 'a'"),
        (json.dumps({"source": "s3://b/k", "a": ["x" * 20_000]}), "20,004 characters in the attribute 'a'"),
        ('{"source": "s3://b/k", "$a": 1}', "the attribute '$a'"),
        ('{"source": 5}', "5 under 'source'"),
        ('{"source-ref": " "}', '" " under'),
        ('{"sauce": "s3://b/k"}', "'sauce'; expected 'source-ref' or 'source'"),
        ("{}", "an empty object"),
        ("[1]", "no JSON object"),
        ("{", "no JSON object"),
        ('{"source": NaN}', "NaN is not a JSON number"),
        ("[" * 60_000, "no JSON object"),
        ("", "an empty line"),
        ("\ufeff{}", "a byte-order mark"),
        (b'{"source": "\xff"}', "byte 0xFF at 13"),
    ],
)
def test_a_line_that_ground_truth_refuses_is_named(text: str | bytes | None, found: str) -> None:
    line = Line(12, text.encode() if isinstance(text, str) else text)
    with pytest.raises(ManifestLineError) as raised:
        manifest.data_object(line)
    assert str(raised.value).startswith("manifest, line 12: found ")
    assert found in str(raised.value)


@pytest.mark.parametrize("key", ["source", "source-ref"])
def test_other_attributes_are_carried_on(key: str) -> None:
    found = manifest.data_object(Line(1, json.dumps({key: "s3://b/é", "batch": [1, 2]}).encode()))
    assert found == {key: "s3://b/é", "batch": [1, 2]}
    assert manifest.source(found) == "s3://b/é"
