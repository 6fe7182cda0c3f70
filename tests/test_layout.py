"""Imports point one way, as CONTRIBUTING.md says."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

# Leaves that every room of the server may use.
OF_ALL = {
    "ground_truth_server.acting",
    "ground_truth_server.arns",
    "ground_truth_server.aws_error",
    "ground_truth_server.json_text",
    "ground_truth_server.printable",
    "ground_truth_server.timestamps",
    "ground_truth_server.worker_ids",
}
# What each room may import of the others.
MAY_IMPORT = {
    "layers/labeling/labeling": {"labeling"},
    "layers/plotting/plotting": {"plotting", "labeling.sources", "labeling.panels", "labeling.errors", "labeling.job"},
    "functions": {"labeling", "plotting"},
    "cli": {"cli", "labeling", "plotting"},
    "ground_truth_server/edge": {"ground_truth_server.edge"},
    "ground_truth_server/records": {"ground_truth_server.records", *OF_ALL},
    "ground_truth_server/people": {
        "ground_truth_server.people",
        "ground_truth_server.records",
        "ground_truth_server.edge.key_pair",
        *OF_ALL,
    },
    "ground_truth_server/engine": {
        "ground_truth_server.engine",
        "ground_truth_server.records",
        "ground_truth_server.workspace_lock",
        *OF_ALL,
    },
    "ground_truth_server/lambda_host": {"ground_truth_server.lambda_host", *OF_ALL},
    "ground_truth_server/s3": {
        "ground_truth_server.s3",
        "ground_truth_server.edge",
        "ground_truth_server.workspace_lock",
    },
    "ground_truth_server/sagemaker": {
        "ground_truth_server.sagemaker",
        "ground_truth_server.engine",
        "ground_truth_server.people",
        "ground_truth_server.records",
        *OF_ALL,
    },
    "ground_truth_server/backup": {
        "ground_truth_server.backup",
        "ground_truth_server.records",
        "ground_truth_server.s3.object_files",
        *OF_ALL,
    },
    "ground_truth_server/telemetry": {
        "ground_truth_server.telemetry",
        "ground_truth_server.edge",
        "ground_truth_server.engine",
        *OF_ALL,
    },
    "ground_truth_server/moving": {
        "ground_truth_server.moving",
        "ground_truth_server.engine",
        "ground_truth_server.sagemaker",
        *OF_ALL,
    },
    "ground_truth_server/pages": {"ground_truth_server.pages", "ground_truth_server.engine", *OF_ALL},
    "ground_truth_server/portal": {
        "ground_truth_server.portal",
        "ground_truth_server.people",
        "ground_truth_server.edge",
        "ground_truth_server.pages",
        "ground_truth_server.engine",
        "ground_truth_server.records",
        *OF_ALL,
    },
    "ground_truth_server": {"ground_truth_server"},
}
ROOMS = (
    "labeling",
    "plotting",
    "functions",
    "cli",
    "demo",
    "ground_truth_server",
    "labeling_job",
    "benchmarks",
    "tests",
)


def imports(path: Path) -> set[str]:
    """The modules of ours that a module imports, by their full names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.split(".")[0] in ROOMS}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    modules = list((ROOT / room).rglob("*.py"))
    assert modules
    for path in modules:
        for name in imports(path):
            allowed = any(f"{name}.".startswith(f"{prefix}.") for prefix in MAY_IMPORT[room])
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"
