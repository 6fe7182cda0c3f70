"""The layer's font list spares matplotlib from reading every font at a cold start."""

from pathlib import Path

from plotting import font_list


def test_a_list_is_put_where_matplotlib_looks(tmp_path: Path) -> None:
    built = tmp_path / "opt"
    built.mkdir()
    (built / "fontlist-v3.json").write_text("{}")
    font_list.bring(built, {"MPLCONFIGDIR": str(tmp_path / "tmp" / "matplotlib")})
    assert (tmp_path / "tmp" / "matplotlib" / "fontlist-v3.json").read_text() == "{}"


def test_without_one_nothing_is_done(tmp_path: Path) -> None:
    font_list.bring(tmp_path / "none", {"MPLCONFIGDIR": str(tmp_path / "matplotlib")})
    font_list.bring(tmp_path, {})
    assert list(tmp_path.iterdir()) == []
