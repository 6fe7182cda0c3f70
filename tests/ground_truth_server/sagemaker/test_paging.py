import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ground_truth_server.aws_error import AwsError
from ground_truth_server.sagemaker.paging import page

NAMES = st.lists(st.text(max_size=4), unique=True, max_size=30)


def all_pages(names: list[str], request: dict[str, Any]) -> list[list[str]]:
    pages, token = [], None
    while True:
        asked = request if token is None else {**request, "NextToken": token}
        shown, token = page(names, lambda name: (name[:1], name), asked)
        pages.append(shown)
        if token is None:
            return pages


@given(NAMES, st.integers(1, 12), st.sampled_from(["Ascending", "Descending"]))
def test_pages_hold_each_item_once_and_in_order(names: list[str], size: int, order: str) -> None:
    pages = all_pages(names, {"MaxResults": size, "SortOrder": order})
    assert [name for shown in pages for name in shown] == sorted(names, reverse=order == "Descending")
    assert all(len(shown) == size for shown in pages[:-1])


def test_a_page_has_ten_items_if_nothing_else_is_asked() -> None:
    names = [f"{number:02}" for number in range(25)]
    assert [len(shown) for shown in all_pages(names, {})] == [10, 10, 5]


def test_what_is_created_meanwhile_neither_repeats_nor_hides_others() -> None:
    names = ["b", "d", "f", "h"]
    first, token = page(names, lambda name: (name, name), {"MaxResults": 2})
    later = {"MaxResults": 9, "NextToken": token}
    second, _ = page(["a", *names, "i"], lambda name: (name, name), later)
    assert (first, second) == (["b", "d"], ["f", "h", "i"])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not base64 at all",
        "Ω",
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(msgspec.json.encode([[1, 2], "x"])).decode(),
        base64.urlsafe_b64encode(msgspec.json.encode([["a", "a"], "another list"])).decode(),
    ],
)
def test_a_token_of_another_list_is_refused(token: str) -> None:
    with pytest.raises(AwsError, match="ValidationException: NextToken is not one that this list gave"):
        page(["a", "b"], lambda name: (name, name), {"NextToken": token})


def test_a_token_with_other_filters_is_refused() -> None:
    _, token = page(["a", "b"], lambda name: (name, name), {"MaxResults": 1, "NameContains": "a"})
    with pytest.raises(AwsError, match="with these filters"):
        page(["a", "b"], lambda name: (name, name), {"NextToken": token, "NameContains": "b"})
