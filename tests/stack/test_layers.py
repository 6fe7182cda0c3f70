"""The layers hold what the functions import, compiled for Lambda's Python and platform, whatever built them."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module", params=["labeling", "plotting"])
def layer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    target = f"build-{request.param.capitalize()}Layer"
    make = ["make", "-C", ROOT / "layers" / request.param, target, f"ARTIFACTS_DIR={folder}"]
    done = subprocess.run(make, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return request.param, folder


PACKAGES = {
    "labeling": {"labeling", "msgspec", "aws_lambda_powertools"},
    "plotting": {"plotting", "numpy", "matplotlib", "PIL"},
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


def test_it_leaves_room_for_the_functions(layer: tuple[str, Path]) -> None:
    name, folder = layer
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert size < {"labeling": 20_000_000, "plotting": 190_000_000}[name]
