"""A labeling job for people: what its owner sees in the terminal, and that it goes on where it was."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.portal_client import PortalClient
from tests.conftest import ROOT


class Running:
    """``make label``, or ``make preview``, in a terminal of its own."""

    def __init__(self, module: str, folder: Path, *arguments: str) -> None:
        self.shown = folder.parent / f"{module}.txt"
        command = [sys.executable, "-m", f"demo.{module}", "--folder", str(folder), "--port", "0", *arguments]
        with self.shown.open("w") as file:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)

    def says(self, text: str, seconds: float = 60) -> str:
        """Wait until something is shown; gives all that is."""
        end = time.monotonic() + seconds
        while text not in (shown := self.shown.read_text()):
            assert time.monotonic() < end, shown
            assert self.process.poll() is None or text in self.shown.read_text(), shown
            time.sleep(0.05)
        return shown

    def url(self) -> str:
        """The URL in the block."""
        line = next(line for line in self.says("Ctrl-C").splitlines() if "http://" in line)
        return "http://" + line.partition("http://")[2].split("/")[0].split()[0]


@contextmanager
def running(module: str, folder: Path, *arguments: str) -> Iterator[Running]:
    command = Running(module, folder, *arguments)
    try:
        yield command
    finally:
        command.process.send_signal(signal.SIGINT)
        assert command.process.wait(10) == 0


def answer(url: str, job: str, worker: str, tasks: int) -> None:
    """Let a worker answer so many tasks."""
    portal = PortalClient(url, worker)
    end = time.monotonic() + 60
    while tasks:
        assert time.monotonic() < end, f"{worker} has got no {tasks} tasks"
        if task := portal.next_task(job).task:
            assert "crowd-form" in portal.page(task["page"])
            assert portal.answer(task["id"], {"WeldingClassification": {"label": "Good Weld"}})
            tasks -= 1
        else:
            time.sleep(0.05)
    portal.close()


def test_a_job_goes_on_where_it_was_and_the_next_run_has_the_next_number(tmp_path: Path) -> None:
    folder = tmp_path / "label"
    with running("label", folder) as label:
        block = label.says("make label")
        assert "WeldingLabelJob-1 begins: 7 items" in block
        assert "AWS_ENDPOINT_URL_SAGEMAKER=" in block
        answer(label.url(), "WeldingLabelJob-1", "Ada", 3)
    assert "All is kept. To go on: make label" in label.shown.read_text()

    with running("label", folder) as label:
        label.says("WeldingLabelJob-1 goes on")
        url = label.url()
        for worker, tasks in (("Ada", 4), ("Ben", 7), ("Cleo", 7)):
            answer(url, "WeldingLabelJob-1", worker, tasks)
        ended = label.says("Another run")
        assert ended.count("3 Good Weld") == 7
        manifest = folder / "bucket" / "output" / "WeldingLabelJob-1" / "manifests" / "output" / "output.manifest"
        assert str(manifest) in ended
        assert len(manifest.read_text().splitlines()) == 7

    with running("label", folder, "--new") as label:
        label.says("WeldingLabelJob-2 begins")
        answer(label.url(), "WeldingLabelJob-2", "Ada", 1)
    with running("label", folder) as label:
        label.says("WeldingLabelJob-2 goes on")


def test_a_workspace_of_another_job_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "label"
    with running("label", folder) as label:
        label.says("begins")
    configuration = (ROOT / "labeling_job" / "job.toml").read_text()
    (tmp_path / "job.toml").write_text(configuration.replace("WeldingLabelJob", "Other"))
    command = [sys.executable, "-m", "demo.label", "--folder", str(folder), "--port", "0"]
    command += ["--job", str(tmp_path / "job.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "holds the labeling job WeldingLabelJob-1" in done.stdout
    assert "choose another folder" in done.stdout


def test_the_preview_shows_items_and_what_the_template_lacks(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<crowd-form>{{ task.input.image.title }}\n{{ task.input.sound }}</crowd-form>")
    with running("preview", tmp_path / "preview", "--page", str(page)) as preview:
        url = preview.url()
        with urllib.request.urlopen(url) as response:
            assert "dataset-7.json" in response.read().decode()
        with urllib.request.urlopen(f"{url}/facts?line=2") as response:
            facts = response.read().decode()
    assert "weld.2.png" in facts
    assert "task.input.sound" in facts
