"""``labeling-job results``: the labels of a labeling job."""

import argparse
import itertools
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from labeling.agreement import Agreement
from labeling.answers.in_words import in_words
from labeling.consolidation import AUTO, STRATEGIES
from labeling.errors import JobConfigurationError
from labeling.job import JobConfiguration
from labeling.storage import Storage
from plotting.numerals import count
from rich.table import Table
from rich.text import Text

from cli import label_formats, marked_items, options, reconsolidation, training_split
from cli.account import AwsAccount
from cli.errors import CommandError
from cli.labels import LabeledObject, Summary, manifest_uri, read
from cli.options import Commands
from cli.running_job import describe
from cli.terminal import Terminal

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeLabelingJobResponseTypeDef

SHOWN: Final = 50
MAX_MANIFEST_BYTES: Final = 5_000_000_000

DESCRIPTION = """\
Reads the labels of a labeling job, also of one that goes on or ended early: then those that are there."""

EXAMPLES = """\
  labeling-job results WeldingLabelJob-1
  labeling-job results WeldingLabelJob-1 --disagreements
  labeling-job results WeldingLabelJob-1 --agreement
  labeling-job results WeldingLabelJob-1 --output labels.csv --plot labels.png
  labeling-job results WeldingLabelJob-1 --draw marked
  labeling-job results WeldingLabelJob-1 --format jsonl | jq .label
  labeling-job results WeldingLabelJob-1 --reconsolidate --output decided-again.manifest
  labeling-job results WeldingLabelJob-1 --split 0.8 --related-by part --output training"""


def add_to(commands: Commands) -> None:
    """Adds the command."""
    parser = options.add_command(
        commands,
        "results",
        run,
        summary="read a labeling job's labels",
        description=DESCRIPTION,
        examples=EXAMPLES,
    )
    parser.add_argument("name", metavar="NAME", help="the labeling job")
    options.add_job(parser)
    parser.add_argument(
        "--format",
        choices=(*label_formats.FORMATS, training_split.MANIFEST),
        metavar="FORMAT",
        help=f"{', '.join(label_formats.FORMATS)}; manifest with --split or --reconsolidate "
        "(default: what --output ends in, or table)",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write (default: standard output)")
    parser.add_argument(
        "--split",
        type=options.share,
        metavar="SHARE",
        help="write sets to train and to validate with into the folder --output, such as 0.8 for four fifths to train",
    )
    parser.add_argument(
        "--related-by",
        metavar="KEY",
        help="what relatives have in common in their manifest lines, such as part: they go into one set "
        "(default: related_by of the job configuration)",
    )
    parser.add_argument(
        "--reconsolidate",
        nargs="?",
        const="",
        choices=("", *STRATEGIES, AUTO),
        metavar="STRATEGY",
        help="decide all objects again from all answers of the job, by the job configuration's strategy or another; "
        "the output manifest stays as it is",
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="with --reconsolidate: put the new labels into the output manifest of a job that has ended, and keep the "
        "former one beside it",
    )
    parser.add_argument("--disagreements", action="store_true", help="only objects that workers didn't agree on")
    parser.add_argument("--agreement", action="store_true", help="how far workers agree, and what they take for what")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw how many labels there are of each category")
    parser.add_argument(
        "--draw",
        type=Path,
        metavar="FOLDER",
        help="draw the regions and instants that were marked over each item's plots",
    )
    parser.add_argument(
        "--rows",
        type=options.from_1_to(1_000_000),
        default=SHOWN,
        metavar="N",
        help="rows of the table (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Reads and shows the labels."""
    if arguments.split is not None:
        return _split(arguments, account, terminal)
    format_ = _format(arguments)
    attribute, lines = _manifest(arguments, account, terminal)
    if arguments.draw:  # they are gone through twice, and must not be decided twice
        lines, again = itertools.tee(lines)
    if format_ == training_split.MANIFEST:
        lines = _copied(lines, arguments, terminal)
    summary = Summary()
    labels: Iterable[LabeledObject] = summary.of(read(lines, attribute))
    if arguments.disagreements:
        labels = (label for label in labels if label.disputed)
    if format_ == training_split.MANIFEST:
        deque(labels, maxlen=0)  # they are counted, not shown
    else:
        _write(labels, format_, arguments, terminal)
    terminal.say(_summed_up(summary))
    if arguments.agreement:
        _show_agreement(summary.agreement, terminal)
    if arguments.plot:
        _plot(summary, attribute, arguments)
        terminal.say(f"Drawn to {arguments.plot}")
    if arguments.draw:
        _draw(again, attribute, arguments, account, terminal)
    return 0


def _manifest(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> tuple[str, Iterator[bytes]]:
    """Finds the job's label attribute, and the lines with its labels so far."""
    job = describe(arguments.name, account)
    uri, whole = manifest_uri(job, account)
    if not whole:
        terminal.say(f"{arguments.name} is {job['LabelingJobStatus']}: these are the labels so far.", style="yellow")
    attribute, storage = job["LabelAttributeName"], Storage(account.s3)
    if arguments.reconsolidate is None:
        if arguments.replace:
            raise CommandError("--replace is for labels that are decided again: give --reconsolidate, too.")
        return attribute, storage.open(uri).lines()
    if arguments.replace and not whole:
        raise CommandError(f"{arguments.name} is {job['LabelingJobStatus']}: --replace is for jobs that have ended.")
    lines = _decided_again(job, list(storage.open(uri).lines()), arguments, account, terminal)
    if arguments.replace:
        former = uri._replace(key=f"{uri.key.removesuffix('.manifest')}-{datetime.now(UTC):%Y-%m-%d_%H:%M:%S}.manifest")
        storage.write(former, storage.read(uri, MAX_MANIFEST_BYTES), "application/x-ndjson")
        storage.write(uri, b"".join(line + b"\n" for line in lines), "application/x-ndjson")
        terminal.say(f"{uri} has the new labels, {former} the former ones.")
    return attribute, iter(lines)


def _decided_again(
    described: "DescribeLabelingJobResponseTypeDef",
    lines: list[bytes],
    arguments: argparse.Namespace,
    account: AwsAccount,
    terminal: Terminal,
) -> list[bytes]:
    """Puts labels into the manifest's lines that are decided from all of the job's answers."""
    attribute = described["LabelAttributeName"]
    job = _job_of(attribute, arguments)
    if job is None:
        raise CommandError(
            f"Which job configuration is {arguments.name}'s? Its label is {attribute}; name it by --job."
        )
    again = reconsolidation.reconsolidate(described, job, arguments.reconsolidate or None, account)
    found = list(again.lines(lines, attribute, job))
    terminal.say(
        f"Decided again from {count(again.answers, 'answer')}: {count(again.decided, 'label')}, "
        f"{again.changed:,} of another category than before."
    )
    if again.unknown:
        terminal.say(f"{count(again.unknown, 'object')} with answers but without a labeled line.", style="yellow")
    if again.lost:
        terminal.say(f"{count(len(again.lost), 'request')} left out, such as: {again.lost[0]}", style="yellow")
    return found


def _split(arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal) -> int:
    """Writes sets to train and to validate with."""
    format_ = training_split.check_format(arguments.format)
    if arguments.output is None:
        raise CommandError("Where do the sets go? Name a folder with --output.")
    attribute, lines = _manifest(arguments, account, terminal)
    related_by = arguments.related_by or _related_by(attribute, arguments)
    split = training_split.write(
        lines, attribute, arguments.output, format_, share=arguments.split, related_by=related_by
    )
    for name in training_split.SETS:
        groups = f" in {count(len(split.groups[name]), 'group')} by {related_by}" if related_by else ""
        path = arguments.output / f"{name}.{format_}"
        terminal.say(f"{path}: {count(split.objects[name], 'object')}{groups}")
    if split.alone:
        terminal.say(f"{count(split.alone, 'object')} without {related_by}: each by itself.", style="yellow")
    if split.without_label:
        terminal.say(f"{count(split.without_label, 'object')} without a label: in neither.")
    return 0


def _related_by(attribute: str, arguments: argparse.Namespace) -> str | None:
    job = _job_of(attribute, arguments)
    return job.related_by or None if job else None


def _format(arguments: argparse.Namespace) -> str:
    manifest = training_split.MANIFEST
    if arguments.reconsolidate is not None and (arguments.format or _ending(arguments.output)) == manifest:
        if arguments.disagreements:
            raise CommandError("A manifest has a line for each object: give another --format with --disagreements.")
        return manifest
    if arguments.format == manifest:
        raise CommandError("--format manifest is for sets to train with: give --split, too.")
    format_: str = arguments.format or (arguments.output and label_formats.format_of(arguments.output)) or "table"
    if format_ == "parquet" and not arguments.output:
        raise CommandError("Parquet is not for terminals: name a file with --output.")
    if format_ == "table" and arguments.output:
        raise CommandError(f"In which format is {arguments.output}? Give --format csv, jsonl or parquet.")
    return format_


def _copied(lines: Iterator[bytes], arguments: argparse.Namespace, terminal: Terminal) -> Iterator[bytes]:
    """Writes a manifest, and gives its lines again."""
    found = list(lines)
    body = b"".join(line + b"\n" for line in found)
    if arguments.output:
        arguments.output.write_bytes(body)
        terminal.say(f"Written to {arguments.output}")
    else:
        sys.stdout.write(body.decode())
    return iter(found)


def _ending(path: Path | None) -> str:
    return path.suffix.removeprefix(".") if path else ""


def _write(labels: Iterable[LabeledObject], format_: str, arguments: argparse.Namespace, terminal: Terminal) -> None:
    if format_ == "table":
        _show(iter(labels), arguments.rows, terminal)
        return
    if format_ == "parquet":
        label_formats.write_parquet(labels, arguments.output)
    elif arguments.output:
        with arguments.output.open("w", encoding="utf-8", newline="") as file:
            label_formats.TEXT_FORMATS[format_](labels, file)
    else:
        label_formats.TEXT_FORMATS[format_](labels, sys.stdout)
        return
    terminal.say(f"Written to {arguments.output}")


def _show(labels: Iterator[LabeledObject], rows: int, terminal: Terminal) -> None:
    table = Table(header_style="bold")
    table.add_column("Line", justify="right")
    table.add_column("Item", overflow="fold")
    table.add_column("Label", overflow="fold")
    table.add_column("Confidence", justify="right")
    table.add_column("Votes", overflow="fold")
    shown = list(itertools.islice(labels, rows))
    questions = list(dict.fromkeys(name for label in shown for name in label.answers))
    for name in questions:
        table.add_column(Text(name), overflow="fold")
    for label in shown:
        answers = [Text(in_words(label.answers[name]) if name in label.answers else "") for name in questions]
        table.add_row(
            f"{label.line:,}", Text(label.item), _label_cell(label), _confidence(label), _votes(label), *answers
        )
    rest = deque(enumerate(labels, 1), maxlen=1)  # they are counted, not shown
    terminal.results.print(table)
    if rest:
        terminal.say(f"{count(rest[0][0], 'row')} more: --rows shows more, --output labels.csv writes all.")


def _label_cell(label: LabeledObject) -> Text:
    if label.label is None:
        return Text(f"no label: {label.problem}" if label.problem else "no label", style="red")
    return Text(label.label, style="yellow" if label.disputed else "")


def _confidence(label: LabeledObject) -> str:
    return "" if label.confidence is None else f"{label.confidence:.2f}"


def _votes(label: LabeledObject) -> Text:
    return Text(", ".join(f"{count} {category}" for category, count in label.votes.items()))


def _summed_up(summary: Summary) -> str:
    parts = [count(summary.objects, "data object"), count(summary.labels.total(), "label")]
    parts += [f"{summary.without_label:,} without a label"] if summary.without_label else []
    parts += [f"{summary.disputed.total():,} disputed"] if summary.disputed.total() else []
    if summary.mean_confidence is not None:
        parts.append(f"mean confidence {summary.mean_confidence:.2f}")
    if summary.agreement.alpha is not None:
        parts.append(f"Krippendorff's alpha {summary.agreement.alpha:.2f}")
    return ", ".join(parts) + "."


def _show_agreement(agreement: Agreement, terminal: Terminal) -> None:
    """Says how far workers agree, in all and by category, and what they take for what."""
    if not agreement.objects:
        terminal.say("No object has two answers whose votes the labels tell: nothing can be said of agreement.")
        return
    coefficients = [
        f"{name} {value:.3f}"
        for name, value in (("Krippendorff's alpha", agreement.alpha), ("Fleiss' kappa", agreement.kappa))
        if value is not None
    ]
    about = f"{count(agreement.objects, 'object')} with {count(agreement.answers, 'answer')}"
    terminal.say(f"Agreement on {about}: {', '.join(coefficients) or 'all answers are of one category'}.")
    table = Table(header_style="bold")
    table.add_column("Category", overflow="fold")
    table.add_column("Agreed on", justify="right")
    table.add_column("Taken for", overflow="fold")
    for category, agreed in agreement.by_category.items():
        others = [pair for pair in agreement.confusions if category in (pair.one, pair.other)][:3]
        named = (f"{pair.other if pair.one == category else pair.one} ({pair.share:.0%})" for pair in others)
        table.add_row(Text(category), f"{agreed:.0%}", Text(", ".join(named)))
    terminal.results.print(table)
    terminal.say(
        "Agreed on: where one worker chose the category, so often another did. Taken for: of all disagreements."
    )


def _plot(summary: Summary, attribute: str, arguments: argparse.Namespace) -> None:
    from plotting.label_distribution import Bar, draw  # noqa: PLC0415 - matplotlib takes its time, and few ask for it

    names = [name for name, _ in summary.labels.most_common()]
    names += [name for name in _categories(attribute, arguments) if name not in summary.labels]
    bars = [Bar(name, summary.labels[name], summary.disputed[name]) for name in names]
    png = draw(arguments.name, bars, without_label=summary.without_label, confidence=summary.mean_confidence)
    arguments.plot.write_bytes(png)


def _draw(
    lines: Iterator[bytes], attribute: str, arguments: argparse.Namespace, account: AwsAccount, terminal: Terminal
) -> None:
    """Draws each item with marks into a folder; one that can't be drawn is said, and the others are drawn."""
    job = _job_of(attribute, arguments)
    if job is None:
        raise CommandError(
            f"Whose plots? No job configuration at hand has the label attribute {attribute}: give --job."
        )
    drawn = marked_items.draw(read(lines, attribute), job, Storage(account.s3), arguments.draw)
    for item, problem in drawn.problems.items():
        terminal.say(f"{item} is not drawn: {problem}", style="yellow")
    terminal.say(f"{count(drawn.items, 'item')} with marks drawn into {arguments.draw}")


def _categories(attribute: str, arguments: argparse.Namespace) -> tuple[str, ...]:
    """The categories that could be chosen, where the job configuration at hand is the job's."""
    job = _job_of(attribute, arguments)
    return job.label.category_names if job else ()


def _job_of(attribute: str, arguments: argparse.Namespace) -> JobConfiguration | None:
    """The job configuration at hand, if it is the job's."""
    try:
        job = options.configured_job(arguments)
    except JobConfigurationError:
        if arguments.job:
            raise
        return None
    return job if job.label_attribute == attribute or arguments.job else None
