"""Pictures that workers see as they are: is this one that a browser shows?"""

import re

from labeling.errors import ImageError
from labeling.storage import S3Uri, Storage

# How files of a kind begin, after the media types' own specifications.
SHOWN = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "WebP": rb"RIFF....WEBP",
    "AVIF": rb"....ftypavi[fs]",
    "BMP": rb"BM....\0\0\0\0",
    "SVG": rb"(\xef\xbb\xbf)?\s*(<\?xml.*?|<!--.*?-->\s*|<!DOCTYPE.*?)*<svg[\s>]",
}
NOT_SHOWN = {
    "TIFF": rb"II\*\0|MM\0\*",
    "HEIC": rb"....ftyp(hei[cx]|mif1)",
    "PDF": rb"%PDF",
    "a ZIP archive": rb"PK\x03\x04",
    "HTML": rb"\s*<(!DOCTYPE html|html)",
}
FIRST_BYTES = 1024


def check(uri: S3Uri, storage: Storage) -> None:
    """Makes sure that a picture is there and that workers will see it.

    Only its first bytes are read.

    Raises:
        ImageError: If browsers don't show such a file.
        LabelingError: As `Storage.open`.
    """
    begin = storage.open(uri, first_bytes=FIRST_BYTES).read(FIRST_BYTES)
    if not _kind(begin, SHOWN):
        raise ImageError(
            f"{uri} is no picture that browsers show: found {_kind(begin, NOT_SHOWN) or begin[:16]!r}; expected one "
            f"of {', '.join(SHOWN)}: convert it, for instance to PNG"
        )


def _kind(begin: bytes, signatures: dict[str, bytes]) -> str | None:
    matches = (kind for kind, pattern in signatures.items() if re.match(pattern, begin, re.DOTALL | re.IGNORECASE))
    return next(matches, None)
