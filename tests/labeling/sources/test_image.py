"""Pictures that browsers show, told from others by how they begin."""

import time

import pytest
from labeling import dataset
from labeling.errors import ImageError, MissingObjectError
from labeling.sources import ImageSource
from labeling.storage import S3Uri, Storage

from tests.conftest import Bucket


def check_file(bucket: Bucket, uri: S3Uri) -> None:
    dataset.check_file(uri, ImageSource(title="Photograph", folder="images"), Storage(bucket.s3))


def check(bucket: Bucket, begin: bytes) -> None:
    bucket.put("images/weld", begin + b"\0" * 2_000)
    check_file(bucket, S3Uri(bucket.name, "images/weld"))


@pytest.mark.parametrize(
    "begin",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"\0\0\0\x1cftypavif",
        b"BM\x36\0\0\0\0\0\0\0",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a weld -->\n<svg>",
    ],
)
def test_what_browsers_show_is_taken(bucket: Bucket, begin: bytes) -> None:
    check(bucket, begin)


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"RIFF\x10\0\0\0WAVE", "RIFF"),
        (b"time,current", "time,current"),
    ],
)
def test_anything_else_is_an_error_that_says_what_it_is(bucket: Bucket, begin: bytes, kind: str) -> None:
    with pytest.raises(ImageError, match=f"images/weld is no picture.*{kind}.*convert it"):
        check(bucket, begin)


def test_a_picture_that_is_empty_or_not_there_is_an_error(bucket: Bucket) -> None:
    bucket.put("images/empty.png", b"")
    for key in ("images/empty.png", "images/none.png"):
        with pytest.raises(MissingObjectError, match=key):
            check_file(bucket, S3Uri(bucket.name, key))


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


@pytest.mark.parametrize(
    "prolog",
    [
        b"",
        b"\xef\xbb\xbf",
        b"<?xml version='1.0'?>\n",
        b"<!-- a > b -->" * 30,
        b"<?xml?><!DOCTYPE svg><!-- x -->\n<?a b?>",
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]>",
    ],
)
def test_an_svg_is_known_behind_its_prolog(bucket: Bucket, prolog: bytes) -> None:
    check_file(bucket, S3Uri.parse(bucket.put("images/a.svg", prolog + SVG)))


@pytest.mark.parametrize(
    "begin", [b"<?xml" * 800, b"<!--x-->" * 500, b"<!-- -->\n" * 40 + b"<other>", b"<!DOCTYPE" * 400, b"<" * 4096]
)
def test_no_picture_takes_long_to_be_refused(bucket: Bucket, begin: bytes) -> None:
    """Each took a time that doubled with every few bytes: seconds at some hundred bytes, years at these."""
    began = time.process_time()
    with pytest.raises(ImageError):
        check_file(bucket, S3Uri.parse(bucket.put("images/a.svg", begin)))
    assert time.process_time() - began < 2
