"""Videos that browsers play, told from others by how they begin."""

import struct

import pytest
from labeling import dataset
from labeling.errors import MissingObjectError, VideoError
from labeling.sources import VideoSource
from labeling.storage import S3Uri, Storage

from tests.conftest import Bucket

SOURCE = VideoSource(title="Camera", folder="videos", offset_seconds=1.5)


def box(name: bytes, content: bytes) -> bytes:
    """A box of ISO 14496-12."""
    return struct.pack(">I4s", 8 + len(content), name) + content


def mp4(*codings: bytes, brand: bytes = b"isom") -> bytes:
    """The beginning of a file whose index comes first, with a track of each coding."""
    tracks = [box(b"stsd", struct.pack(">II", 0, 1) + box(coding, b"\0" * 78)) + b"\0" * 1000 for coding in codings]
    return box(b"ftyp", brand + b"\0\0\2\0isomiso2avc1mp41") + box(b"moov", b"".join(tracks))


WEBM = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104")


def check(bucket: Bucket, begin: bytes) -> None:
    bucket.put("videos/weld", begin)
    dataset.check_file(S3Uri(bucket.name, "videos/weld"), SOURCE, Storage(bucket.s3))


@pytest.mark.parametrize(
    "begin",
    [
        mp4(b"avc1", b"mp4a"),
        mp4(b"mp4a", b"avc1", brand=b"mp42"),
        mp4(b"avc1", b"mp4v"),
        mp4(b"av01", brand=b"iso6"),
        mp4(),  # its index comes last: what it holds can't be seen from here
        mp4(brand=b"M4V "),
        WEBM,
    ],
)
def test_what_browsers_play_is_taken(bucket: Bucket, begin: bytes) -> None:
    check(bucket, begin)


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"RIFF\x10\0\0\0AVI LIST" + b"\0" * 2_000, "AVI"),
        (WEBM.replace(b"\x84webm", b"\x88matroska"), r"Matroska \(MKV\)"),
        (mp4(b"avc1", brand=b"qt  "), r"QuickTime \(MOV\)"),
        (mp4(b"hvc1", b"mp4a"), "MP4 with H.265"),
        (mp4(b"mp4v"), "MP4 with MPEG-4 Visual"),
        (mp4(brand=b"M4A "), r"a sound \(M4A\)"),
        (mp4(brand=b"heic"), "a picture"),
        (b"0&\xb2u\x8ef\xcf\x11" + b"\0" * 100, r"Windows Media \(WMV\)"),
        (b"FLV\x01\x05" + b"\0" * 100, r"Flash \(FLV\)"),
        (b"\0\0\x01\xba" + b"\0" * 100, "MPEG-1 or MPEG-2"),
        ((b"G" + b"\0" * 187) * 3, "MPEG-1 or MPEG-2"),
        (b"OggS" + b"\0" * 100, "Ogg"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"time,current", "b'time,current'"),
    ],
)
def test_anything_else_is_an_error_that_says_what_it_is_and_what_to_do(bucket: Bucket, begin: bytes, kind: str) -> None:
    said = f"videos/weld is no video that browsers play: found {kind}; expected MP4 with H.264, or WebM: .*ffmpeg"
    with pytest.raises(VideoError, match=said):
        check(bucket, begin)


def test_a_video_that_is_empty_or_not_there_is_an_error(bucket: Bucket) -> None:
    bucket.put("videos/empty.mp4", b"")
    for key in ("videos/empty.mp4", "videos/none.mp4"):
        with pytest.raises(MissingObjectError, match=key):
            dataset.check_file(S3Uri(bucket.name, key), SOURCE, Storage(bucket.s3))


def test_it_has_one_panel_that_says_where_it_begins() -> None:
    assert [(panel.kind, panel.key, panel.name) for panel in SOURCE.panels("camera")] == [("video", "camera", "Camera")]
    assert SOURCE.drawn("camera") is None
    assert SOURCE.file_panel("s3://b/videos/weld.1.mp4") == {
        "file": "s3://b/videos/weld.1.mp4",
        "title": " from video at s3://b/videos/weld.1.mp4",
        "alt": "Camera: weld.1.mp4.",
        "notes": [],
        "offset_seconds": 1.5,
    }
