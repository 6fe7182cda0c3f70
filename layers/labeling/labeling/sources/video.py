"""Videos that workers see as they are, if browsers play such files, their time at the plots' cursor."""

import re
from typing import Any, ClassVar, Final

from labeling.errors import VideoError
from labeling.panels import ConfiguredPanel
from labeling.sources.audio import Offset
from labeling.sources.first_bytes import kind_of, shown
from labeling.sources.kind import SourceKind, file_panel

# WebM is Matroska's container with another name in its header, in the element 0x4282.
PLAYED: Final = {
    "MP4": rb"....ftyp(isom|iso[2-9a-c]|mp4[12]|avc1|M4V |M4VH|dash|MSNV|mmp4|3gp[4-7])",
    "WebM": rb"\x1a\x45\xdf\xa3.{0,64}\x42\x82.{1,8}webm",
}
NOT_PLAYED: Final = {
    "AVI": rb"RIFF....AVI ",
    "Matroska (MKV)": rb"\x1a\x45\xdf\xa3",
    "QuickTime (MOV)": rb"....ftypqt|....(moov|mdat|wide|free)",
    "a sound (M4A)": rb"....ftypM4[AB]",
    "a picture": rb"....ftyp(avi[fs]|hei[cx]|mif1)|\x89PNG|\xff\xd8\xff|GIF8",
    "another file of MPEG-4's family": rb"....ftyp",
    "Windows Media (WMV)": rb"0&\xb2u\x8ef\xcf\x11",
    "Flash (FLV)": rb"FLV\x01",
    "MPEG-1 or MPEG-2": rb"\0\0\x01[\xb3\xba]|G.{187}G",
    "Ogg": rb"OggS",
    "HTML": rb"\s*<(!DOCTYPE html|html)",
}
# The entries of a sample description that tell how a track is coded: those that browsers play, and others.
CODED: Final = (b"avc1", b"avc3", b"av01", b"vp08", b"vp09")
CODED_OTHERWISE: Final = {
    b"hvc1": "H.265",
    b"hev1": "H.265",
    b"mp4v": "MPEG-4 Visual",
    b"mjpa": "Motion JPEG",
    b"jpeg": "Motion JPEG",
    b"apch": "ProRes",
    b"apcn": "ProRes",
}


class VideoSource(SourceKind, frozen=True, tag="video"):
    """A video that workers see as it is.

    Attributes:
        offset_seconds: Where it begins on the item's clock, in seconds; before 0 if it begins before the item.
    """

    first_bytes: ClassVar[int] = 65_536

    offset_seconds: Offset = 0.0

    def panels(self, key: str) -> tuple[ConfiguredPanel, ...]:
        """The player."""
        return (ConfiguredPanel("video", key, self.title),)

    def file_panel(self, uri: str) -> dict[str, Any]:
        """What the task input says of the player."""
        return file_panel("video", self.title, uri, offset_seconds=self.offset_seconds)

    def check(self, begin: bytes, name: str) -> None:
        """Makes sure that browsers play such a file: by its container, and by its coding where its beginning tells.

        Raises:
            VideoError: If they don't.
        """
        found = kind_of(begin, PLAYED)
        entries = re.findall(rb"stsd.{12}(.{4})", begin, re.DOTALL) if found else []
        otherwise = [CODED_OTHERWISE[entry] for entry in entries if entry in CODED_OTHERWISE]
        if found and (not otherwise or any(entry in CODED for entry in entries)):
            return
        what = f"{found} with {otherwise[0]}" if found else kind_of(begin, NOT_PLAYED) or shown(begin)
        raise VideoError(
            f"{name} is no video that browsers play: found {what}; expected MP4 with H.264, or WebM: convert it, for "
            "instance by ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p -movflags +faststart OUT.mp4"
        )
