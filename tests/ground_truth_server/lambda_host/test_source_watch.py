import importlib.util
import os
import py_compile
from pathlib import Path

import pytest

from ground_truth_server.lambda_host.source_watch import SourceWatch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "package").mkdir()
    (tmp_path / "package/module.py").write_text("A = 1\n")
    return tmp_path


def test_the_version_stays_while_nothing_changes(folder: Path) -> None:
    watch = SourceWatch([folder])
    assert watch.version() == watch.version()


def test_edits_additions_and_removals_are_noticed(folder: Path) -> None:
    watch = SourceWatch([folder])
    seen = [watch.version()]
    (folder / "package/module.py").write_text("A = 22\n")
    seen.append(watch.version())
    (folder / "package/job.toml").write_text("")
    seen.append(watch.version())
    (folder / "package/module.py").unlink()
    seen.append(watch.version())
    assert seen == sorted(set(seen))


def test_a_single_file_is_watched_even_before_it_is_there(folder: Path) -> None:
    path = folder / "job.toml"
    watch = SourceWatch([path])
    before = watch.version()
    path.write_text("x = 1")
    assert watch.version() > before


@pytest.mark.parametrize("name", ["__pycache__/module.pyc", ".git/index", "node_modules/index.js"])
def test_caches_and_hidden_folders_dont_count(folder: Path, name: str) -> None:
    watch = SourceWatch([folder])
    before = watch.version()
    (folder / name).parent.mkdir()
    (folder / name).write_text("new")
    assert watch.version() == before


def test_bytecode_of_a_changed_source_is_removed(folder: Path) -> None:
    source = folder / "package/module.py"
    watch = SourceWatch([folder])
    compiled = Path(str(py_compile.compile(str(source))))
    assert compiled == Path(importlib.util.cache_from_source(str(source)))
    times = source.stat()
    source.write_text("A = 2\n")  # of the same size
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns + 1))  # within the same second
    watch.version()
    assert not compiled.exists()
