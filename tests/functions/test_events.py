"""Every sample event of events/, on the handlers, with the sample welds in S3."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from labeling.data_folder import DataFolder
from labeling.errors import EventError, MissingObjectError
from labeling.job import load_configured

from tests.conftest import ROOT, Bucket
from tests.functions.conftest import Handler

EVENTS = ROOT / "events"
NOT_MARKED = {"DefectStretch": {"regions": [], "confidence": 0.0, "answers": 0}}
BUCKET = "mixed-source-labeling-sample"

Answer = Any


@pytest.fixture(scope="module", autouse=True)
def sample(s3: Any) -> None:
    """The bucket that the events name, with the sample welds and the objects of the broken cases."""
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # moto's buckets are of the process, as other tests' are
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key, body, content_type in DataFolder(ROOT / "labeling_job" / "sample", load_configured({})).objects(BUCKET):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body, ContentType=content_type)
    for path in filter(Path.is_file, (EVENTS / "objects").rglob("*")):
        s3.put_object(Bucket=BUCKET, Key=path.relative_to(EVENTS / "objects").as_posix(), Body=path.read_bytes())


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def contents(answer: Answer) -> list[dict[str, Any]]:
    return [entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"] for entry in answer]


def test_a_weld_becomes_the_article_s_task_input(pre_labeling: Handler, s3: Any) -> None:
    answer = pre_labeling(event("pre-labeling"))
    assert answer["isHumanAnnotationRequired"] == "true"
    listed = answer["taskInput"].pop("panels")
    assert answer["taskInput"].keys() == {"image", "current", "voltage", "electrode"}
    files = {key: (panel["file"], panel["title"]) for key, panel in answer["taskInput"].items()}
    image = f"s3://{BUCKET}/images/weld.1.png"
    item = answer["taskInput"]["current"]["file"].removesuffix("-current.png")[-16:]  # the item's fingerprint
    assert re.fullmatch("[0-9a-f]{16}", item)
    plots = f"plots/weld.1.csv-{item}"
    assert files == {
        "image": (image, f" from image at {image}"),
        "current": (f"s3://{BUCKET}/{plots}-current.png", f" from file at {plots}-current.png"),
        "electrode": (f"s3://{BUCKET}/{plots}-electrode_pos.png", f" from file at {plots}-electrode_pos.png"),
        "voltage": (f"s3://{BUCKET}/{plots}-voltage.png", f" from file at {plots}-voltage.png"),
    }
    assert [(panel["kind"], panel["key"], panel["name"], panel["unit"]) for panel in listed] == [
        ("image", "image", "Photograph of the weld", ""),
        ("plot", "current", "Welding current", "A"),
        ("plot", "voltage", "Welding voltage", "V"),
        ("plot", "electrode", "Electrode position", "mm"),
    ]
    for panel in listed:  # the same under both
        assert panel.items() >= answer["taskInput"][panel["key"]].items()
    for panel in answer["taskInput"].values():
        assert panel["alt"]
        assert panel["notes"] == []
        key = panel["file"].removeprefix(f"s3://{BUCKET}/")
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().startswith(b"\x89PNG")


def test_source_ref_works_as_well(pre_labeling: Handler) -> None:
    answer = pre_labeling(event("pre-labeling-source-ref"))
    assert answer["taskInput"]["current"]["file"].startswith(f"s3://{BUCKET}/plots/weld.2.csv-")


def test_a_labeled_weld_is_kept_from_the_workers(pre_labeling: Handler) -> None:
    assert pre_labeling(event("pre-labeling-already-labeled")) == {
        "taskInput": {},
        "isHumanAnnotationRequired": "false",
    }


def test_gaps_and_bad_rows_are_noted_for_the_reader(pre_labeling: Handler) -> None:
    panels = pre_labeling(event("pre-labeling-gaps-and-bad-rows"))["taskInput"]
    notes = " ".join(panels["current"]["notes"])
    assert "2 of 350 rows left out: line 59 and 1 more (“ERR”" in notes
    assert "2 gaps in time" in notes
    assert "2 of 348 values missing" in notes


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing-recording", f"s3://{BUCKET}/sensor_data/nothing-here.csv is not there"),
        ("broken-recording", f"s3://{BUCKET}/sensor_data/broken.csv"),
        ("other-bucket", "s3://somebody-elses-bucket/sensor_data/weld.1.csv"),
        ("not-json", f"s3://{BUCKET}/dataset/not-json.json is not JSON"),
    ],
)
def test_a_broken_weld_is_named_and_kept_from_the_workers(pre_labeling: Handler, name: str, message: str) -> None:
    answer = pre_labeling(event(f"pre-labeling-{name}"))
    assert answer["isHumanAnnotationRequired"] == "false"
    assert message in answer["taskInput"]["error"]


def test_an_event_without_a_source_fails(pre_labeling: Handler) -> None:
    with pytest.raises(EventError, match="a manifest line holds 'url'; expected 'source-ref' or 'source'"):
        pre_labeling(event("pre-labeling-no-source"))


def test_votes_become_labels(post_labeling: Handler) -> None:
    assert contents(post_labeling(event("post-labeling"))) == [
        {"WeldingClassification": "Good Weld", "confidence": 1.0, "votes": {"Good Weld": 3}} | NOT_MARKED,
        {
            "WeldingClassification": "Burn Through",
            "confidence": 0.6667,
            "votes": {"Burn Through": 2, "Contamination": 1},
        }
        | NOT_MARKED,
    ]


def test_marks_become_regions(post_labeling: Handler) -> None:
    (label,) = contents(post_labeling(event("post-labeling-marks")))
    assert label["WeldingClassification"] == "Burn Through"
    (region,) = label["DefectStretch"]["regions"]  # one worker alone saw another
    assert (region["begin"], region["end"], region["workers"]) == (7.3, 8.4, 3)
    # By hand: all of it, and twice 1.0 s of 1.2 s.
    assert region["confidence"] == pytest.approx((1 + 2 / 1.2) / 3, abs=1e-4)
    assert label["DefectStretch"]["answers"] == 3


def test_a_single_worker_and_a_tie(post_labeling: Handler) -> None:
    assert contents(post_labeling(event("post-labeling-single-worker")))[0]["WeldingClassification"] == "Not sure"
    tie = contents(post_labeling(event("post-labeling-tie")))[0]
    assert (tie["WeldingClassification"], tie["confidence"]) == ("Not sure", 0.0)


def test_broken_answers_are_dropped(post_labeling: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    labels = contents(post_labeling(event("post-labeling-broken-answers")))
    assert [label["WeldingClassification"] for label in labels] == ["Not sure", "Burn Through", "Contamination"]
    assert [label["confidence"] for label in labels] == [0.0, 1.0, 1.0]
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert metrics[-1]["DroppedAnswers"] == [4.0]


def test_a_missing_payload_fails(post_labeling: Handler) -> None:
    with pytest.raises(MissingObjectError, match=r"missing-payload\.json is not there"):
        post_labeling(event("post-labeling-missing-payload"))


def test_each_event_is_tested() -> None:
    text = Path(__file__).read_text()
    for path in EVENTS.glob("*.json"):
        assert path.stem.removeprefix("pre-labeling-") in text or f'"{path.stem}"' in text


def test_labels_for_training_lie_in_the_bucket(post_labeling: Handler, s3: Any) -> None:
    post_labeling(event("post-labeling"))
    bucket = Bucket.__new__(Bucket)
    bucket.s3, bucket.name = s3, BUCKET
    lines = [
        json.loads(line) for key in bucket.keys("labels/weldinglabeljob1/") for line in bucket.get(key).splitlines()
    ]
    assert {"label": "Burn Through", "confidence": 0.6667}.items() <= next(
        line for line in lines if line["dataset_file"].endswith("dataset-2.json") and line["confidence"] < 1
    ).items()
