"""The objects of S3 buckets as files: each at the plain path of its key, whatever that key looks like.

``FOLDER/BUCKET/KEY`` holds an object's bytes. A key that can't be a path (``..``, an empty or very long
segment, ``a`` beside ``a/b``) lies under a digest in ``FOLDER/.s3/BUCKET/keys``. What S3 knows of an object
besides its bytes is a small JSON file in ``FOLDER/.s3/BUCKET/objects``.
"""

import hashlib
import json
import mimetypes
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

_SAFE_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_LONGEST_SEGMENT = 240  # bytes; file systems allow 255, and a temporary name is a little longer
_LONGEST_PATH = 3000  # bytes; Linux allows 4096 with the folder before it


@dataclass(frozen=True)
class ObjectFacts:
    """What S3 knows of an object besides its bytes.

    Attributes:
        key: The object's key.
        file: Where its bytes lie, below the folder.
        etag: The entity tag without quotes; empty if it must be computed from the bytes.
        size: Length in bytes.
        modified_ns: The file's modification time, nanoseconds since 1970.
        headers: Content type, encoding and the like, and user metadata, as headers.
        tags: The object's tags.
    """

    key: str
    file: str
    etag: str
    size: int
    modified_ns: int
    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class ObjectFiles:
    """Keeps buckets and objects in a folder; each file is replaced in one step and is on disk on return.

    Args:
        folder: Where the buckets lie; made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._facts_folder = folder / ".s3"
        self._facts_folder.mkdir(parents=True, exist_ok=True)

    @staticmethod
    def is_bucket_name(name: str) -> bool:
        """Tell whether a bucket of this name can be a folder."""
        return _SAFE_BUCKET.fullmatch(name) is not None

    def buckets(self) -> list[str]:
        """Name the buckets that are there, including folders that somebody put there by hand."""
        return sorted(p.name for p in self.folder.iterdir() if p.is_dir() and self.is_bucket_name(p.name))

    def add_bucket(self, bucket: str) -> None:
        """Make a bucket's folder."""
        (self.folder / bucket).mkdir(exist_ok=True)
        (self._facts_folder / bucket / "objects").mkdir(parents=True, exist_ok=True)

    def remove_bucket(self, bucket: str) -> None:
        """Remove an empty bucket's folders."""
        for top in (self.folder / bucket, self._facts_folder / bucket):
            for path, _, names in os.walk(top, topdown=False):
                for name in names:
                    Path(path, name).unlink()
                Path(path).rmdir()

    def save(self, bucket: str, key: str, content: bytes, etag: str, **more: dict[str, str]) -> ObjectFacts:
        """Write an object and what belongs to it.

        Args:
            bucket: Its bucket, which exists.
            key: Its key.
            content: Its bytes.
            etag: Its entity tag without quotes.
            more: ``headers`` and ``tags``.

        Returns:
            What was written beside the bytes.
        """
        before = self._known_path(bucket, key)
        path = before or self._path_for(bucket, key)
        replace_file(path, content)
        found = path.stat()
        file = str(path.relative_to(self.folder))
        facts = ObjectFacts(key, file, etag, found.st_size, found.st_mtime_ns, **more)
        replace_file(self._facts_file(bucket, key), json.dumps(asdict(facts)).encode())
        return facts

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object, and the folders that it leaves empty."""
        path = self._known_path(bucket, key) or self._path_for(bucket, key)
        path.unlink(missing_ok=True)
        self._facts_file(bucket, key).unlink(missing_ok=True)
        self._remove_empty_folders(path.parent, self.folder / bucket)

    def objects(self, bucket: str) -> Iterator[ObjectFacts]:
        """Find every object of a bucket: those written here and files that somebody put there by hand."""
        self.add_bucket(bucket)
        self._remove_half_written(bucket)
        seen = set()
        for file in sorted((self._facts_folder / bucket / "objects").glob("*.json")):
            facts = self._still_true(ObjectFacts(**json.loads(file.read_bytes())))
            if facts is not None:
                seen.add(facts.file)
                yield facts
        for path in sorted(p for p in (self.folder / bucket).rglob("*") if p.is_file()):
            file_name = str(path.relative_to(self.folder))
            if file_name not in seen:
                found = path.stat()
                kind = mimetypes.guess_type(path.name)[0] or "binary/octet-stream"
                key = path.relative_to(self.folder / bucket).as_posix()
                yield ObjectFacts(key, file_name, "", found.st_size, found.st_mtime_ns, {"Content-Type": kind})

    def _remove_half_written(self, bucket: str) -> None:
        for top in (self.folder / bucket, self._facts_folder / bucket):
            for path in top.rglob(f"{_TEMPORARY}*"):
                path.unlink()

    def _still_true(self, facts: ObjectFacts) -> ObjectFacts | None:
        path = self.folder / facts.file
        if not path.is_file():
            return None
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) == (facts.size, facts.modified_ns):
            return facts
        return ObjectFacts(facts.key, facts.file, "", found.st_size, found.st_mtime_ns, facts.headers, facts.tags)

    def _known_path(self, bucket: str, key: str) -> Path | None:
        facts = self._facts_file(bucket, key)
        return self.folder / json.loads(facts.read_bytes())["file"] if facts.is_file() else None

    def _path_for(self, bucket: str, key: str) -> Path:
        plain = self.folder / bucket / key if _can_be_path(key) else None
        if plain is not None and not plain.is_dir() and not self._below_a_file(plain, bucket):
            return plain
        return self._facts_folder / bucket / "keys" / _digest(key)

    def _below_a_file(self, path: Path, bucket: str) -> bool:
        top = self.folder / bucket
        return any(parent.is_file() for parent in path.parents if parent.is_relative_to(top))

    def _facts_file(self, bucket: str, key: str) -> Path:
        return self._facts_folder / bucket / "objects" / f"{_digest(key)}.json"

    def _remove_empty_folders(self, folder: Path, stop: Path) -> None:
        while folder != stop and folder.is_relative_to(stop) and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


_TEMPORARY = ".writing-"


def replace_file(path: Path, content: bytes) -> None:
    """Put bytes at a path in one step: a reader or a crash sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _can_be_path(key: str) -> bool:
    segments = key.split("/")
    plain = all(s not in ("", ".", "..") and "\0" not in s and not s.startswith(_TEMPORARY) for s in segments)
    encoded = [s.encode("utf-8", "surrogatepass") for s in segments]
    short = all(len(s) <= _LONGEST_SEGMENT for s in encoded) and sum(map(len, encoded)) <= _LONGEST_PATH
    return plain and short and _is_utf8(key)


def _is_utf8(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
