"""The demonstration runs whole labeling jobs, from manifest to labels, through the deployed functions."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

REAL_WELDS = ROOT.parent / "shared" / "data" / "real-welds"
SAMPLE = ROOT / "labeling_job" / "sample"


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", "--folder", folder, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def output(folder: Path, job: str) -> list[dict[str, Any]]:
    manifest = folder / "bucket" / "output" / job / "manifests" / "output" / "output.manifest"
    return [json.loads(line) for line in manifest.read_text().splitlines()]


@pytest.fixture(scope="module")
def sample_job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


def test_every_weld_has_a_label_in_the_output_manifest(sample_job: tuple[Path, str]) -> None:
    folder, _ = sample_job
    truth = json.loads((SAMPLE / "truth.json").read_text())
    lines = output(folder, "WeldingLabelJob-1")
    assert [line["source"] for line in lines] == [
        f"s3://bucket/dataset/dataset-{number}.json" for number in range(1, 8)
    ]
    labels = {line["source"].removeprefix("s3://bucket/"): line["WeldingLabel"] for line in lines}
    right = sum(label["WeldingClassification"] == truth[item] for item, label in labels.items())
    assert right >= 6
    assert all(sum(label["votes"].values()) == 3 for label in labels.values())
    assert {line["WeldingLabel-metadata"]["human-annotated"] for line in lines} == {"yes"}


def test_the_table_and_the_paths_are_shown(sample_job: tuple[Path, str]) -> None:
    folder, shown = sample_job
    assert "3 Good Weld" in shown
    for path in (
        str(next((folder / "bucket/plots").glob("weld.1.csv-*-current.png")).relative_to(folder)),
        "bucket/output/WeldingLabelJob-1/manifests/output/output.manifest",
        "functions.log",
    ):
        assert str(folder / path) in shown
        assert (folder / path).is_file()


def test_labels_for_training_agree_with_the_output_manifest(sample_job: tuple[Path, str]) -> None:
    folder, _ = sample_job
    files = (folder / "bucket" / "labels").rglob("*.jsonl")
    training = {line["dataset_file"]: line for path in files for line in map(json.loads, path.read_text().splitlines())}
    for line in output(folder, "WeldingLabelJob-1"):
        kept = training[line["source"]]
        assert kept["label"] == line["WeldingLabel"]["WeldingClassification"]
        assert kept["confidence"] == line["WeldingLabel"]["confidence"]
        assert kept["sources"]["sensor_data"].startswith("s3://bucket/sensor_data/weld.")


def test_a_broken_weld_never_stops_the_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for kind, suffix in (("images", "png"), ("sensor_data", "csv")):
        (data / kind).mkdir(parents=True)
        for number in (1, 2, 3):
            shutil.copy(SAMPLE / kind / f"weld.{number}.{suffix}", data / kind)
    (data / "sensor_data" / "weld.2.csv").write_text("0,[/x],[red]b,c\n" * 2)
    done = run(tmp_path / "out", "--data", data)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "weld.2.csv" in done.stdout
    assert "[red]b" in "".join(done.stdout.split())
    labeled = ["WeldingLabel" in line for line in output(tmp_path / "out", "WeldingLabelJob-1")]
    assert labeled == [True, False, True]


def test_a_job_whose_functions_fail_says_why(tmp_path: Path) -> None:
    text = (ROOT / "labeling_job" / "job.toml").read_text().replace('broken_items = "skip"', 'broken_items = "fail"')
    (tmp_path / "job.toml").write_text(text)
    for name, content in (("images/weld.1.png", b"\x89PNG\r\n\x1a\n"), ("sensor_data/weld.1.csv", b"")):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    done = run(tmp_path / "out", "--data", tmp_path / "data", "--job", tmp_path / "job.toml")
    assert done.returncode == 1
    assert "LambdaErrorCode: Unhandled" in done.stdout
    assert "sensor_data/weld.1.csv" in done.stdout, "what the function itself said"
    assert "weld.1.csv" in (tmp_path / "out" / "functions.log").read_text()


def test_an_item_that_is_labeled_already_is_left_as_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(SAMPLE, data)
    manifest = data / "manifests" / "input.manifest"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()][:2]
    lines[0]["WeldingLabel"] = {"WeldingClassification": "Good Weld"}
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    done = run(tmp_path / "out", "--data", data)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = output(tmp_path / "out", "WeldingLabelJob-1")
    assert first["WeldingLabel"] == {"WeldingClassification": "Good Weld"}
    assert "votes" in second["WeldingLabel"]


def test_a_folder_without_items_is_an_error_in_a_line(tmp_path: Path) -> None:
    done = run(tmp_path / "out", "--data", tmp_path)
    assert done.returncode == 1
    assert "holds no items of this job" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not REAL_WELDS.is_dir(), reason="the real recordings lie beside the repository, not in it")
def test_the_whole_job_on_real_recordings(tmp_path: Path) -> None:
    job = ROOT / "labeling_job" / "examples" / "power-source-log.toml"
    done = run(tmp_path, "--job", job, "--data", REAL_WELDS)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = output(tmp_path, "PowerSourceLog-1")
    assert len(lines) == 2
    assert all(line["PowerSourceLog"]["votes"] for line in lines)
    plots = sorted(re.sub(r"-[0-9a-f]{16}-", "-", path.name) for path in (tmp_path / "bucket" / "plots").glob("*.png"))
    names = ("current", "resistance", "voltage", "wire_feed")
    assert plots == [f"run-{run}.csv-{name}.png" for run in (1, 2) for name in names]
    record = json.loads((tmp_path / "bucket" / "plots" / "dataset" / "dataset-2.json.record").read_text())
    assert any("5 gaps in time" in note for plot in record["plots"] for note in plot["notes"])


def test_later_batches_learn_from_earlier_ones(tmp_path: Path) -> None:
    """Our own Ground Truth writes requests as AWS's does: two waves, the second decided with the first."""
    text = (ROOT / "labeling_job" / "job.toml").read_text()
    text = text.replace('strategy = "majority-vote"', 'strategy = "bayesian"')
    (tmp_path / "job.toml").write_text(re.sub(r"max_concurrent_tasks = \d+", "max_concurrent_tasks = 4", text))
    done = run(tmp_path / "out", "--job", tmp_path / "job.toml", "--data", SAMPLE)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = output(tmp_path / "out", "WeldingLabelJob-1")
    evidence = [line["WeldingLabel"]["evidence"] for line in lines]
    # Three answers to each of seven objects: the last batch has all of them, the first its own.
    assert max(evidence) == 21
    assert min(evidence) <= 12
    (summary,) = (tmp_path / "out" / "bucket" / "evidence").glob("*.json")
    assert 4 <= len(json.loads(summary.read_text())["objects"]) < 7
