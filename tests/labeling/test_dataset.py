"""The dataset file of one item."""

from typing import Any

import pytest
from labeling import dataset
from labeling.errors import DatasetFileError, MissingObjectError, ObjectTooLargeError
from labeling.job import load_configured
from labeling.storage import S3Uri, Storage

from tests.conftest import Bucket

JOB = load_configured({})
IMAGE = {"s3Path": "s3://b/images/weld.1.png"}
RECORDING = {"s3Path": "s3://b/sensor_data/weld.1.csv"}


def read(bucket: Bucket, content: Any) -> dict[str, S3Uri]:
    bucket.put("dataset/dataset-1.json", content)
    return dataset.read(S3Uri(bucket.name, "dataset/dataset-1.json"), JOB, Storage(bucket.s3))


def test_sources_come_in_the_job_s_order_and_others_are_let_be(bucket: Bucket) -> None:
    files = read(bucket, {"operator": "Ada", "sensor_data": RECORDING, "image": IMAGE | {"width": 3}})
    assert files == {"image": ("b", "images/weld.1.png"), "sensor_data": ("b", "sensor_data/weld.1.csv")}
    assert list(files) == ["image", "sensor_data"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON: Expecting property name"),
        (b"\xff\xfe\x00", "is not JSON"),
        ([], "expected .*sensor_data"),
        ("text", "is not JSON"),
        ({"image": IMAGE}, "names no source 'sensor_data'; found 'image'"),
        ({}, "names no source 'image'; found nothing"),
        ({"image": IMAGE, "sensor_data": {}}, r"source 'sensor_data': s3Path: missing"),
        ({"image": IMAGE, "sensor_data": None}, r"source 'sensor_data': found nothing"),
        ({"image": IMAGE, "sensor_data": {"s3Path": 3}}, r"source 'sensor_data': s3Path: found 3"),
        ({"image": IMAGE, "sensor_data": {"s3Path": "weld.csv"}}, "'weld.csv' is not an S3 URI"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_it_and_shows_a_right_one(
    bucket: Bucket, content: Any, message: str
) -> None:
    with pytest.raises(DatasetFileError, match=message) as refusal:
        read(bucket, content)
    assert str(refusal.value).startswith(f"s3://{bucket.name}/dataset/dataset-1.json")
    assert '"s3Path": "s3://BUCKET/sensor_data/' in str(refusal.value)


def test_a_file_that_is_not_there_or_far_too_large_is_named(bucket: Bucket) -> None:
    with pytest.raises(MissingObjectError, match=r"none\.json"):
        dataset.read(S3Uri(bucket.name, "none.json"), JOB, Storage(bucket.s3))
    with pytest.raises(ObjectTooLargeError, match=r"dataset-1\.json"):
        read(bucket, b" " * 1_000_001)
