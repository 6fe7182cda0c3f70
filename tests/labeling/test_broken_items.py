"""The report of broken items."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from labeling import broken_items
from labeling.broken_items import BrokenItem
from labeling.errors import ImageError


def test_a_line_has_the_agreed_members() -> None:
    item = BrokenItem.of(12, "s3://b/dataset/12.json", ImageError("s3://b/12.tif is no picture"))
    line = broken_items.encode(item)
    assert line.endswith(b"}\n")
    assert json.loads(line) == {
        "line": 12,
        "source": "s3://b/dataset/12.json",
        "error": "ImageError",
        "message": "s3://b/12.tif is no picture",
    }


@settings(deadline=None)
@given(st.integers(1, 10**9), st.text(), st.text(), st.text())
def test_what_is_written_is_read(line: int, source: str, error: str, message: str) -> None:
    item = BrokenItem(line, source, error, message)
    encoded = broken_items.encode(item)
    assert encoded.count(b"\n") == 1
    assert broken_items.decode(encoded) == item
