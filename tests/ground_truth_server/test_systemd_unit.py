"""The systemd unit, judged by systemd's own tools."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

UNIT = ROOT / "systemd" / "ground-truth.service"
pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")


def analyze(*arguments: str) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    command = tmp_path / "ground-truth"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/ground-truth/.venv/bin/ground-truth", str(command)))
    assert analyze("verify", "--man=no", str(unit)) == ""


def test_it_may_do_little_but_its_work() -> None:
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", analyze("security", "--offline=true", str(UNIT)))
    assert found is not None
    assert float(found[1]) <= 2.0
