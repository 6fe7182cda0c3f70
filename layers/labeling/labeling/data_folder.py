"""A folder of items on disk, as the objects of a labeling job's bucket.

Such a folder has one sub-folder a source, named as in the job configuration. It may bring its own dataset files
(``dataset/``) and manifest (``manifests/input.manifest``), in which ``s3://BUCKET/`` stands for the bucket;
without them they are made: files of one name make an item.
"""

import json
import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from labeling.job import JobConfiguration

MANIFEST_KEY = "manifests/input.manifest"
# That not every Python knows.
MEDIA_TYPES = {".flac": "audio/flac", ".avif": "image/avif", ".webp": "image/webp"}
BUCKET_TOKEN = "s3://BUCKET/"  # noqa: S105 - a token, but no secret


class DataFolderError(ValueError):
    """A folder holds no items of the job; the message says what was found and what is expected."""


class FolderObject(NamedTuple):
    """One object to be put into the bucket.

    Attributes:
        key: Its key.
        body: Its bytes.
        content_type: Its media type.
    """

    key: str
    body: bytes
    content_type: str


class DataFolder:
    """The items of a folder.

    Args:
        path: The folder.
        job: Names the sources and their sub-folders.

    Attributes:
        items: The files of each item, by source; empty if the folder brings its own manifest.
        remarks: What its owner should know of how the items were made up.

    Raises:
        DataFolderError: If the files make no items.
    """

    def __init__(self, path: Path, job: JobConfiguration) -> None:
        self.path = path
        self.job = job
        self.remarks: list[str] = []
        self.items: list[dict[str, Path]] = []
        if not (path / MANIFEST_KEY).is_file():
            self.items = self._pair({key: self._files(source.folder) for key, source in job.sources.items()})

    def objects(self, bucket: str) -> Iterator[FolderObject]:
        """Every file of the items, with dataset files and a manifest that name this bucket."""
        if self.items:
            for number, files in enumerate(self.items, 1):
                yield from self._item_objects(number, files, bucket)
            yield _text(MANIFEST_KEY, "".join(f"{json.dumps(line)}\n" for line in self._manifest(bucket)))
        else:
            for folder in [*(source.folder for source in self.job.sources.values()), "dataset", "manifests"]:
                for path in self._files(folder):
                    yield self._object(path, bucket)

    def _item_objects(self, number: int, files: dict[str, Path], bucket: str) -> Iterator[FolderObject]:
        for path in files.values():
            yield self._object(path, bucket)
        uris = {key: {"s3Path": f"s3://{bucket}/{self._key(path)}"} for key, path in files.items()}
        yield _text(f"dataset/dataset-{number}.json", json.dumps(uris, ensure_ascii=False))

    def _manifest(self, bucket: str) -> Iterator[dict[str, str]]:
        for number in range(1, len(self.items) + 1):
            yield {"source": f"s3://{bucket}/dataset/dataset-{number}.json"}

    def _object(self, path: Path, bucket: str) -> FolderObject:
        key = self._key(path)
        if key.startswith(("dataset/", "manifests/")):
            return _text(key, path.read_text(encoding="utf-8").replace(BUCKET_TOKEN, f"s3://{bucket}/"))
        known = mimetypes.guess_type(path.name)[0] or MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
        return FolderObject(key, path.read_bytes(), known)

    def _key(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()

    def _files(self, folder: str) -> list[Path]:
        files = sorted((self.path / folder).rglob("*"), key=lambda path: _natural(path.name))
        return [path for path in files if path.is_file() and not path.name.startswith(".")]

    def _pair(self, sources: dict[str, list[Path]]) -> list[dict[str, Path]]:
        """Items by name; where no names agree but the numbers do, by order."""
        by_name = {key: self._by_name(key, files) for key, files in sources.items()}
        names = list(next(iter(by_name.values())))
        whole = [name for name in names if all(name in files for files in by_name.values())]
        counts = {len(files) for files in sources.values()}
        if whole:
            for files in by_name.values():
                for name in sorted(files.keys() - set(whole)):
                    self.remarks.append(f"{files[name]} is left out: another source has no file named {name!r}")
            return [{key: files[name] for key, files in by_name.items()} for name in whole]
        if len(counts) == 1 and counts != {0}:
            self.remarks.append(
                "No file names agree between the sources: the files are paired in order of their names."
            )
            return [dict(zip(sources, files, strict=True)) for files in zip(*sources.values(), strict=True)]
        raise DataFolderError(self._expectation(sources))

    def _by_name(self, key: str, files: list[Path]) -> dict[str, Path]:
        """A source's files by their paths below its folder, without the ending."""
        named: dict[str, Path] = {}
        for path in files:
            name = path.relative_to(self.path / self.job.sources[key].folder).with_suffix("").as_posix()
            if named.setdefault(name, path) is not path:
                self.remarks.append(f"{path} is left out: {named[name].name} has the same name")
        return named

    def _expectation(self, sources: dict[str, list[Path]]) -> str:
        found = ", ".join(f"{len(sources[key])} files in {source.folder}/" for key, source in self.job.sources.items())
        return (
            f"{self.path} holds no items of this job: found {found}; expected files of the same name in each of these "
            f"folders (weld.1.png and weld.1.csv), or as many files in each, or a {MANIFEST_KEY} with dataset files"
        )


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts weld.2 before weld.10."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]


def _text(key: str, text: str) -> FolderObject:
    content_type = "application/json" if key.endswith(".json") else "application/jsonl"
    return FolderObject(key, text.encode(), content_type)
