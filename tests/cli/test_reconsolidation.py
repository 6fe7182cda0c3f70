"""Labels are decided again from all answers: into a file, and into the output manifest only if that is asked for."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from labeling.consolidation import decide
from labeling.evidence import digest

from benchmarks import strategies
from tests.cli.conftest import Command
from tests.conftest import Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, job_request

NAME = "Welds-1"
ATTRIBUTE = "WeldingLabel"
TRUTH, ANSWERS = strategies.simulated("mixed", "any", (40, 3, 5), random.Random(2))
KEEP = {"regions": [], "confidence": 0.0, "answers": 3}
Answers = dict[str, dict[str, str]]


def line_of(number: int) -> dict[str, Any]:
    """An object as it was labeled long ago."""
    votes = ANSWERS[str(number)]
    label = {"WeldingClassification": next(iter(votes.values())), "confidence": 0.5, "votes": {}, "strategy": "auto"}
    return {
        "source": f"s3://b/dataset/{number}.json",
        "part": "ä",
        ATTRIBUTE: label | {"DefectStretch": KEEP},
        f"{ATTRIBUTE}-metadata": {"creation-date": "2020-09-15T16:16:12.527256", "human-annotated": "yes"},
    }


LINES = [line_of(number) for number in range(40)]
FAILED = {"source": "s3://b/dataset/41.json", f"{ATTRIBUTE}-metadata": {"failure-reason": "No worker answered."}}


def annotation(worker: str, category: str) -> dict[str, Any]:
    content = json.dumps({"WeldingClassification": {"label": category}})
    return {"workerId": worker, "annotationData": {"content": content}}


def request(answers: Answers) -> list[dict[str, Any]]:
    return [
        {"datasetObjectId": key, "dataObject": {}, "annotations": [annotation(*vote) for vote in of.items()]}
        for key, of in answers.items()
    ]


@pytest.fixture
def welds_1(jobs: JobsInMemory, bucket: Bucket) -> Bucket:
    jobs.create(job_request(NAME) | {"LabelAttributeName": ATTRIBUTE})
    jobs.jobs[NAME.lower()].update(
        LabelingJobStatus="Completed", OutputConfig={"S3OutputPath": f"s3://{bucket.name}/output/"}
    )
    text = "".join(json.dumps(line) + "\n" for line in [*LINES, FAILED])
    bucket.put(f"output/{NAME}/manifests/output/output.manifest", text)
    rows = list(ANSWERS.items())
    # The first batch was sent twice, the first time with other answers.
    wrong = {key: dict.fromkeys(of, "Not sure") for key, of in rows[:20]}
    for iteration, answers in enumerate((wrong, dict(rows[:20]), dict(rows[20:])), 1):
        put(bucket, f"iteration-{iteration}/2020-09-15_16:00:00.json", request(answers))
    return bucket


def put(bucket: Bucket, name: str, content: object) -> None:
    bucket.put(f"output/{NAME}/annotations/consolidated-annotation/consolidation-request/{name}", content)


def expected(strategy: str) -> dict[str, str]:
    """What all answers at once come to."""
    digests = {digest(key): {digest(worker): said for worker, said in of.items()} for key, of in ANSWERS.items()}
    verdicts = decide(digests, strategies.CHOICES, strategy).verdicts
    return {key: verdicts[digest(key)].category for key in ANSWERS}


def test_all_objects_are_decided_again_into_a_manifest(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    before = welds_1.get(f"output/{NAME}/manifests/output/output.manifest")
    keys = welds_1.keys()
    path = tmp_path / "again.manifest"
    done = command("results", NAME, "--reconsolidate", "bayesian", "--output", path)
    assert done.status == 0, done.err
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    labels = [line[ATTRIBUTE] for line in lines[:-1]]
    assert {str(place): label["WeldingClassification"] for place, label in enumerate(labels)} == expected("bayesian")
    assert {label["evidence"] for label in labels} == {120}
    assert all(sum(label["votes"].values()) == 3 and label["DefectStretch"] == KEEP for label in labels)
    assert all("strategy" not in label for label in labels)
    assert [{**line, ATTRIBUTE: 0} for line in lines[:-1]] == [{**line, ATTRIBUTE: 0} for line in LINES]
    assert lines[-1] == FAILED
    changed = sum(
        label["WeldingClassification"] != line[ATTRIBUTE]["WeldingClassification"]
        for label, line in zip(labels, LINES, strict=True)
    )
    assert changed > 3
    assert f"Decided again from 120 answers: 40 labels, {changed} of another category than before." in done.err
    # Nothing in the bucket is another, and nothing is new.
    assert welds_1.get(f"output/{NAME}/manifests/output/output.manifest") == before
    assert welds_1.keys() == keys


def test_the_job_s_own_strategy_and_every_format(command: Command, welds_1: Bucket) -> None:
    done = command("results", NAME, "--reconsolidate", "--format", "jsonl")
    assert done.status == 0, done.err
    rows = [json.loads(line) for line in done.out.splitlines()]
    found = {str(row["line"] - 1): row["label"] for row in rows[:-1]}
    assert found == expected("majority-vote")
    assert all(sum(row["votes"].values()) == 3 for row in rows[:-1])
    manifest = command("results", NAME, "--reconsolidate", "--format", "manifest")
    assert len(manifest.out.splitlines()) == 41


def test_the_output_manifest_is_replaced_if_asked_for_and_the_former_one_kept(
    command: Command, welds_1: Bucket, jobs: JobsInMemory
) -> None:
    folder = f"output/{NAME}/manifests/output/"
    before = welds_1.get(f"{folder}output.manifest")
    assert command("results", NAME, "--replace").status != 0
    done = command("results", NAME, "--reconsolidate", "bayesian", "--replace")
    assert done.status == 0, done.err
    lines = [json.loads(line) for line in welds_1.get(f"{folder}output.manifest").splitlines()]
    found = {str(place): line[ATTRIBUTE]["WeldingClassification"] for place, line in enumerate(lines[:-1])}
    assert found == expected("bayesian")
    (former,) = (key for key in welds_1.keys(folder) if key != f"{folder}output.manifest")
    assert welds_1.get(former) == before
    jobs.jobs[NAME.lower()].update(LabelingJobStatus="InProgress")
    refused = command("results", NAME, "--reconsolidate", "--replace")
    assert refused.status != 0
    assert "--replace is for jobs that have ended" in refused.err


def test_what_is_unknown_or_foreign_is_said(command: Command, welds_1: Bucket) -> None:
    put(welds_1, "iteration-4/2020-09-15_16:00:00.json", request({"77": {"w": "Good Weld"}, "40": {"w": "Good Weld"}}))
    put(welds_1, "iteration-5/2020-09-15_16:00:00.json", "no JSON")
    done = command("results", NAME, "--reconsolidate", "bayesian")
    assert done.status == 0, done.err
    assert "2 objects with answers but without a labeled line." in done.err
    assert "1 request left out, such as: s3://" in done.err


def test_without_answers_there_is_nothing_to_decide_from(command: Command, welds_1: Bucket) -> None:
    for key in welds_1.keys(f"output/{NAME}/annotations/"):
        welds_1.s3.delete_object(Bucket=welds_1.name, Key=key)
    done = command("results", NAME, "--reconsolidate")
    assert done.status != 0
    assert "There is nothing to decide from: no answers to WeldingClassification below s3://" in done.err
