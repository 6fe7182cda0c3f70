"""Ranges compared with those of another implementation of RFC 9110."""

from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_range_header

from ground_truth_server.pages.byte_range import NoSuchRange, asked_range

ETAG, MODIFIED = '"a"', "Tue, 15 Sep 2020 16:00:00 GMT"
number = st.one_of(st.just(""), st.integers(0, 40).map(str), st.integers(0, 10**18 - 1).map(str))


@given(first=number, last=number, size=st.integers(0, 40))
def test_a_range_is_what_another_reads(first: str, last: str, size: int) -> None:
    header = f"bytes={first}-{last}"
    # By the standard an end that is longer than the object is the whole of it; werkzeug takes it for none.
    longest = str(min(int(last), size)) if last and not first else last
    known = parse_range_header(f"bytes={first}-{longest}")
    expected = None if known is None else known.range_for_length(size)
    try:
        found = asked_range({"range": header}, size, ETAG, MODIFIED)
    except NoSuchRange:
        assert expected is None
        # Behind the end, and not just no range.
        assert (first and int(first) >= size) or (not first and (int(last) == 0 or size == 0))
        return
    assert (found and (found.start, found.stop)) == expected


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 10))
def test_no_text_is_an_error(range_: str, condition: str, size: int) -> None:
    try:
        found = asked_range({"range": range_, "if-range": condition}, size, ETAG, MODIFIED)
    except NoSuchRange:
        return
    assert found is None or 0 <= found.start < found.stop <= size
