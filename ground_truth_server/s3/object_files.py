"""The objects of S3 buckets as files: each at the plain path of its key, whatever that key looks like.

``FOLDER/BUCKET/KEY`` holds an object's bytes. A key that can't be a path (``..``, an empty or very long
segment, ``a`` beside ``a/b``) lies under a digest in ``FOLDER/.s3/BUCKET/keys``. What S3 knows of an object
besides its bytes is a small JSON file in ``FOLDER/.s3/BUCKET/objects``. Links are not followed: what they lead to is
nobody's object.
"""

import hashlib
import json
import logging
import mimetypes
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

_log = logging.getLogger(__name__)
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
        return sorted(p.name for p in self.folder.iterdir() if _is_folder(p) and self.is_bucket_name(p.name))

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
        before = self.facts(bucket, key)
        known = self.folder / before.file if before else None
        # What has become a link since leads elsewhere: the object gets another place, and the link stays as it is.
        path = known if known is not None and not self._leads_elsewhere(known) else self._path_for(bucket, key)
        facts_file = self._facts_file(bucket, key)
        written = HalfWritten(path, content)
        try:
            found = written.stat()
            file = str(path.relative_to(self.folder))
            facts = ObjectFacts(key, file, etag, found.st_size, found.st_mtime_ns, **more)
            # Both are whole on the disk before either is in its place: a full disk leaves what was there before.
            with HalfWritten(facts_file, json.dumps(asdict(facts)).encode()) as described:
                written.put_in_place()
                described.put_in_place()
        finally:
            written.discard()
        return facts

    def remove(self, bucket: str, key: str) -> None:
        """Remove an object, and the folders that it leaves empty."""
        known = self.facts(bucket, key)
        path = self.folder / known.file if known else self._path_for(bucket, key)
        if not self._leads_elsewhere(path):
            path.unlink(missing_ok=True)
        self._facts_file(bucket, key).unlink(missing_ok=True)
        self._remove_empty_folders(path.parent, self.folder / bucket)

    def find(self, bucket: str, key: str) -> ObjectFacts | None:
        """Find an object as it is on the disk now, whoever put it there."""
        known = self.facts(bucket, key)
        if known is not None:
            return self._still_true(known)
        path = self.folder / bucket / key
        return self._by_hand(bucket, path) if _can_be_path(key) and self._is_own_file(path) else None

    def facts(self, bucket: str, key: str) -> ObjectFacts | None:
        """Read what was written beside an object's bytes; one that can't be read is set aside."""
        file = self._facts_file(bucket, key)
        return self._read_facts(bucket, file) if file.is_file() else None

    def is_as_known(self, facts: ObjectFacts) -> bool:
        """Tell whether an object's file is still the one that its facts tell of."""
        path = self.folder / facts.file
        try:
            found = os.lstat(path)
        except OSError:
            return False
        if self._leads_elsewhere(path):
            return False
        return (found.st_size, found.st_mtime_ns) == (facts.size, facts.modified_ns)

    def objects(self, bucket: str) -> Iterator[ObjectFacts]:
        """Find every object of a bucket: those written here and files that somebody put there by hand."""
        self.add_bucket(bucket)
        self._remove_half_written(bucket)
        seen = set()
        for file in sorted((self._facts_folder / bucket / "objects").glob("*.json")):
            read = self._read_facts(bucket, file)
            facts = self._still_true(read) if read else None
            if facts is not None:
                seen.add(facts.file)
                yield facts
        for path in sorted(p for p in (self.folder / bucket).rglob("*") if self._is_own_file(p)):
            if str(path.relative_to(self.folder)) not in seen:
                yield self._by_hand(bucket, path)

    def keys_of_files(self, bucket: str, prefix: str = "") -> set[str]:
        """Name what lies in a bucket's folder, as it is on the disk now, by the keys that the paths spell.

        Args:
            bucket: The bucket.
            prefix: Only those below the folders that it names; some of them may begin otherwise.
        """
        top = self.folder / bucket
        below = prefix.rpartition("/")[0]
        if below and (not _can_be_path(below) or self._leads_elsewhere(top / below)):
            return set()
        return {
            Path(folder, name).relative_to(top).as_posix()
            for folder, _, names in os.walk(top / below)
            for name in names
            if not name.startswith(TEMPORARY)
        }

    def _by_hand(self, bucket: str, path: Path) -> ObjectFacts:
        found = path.stat()
        kind = mimetypes.guess_type(path.name)[0] or "binary/octet-stream"
        key = path.relative_to(self.folder / bucket).as_posix()
        file = str(path.relative_to(self.folder))
        return ObjectFacts(key, file, "", found.st_size, found.st_mtime_ns, {"Content-Type": kind})

    def _read_facts(self, bucket: str, file: Path) -> ObjectFacts | None:
        try:
            facts = ObjectFacts(**json.loads(file.read_bytes()))
            places = (self.folder / bucket, self._facts_folder / bucket / "keys")
            path = self.folder / facts.file
            if self._facts_file(bucket, facts.key) != file or not any(path.is_relative_to(top) for top in places):
                raise ValueError("it tells of another object")
            if ".." in path.parts or not isinstance(facts.etag, str) or not isinstance(facts.headers, dict):
                raise ValueError("it is none of this program's")
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            aside = file.with_suffix(".damaged")
            file.replace(aside)
            _log.warning(
                "%s, the record of an object, can't be read (%s). It is set aside as %s; the object's bytes are served "
                "as a file that was put into the folder by hand.", file, error, aside.name,
            )  # fmt: skip
            return None
        return facts

    def _remove_half_written(self, bucket: str) -> None:
        for top in (self.folder / bucket, self._facts_folder / bucket):
            for path in top.rglob(f"{TEMPORARY}*"):
                path.unlink()

    def _still_true(self, facts: ObjectFacts) -> ObjectFacts | None:
        path = self.folder / facts.file
        if not self._is_own_file(path):
            return None
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) == (facts.size, facts.modified_ns):
            return facts
        return ObjectFacts(facts.key, facts.file, "", found.st_size, found.st_mtime_ns, facts.headers, facts.tags)

    def _path_for(self, bucket: str, key: str) -> Path:
        plain = self.folder / bucket / key if _can_be_path(key) else None
        if plain is not None and not plain.is_dir() and not self._below_a_file(plain, bucket):
            return plain
        return self._facts_folder / bucket / "keys" / _digest(key)

    def _is_own_file(self, path: Path) -> bool:
        """Tell whether a path is a file of this folder, and no way to it leads through a link."""
        return not self._leads_elsewhere(path) and path.is_file()

    def _leads_elsewhere(self, path: Path) -> bool:
        """Tell whether a path is a link, or goes through one."""
        within = path.relative_to(self.folder).parts
        return any(self.folder.joinpath(*within[:count]).is_symlink() for count in range(1, len(within) + 1))

    def _below_a_file(self, path: Path, bucket: str) -> bool:
        top = self.folder / bucket
        parents = [parent for parent in path.parents if parent.is_relative_to(top)]
        return path.is_symlink() or any(parent.is_file() or parent.is_symlink() for parent in parents)

    def _facts_file(self, bucket: str, key: str) -> Path:
        return self._facts_folder / bucket / "objects" / f"{_digest(key)}.json"

    def _remove_empty_folders(self, folder: Path, stop: Path) -> None:
        while folder != stop and folder.is_relative_to(stop) and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent


TEMPORARY = ".writing-"


class HalfWritten:
    """Bytes on the disk beside the file that they will be, under a name that no object has.

    Args:
        path: The file that they will be.
        content: The bytes.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        self._file = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
        except BaseException:
            self.discard()
            raise

    def stat(self) -> os.stat_result:
        """Look at them; a file keeps its size and time when it is put in its place."""
        return self._file.stat()

    def put_in_place(self) -> None:
        """Make them the file, in one step: a reader or a crash sees the old one or the whole new one."""
        self._file.replace(self._path)

    def discard(self) -> None:
        """Leave nothing of what is not in its place."""
        self._file.unlink(missing_ok=True)

    def __enter__(self) -> "HalfWritten":
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


def replace_file(path: Path, content: bytes) -> None:
    """Put bytes at a path in one step: a reader or a crash sees the old file or the whole new one."""
    with HalfWritten(path, content) as written:
        written.put_in_place()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _can_be_path(key: str) -> bool:
    segments = key.split("/")
    plain = all(s not in ("", ".", "..") and "\0" not in s and not s.startswith(TEMPORARY) for s in segments)
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
