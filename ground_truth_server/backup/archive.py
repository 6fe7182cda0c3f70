"""A tar file whose last member holds the digest of each of the others: what was cut off or changed isn't taken.

Written and read as a stream, so that it can go through a pipe. Moments of change are kept to the nanosecond, by which
the embedded S3 knows its files.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from ground_truth_server.json_text import read_kept, write_json

_DIGESTS: Final = "digests.json"
_MODIFIED = "GROUND_TRUTH.mtime_ns"
_CHUNK = 1 << 20
_MOST_DIGESTS = 1 << 31  # bytes of the list; a bound, since whoever made the file says how long it is


class BackupUnusable(RuntimeError):
    """A backup can't be made, or isn't one, or isn't whole. The text says what was found and what to do."""


class ArchiveWriter:
    """Writes an archive.

    Args:
        target: Where to.
    """

    def __init__(self, target: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=target, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  (until close)
        self._digests: dict[str, str] = {}

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a file by its content."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o600
        self._add(member, io.BytesIO(content))

    def add_file(self, name: str, path: Path) -> None:
        """Add a file as it is now; one that is replaced meanwhile is added as it was.

        Raises:
            FileNotFoundError: If it is gone.
            BackupUnusable: If it becomes shorter while it is read.
        """
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = found.st_size, found.st_mode & 0o777, int(found.st_mtime)
            member.pax_headers = {_MODIFIED: str(found.st_mtime_ns)}
            try:
                self._add(member, file)
            except OSError as error:
                if "unexpected end of data" in str(error):
                    raise BackupUnusable(f"{path} became shorter while it was read: make the backup again") from error
                raise

    def close(self) -> None:
        """Write the digests and the end."""
        listed = write_json(self._digests).encode()
        member = tarfile.TarInfo(_DIGESTS)
        member.size = len(listed)
        self._tar.addfile(member, io.BytesIO(listed))
        self._tar.close()

    def _add(self, member: tarfile.TarInfo, source: IO[bytes]) -> None:
        digest = hashlib.sha256()
        self._tar.addfile(member, _Hashed(source, digest))
        self._digests[member.name] = digest.hexdigest()


class _Hashed(io.RawIOBase):
    """A file whose bytes are added to a digest as they are read."""

    def __init__(self, source: IO[bytes], digest: "hashlib._Hash") -> None:
        super().__init__()
        self._source = source
        self._digest = digest

    def read(self, size: int = -1, /) -> bytes:
        found = self._source.read(size)
        self._digest.update(found)
        return found


def unpack(source: IO[bytes], folder: Path | None) -> Iterator[str]:
    """Read an archive to its end, writing its files into a folder, and check each against its digest.

    Nothing of it may be used before the end: only there it shows whether it is whole.

    Args:
        source: The archive.
        folder: Where its files are written; ``None`` to check it only.

    Yields:
        The name of each file, once it is written.

    Raises:
        BackupUnusable: If it is no archive of :class:`ArchiveWriter`, or isn't as it was written.
        OSError: If a file can't be written.
    """
    found: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=source, mode="r|*") as tar:
            for member in tar:
                content = _content(tar, member)
                if member.name == _DIGESTS:
                    _compare(found, content.read(_MOST_DIGESTS))
                    return
                if member.name in found:
                    raise BackupUnusable(f"{member.name} is in the backup twice: it isn't as it was written")
                found[member.name] = _write(member, content, folder / path_in(member.name) if folder else None)
                yield member.name
    except (tarfile.TarError, EOFError) as error:
        raise BackupUnusable(f"found: {error}. Expected a file that ground-truth backup made, whole.") from error
    raise BackupUnusable("the backup ends before its end: it was cut off. Take another copy of it.")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise BackupUnusable(f"{member.name} is no file: expected a file that ground-truth backup made")
    return content


def path_in(name: str) -> PurePosixPath:
    """Give the path of a name in an archive.

    Raises:
        BackupUnusable: If it leads out of the folder that it is written into.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise BackupUnusable(f"{name!r} leads out of the folder: expected a file that ground-truth backup made")
    return path


def _write(member: tarfile.TarInfo, content: IO[bytes], path: Path | None) -> str:
    """Write a file, on disk when this returns, and give its digest."""
    digest = hashlib.sha256()
    if path is None:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), member.mode & 0o755)
        modified = member.pax_headers.get(_MODIFIED, "")
        if modified.isdecimal():
            os.utime(file.fileno(), ns=(int(modified), int(modified)))
        os.fsync(file.fileno())
    return digest.hexdigest()


def _compare(found: dict[str, str], listed: bytes) -> None:
    try:
        expected = read_kept(listed.decode())
    except ValueError as error:
        raise BackupUnusable("the backup's list of digests can't be read: it isn't as it was written") from error
    if not isinstance(expected, dict):
        raise BackupUnusable("the backup's list of digests is none: it isn't as it was written")
    for name in sorted({*found, *expected}):
        if found.get(name) != expected.get(name):
            trouble = "is missing" if name not in found else "is not as it was written"
            raise BackupUnusable(f"{name} in the backup {trouble}: take another copy of it")
