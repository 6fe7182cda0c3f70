"""The layers hold what the functions import, compiled for Lambda's Python and platform, whatever built them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


def build(name: str, folder: Path, **environment: str) -> str:
    """Builds a layer into a folder, as `sam build` does, and gives what was said."""
    make: list[str | Path] = [
        "make",
        "-C",
        ROOT / "layers" / name,
        f"build-{name.capitalize()}Layer",
        f"ARTIFACTS_DIR={folder}",
    ]
    done = subprocess.run(make, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module", params=["labeling", "plotting"])
def layer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "said.txt").write_text(build(request.param, folder))
    return request.param, folder


PACKAGES = {
    "labeling": {"labeling", "msgspec", "aws_lambda_powertools"},
    "plotting": {"plotting", "numpy", "matplotlib", "PIL", "soundfile.py"},
}


def test_it_holds_its_packages_and_leaves_out_what_lambda_brings(layer: tuple[str, Path]) -> None:
    name, folder = layer
    there = {path.name for path in (folder / "python").iterdir()}
    assert there >= PACKAGES[name]
    assert not there & {"boto3", "botocore", "pandas", "pytest"}
    assert not there & (PACKAGES["labeling"] if name == "plotting" else PACKAGES["plotting"])


def test_extensions_are_for_lambda_s_python_and_platform(layer: tuple[str, Path]) -> None:
    _, folder = layer
    extensions = [path.name for path in folder.rglob("*.so") if ".cpython-" in path.name]
    assert extensions
    assert all("cpython-313-x86_64-linux" in name for name in extensions)


def test_the_job_configuration_goes_with_the_labeling_layer(layer: tuple[str, Path]) -> None:
    name, folder = layer
    configuration = folder / "labeling_job" / "job.toml"
    assert configuration.is_file() == (name == "labeling")
    if name == "labeling":
        assert configuration.read_bytes() == (ROOT / "labeling_job" / "job.toml").read_bytes()


def test_it_is_built_for_the_other_processors_too(tmp_path: Path) -> None:
    for name in ("labeling", "plotting"):
        build(name, tmp_path / name, ARCHITECTURE="arm64")
        extensions = [path.name for path in (tmp_path / name).rglob("*.so") if ".cpython-" in path.name]
        assert extensions
        assert all("cpython-313-aarch64-linux" in name for name in extensions)
    assert (tmp_path / "plotting/python/_soundfile_data/libsndfile_arm64.so").is_file()


# Compiled code of 3.13 begins so, whatever compiled it: https://github.com/python/cpython/blob/3.13/Include/internal/pycore_magic_number.h
MAGIC_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"


def assert_compiled(folder: Path) -> None:
    sources = {path.relative_to(folder) for path in (folder / "python").rglob("*.py")}
    compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py": path for path in folder.rglob("*.pyc")}
    assert sources
    assert {path.relative_to(folder) for path in compiled} == sources
    for path in compiled.values():
        beginning = path.read_bytes()[:8]
        assert beginning[:4] == MAGIC_OF_3_13, f"{path} is not of Lambda's Python"
        flags = int.from_bytes(beginning[4:], "little")
        assert flags == 0b01, f"{path} would be compared with its source, whose time a zip doesn't keep"


def test_bytecode_is_there(layer: tuple[str, Path]) -> None:
    _, folder = layer
    assert "bytecode made by" in (folder / "said.txt").read_text()
    assert_compiled(folder)


def hidden(folder: Path, *programs: str) -> dict[str, str]:
    """An environment in which these programs don't run."""
    for program in programs:
        (folder / program).write_text("#!/bin/sh\nexit 127\n")
        (folder / program).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize("without", [(), ("node", "npm")], ids=["Node.js", "no Node.js"])
def test_bytecode_is_there_without_python_3_13_and_docker(tmp_path: Path, without: tuple[str, ...]) -> None:
    (tmp_path / "programs").mkdir()
    environment = hidden(tmp_path / "programs", "python3.13", "python3", "docker", *without)
    layer = tmp_path / "layer"
    said = build("labeling", layer, **environment)
    assert "bytecode made by Pyodide" in said
    assert_compiled(layer)
    # Where a traceback says that the code stands: as it lies in Lambda.
    code = marshal_code(next((layer / "python" / "labeling" / "__pycache__").glob("storage.*.pyc")))
    assert b"/opt/python/labeling/storage.py" in code


def marshal_code(compiled: Path) -> bytes:
    return compiled.read_bytes()[16:]


def test_a_lack_of_bytecode_is_said(tmp_path: Path) -> None:
    (tmp_path / "programs").mkdir()
    environment = hidden(tmp_path / "programs", "python3.13", "python3", "docker", "npm", "uv")
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "a.py").write_text("a = 1\n")
    done = subprocess.run(
        [ROOT / "layers" / "compile", tmp_path / "layer"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "NO BYTECODE" in done.stderr


def test_neither_tests_nor_sample_data_are_shipped_but_licences_are(layer: tuple[str, Path]) -> None:
    name, folder = layer
    folders = {path.name for path in folder.rglob("*") if path.is_dir()}
    assert not folders & {"tests", "sample_data"}
    if name == "plotting":
        assert (folder / "python/_soundfile_data/COPYING").is_file()
        for package in ("numpy", "matplotlib", "pillow", "soundfile"):
            assert list(folder.glob(f"python/{package}-*.dist-info/**/LICENSE*"))


def test_matplotlib_s_font_list_goes_along(layer: tuple[str, Path]) -> None:
    name, folder = layer
    lists = list((folder / "matplotlib").glob("fontlist-*.json"))
    assert len(lists) == (name == "plotting")
    for found in lists:
        fonts = [font["fname"] for font in json.loads(found.read_text())["ttflist"]]
        assert "fonts/ttf/DejaVuSans.ttf" in fonts
        assert not any(Path(font).is_absolute() for font in fonts), "a font of the machine that built it"


def test_it_leaves_room_for_the_functions(layer: tuple[str, Path]) -> None:
    name, folder = layer
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size < {"labeling": 20_000_000, "plotting": 190_000_000}[name]
