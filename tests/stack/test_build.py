"""What ``make build`` leaves: one build for one kind of processors, not too large for Lambda."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ground_truth_server.lambda_host.cloudformation import TemplateStack, load_template
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    command = ["make", "build", "ARCHITECTURE=arm64", f"BUILT={folder}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_functions_have_the_processors_that_the_layers_were_built_for(built: Path) -> None:
    template = load_template(built / "template.yaml")
    parameter = template["Parameters"]["Architecture"]
    assert parameter["Default"] == "arm64"
    assert parameter["AllowedValues"] == ["arm64"]  # a kept answer of an earlier deployment is refused
    stack = TemplateStack(built / "template.yaml", template, {}, "eu-west-1")  # a deployment that names none
    assert stack.resolve(template["Globals"]["Function"]["Architectures"]) == ["arm64"]
    for layer in ("LabelingLayer", "PlottingLayer"):
        assert stack.resolve(stack.resources[layer]["Properties"]["CompatibleArchitectures"]) == ["arm64"]
        extensions = [path.name for path in (built / layer).rglob("*.so") if ".cpython-" in path.name]
        assert extensions
        assert all("aarch64" in name for name in extensions)


def test_nothing_else_of_the_template_is_changed(built: Path) -> None:
    """The written template says what the source says, as CloudFormation reads it."""
    mine, source = load_template(built / "template.yaml"), load_template(ROOT / "template.yaml")
    for part in ("Conditions", "Mappings", "Rules", "AWSTemplateFormatVersion", "Transform"):
        assert mine[part] == source[part]
    others = {name: value for name, value in mine["Parameters"].items() if name != "Architecture"}
    assert others == {name: value for name, value in source["Parameters"].items() if name != "Architecture"}
    assert mine["Resources"].keys() == source["Resources"].keys()
    roles = [name for name in source["Resources"] if name.endswith("Role")]
    stacks = [TemplateStack(ROOT / "template.yaml", one, {}, "eu-west-1") for one in (mine, source)]
    first, second = (stack.resolve(stack.template["Outputs"]) for stack in stacks)
    assert first == second
    for role in roles:
        first, second = (stack.resolve(stack.resources[role]["Properties"]) for stack in stacks)
        assert first == second


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    layers = {
        name: {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": name}}
        for name in ("LabelingLayer", "PlottingLayer")
    }
    function = {"CodeUri": "code", "Layers": [{"Ref": name} for name in layers]}
    resources = {**layers, "Draw": {"Type": "AWS::Serverless::Function", "Properties": function}}
    (tmp_path / "template.yaml").write_text(yaml.safe_dump({"Resources": resources}))
    for name, megabytes in (("code", 60), ("LabelingLayer", 10), ("PlottingLayer", 189)):
        (tmp_path / name).mkdir()
        with (tmp_path / name / "file").open("wb") as file:
            file.truncate(megabytes * 1_000_000)  # a hole: it takes no room on disk
    command: list[str | Path] = [sys.executable, ROOT / "layers" / "sizes.py", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "BYTECODE" not in done.stdout
    refused = [line for line in done.stdout.splitlines() if "TOO LARGE" in line]
    assert [line.split()[:5] for line in refused] == [["Draw", "with", "its", "layers", "259.0"]]


def test_a_lack_of_bytecode_is_told(built: Path) -> None:
    def said() -> str:
        command: list[str | Path] = [sys.executable, ROOT / "layers" / "sizes.py", built]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "BYTECODE" not in said()
    next((built / "LabelingLayer" / "python" / "labeling" / "__pycache__").glob("storage.*.pyc")).unlink()
    assert "LabelingLayer: NO BYTECODE for 1 modules" in said()


def test_the_build_s_tools_import_nothing_of_this_project() -> None:
    for path in (ROOT / "layers").glob("*.py"):
        text = path.read_text()
        assert not any(
            f"{word} {room}" in text for word in ("import", "from") for room in ("ground_truth_server", "cli")
        )
