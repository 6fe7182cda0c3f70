"""A manifest where it can be read at leisure, be it a local file or an object in S3."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from labeling import manifest
from labeling.errors import MissingObjectError
from labeling.storage import S3Uri, Storage

from cli.errors import CommandError

_CHUNK_BYTES = 256 * 1024


class ManifestFile:
    """A manifest that can be read more than once.

    Args:
        file: Its bytes.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def lines(self) -> Iterator[manifest.Line]:
        """Its lines, from the first on."""
        self._file.seek(0)
        yield from manifest.lines(iter(lambda: self._file.read(_CHUNK_BYTES), b""))

    def count(self) -> int:
        """How many lines it has."""
        return sum(1 for _ in self.lines())

    def line(self, number: int) -> manifest.Line:
        """One line, counted from 1.

        Raises:
            CommandError: If the manifest has fewer.
        """
        last = 0
        for line in self.lines():
            if line.number == number:
                return line
            last = line.number
        raise CommandError(f"The manifest has no line {number:,}; it has {last:,}.")


@contextmanager
def opened(place: str, storage: Storage) -> Iterator[ManifestFile]:
    """Opens a manifest; one in S3 is fetched to a temporary file first, as checking it may take hours.

    Args:
        place: A path or an S3 URI.
        storage: Where S3 is.

    Raises:
        CommandError: If there is no such file or object.
        labeling.errors.LabelingError: If S3 refuses or fails.
    """
    if place.startswith("s3://"):
        uri = S3Uri.parse(place)
        try:
            storage.open(uri).close()  # its errors say what to do; those of a download don't
        except MissingObjectError:
            raise CommandError(f"There is no manifest at {uri}: check the address, or upload it there.") from None
        with tempfile.TemporaryFile() as file:
            storage.client.download_fileobj(uri.bucket, uri.key, file)
            yield ManifestFile(file)
    else:
        path = Path(place)
        if not path.is_file():
            raise CommandError(f"There is no file {place!r}; expected a manifest: its path, or its S3 URI.")
        with path.open("rb") as file:
            yield ManifestFile(file)
