"""The secret of links to items' files: made once, for its owner's eyes."""

import stat
from pathlib import Path

import pytest

from ground_truth_server.edge.private_file import links_secret


def test_the_first_start_makes_a_secret_and_later_ones_find_it(tmp_path: Path) -> None:
    first = links_secret(tmp_path / "a")
    assert links_secret(tmp_path / "a") == first
    assert links_secret(tmp_path / "b") != first
    assert len(first) == 32
    file = tmp_path / "a" / ".ground-truth" / "links-secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["links-secret"]


@pytest.mark.parametrize("content", [b"", b"no digits", b"ab" * 31, b"ab" * 33, b"\xff"])
def test_a_file_that_holds_none_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ".ground-truth" / "links-secret"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(RuntimeError, match=f"{file} holds no secret for links; .* Delete the file"):
        links_secret(tmp_path)
