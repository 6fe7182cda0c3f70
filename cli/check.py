"""``labeling-job check``: finds broken items before anyone is paid."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Final

from labeling import broken_items
from labeling.broken_items import BrokenItem
from labeling.job import JobConfiguration
from labeling.storage import Storage
from plotting.numerals import count
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from cli import item_checks, options, reference, stack
from cli.account import AwsAccount
from cli.item_checks import CheckedItem, CheckItem, ItemCheck
from cli.local_pre_labeling import LocalPreLabeling
from cli.manifest_file import ManifestFile, opened
from cli.options import Commands
from cli.stack import DeployedStack
from cli.terminal import Terminal

# The table shows no more than people read; the report has all.
SHOWN: Final = 50

DESCRIPTION = """\
Reads a manifest and every file that it names, as the pre-labeling function will, and lists the items that
can't be labeled. It goes on after broken ones, and writes nothing to the bucket unless --plots is given.
Items that have this job's label already are counted and not read: no worker will see them."""

EXAMPLES = """\
  labeling-job check s3://my-bucket/manifests/input.manifest --stack welds
  labeling-job check input.manifest --bucket my-bucket --report broken.jsonl
  labeling-job check input.manifest --stack welds --plots      draw all plots in advance

exit status: 0 all items can be labeled, 1 some are broken, 2 the check can't go on."""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands,
        "check",
        run,
        summary="find broken items before anyone is paid",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("manifest", metavar="MANIFEST", help="path or S3 URI of the input manifest")
    options.add_job(parser)
    options.add_stack(parser)
    parser.add_argument(
        "--bucket",
        action="append",
        default=[],
        metavar="NAME",
        help="bucket that items may lie in, besides the stack's; may be repeated (default: any)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the broken items as JSON Lines")
    parser.add_argument("--plots", action="store_true", help="also draw the plots, as the pre-labeling function will")
    parser.add_argument(
        "--concurrency",
        type=options.from_1_to(64),
        default=8,
        metavar="N",
        help="items checked side by side (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Checks a manifest; gives 1 if an item is broken."""
    job = options.configured_job(arguments)
    account.require_credentials()
    bucket = DeployedStack(arguments.stack, account).output(stack.BUCKET) if arguments.stack else ""
    storage = Storage(account.s3, {*arguments.bucket, *filter(None, [bucket])})
    concurrency = arguments.concurrency
    if arguments.plots:  # drawing keeps a processor busy, and a recording in memory
        concurrency = min(concurrency, os.cpu_count() or 1)
    found = Findings(terminal, arguments.report)
    with (
        opened(arguments.manifest, Storage(account.s3)) as manifest,
        _check_item(job, storage, bucket, plots=arguments.plots) as check_item,
    ):
        found.read(manifest, item_checks.check(manifest.lines(), job, check_item, concurrency))
    found.show()
    reference.remind(job, bucket, storage, terminal)
    return 1 if found.broken else 0


class Findings:
    """What a check finds, shown while it goes on and at its end.

    Args:
        terminal: Where it is shown.
        report: Where the broken items are written, if anywhere.
    """

    def __init__(self, terminal: Terminal, report: Path | None) -> None:
        self.terminal = terminal
        self.report = report
        self.items = 0
        self.labeled = 0
        self.kinds: Counter[str] = Counter()
        self.first: list[BrokenItem] = []

    @property
    def broken(self) -> int:
        """How many items can't be labeled."""
        return self.kinds.total()

    def read(self, manifest: ManifestFile, checked: Iterator[CheckedItem]) -> None:
        """Takes what came of each line, and shows how far the check is."""
        progress = self._progress()
        with progress if self.terminal.remarks.is_terminal else nullcontext(), self._report_file() as report:
            bar = progress.add_task("Checking", total=manifest.count(), broken=0)
            for item in checked:
                self.items += 1
                self.labeled += item.labeled
                if item.broken:
                    self._note(item.broken)
                    if report:
                        report.write(broken_items.encode(item.broken))
                progress.update(bar, completed=self.items, broken=self.broken)

    def show(self) -> None:
        """The broken items as a table, and all in a line."""
        if self.first:
            self.terminal.results.print(self._table())
        if self.broken > len(self.first):
            rest = count(self.broken - len(self.first), "broken item")
            where = f"{self.report} has all" if self.report else "--report FILE writes all"
            self.terminal.say(f"{rest} more: {where}.")
        if "AccessError" in self.kinds:
            self.terminal.say(
                "Access was refused to you; whether the functions' roles may read the files is their own."
            )
        good = self.items - self.broken - self.labeled
        parts = [count(self.items, "item"), f"{good:,} good", f"{self.broken:,} broken"]
        if self.labeled:
            parts.append(f"{self.labeled:,} labeled already")
        self.terminal.say(", ".join(parts) + ".", style="bold red" if self.broken else "green")

    def _note(self, item: BrokenItem) -> None:
        self.kinds[item.error] += 1
        if len(self.first) < SHOWN:
            self.first.append(item)

    def _table(self) -> Table:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.most_common())
        table = Table(title=f"Broken items: {kinds}", title_justify="left", title_style="bold", header_style="bold")
        table.add_column("Line", justify="right")
        table.add_column("Source", overflow="fold")
        table.add_column("Error", style="red", no_wrap=True)
        table.add_column("What to mend", overflow="fold", ratio=1)
        for item in self.first:
            table.add_row(f"{item.line:,}", Text(item.source or ""), Text(item.error), Text(item.message))
        return table

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[broken]:,} broken", style="red"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.terminal.remarks,
        )

    @contextmanager
    def _report_file(self) -> Iterator[IO[bytes] | None]:
        with self.report.open("wb") if self.report else nullcontext() as file:
            yield file


@contextmanager
def _check_item(job: JobConfiguration, storage: Storage, bucket: str, *, plots: bool) -> Iterator[CheckItem]:
    if plots:
        with ThreadPoolExecutor(16) as pool:
            yield LocalPreLabeling(job, storage, pool, bucket).task_input
    else:
        yield ItemCheck(job, storage)
