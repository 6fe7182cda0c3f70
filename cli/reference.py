"""``labeling-job reference``: builds what lies behind the lines of a job's plots, of its good items."""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from labeling import dataset, reference
from labeling.errors import ItemError, ReferenceUnusableError
from labeling.job import JobConfiguration, Reference
from labeling.storage import S3Uri, Storage
from plotting.numerals import count, plain
from rich.table import Table
from rich.text import Text

from cli import labels, options, stack
from cli.account import AwsAccount
from cli.errors import CommandError
from cli.item_checks import MOST_BYTES, ByteBudget
from cli.manifest_file import opened
from cli.options import Commands
from cli.running_job import describe
from cli.stack import DeployedStack
from cli.terminal import Terminal

if TYPE_CHECKING:
    from plotting.panels import Item
    from plotting.reference import Reference as Built

T = TypeVar("T")

# Of the items that are left out, so many are named.
SHOWN: Final = 20

DESCRIPTION = """\
Builds the reference that [reference] in the job configuration names: reads the recordings of its good items,
finds the median and the band from the 5th to the 95th percentile of each channel, second by second from where
an item's focus begins, and puts them into the bucket, below reference/. Plots that are drawn from then on show
them behind their lines. Items that can't be read are named and left out; three at least are needed."""

EXAMPLES = """\
  labeling-job reference --stack welds
  labeling-job reference --bucket bucket --job my-job.toml"""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands,
        "reference",
        run,
        summary="build what good items have in common, to lie behind the plots' lines",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    options.add_job(parser)
    options.add_stack(parser)
    parser.add_argument("--bucket", metavar="NAME", help="the job's bucket, in place of the stack's")
    parser.add_argument(
        "--concurrency",
        type=options.from_1_to(64),
        default=8,
        metavar="N",
        help="items read side by side (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Builds the reference."""
    job = options.configured_job(arguments)
    if job.reference is None:
        raise CommandError(
            "The job configuration has no [reference]; expected one that names the good items: "
            '[reference] with job = "WeldingLabelJob-1" and category = "Good Weld", or with manifest = "manifests/…"'
        )
    account.require_credentials()
    bucket = _bucket(arguments, account)
    storage = Storage(account.s3)
    items = dataset_files(job, job.reference, bucket, account, terminal)
    built, left_out = build(items, job, storage, arguments.concurrency)
    _tell(left_out, terminal)
    from plotting.reference import encode  # noqa: PLC0415 - numpy takes its time, and most commands don't need it

    uri = reference.uri_of(job.reference, job, bucket)
    storage.write(uri, encode(built), "application/json")
    terminal.results.print(_table(built, job))
    terminal.say(f"The reference of {built.items:,} {job.reference.title} is at {uri}", style="green")
    return 0


def _bucket(arguments: argparse.Namespace, account: AwsAccount) -> str:
    if arguments.bucket:
        return str(arguments.bucket)
    if not arguments.stack:
        raise CommandError("Where does the reference go? Name the stack with --stack, or the bucket with --bucket.")
    return DeployedStack(arguments.stack, account).output(stack.BUCKET)


def remind(job: JobConfiguration, bucket: str, storage: Storage, terminal: Terminal) -> None:
    """Says that a job's reference isn't there, before people see plots without it."""
    if job.reference and bucket and (problem := reference.read(job.reference, job, bucket, storage).problem):
        terminal.say(problem, style="yellow")


def dataset_files(
    job: JobConfiguration, named: Reference, bucket: str, account: AwsAccount, terminal: Terminal
) -> list[str]:
    """The S3 URIs of the good items' dataset files.

    Raises:
        CommandError: If there is no such job or manifest, or nothing in it is meant.
        labeling.errors.LabelingError: If S3 refuses or fails.
    """
    if named.job:
        described = describe(named.job, account)
        uri, is_all = labels.manifest_uri(described, account)
        if not is_all:
            state = described["LabelingJobStatus"]
            terminal.say(f"{named.job} is {state}: the reference is of its labels so far.", style="yellow")
        return _meant(_objects(str(uri), account), named.category, described["LabelAttributeName"], str(uri))
    place = named.manifest if named.manifest.startswith("s3://") else f"s3://{bucket}/{named.manifest}"
    return _meant(_objects(place, account), named.category, job.label_attribute, place)


def _objects(place: str, account: AwsAccount) -> Iterator[dict[str, Any]]:
    with opened(place, Storage(account.s3)) as file:
        # Labels may be longer than a job's input may be.
        for number, data_object in labels.data_objects(line.text or b"" for line in file.lines()):
            if not isinstance(data_object, dict):
                raise CommandError(
                    f"{place}, line {number:,}: found no JSON object; expected one a line. Mend the line."
                )
            yield data_object


def _meant(data_objects: Iterator[Mapping[str, Any]], category: str, attribute: str, place: str) -> list[str]:
    """The items of a category, or all; each once, whatever manifests say."""
    found: Counter[str | None] = Counter()
    items: dict[str, None] = {}
    for number, data_object in enumerate(data_objects, 1):
        labeled = labels.label_of(number, data_object, attribute)
        found[labeled.label] += 1
        if not category or labeled.label == category:
            items[labeled.item.strip()] = None
    if not items:
        what = ", ".join(f"{number:,} {label or 'without a label'}" for label, number in found.most_common())
        raise CommandError(
            f"{place}: found no item labeled {category!r} under {attribute!r}, but {what or 'no line'}; expected good "
            "items to build a reference of. Check category, and job or manifest, in [reference]"
        )
    return list(items)


class LeftOut(NamedTuple):
    """An item that the reference is built without.

    Attributes:
        item: Its dataset file.
        reason: Why.
    """

    item: str
    reason: str


def build(
    items: Sequence[str], job: JobConfiguration, storage: Storage, concurrency: int
) -> tuple["Built", list[LeftOut]]:
    """Builds a reference of items.

    Each is read twice, first for the steps of time that suit all of them, and then in these steps, so that however
    many there are, few are in memory.

    Args:
        items: The S3 URIs of their dataset files.
        job: The job configuration.
        storage: Where they lie.
        concurrency: How many are read side by side.

    Returns:
        The reference, and which items it is built without.

    Raises:
        ReferenceUnusableError: If fewer than three can be read.
        labeling.errors.LabelingError: If S3 refuses or fails, which would meet every item alike.
    """
    from plotting.reference import combine, in_steps, steps_over  # noqa: PLC0415

    reading = _Reading(job, storage, concurrency)
    focuses = reading.each(items, lambda item: item.focus[0])
    try:
        steps = steps_over(list(focuses.values()))
    except ReferenceUnusableError as error:
        reasons = "".join(f"\n{one.item}: {one.reason}" for one in reading.left_out[:SHOWN])
        raise ReferenceUnusableError(f"{count(len(items), 'good item')} named: {error}{reasons}") from None
    taken = reading.each(list(focuses), lambda item: in_steps(item.recordings, item.focus[0], steps))
    return combine(steps, list(taken.values())), reading.left_out


class _Reading:
    """Reads items side by side, as pre-labeling does, and goes on after those that can't be read."""

    def __init__(self, job: JobConfiguration, storage: Storage, concurrency: int) -> None:
        self.job = job
        self.storage = storage
        self.concurrency = concurrency
        self.budget = ByteBudget(MOST_BYTES)
        self.left_out: list[LeftOut] = []

    def each(self, items: Sequence[str], take: Callable[["Item"], T]) -> dict[str, T]:
        """What is taken of each item that can be read, by its dataset file, in their order."""

        def read(name: str) -> T | LeftOut:
            try:
                return self._take(name, take)
            except ItemError as error:
                return LeftOut(name, str(error))

        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="reference") as pool:
            found = dict(zip(items, pool.map(read, items), strict=True))
        self.left_out += [one for one in found.values() if isinstance(one, LeftOut)]
        return {name: one for name, one in found.items() if not isinstance(one, LeftOut)}

    def _take(self, name: str, take: Callable[["Item"], T]) -> T:
        from plotting.panels import read_files  # noqa: PLC0415

        uris = dataset.read(S3Uri.parse(name), self.job, self.storage)
        stored = [(self.storage.open(uris[key]), source) for key, source in self.job.recordings.items()]
        with self.budget.of(sum(min(one.size, source.max_bytes) for one, source in stored)):
            return take(read_files([(one.read(source.max_bytes), source, str(one.uri)) for one, source in stored]))


def _tell(left_out: Sequence[LeftOut], terminal: Terminal) -> None:
    for one in left_out[:SHOWN]:
        terminal.say(f"Left out: {one.item}: {one.reason}", style="yellow")
    if len(left_out) > SHOWN:
        terminal.say(f"Left out: {count(len(left_out) - SHOWN, 'item')} more.", style="yellow")


def _table(built: "Built", job: JobConfiguration) -> Table:
    """From where to where each channel's reference reaches: what is wrong by a factor is seen here first."""
    steps = built.steps
    begin, end = plain(steps.begin), plain(steps.begin + steps.number * steps.length)
    title = f"From {begin} to {end} s, counted from where the focus begins"
    table = Table(title=title, title_justify="left", header_style="bold")
    for heading in ("Channel", "Unit"):
        table.add_column(heading, overflow="fold")
    for heading in ("Median", "Band"):
        table.add_column(heading, justify="right")
    for panel in job.panels:
        if curve := built.curves.get(panel.key):
            extents = (curve.extent(), curve.extent(band=True))
            reach = (f"{plain(one[0])} to {plain(one[1])}" if one else "nowhere" for one in extents)
            table.add_row(Text(panel.name), Text(panel.unit), *reach)
    return table
