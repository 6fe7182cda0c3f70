"""What others wrote must not act on a terminal."""

import io

import pytest
from rich.progress import Progress
from rich.table import Table

from cli.terminal import PrintableConsole
from tests.cli.conftest import Command
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, job_request

HOSTILE = "\x1b[31mred\x1b]0;window\x07 \x9b2J \rover \u202eturned \ud83d ü 焊\tend"
SHOWN = r"\x1b[31mred\x1b]0;window \x9b2J over \u202eturned \ud83d ü 焊"  # rich itself drops bells and returns


def test_texts_tables_and_markup_are_shown_and_do_nothing() -> None:
    table = Table(HOSTILE)
    table.add_row(HOSTILE)
    for printed in (HOSTILE, table, f"[bold]{HOSTILE.replace('[', chr(92) + '[')}[/bold]"):
        console = PrintableConsole(file=io.StringIO(), width=200)
        console.print(printed, soft_wrap=True)
        shown = SHOWN[:20] if printed is table else SHOWN  # a cell is as wide as its text was
        assert shown in console.file.getvalue()  # type: ignore[attr-defined]
        assert not set("\x1b\x07\x9b\r\u202e") & set(console.file.getvalue())  # type: ignore[attr-defined]


def test_rich_s_own_colours_and_progress_stay() -> None:
    console = PrintableConsole(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    console.print("stop", style="red")
    assert "\x1b[31mstop\x1b[0m" in console.file.getvalue()  # type: ignore[attr-defined]
    with Progress(console=console) as progress:
        progress.add_task("\x1b[2Jlabels", total=1)
    assert r"\x1b[2Jla" in console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[2Jlabels" not in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_reason_of_a_failure_is_shown_and_does_nothing(command: Command, jobs: JobsInMemory, status: str) -> None:
    jobs.create(job_request("Welds-1"))
    jobs.jobs["welds-1"].update(LabelingJobStatus=status, FailureReason="found \x1b[2J\x1b[31mred")
    done = command("watch", "Welds-1")
    assert r"found \x1b[2J\x1b[31mred" in done.err
    assert "\x1b" not in done.err
