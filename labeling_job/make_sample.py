"""Make the sample welds: ``python -m labeling_job.make_sample [FOLDER]``.

One weld a category, each a photograph and a recording, with their dataset files and the input manifest.
The same bytes every time: all randomness comes from seeded generators, numbers are written rounded, and
no file holds a time or a name of the machine. ``BUCKET`` stands where the set-up writes the bucket's name.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from labeling_job.sample_pictures import picture
from labeling_job.sample_recordings import defect_stretches, recording
from labeling_job.sample_welds import WELDS, Weld

SAMPLE_FOLDER = Path(__file__).parent / "sample"
BUCKET_TOKEN = "BUCKET"  # noqa: S105 (a place holder, not a secret)


def sample_files() -> Iterator[tuple[str, bytes]]:
    """Every file of the sample as its path below the folder and its content, in a fixed order."""
    for weld in WELDS:
        yield picture_path(weld), picture(weld)
        yield recording_path(weld), recording(weld).encode()
        yield dataset_path(weld), line(dataset(weld))
    yield "manifests/input.manifest", b"".join(line({"source": uri(dataset_path(weld))}) for weld in WELDS)
    truth = {dataset_path(weld): weld.category for weld in WELDS}
    yield "truth.json", json.dumps(truth, indent=2).encode() + b"\n"
    marks = {dataset_path(weld): defect_stretches(weld) for weld in WELDS}
    yield "stretches.json", json.dumps(marks).replace("]], ", "]],\n").encode() + b"\n"


def picture_path(weld: Weld) -> str:
    """Where the weld's photograph lies in the sample and in the bucket."""
    return f"images/weld.{weld.number}.png"


def recording_path(weld: Weld) -> str:
    """Where the weld's recording lies in the sample and in the bucket."""
    return f"sensor_data/weld.{weld.number}.csv"


def dataset_path(weld: Weld) -> str:
    """Where the dataset file that names the weld's sources lies."""
    return f"dataset/dataset-{weld.number}.json"


def dataset(weld: Weld) -> dict[str, dict[str, str]]:
    """The content of the weld's dataset file."""
    return {
        "sensor_data": {"s3Path": uri(recording_path(weld))},
        "image": {"s3Path": uri(picture_path(weld))},
    }


def uri(path: str) -> str:
    """The S3 URI of a file of the sample, before the set-up knows the bucket."""
    return f"s3://{BUCKET_TOKEN}/{path}"


def line(value: object) -> bytes:
    """A value as one line of JSON."""
    return json.dumps(value).encode() + b"\n"


def write_sample(folder: Path) -> None:
    """Write all files of the sample into a folder, over those that are there, and say which."""
    for path, content in sample_files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        sys.stdout.write(f"{target}  {len(content):,} bytes\n")


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE_FOLDER)
