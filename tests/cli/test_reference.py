"""Building a reference: of the items that are meant, from what lies in the bucket, where pre-labeling looks for it."""

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from labeling import reference
from labeling.job import JobConfiguration, load
from plotting.reference import decode

from labeling_job.sample_recordings import recording
from labeling_job.sample_welds import GOOD_WELD
from tests.cli.conftest import STACK, Command
from tests.conftest import ROOT, Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, job_request

NAME = "Welds-1"
ATTRIBUTE = "WeldLabel"
RECORDINGS = [recording(dataclasses.replace(GOOD_WELD, number=100 + number)) for number in range(4)]


def configured(folder: Path, table: str) -> Path:
    """The sample's job with this [reference]."""
    path = folder / "job.toml"
    path.write_text((ROOT / "labeling_job/job.toml").read_text() + f"\n[reference]\n{table}\n")
    return path


def place(path: Path, bucket: Bucket) -> str:
    job: JobConfiguration = load(path)
    assert job.reference is not None
    return reference.uri_of(job.reference, job, bucket.name).key


def put_items(bucket: Bucket, recordings: list[str]) -> list[str]:
    """Items in the bucket, and the S3 URIs of their dataset files."""
    image = bucket.put("images/weld.png", b"never looked at")
    return [
        bucket.put(
            f"dataset/good-{number}.json",
            {
                "sensor_data": {"s3Path": bucket.put(f"sensor_data/good-{number}.csv", text)},
                "image": {"s3Path": image},
            },
        )
        for number, text in enumerate(recordings)
    ]


def put_manifest(bucket: Bucket, items: list[str], **more: Any) -> None:
    bucket.put("manifests/good.manifest", "".join(json.dumps({"source": item, **more}) + "\n" for item in items))


def put_job(jobs: JobsInMemory, bucket: Bucket, labels: list[tuple[str, str]], status: str = "Completed") -> None:
    jobs.create(job_request(NAME))
    jobs.jobs[NAME.lower()].update(
        LabelingJobStatus=status, OutputConfig={"S3OutputPath": f"s3://{bucket.name}/output/"}
    )
    lines = [{"source": item, ATTRIBUTE: {"WeldingClassification": label, "confidence": 1.0}} for item, label in labels]
    folder = "output" if status == "Completed" else "intermediate/1"
    text = "".join(json.dumps(line) + "\n" for line in lines)
    bucket.put(f"output/{NAME}/manifests/{folder}/output.manifest", text)


def test_a_job_s_items_of_one_category_become_the_reference(
    command: Command, jobs: JobsInMemory, bucket: Bucket, tmp_path: Path
) -> None:
    job = configured(tmp_path, f'job = "{NAME}"\ncategory = "Good Weld"\ntitle = "good welds"')
    items = put_items(bucket, [*RECORDINGS, "0,0,0,0\n1,1,1,1\n"])
    put_job(jobs, bucket, [*((item, "Good Weld") for item in items[:4]), (items[4], "Burn Through")])
    done = command("reference", "--job", job, "--bucket", bucket.name)
    assert done.status == 0, done.err
    assert f"The reference of 4 good welds is at s3://{bucket.name}/{place(job, bucket)}" in done.err.replace("\n", "")
    assert "Welding voltage" in done.out
    found = decode(bucket.get(place(job, bucket)))
    assert found.items == 4
    # By numpy alone: 2 s after the recordings begin, all of which are shown, and so matter, from their first row on.
    step = int(2.0 / found.steps.length)
    first, last = step * found.steps.length, (step + 1) * found.steps.length
    rows = [np.loadtxt(io.StringIO(text), delimiter=",") for text in RECORDINGS]
    for channel, column in (("electrode", 1), ("current", 2), ("voltage", 3)):
        means = [one[(one[:, 0] / 1000 >= first) & (one[:, 0] / 1000 < last), column].mean() for one in rows]
        curve = found.curves[channel]
        assert [curve.low[step], curve.median[step], curve.high[step]] == pytest.approx(
            np.percentile(means, [5, 50, 95]), rel=1e-6
        )


def test_a_manifest_names_them_too_and_the_bytes_are_always_the_same(
    command: Command, stack: dict[str, str], welds: Bucket, tmp_path: Path
) -> None:
    job = configured(tmp_path, 'manifest = "manifests/good.manifest"')
    items = put_items(welds, RECORDINGS)
    put_manifest(welds, [*items, items[0]])  # the same item twice is one
    assert command("reference", "--job", job, "--stack", STACK).status == 0
    first = welds.get(place(job, welds))
    assert decode(first).items == 4
    put_manifest(welds, items[::-1])
    assert command("reference", "--job", job, "--stack", STACK, "--concurrency", 1).status == 0
    assert welds.get(place(job, welds)) == first


def test_items_of_a_manifest_can_be_chosen_by_their_label(command: Command, bucket: Bucket, tmp_path: Path) -> None:
    job = configured(tmp_path, 'manifest = "manifests/good.manifest"\ncategory = "Good Weld"')
    items = put_items(bucket, RECORDINGS)
    label = {"WeldingLabel": {"WeldingClassification": "Good Weld", "confidence": 1.0, "votes": {"Good Weld": 3}}}
    put_manifest(bucket, items[:3], **label)
    assert command("reference", "--job", job, "--bucket", bucket.name).status == 0
    assert decode(bucket.get(place(job, bucket))).items == 3


def test_what_can_t_be_read_is_left_out_and_named(command: Command, bucket: Bucket, tmp_path: Path) -> None:
    job = configured(tmp_path, 'manifest = "manifests/good.manifest"')
    items = put_items(bucket, [*RECORDINGS[:3], "0,a,b,c\n" * 50, "1,2\n2,3\n"])
    put_manifest(bucket, [*items, f"s3://{bucket.name}/dataset/none.json", "no URI"])
    done = command("reference", "--job", job, "--bucket", bucket.name)
    assert done.status == 0
    assert done.err.count("Left out: ") == 4
    for name in ("good-3.csv", "good-4.csv", "dataset/none.json", "'no URI' is not an S3 URI"):
        assert name in done.err.replace("\n", "")
    assert decode(bucket.get(place(job, bucket))).items == 3


def test_fewer_than_three_are_refused_with_what_was_wrong(command: Command, bucket: Bucket, tmp_path: Path) -> None:
    job = configured(tmp_path, 'manifest = "manifests/good.manifest"')
    put_manifest(bucket, put_items(bucket, [*RECORDINGS[:2], "0,a,b,c\n" * 50]))
    done = command("reference", "--job", job, "--bucket", bucket.name)
    assert done.status == 2
    said = " ".join(done.err.split())
    assert "3 good items named: found 2 items that can be read; expected at least 3" in said
    assert "good-2.csv" in said
    assert bucket.keys("reference/") == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (f'job = "{NAME}"\ncategory = "Good Weld"', "found no item labeled 'Good Weld' under 'WeldLabel', but 4 Burn"),
        ('job = "Welds-2"\ncategory = "Good Weld"', "There is no labeling job named 'Welds-2'"),
        ('manifest = "manifests/none.manifest"', "There is no manifest at s3://"),
        ('manifest = "dataset/list.json"', "line 1: found no JSON object"),
        ('manifest = "dataset/text.json"', "is not JSON"),
        ('manifest = "dataset/empty.json"', "but no line"),
    ],
)
def test_where_nothing_is_meant_the_command_says_what_it_found(
    command: Command, jobs: JobsInMemory, bucket: Bucket, tmp_path: Path, table: str, message: str
) -> None:
    put_job(jobs, bucket, [(f"s3://{bucket.name}/dataset/{number}.json", "Burn Through") for number in range(4)])
    for name, text in (("list", "[1]\n"), ("text", "Good\n"), ("empty", "")):
        bucket.put(f"dataset/{name}.json", text)
    done = command("reference", "--job", configured(tmp_path, table), "--bucket", bucket.name)
    assert done.status == 2
    assert message in " ".join(done.err.split())


def test_a_job_without_a_reference_and_a_command_without_a_place(
    command: Command, bucket: Bucket, tmp_path: Path
) -> None:
    done = command("reference", "--bucket", bucket.name)
    assert done.status == 2
    assert "has no [reference]" in done.err
    done = command("reference", "--job", configured(tmp_path, 'manifest = "m"'))
    assert done.status == 2
    assert "--stack" in done.err


def test_of_a_job_that_goes_on_it_is_of_the_labels_so_far(
    command: Command, jobs: JobsInMemory, bucket: Bucket, tmp_path: Path
) -> None:
    job = configured(tmp_path, f'job = "{NAME}"\ncategory = "Good Weld"')
    put_job(jobs, bucket, [(item, "Good Weld") for item in put_items(bucket, RECORDINGS[:3])], status="InProgress")
    done = command("reference", "--job", job, "--bucket", bucket.name)
    assert done.status == 0
    assert f"{NAME} is InProgress: the reference is of its labels so far." in done.err


def test_check_and_start_say_that_it_is_not_there_yet(
    command: Command, jobs: JobsInMemory, stack: dict[str, str], welds: Bucket, tmp_path: Path
) -> None:
    job = configured(tmp_path, 'manifest = "manifests/good.manifest"')
    put_manifest(welds, put_items(welds, RECORDINGS[:3]))
    for arguments in (("check", stack["ManifestS3Path"]), ("start", "--no-rehearsal")):
        done = command(*arguments, "--job", job, "--stack", STACK)
        assert done.status == 0
        assert "“labeling-job reference” builds it." in " ".join(done.err.split())
    assert command("reference", "--job", job, "--stack", STACK).status == 0
    done = command("check", stack["ManifestS3Path"], "--job", job, "--stack", STACK)
    assert "reference" not in done.err


def test_the_commented_example_in_the_sample_s_job_is_right(tmp_path: Path) -> None:
    text = (ROOT / "labeling_job/job.toml").read_text()
    begin = text.index("# [reference]")
    lines = text[begin:].split("\n\n")[0].splitlines()
    path = tmp_path / "job.toml"
    path.write_text(text[:begin] + "\n".join(line.removeprefix("# ") for line in lines))
    job = load(path)
    assert job.reference is not None
    assert msgspec.structs.asdict(job.reference)["category"] == "Good Weld"
