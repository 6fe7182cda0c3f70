"""Lambda's Invoke API on this machine, by ``sam local start-lambda``."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.lambda_runtime import BUCKET, SampleS3, end_containers, environment, sam_local
from tests.conftest import ROOT


@contextmanager
def start_lambda(s3: SampleS3, log: Path) -> Iterator[str]:
    """Serves Lambda's Invoke API by ``sam local start-lambda``, and gives its address.

    Args:
        s3: What the functions read and write.
        log: A file for what SAM and the functions print.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*sam_local("start-lambda", s3, BUCKET), "--port", str(port), "--warm-containers", "LAZY"]
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(s3), stdout=file, stderr=file)
        try:
            await_port(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            end_containers(s3)  # SAM takes away one a function, and forgets those that it started beside it


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"sam local start-lambda ended:\n{log.read_text(encoding='utf-8')}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"sam local start-lambda doesn't listen after a minute:\n{log.read_text(encoding='utf-8')}")
