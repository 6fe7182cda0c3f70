"""The report of a check, from what a distributed map leaves."""

import json

import pytest
from labeling import broken_items
from labeling.broken_items import BrokenItem
from labeling.errors import MissingObjectError
from labeling.map_results import write_report
from labeling.storage import Storage

from tests.conftest import Bucket

RUN = "check-report/results/4977ded7"


def lines(*records: object) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


def broken(line: int) -> dict[str, object]:
    return {"line": line, "source": f"s3://b/dataset/{line}.json", "error": "ImageError", "message": "no picture"}


def test_broken_items_come_in_the_manifest_s_order(bucket: Bucket) -> None:
    bucket.put(f"{RUN}/SUCCEEDED_0.jsonl", lines(broken(12), broken(3)))
    bucket.put(f"{RUN}/SUCCEEDED_1.jsonl", lines(broken(7)))
    failed = {
        "Input": json.dumps({"line": 5, "dataObject": {"source-ref": "s3://b/dataset/5.json"}}),
        "Error": "AccessError",
        "Cause": "S3 refuses access",
        "Status": "FAILED",
    }
    bucket.put(f"{RUN}/FAILED_0.jsonl", lines(failed))
    bucket.put(
        f"{RUN}/manifest.json",
        {
            "DestinationBucket": bucket.name,
            "MapRunArn": "arn",
            "ResultFiles": {
                "PENDING": [],
                "SUCCEEDED": [{"Key": f"{RUN}/SUCCEEDED_{n}.jsonl", "Size": 1} for n in (0, 1)],
                "FAILED": [{"Key": f"{RUN}/FAILED_0.jsonl", "Size": 1}],
            },
        },
    )
    answer = write_report(Storage(bucket.s3), bucket=bucket.name, manifest_key=f"{RUN}/manifest.json", name="welds")
    assert answer == {"brokenItems": 4, "report": f"s3://{bucket.name}/check-report/welds.jsonl"}
    report = [json.loads(line) for line in bucket.get("check-report/welds.jsonl").splitlines()]
    assert report[:1] + report[2:] == [broken(3), broken(7), broken(12)]
    assert report[1] == {
        "line": 5,
        "source": "s3://b/dataset/5.json",
        "error": "AccessError",
        "message": "S3 refuses access",
    }


def test_a_sound_manifest_leaves_an_empty_report(bucket: Bucket) -> None:
    bucket.put("m.json", {"ResultFiles": {"SUCCEEDED": [], "FAILED": []}})
    assert write_report(Storage(bucket.s3), bucket=bucket.name, manifest_key="m.json", name="n")["brokenItems"] == 0
    assert bucket.get("check-report/n.jsonl") == b""


def test_results_that_are_gone_are_named(bucket: Bucket) -> None:
    with pytest.raises(MissingObjectError, match=r"m\.json is not there"):
        write_report(Storage(bucket.s3), bucket=bucket.name, manifest_key="m.json", name="n")


def test_the_report_is_json_lines_in_people_s_letters() -> None:
    text = broken_items.report([BrokenItem(2, None, "EventError", "größer"), BrokenItem(1, "s3://b/k", "E", "m")])
    assert text.decode().splitlines()[1] == '{"line":2,"source":null,"error":"EventError","message":"größer"}'
