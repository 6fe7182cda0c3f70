"""A folder of items on disk becomes the objects of a bucket."""

import json
from pathlib import Path

import pytest
from labeling.data_folder import DataFolder, DataFolderError
from labeling.job import load_configured

JOB = load_configured({})


def fill(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(path.encode())
    return folder


def objects(folder: DataFolder) -> dict[str, bytes]:
    return {key: body for key, body, _ in folder.objects("welds")}


def test_files_of_one_name_make_an_item(tmp_path: Path) -> None:
    names = ("images/w.2.png", "images/w.10.jpg", "sensor_data/w.2.csv", "sensor_data/w.10.csv")
    folder = DataFolder(fill(tmp_path, *names), JOB)
    found = objects(folder)
    assert set(found) == {*names, "dataset/dataset-1.json", "dataset/dataset-2.json", "manifests/input.manifest"}
    assert json.loads(found["dataset/dataset-2.json"]) == {
        "image": {"s3Path": "s3://welds/images/w.10.jpg"},
        "sensor_data": {"s3Path": "s3://welds/sensor_data/w.10.csv"},
    }
    manifest = [json.loads(line) for line in found["manifests/input.manifest"].splitlines()]
    assert manifest == [{"source": f"s3://welds/dataset/dataset-{number}.json"} for number in (1, 2)]
    assert found["images/w.2.png"] == b"images/w.2.png"
    assert folder.remarks == []


def test_a_file_without_its_counterpart_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.png", "images/b.png", "sensor_data/a.csv", "sensor_data/c.csv")
    folder = DataFolder(tmp_path, JOB)
    assert [item["image"].name for item in folder.items] == ["a.png"]
    assert [remark for remark in folder.remarks if "b.png is left out" in remark]
    assert [remark for remark in folder.remarks if "c.csv is left out" in remark]


def test_sub_folders_tell_files_of_one_name_apart_and_twins_are_named(tmp_path: Path) -> None:
    for kind, ending in (("images", "png"), ("sensor_data", "csv")):
        fill(tmp_path, f"{kind}/p.1.{ending}", f"{kind}/line2/p.1.{ending}")
    fill(tmp_path, "sensor_data/p.1.txt")
    folder = DataFolder(tmp_path, JOB)
    assert len(folder.items) == 2
    assert {item["image"].parent.name for item in folder.items} == {"images", "line2"}
    assert {item["sensor_data"].parent.name for item in folder.items} == {"sensor_data", "line2"}
    assert ["p.1.txt is left out" in remark for remark in folder.remarks] == [True]


def test_where_no_names_agree_files_are_paired_in_order_and_that_is_said(tmp_path: Path) -> None:
    fill(tmp_path, "images/plate.jpg", "images/bead.jpg", "sensor_data/run-1.csv", "sensor_data/run-2.csv")
    folder = DataFolder(tmp_path, JOB)
    pairs = [(item["image"].name, item["sensor_data"].name) for item in folder.items]
    assert pairs == [("bead.jpg", "run-1.csv"), ("plate.jpg", "run-2.csv")]
    assert "in order of their names" in folder.remarks[0]


@pytest.mark.parametrize("paths", [(), ("images/a.png",), ("images/a.png", "images/b.png", "sensor_data/c.csv")])
def test_a_folder_without_items_is_an_error_that_says_what_is_there(tmp_path: Path, paths: tuple[str, ...]) -> None:
    images = sum(path.startswith("images") for path in paths)
    with pytest.raises(DataFolderError, match=f"found {images} files in images/, .* expected files of the same name"):
        DataFolder(fill(tmp_path, *paths), JOB)


def test_its_own_manifest_and_dataset_files_are_taken_with_the_bucket_s_name(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.png", "sensor_data/z.csv", "truth.json")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "manifests").mkdir()
    (tmp_path / "dataset/d.json").write_text('{"image": {"s3Path": "s3://BUCKET/images/a.png"}}')
    (tmp_path / "manifests/input.manifest").write_text('{"source": "s3://BUCKET/dataset/d.json"}\n')
    found = objects(DataFolder(tmp_path, JOB))
    assert set(found) == {"images/a.png", "sensor_data/z.csv", "dataset/d.json", "manifests/input.manifest"}
    assert b"s3://welds/images/a.png" in found["dataset/d.json"]
    assert found["manifests/input.manifest"] == b'{"source": "s3://welds/dataset/d.json"}\n'
