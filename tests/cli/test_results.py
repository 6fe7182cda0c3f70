"""Results: the labels in every format, also of a job that goes on."""

import csv
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from labeling.answers.in_words import in_words
from PIL import Image

from cli.labels import label_of
from tests.cli.conftest import Command
from tests.conftest import ROOT, Bucket
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, job_request

NAME = "Welds-1"
ATTRIBUTE = "WeldLabel"


def labeled(number: int, category: str, votes: dict[str, int], confidence: float) -> dict[str, Any]:
    return {
        "source": f"s3://b/dataset/{number}.json",
        ATTRIBUTE: {"WeldingClassification": category, "confidence": confidence, "votes": votes},
        f"{ATTRIBUTE}-metadata": {"creation-date": "2020-09-15T16:16:12.527256", "human-annotated": "yes"},
    }


LINES = [
    labeled(1, "Good Weld", {"Good Weld": 3}, 1.0),
    labeled(2, "Burn Through", {"Burn Through": 2, "Not sure": 1}, 0.67),
    {"source": "s3://b/dataset/3.json", f"{ATTRIBUTE}-metadata": {"failure-reason": "No worker answered."}},
    {"source-ref": "s3://b/dataset/[4].json", ATTRIBUTE: "Gut: =1+1", f"{ATTRIBUTE}-metadata": {"confidence": 0.5}},
]


def region(begin: float, end: float) -> dict[str, Any]:
    return {"category": "Defect", "begin": begin, "end": end, "workers": 2, "confidence": 0.8}


@pytest.fixture
def welds_1(jobs: JobsInMemory, bucket: Bucket) -> Bucket:
    jobs.create(job_request(NAME))
    jobs.jobs[NAME.lower()].update(
        LabelingJobStatus="Completed", OutputConfig={"S3OutputPath": f"s3://{bucket.name}/output/"}
    )
    put(bucket, "output", LINES)
    return bucket


def put(bucket: Bucket, folder: str, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    bucket.put(f"output/{NAME}/manifests/{folder}/output.manifest", text)


def test_the_labels_as_a_table(command: Command, welds_1: Bucket) -> None:
    done = command("results", NAME)
    assert done.status == 0
    assert "2 Burn Through, 1 Not sure" in done.out
    assert "no label: No worker answered." in done.out
    assert "s3://b/dataset/[4].json" in done.out
    # Alpha by hand: of 6 answers 2 of 30 ordered pairs differ within an object, and 22 of 36 by chance: 1 − 5 · 2 / 22.
    summary = (
        "4 data objects, 3 labels, 1 without a label, 1 disputed, mean confidence 0.72, Krippendorff's alpha 0.55."
    )
    assert summary in done.err
    short = command("results", NAME, "--rows", 1)
    assert "dataset/2.json" not in short.out
    assert "3 rows more" in short.err
    assert "4 data objects, 3 labels" in short.err


def test_agreement_is_told_in_all_and_by_category(command: Command, welds_1: Bucket) -> None:
    done = command("results", NAME, "--agreement")
    assert done.status == 0
    # Fleiss' kappa by hand: objects agree in (1 + 1/3) / 2, chance in (9 + 4 + 1) / 36.
    assert "Agreement on 2 objects with 6 answers: Krippendorff's alpha 0.545, Fleiss' kappa 0.455." in done.err
    rows = {line.split("│")[1].strip(): line for line in done.out.splitlines() if line.count("│") == 4}
    assert "100%" in rows["Good Weld"]
    assert "50%" in rows["Burn Through"]
    assert "Not sure (100%)" in rows["Burn Through"]
    assert "0%" in rows["Not sure"]
    assert "Burn Through (100%)" in rows["Not sure"]


def test_agreement_of_single_answers_is_said_to_be_none(command: Command, welds_1: Bucket) -> None:
    put(welds_1, "output", [labeled(1, "Good Weld", {"Good Weld": 1}, 1.0)])
    done = command("results", NAME, "--agreement")
    assert "nothing can be said of agreement" in done.err


def test_only_disagreements(command: Command, welds_1: Bucket) -> None:
    done = command("results", NAME, "--disagreements", "--format", "jsonl")
    assert [json.loads(line)["line"] for line in done.out.splitlines()] == [2]


def test_the_labels_as_csv(command: Command, welds_1: Bucket) -> None:
    rows = list(csv.DictReader(io.StringIO(command("results", NAME, "--format", "csv").out)))
    assert [row["label"] for row in rows] == ["Good Weld", "Burn Through", "", "Gut: =1+1"]
    assert json.loads(rows[1]["votes"]) == {"Burn Through": 2, "Not sure": 1}
    assert rows[2]["problem"] == "No worker answered."


def test_the_labels_as_json_lines(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    done = command("results", NAME, "--output", path)
    assert (done.status, done.out) == (0, "")
    assert json.loads(path.read_text().splitlines()[0]) == {
        "line": 1,
        "item": "s3://b/dataset/1.json",
        "label": "Good Weld",
        "confidence": 1.0,
        "votes": {"Good Weld": 3},
        "answers": {},
        "labeled": "2020-09-15T16:16:12.527256",
        "problem": None,
    }


def test_the_labels_as_parquet(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "labels.parquet"
    assert command("results", NAME, "--output", path).status == 0
    rows = parquet.read_table(path).to_pylist()
    assert [row["label"] for row in rows] == ["Good Weld", "Burn Through", None, "Gut: =1+1"]
    assert rows[1]["votes"] == [("Burn Through", 2), ("Not sure", 1)]
    assert rows[1]["confidence"] == 0.67


def test_parquet_without_pyarrow_says_what_to_install(
    command: Command, welds_1: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = command("results", NAME, "--output", tmp_path / "labels.parquet")
    assert done.status == 2
    assert "uv sync --extra parquet" in done.err


def test_formats_that_make_no_sense_are_refused(command: Command, welds_1: Bucket) -> None:
    assert "not for terminals" in command("results", NAME, "--format", "parquet").err
    assert "In which format is labels.xyz?" in command("results", NAME, "--output", "labels.xyz").err
    nowhere = command("results", NAME, "--output", "none/there/labels.csv")
    assert nowhere.status == 2
    assert "none/there/labels.csv: No such file or directory" in nowhere.err


def test_the_distribution_is_drawn(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    done = command("results", NAME, "--plot", tmp_path / "labels.png")
    assert done.status == 0
    with Image.open(tmp_path / "labels.png") as picture:
        assert picture.width == 2000


@pytest.mark.parametrize("state", ["InProgress", "Failed", "Stopped"])
def test_a_job_that_is_not_complete_has_the_labels_so_far(
    command: Command, jobs: JobsInMemory, welds_1: Bucket, state: str
) -> None:
    jobs.jobs[NAME.lower()]["LabelingJobStatus"] = state
    welds_1.s3.delete_object(Bucket=welds_1.name, Key=f"output/{NAME}/manifests/output/output.manifest")
    none = command("results", NAME)
    assert none.status == 2
    assert f"has no labels yet; expected some below s3://{welds_1.name}/output/{NAME}/manifests/" in none.err
    put(welds_1, "intermediate/2", LINES[:1])
    put(welds_1, "intermediate/10", LINES[:2])
    done = command("results", NAME, "--format", "jsonl")
    assert len(done.out.splitlines()) == 2
    assert f"Welds-1 is {state}: these are the labels so far." in done.err


def test_a_manifest_that_is_none_is_named(command: Command, welds_1: Bucket) -> None:
    welds_1.put(f"output/{NAME}/manifests/output/output.manifest", '{"source": "a"}\nnot JSON\n')
    done = command("results", NAME)
    assert done.status == 2
    assert "The output manifest, line 2, is not JSON" in done.err


def parts(count: int, each: int) -> list[dict[str, Any]]:
    """Labeled objects of so many parts, a few of each."""
    return [
        {**labeled(number * each + one, "Good Weld", {"Good Weld": 3}, 1.0), "part": f"P{number}"}
        for number in range(count)
        for one in range(each)
    ]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_split_keeps_relatives_on_one_side(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    put(welds_1, "output", [*parts(200, 3), LINES[2]])
    options = ("--split", 0.8, "--related-by", "part", "--format", "manifest", "--output", tmp_path / "sets")
    done = command("results", NAME, *options)
    assert done.status == 0
    train, validation = (lines_of(tmp_path / "sets" / f"{name}.manifest") for name in ("train", "validation"))
    assert sorted([*train, *validation], key=str) == sorted(parts(200, 3), key=str)  # lines as they came, each once
    assert {line["part"] for line in train}.isdisjoint({line["part"] for line in validation})
    assert 0.72 < len(train) / 600 < 0.88  # four fifths, of 200 throws
    assert f"train.manifest: {len(train)} objects in {len(train) // 3} groups by part" in done.err
    assert "1 object without a label: in neither." in done.err


def test_later_labels_change_no_side(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    sides = []
    for number, objects in enumerate((parts(40, 2), parts(90, 2))):
        put(welds_1, "output", objects)
        folder = tmp_path / str(number)
        command("results", NAME, "--split", 0.7, "--related-by", "part", "--format", "manifest", "--output", folder)
        sides.append({line["part"] for line in lines_of(folder / "train.manifest")})
    first = {f"P{number}" for number in range(40)}
    assert sides[1] & first == sides[0]


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", None])
def test_a_split_in_every_format(command: Command, welds_1: Bucket, tmp_path: Path, format_: str | None) -> None:
    put(welds_1, "output", parts(30, 1))
    named = ("--format", format_) if format_ else ()
    assert command("results", NAME, "--split", 0.5, *named, "--output", tmp_path).status == 0
    rows = 0
    for name in ("train", "validation"):
        path = tmp_path / f"{name}.{format_ or 'jsonl'}"
        frame = _read(path)
        assert set(frame["label"]) == {"Good Weld"}
        rows += len(frame)
    assert rows == 30


def _read(path: Path) -> pd.DataFrame:
    """By pandas, as training code does."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_json(path, lines=True)


def test_relatives_are_told_by_the_job_configuration(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    job = tmp_path / "job.toml"
    sample = (ROOT / "labeling_job" / "job.toml").read_text(encoding="utf-8")
    job.write_text(f'related_by = "part"\n{sample}', encoding="utf-8")
    objects = [*parts(20, 2), labeled(99, "Good Weld", {"Good Weld": 1}, 1.0)]
    put(welds_1, "output", objects)
    done = command("results", NAME, "--split", 0.5, "--job", job, "--output", tmp_path / "sets")
    assert " groups by part" in done.err
    assert "1 object without part: each by itself." in done.err


def test_a_split_that_makes_no_sense_is_refused(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    assert "Name a folder with --output" in command("results", NAME, "--split", 0.8).err
    table = command("results", NAME, "--split", 0.8, "--format", "table", "--output", tmp_path)
    assert "choose --format manifest, csv, jsonl or parquet" in table.err
    with pytest.raises(SystemExit):  # argparse says so itself
        command("results", NAME, "--split", 2)
    assert "give --split, too" in command("results", NAME, "--format", "manifest").err


def marked_welds(bucket: Bucket) -> None:
    """Two of the sample's welds in a finished job, one of them with a region."""
    lines = [labeled(number, "Burn Through", {"Burn Through": 3}, 1.0) for number in (1, 2)]
    for number, line in enumerate(lines, 1):
        line["source"] = f"s3://{bucket.name}/dataset/dataset-{number}.json"
        line[ATTRIBUTE]["DefectStretch"] = {"regions": [], "confidence": 1.0, "answers": 3}
    lines[1][ATTRIBUTE]["DefectStretch"]["regions"] = [region(1, 1.5)]
    put(bucket, "output", lines)


def of_this_job(tmp_path: Path) -> Path:
    """The sample's configuration with the finished job's label attribute."""
    path = tmp_path / "job.toml"
    sample = (ROOT / "labeling_job" / "job.toml").read_text(encoding="utf-8")
    path.write_text(sample.replace('attribute = "WeldingLabel"', f'attribute = "{ATTRIBUTE}"'))
    return path


def test_further_answers_stand_in_every_format(command: Command, welds_1: Bucket, tmp_path: Path) -> None:
    marked_welds(welds_1)
    table = command("results", NAME, "--disagreements").out + command("results", NAME).out
    assert "Defect" in table
    answers = {"DefectStretch": {"regions": [region(1, 1.5)], "confidence": 1.0, "answers": 3}}
    rows = [json.loads(line) for line in command("results", NAME, "--format", "jsonl").out.splitlines()]
    assert [row["label"] for row in rows] == ["Burn Through"] * 2
    assert rows[1]["answers"] == answers
    read = list(csv.DictReader(io.StringIO(command("results", NAME, "--format", "csv").out)))
    assert json.loads(read[1]["answers"]) == answers
    command("results", NAME, "--output", tmp_path / "labels.parquet")
    assert json.loads(pd.read_parquet(tmp_path / "labels.parquet")["answers"][1]) == answers


def test_a_label_without_a_category_says_that_there_are_answers() -> None:
    marks = {"regions": [region(1, 1.5)], "confidence": 1.0, "answers": 3}
    found = label_of(1, {"source": "s3://b/1.json", ATTRIBUTE: {"Marks": marks}}, ATTRIBUTE)
    assert (found.label, found.answers) == ("answered", {"Marks": marks})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"regions": [region(1, 1.5), region(2, 3.12345)]}, "Defect 1 to 1.5 s; Defect 2 to 3.123 s"),
        ({"regions": [region(1, 1.5) | {"channel": "current"}]}, "Defect (current) 1 to 1.5 s"),
        ({"regions": []}, "nothing"),
        ({"instants": [{"category": "Short", "time": 2.5}]}, "Short at 2.5 s"),
        ({"categories": ["Soot", "Pores"], "votes": {}}, "Soot; Pores"),
        ({"category": "Left", "votes": {"Left": 1}}, "Left"),
        ({"value": 2.5, "spread": 0.5}, "2.5 ± 0.5"),
        ({"value": None, "spread": None}, "nothing"),
        ({"texts": ["a hole"]}, "a hole"),
        ({"texts": ["\x1b[2Ja\nb"]}, " [2Ja b"),
        ({"value": 1234567.0, "spread": 0.0}, "1234567 ± 0"),
        ({"value": 3}, '{"value": 3}'),
        ({"regions": ["a"]}, '{"regions": ["a"]}'),
        ({"categories": 5}, '{"categories": 5}'),
        ({"of another function": 1}, '{"of another function": 1}'),
    ],
)
def test_what_came_of_a_question_is_said_in_words(answer: dict[str, Any], said: str) -> None:
    assert in_words(answer) == said


def test_marks_are_drawn_over_the_plots(command: Command, welds_1: Bucket, welds: Bucket, tmp_path: Path) -> None:
    marked_welds(welds_1)
    done = command("results", NAME, "--job", of_this_job(tmp_path), "--draw", tmp_path / "marked")
    assert done.status == 0, done.err
    assert "1 item with marks drawn" in done.err
    (path,) = (tmp_path / "marked").iterdir()
    assert path.name == "2-dataset-2.png"
    picture = np.asarray(Image.open(path).convert("RGB"), np.int64)
    (record,) = [json.loads(welds.get(key)) for key in welds.keys("plots/") if key.endswith(".record")]
    plots = [(plot["area"], Image.open(io.BytesIO(welds.get(plot["key"]))).convert("RGB")) for plot in record["plots"]]
    assert len(plots) == 3
    top = picture.shape[0] - sum(drawn.height for _, drawn in plots)
    for area, drawn in plots:
        before = np.asarray(drawn, np.int64)
        after = picture[top : top + drawn.height]
        top += drawn.height
        seconds = (area["right"] - area["left"]) * drawn.width / (area["end"] - area["begin"])
        begin, end = (area["left"] * drawn.width + (time - area["begin"]) * seconds for time in (1, 1.5))
        changed = np.flatnonzero((after != before).any(axis=(0, 2)))
        assert changed[0] == pytest.approx(begin, abs=4)
        white = (before == 255).all(axis=2)
        white[:, : round(begin) + 10] = white[:, round(end) - 10 :] = False
        white[: round(area["top"] * drawn.height) + 3] = white[round(area["bottom"] * drawn.height) - 60 :] = False
        # A fifth of the first category's purple, (170, 51, 119), over white.
        assert np.abs(after[white] - np.array([238, 214, 228])).max() <= 1


def test_what_cannot_be_drawn_is_said_and_the_others_are(
    command: Command, welds_1: Bucket, welds: Bucket, tmp_path: Path
) -> None:
    marked_welds(welds_1)
    refused = command("results", NAME, "--draw", tmp_path / "marked")
    assert refused.status == 2
    assert "Whose plots? No job configuration at hand has the label attribute WeldLabel" in refused.err
    welds.s3.delete_object(Bucket=welds.name, Key="sensor_data/weld.2.csv")
    done = command("results", NAME, "--job", of_this_job(tmp_path), "--draw", tmp_path / "marked")
    assert done.status == 0
    assert "is not drawn" in done.err
    assert "0 items with marks drawn" in done.err
