"""Labels as sets to train and to validate with, an item's relatives on one side."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cli import label_formats
from cli.errors import CommandError
from cli.labels import LabeledObject, data_objects, label_of

SETS: Final = ("train", "validation")
MANIFEST: Final = "manifest"
FORMATS: Final = (MANIFEST, "csv", "jsonl", "parquet")


@dataclass
class Split:
    """What a split came to.

    Attributes:
        objects: How many labeled objects each set has.
        groups: How many groups of relatives each set has.
        alone: How many objects don't say whose relatives they are; each is its own.
        without_label: How many objects have no label, and are in no set.
    """

    objects: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SETS, 0))
    groups: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in SETS})
    alone: int = 0
    without_label: int = 0


def side_of(group: str, share: float) -> str:
    """Choose a group's set: always the same, whatever other groups there are, so that later labels change no set.

    Args:
        group: What names the group.
        share: How much goes to training, from 0 to 1, on average.
    """
    digest = hashlib.sha256(group.encode("utf-8", "surrogatepass")).digest()
    return "train" if int.from_bytes(digest[:8]) < share * 2**64 else "validation"


def write(  # noqa: PLR0913  (what is split, how, and where it goes)
    lines: Iterable[bytes], attribute: str, folder: Path, format_: str, *, share: float, related_by: str | None
) -> Split:
    """Write ``train`` and ``validation`` into a folder, as files of one format.

    Args:
        lines: The output manifest's.
        attribute: The label attribute.
        folder: Where; made if it is missing.
        format_: One of `FORMATS`; ``manifest`` keeps the lines as they are.
        share: How much goes to training.
        related_by: The member of a line that relatives share, such as ``part``; without it each object is by itself.

    Raises:
        CommandError: If a line is not a JSON object, or pyarrow isn't there for Parquet.
    """
    split = Split()
    sets: dict[str, list[tuple[bytes, LabeledObject]]] = {name: [] for name in SETS}
    texts, parsed = itertools.tee(lines)
    for line, (number, data_object) in zip(texts, data_objects(parsed), strict=True):
        label = label_of(number, data_object, attribute)
        if label.label is None:
            split.without_label += 1
            continue
        group = _group(data_object, label, related_by, split)
        side = side_of(group, share)
        split.objects[side] += 1
        split.groups[side].add(group)
        sets[side].append((line, label))
    folder.mkdir(parents=True, exist_ok=True)
    for name, members in sets.items():
        _write(members, folder / f"{name}.{format_}", format_)
    return split


def _group(data_object: Mapping[str, Any], label: LabeledObject, related_by: str | None, split: Split) -> str:
    if related_by is None:
        return label.item or str(label.line)
    value = data_object.get(related_by)
    if value is None:
        split.alone += 1
        return f"line {label.line}: {label.item}"
    return json.dumps(value, sort_keys=True)


def _write(members: list[tuple[bytes, LabeledObject]], path: Path, format_: str) -> None:
    labels = [label for _, label in members]
    if format_ == MANIFEST:
        path.write_bytes(b"".join(line + b"\n" for line, _ in members))
    elif format_ == "parquet":
        label_formats.write_parquet(labels, path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            label_formats.TEXT_FORMATS[format_](labels, file)


def check_format(format_: str | None) -> str:
    """Give the format that is meant, JSON Lines if none was named.

    Raises:
        CommandError: If sets can't be written in it.
    """
    if format_ is None:
        return "jsonl"
    if format_ not in FORMATS:
        raise CommandError(f"Sets to train with are files: choose --format {', '.join(FORMATS[:-1])} or {FORMATS[-1]}.")
    return format_
