import subprocess
import sys
from pathlib import Path

import pytest
from labeling.contract import AnnotatedObject
from labeling.decoding import convert, from_json

THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)
from labeling.contract import AnnotatedObject
from labeling.decoding import convert
value = [{"datasetObjectId": "0", "dataObject": {"content": "{}"}}]
barrier = threading.Barrier(8)
def first():
    barrier.wait()
    assert convert(value, list[AnnotatedObject])[0].datasetObjectId == "0"
threads = [threading.Thread(target=first) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
"""


def test_a_type_that_several_threads_are_the_first_to_read_ends_no_process() -> None:
    """msgspec 0.22 crashes in about a third of such processes, so that twenty without one are no luck."""
    layer = Path(__file__).parents[2] / "layers" / "labeling"
    command = [sys.executable, "-c", THREADS]
    for _ in range(20):
        ended = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(layer)}, check=False)
        assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr


@pytest.mark.parametrize(
    "read",
    [
        lambda: convert({"datasetObjectId": "7"}, AnnotatedObject),
        lambda: from_json(b'{"datasetObjectId": "7"}', AnnotatedObject),
    ],
)
def test_what_is_read_has_its_type(read: object) -> None:
    assert read() == AnnotatedObject(datasetObjectId="7")  # type: ignore[operator]
