"""Rendering one worker page to a file."""

import json
from pathlib import Path

from tests.cli.conftest import ROLE, STACK, Command
from tests.conftest import Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory


def test_the_page_of_a_line_is_rendered_with_its_plots(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket, tmp_path: Path
) -> None:
    done = command("render", "--stack", STACK, "--line", 2, "--output", tmp_path / "page.html")
    assert (done.status, done.out) == (0, "")
    page = (tmp_path / "page.html").read_text()
    assert "crowd-form" in page
    assert page.endswith("with ['current', 'electrode', 'image', 'panels', 'voltage']")
    assert {key.split("-")[0] for key in welds.keys("plots/") if key.endswith(".png")} == {"plots/weld.2.csv"}


def test_a_task_input_from_a_file_needs_no_stack(command: Command, jobs: JobsInMemory, tmp_path: Path) -> None:
    (tmp_path / "input.json").write_text(json.dumps({"taskInput": {"picture": 1}}))
    (tmp_path / "odd.html").write_text("an odd page{% endif %}")
    done = command(
        "render", "--role", ROLE, "--task-input", tmp_path / "input.json", "--page", tmp_path / "odd.html",
        "--output", tmp_path / "page.html",
    )  # fmt: skip
    assert done.status == 1
    assert "TemplateError: line 1, column 15" in done.err
    assert (tmp_path / "page.html").read_text().endswith("an odd page with ['picture']")


def test_what_is_missing_is_said(command: Command, jobs: JobsInMemory, stack: dict[str, str], tmp_path: Path) -> None:
    assert "Which role may read the pictures?" in command("render").err
    assert "Which item?" in command("render", "--role", ROLE).err
    assert "The manifest has no line 8; it has 7." in command("render", "--stack", STACK, "--line", 8).err
    (tmp_path / "list.json").write_text("[]")
    wrong = command("render", "--role", ROLE, "--task-input", tmp_path / "list.json")
    assert "expected a task input, a JSON object" in wrong.err
    none = command("render", "--role", ROLE, "--task-input", tmp_path / "list.json", "--page", tmp_path / "none.html")
    assert none.status == 2
    assert "the worker page's template can't be read" in none.err
