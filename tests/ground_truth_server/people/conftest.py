import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ground_truth_server.records.postgres import PostgresDatabase
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from tests.conftest import ROOT

PROVIDER = ROOT / "tests" / "ground_truth_server" / "oidc_provider"
BIN = Path(sys.executable).parent
SECRET = "a-secret-of-tests-that-is-long-enough"


@pytest.fixture(params=["sqlite", "postgres"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    if request.param == "sqlite":
        records = Records(SqliteDatabase(tmp_path / "records.sqlite"))
    else:
        records = Records(PostgresDatabase(request.getfixturevalue("postgres_url")))
    yield records
    records.database.close()


@pytest.fixture(scope="session")
def provider_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider with what it needs from npm."""
    folder = tmp_path_factory.mktemp("provider")
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(PROVIDER / name, folder / name)
    command = [str(BIN / "npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return folder


@contextmanager
def oidc_provider(folder: Path, port: int, client: str) -> Iterator[str]:
    """Run the provider for a client's origin; gives its issuer."""
    command = [str(BIN / "node"), "provider.mjs", str(port), client]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
