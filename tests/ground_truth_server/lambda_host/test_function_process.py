"""The process of a function ends with the one that started it, however that one ends."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAIN = ROOT / "ground_truth_server" / "lambda_host" / "function_process.py"


@pytest.mark.parametrize("last_words", [b"", b'{"half a mess'], ids=["before it read", "while it wrote"])
def test_a_process_whose_starter_was_killed_ends(tmp_path: Path, last_words: bytes) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): return event\n")
    ours, theirs = socket.socketpair()
    settings = json.dumps({"channel": theirs.fileno(), "path": [str(tmp_path)]})
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", MAIN, settings],
            env={**os.environ, "_HANDLER": "app.handler"},
            pass_fds=(theirs.fileno(),),
            stderr=subprocess.PIPE,
        )
    ours.recv(1, socket.MSG_PEEK)  # it is ready, and says so to nobody: what isn't read is lost with the socket
    ours.sendall(last_words)
    ours.close()
    try:
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.communicate()
