"""Pictures that workers see as they are, if browsers show such files."""

from typing import Any, ClassVar

from labeling.errors import ImageError
from labeling.panels import ConfiguredPanel
from labeling.sources.first_bytes import kind_of
from labeling.sources.kind import SourceKind, file_panel

# How files of a kind begin, after the media types' own specifications.
SHOWN = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "WebP": rb"RIFF....WEBP",
    "AVIF": rb"....ftypavi[fs]",
    "BMP": rb"BM....\0\0\0\0",
}
SVG = rb"<svg[\s>]"  # behind its prolog
NOT_SHOWN = {
    "TIFF": rb"II\*\0|MM\0\*",
    "HEIC": rb"....ftyp(hei[cx]|mif1)",
    "PDF": rb"%PDF",
    "a ZIP archive": rb"PK\x03\x04",
    "HTML": rb"\s*<(!DOCTYPE html|html)",
}
# What may stand before an SVG's first element, and what ends each; XML has no others.
PROLOG = {b"<?": b"?>", b"<!--": b"-->", b"<!": b">"}


class ImageSource(SourceKind, frozen=True, tag="image"):
    """A picture that workers see as it is."""

    first_bytes: ClassVar[int] = 4096

    def panels(self, key: str) -> tuple[ConfiguredPanel, ...]:
        """The picture."""
        return (ConfiguredPanel("image", key, self.title),)

    def file_panel(self, uri: str) -> dict[str, Any]:
        """What the task input says of it."""
        return file_panel("image", self.title, uri)

    def check(self, begin: bytes, name: str) -> None:
        """Makes sure that browsers show such a file.

        Raises:
            ImageError: If they don't.
        """
        if not _is_shown(begin):
            raise ImageError(
                f"{name} is no picture that browsers show: found {kind_of(begin, NOT_SHOWN) or begin[:16]!r}; expected "
                f"one of {', '.join(SHOWN)}, SVG: convert it, for instance to PNG"
            )


def _is_shown(begin: bytes) -> bool:
    return bool(kind_of(begin, SHOWN) or kind_of(_without_prolog(begin), {"SVG": SVG}))


def _without_prolog(begin: bytes) -> bytes:
    """What stands behind an XML declaration, comments and a document type; nothing if that isn't to be seen."""
    rest = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    while mark := next((mark for mark in PROLOG if rest.startswith(mark)), None):
        end = b"]>" if mark == b"<!" and b"[" in rest.partition(b">")[0] else PROLOG[mark]
        rest = rest[len(mark) :].partition(end)[2].lstrip()
    return rest
