"""Labels as CSV, JSON Lines and Parquet, written as they come, so that a million need no more memory than ten."""

import csv
import itertools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from cli.errors import CommandError
from cli.labels import COLUMNS, LabeledObject

# Parquet is written in groups of rows.
ROWS: Final = 10_000


def write_csv(labels: Iterable[LabeledObject], file: IO[str]) -> None:
    """A header row, then a row a label; votes and answers as JSON."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for label in labels:
        row = msgspec.structs.asdict(label)
        row |= {name: json.dumps(row[name], ensure_ascii=False) for name in ("votes", "answers")}
        writer.writerow(row.values())


def write_json_lines(labels: Iterable[LabeledObject], file: IO[str]) -> None:
    """A JSON object a line."""
    for label in labels:
        file.write(msgspec.json.encode(label).decode() + "\n")


def write_parquet(labels: Iterable[LabeledObject], path: Path) -> None:
    """A Parquet file whose votes are a map from category to number, and whose further answers are JSON.

    Raises:
        CommandError: If pyarrow isn't installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, which most do without
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise CommandError(
            "Parquet needs pyarrow, which isn't installed: “uv sync --extra parquet”, or choose --format jsonl."
        ) from None
    types = {"line": pa.int64(), "confidence": pa.float64(), "votes": pa.map_(pa.string(), pa.int64())}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    rows = (_arrow_row(label) for label in labels)
    with parquet.ParquetWriter(path, schema) as writer:
        while group := list(itertools.islice(rows, ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def _arrow_row(label: LabeledObject) -> dict[str, Any]:
    answers = json.dumps(label.answers, ensure_ascii=False)
    return {**msgspec.structs.asdict(label), "votes": list(label.votes.items()), "answers": answers}


TEXT_FORMATS: Final[dict[str, Callable[[Iterable[LabeledObject], IO[str]], None]]] = {
    "csv": write_csv,
    "jsonl": write_json_lines,
}
FORMATS: Final = ("table", *TEXT_FORMATS, "parquet")


def format_of(path: Path) -> str | None:
    """The format that a file's name asks for."""
    name = path.suffix.lower().removeprefix(".")
    return {"ndjson": "jsonl", "json": "jsonl", "pq": "parquet"}.get(name, name if name in FORMATS else None)
