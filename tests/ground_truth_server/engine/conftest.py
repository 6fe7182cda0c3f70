from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ground_truth_server.records.postgres import PostgresDatabase
from tests.ground_truth_server.engine.labeling import Bench

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What these tell of the engine holds on any database; the others look into SQLite's file.
ON_BOTH = ("test_engine", "test_tasks", "test_labeling_all_day")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bench" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        metafunc.parametrize("bench", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, s3: "S3Client") -> Bench:
    if getattr(request, "param", "sqlite") == "sqlite":
        return Bench(tmp_path / "workspace", s3)
    url = request.getfixturevalue("postgres_url")
    return Bench(tmp_path / "workspace", s3, lambda: PostgresDatabase(url))
