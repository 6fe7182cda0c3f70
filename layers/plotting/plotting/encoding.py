"""A file's bytes to plain text: byte-order marks, encodings, and files that are no text at all."""

import codecs
from typing import Final

from labeling.sources import TimeSeriesSource

from plotting.errors import RecordingError

# UTF-32's little-endian mark begins with UTF-16's, so it is looked for first.
BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

MAGIC_NUMBERS: Final = (
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file"),
    (b"\x93NUMPY", "a NumPy array file"),
    (b"RIFF", "a RIFF file (WAV or AVI)"),
    (b"%PDF-", "a PDF document"),
    (b"<?xml", "an XML document"),
    (b"<!DOCTYPE", "an HTML document"),
    (b"<html", "an HTML document"),
)


def plain_text(data: bytes, source: TimeSeriesSource, name: str) -> tuple[bytes, tuple[str, ...]]:
    r"""Decode a file, and give it back as UTF-8 with ``\n`` line ends and neither mark nor blank end.

    UTF-8 bytes, not ``str``, because numpy's reader works on them and a large recording then stays in
    memory once.

    Args:
        data: The file.
        source: How it should be read; a byte-order mark wins over its encoding.
        name: The object's name, for errors.

    Returns:
        The text and the notes for people.

    Raises:
        RecordingError: If it is empty, is no text, or isn't in the configured encoding.
    """
    _refuse_other_files(data, name)
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in BYTE_ORDER_MARKS if data.startswith(mark)),
        (b"", source.encoding),
    )
    notes: tuple[str, ...] = ()
    if mark and encoding.removesuffix("-le").removesuffix("-be") != source.encoding:
        notes = (f"Read as {encoding}, as the file's byte-order mark says, not as {source.encoding}.",)
    if mark:
        data = data[len(mark) :]
    if encoding.startswith(("utf-16", "utf-32")) or not data.isascii():
        data = _decoded(data, encoding, name).encode()
    if b"\0" in data:
        raise RecordingError(
            name,
            found="NUL characters",
            expected="delimited text",
            do="If it is UTF-16 without a byte-order mark, set encoding = 'utf-16'; otherwise it is binary.",
            line=data.count(b"\n", 0, data.index(b"\0")) + 1,
        )
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data.rstrip(b"\n"), notes


def _refuse_other_files(data: bytes, name: str) -> None:
    if not data:
        raise RecordingError(
            name,
            found="the file is empty",
            expected="rows of numbers",
            do="Upload the recording again.",
        )
    kind = next((kind for magic, kind in MAGIC_NUMBERS if data.startswith(magic)), None)
    if kind is not None:
        raise RecordingError(
            name,
            found=f"the file is {kind}",
            expected="delimited text (CSV)",
            do="Export the recording as CSV, or name another file in the dataset file.",
        )


def _decoded(data: bytes, encoding: str, name: str) -> str:
    try:
        # The codec gives lone surrogates no quarter here, so that encoding to UTF-8 can't fail afterwards.
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, errors="replace")
        raise RecordingError(
            name,
            found=f"byte 0x{data[error.start]:02X} at offset {error.start:,} isn't {encoding}",
            expected=f"text encoded in {encoding}",
            do="Set the source's encoding to what the file is written in (latin-1, cp1252, …).",
            line=before.count("\n") + 1,
        ) from error
