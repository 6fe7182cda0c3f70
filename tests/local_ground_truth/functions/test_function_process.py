"""A function's process on its own, at the other end of its channel."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local_ground_truth.functions import function_process


@pytest.mark.parametrize("read_all", [True, False], ids=["closed", "killed before it read the answer"])
def test_it_ends_when_the_process_that_started_it_is_gone(read_all: bool, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return event\n")
    ours, theirs = socket.socketpair()
    settings = json.dumps({"channel": theirs.fileno(), "path": [str(tmp_path)]})
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", function_process.__file__, settings],
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "_HANDLER": "app.handler"},
        )
    ours.settimeout(20)
    said = ours.recv(1 << 16, 0 if read_all else socket.MSG_PEEK)
    assert json.loads(said) == {"ready": True}
    ours.close()
    try:
        assert process.wait(10) == 0
    finally:
        process.kill()
