"""What the local AWS account has beside labeling jobs: work teams and tags, kept in SQLite."""

import sqlite3
import threading
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ground_truth_server.sagemaker.aws_error import AwsError, invalid

EVERYONE = "everyone"
MOST_WORKTEAMS = 25
MOST_TAGS = 50

_SCHEMA = """
CREATE TABLE IF NOT EXISTS workteams (
    name TEXT PRIMARY KEY, details BLOB NOT NULL, created REAL NOT NULL, updated REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tags (
    resource TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (resource, key)
) STRICT;
"""
_COLUMNS = ("WorkteamName", "CreateDate", "LastUpdatedDate")
_EVERYONE_DETAILS = {
    "Description": "Everyone who signs in to the worker portal on this machine",
    "MemberDefinitions": [
        {"CognitoMemberDefinition": {"UserPool": "local_pool", "UserGroup": EVERYONE, "ClientId": "local"}}
    ],
}


class WorkteamTable:
    """The account's work teams and tags. Safe to use from several threads.

    One machine holds one account, and its resources are there in every region: the region is how a client
    spells ARNs. The work team `EVERYONE` is always there, so that a first labeling job needs no set-up.
    """

    def __init__(self, path: Path) -> None:
        """Open the account, or found it.

        Args:
            path: The database file.
        """
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        if self._find_workteam(EVERYONE) is None:
            self.add_workteam(EVERYONE, _EVERYONE_DETAILS, {})

    def close(self) -> None:
        """Close the database. The account can't be used any more."""
        with self._lock:
            self._database.close()

    def add_workteam(self, name: str, details: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Keep a new work team.

        Args:
            name: Its name, not taken yet.
            details: Description, members and the rest, as ``CreateWorkteam`` has them.
            tags: Its tags, the values by key.

        Raises:
            AwsError: ``ResourceInUse`` if the name is taken; ``ResourceLimitExceeded`` at `MOST_WORKTEAMS`.
        """
        now = datetime.now(UTC).timestamp()
        row = (name, msgspec.json.encode(details), now, now)
        with self._lock, self._database:
            (count,) = self._database.execute("SELECT count(*) FROM workteams").fetchone()
            if self._find_workteam(name) is not None:
                raise AwsError("ResourceInUse", f"A work team named '{name}' exists already.")
            if count >= MOST_WORKTEAMS:
                message = f"The account has {count} work teams, the most allowed. Delete one that isn't needed."
                raise AwsError("ResourceLimitExceeded", message)
            self._database.execute("INSERT INTO workteams VALUES (?, ?, ?, ?)", row)
            self._write_tags(workteam_resource(name), tags)

    def update_workteam(self, name: str, details: Mapping[str, Any]) -> None:
        """Change what is given, keep the rest.

        Args:
            name: The work team's name.
            details: The members of its description that get new values.

        Raises:
            AwsError: ``ValidationException`` if there is no such work team.
        """
        with self._lock, self._database:
            known = self._workteam(name)
            merged = {**{key: known[key] for key in known if key not in _COLUMNS}, **details}
            self._database.execute(
                "UPDATE workteams SET details = ?, updated = ? WHERE name = ?",
                (msgspec.json.encode(merged), datetime.now(UTC).timestamp(), name),
            )

    def workteam(self, name: str) -> dict[str, Any]:
        """A work team as ``DescribeWorkteam`` has it, without its ARNs.

        Args:
            name: The work team's name.

        Returns:
            ``WorkteamName``, ``CreateDate``, ``LastUpdatedDate`` and what it was created with.

        Raises:
            AwsError: ``ValidationException`` if there is no such work team.
        """
        with self._lock:
            return self._workteam(name)

    def workteams(self) -> list[dict[str, Any]]:
        """All work teams, each as `workteam` has it, in no particular order."""
        with self._lock:
            return [_workteam(*row) for row in self._database.execute("SELECT * FROM workteams")]

    def remove_workteam(self, name: str) -> None:
        """Forget a work team and its tags.

        Args:
            name: The work team's name.

        Raises:
            AwsError: ``ValidationException`` if there is no such work team, or if it is the default one.
        """
        if name == EVERYONE:
            raise invalid(f"The work team '{EVERYONE}' is the default one and can't be deleted.")
        with self._lock, self._database:
            self._workteam(name)
            self._database.execute("DELETE FROM workteams WHERE name = ?", (name,))
            self._database.execute("DELETE FROM tags WHERE resource = ?", (workteam_resource(name),))

    def tags(self, resource: str) -> dict[str, str]:
        """The tags of a resource, by key, in the keys' order.

        Args:
            resource: What stands at the end of its ARN, such as ``labeling-job/welds``.

        Returns:
            The tags; none if nobody gave the resource any.
        """
        with self._lock:
            return self._tags(resource)

    def add_tags(self, resource: str, tags: Mapping[str, str]) -> dict[str, str]:
        """Give a resource tags; a tag whose key it has already gets the new value.

        Args:
            resource: What stands at the end of its ARN.
            tags: The values by key.

        Returns:
            All tags that the resource now has.

        Raises:
            AwsError: ``ResourceLimitExceeded`` if it would have more than `MOST_TAGS`; it then gets none.
        """
        with self._lock, self._database:
            together = {**self._tags(resource), **tags}
            if len(together) > MOST_TAGS:
                message = f"'{resource}' would have {len(together)} tags; {MOST_TAGS} are allowed."
                raise AwsError("ResourceLimitExceeded", message)
            self._write_tags(resource, tags)
            return self._tags(resource)

    def replace_tags(self, resource: str, tags: Mapping[str, str]) -> None:
        """Give a resource these tags and no others.

        Args:
            resource: What stands at the end of its ARN.
            tags: The values by key, at most `MOST_TAGS`.
        """
        with self._lock, self._database:
            self._database.execute("DELETE FROM tags WHERE resource = ?", (resource,))
            self._write_tags(resource, tags)

    def remove_tags(self, resource: str, keys: Iterable[str]) -> None:
        """Take tags from a resource.

        Args:
            resource: What stands at the end of its ARN.
            keys: The tags' keys; one that it doesn't have is passed over.
        """
        with self._lock, self._database:
            rows = [(resource, key) for key in keys]
            self._database.executemany("DELETE FROM tags WHERE resource = ? AND key = ?", rows)

    def _find_workteam(self, name: str) -> dict[str, Any] | None:
        with closing(self._database.execute("SELECT * FROM workteams WHERE name = ?", (name,))) as rows:
            row = rows.fetchone()
        return None if row is None else _workteam(*row)

    def _workteam(self, name: str) -> dict[str, Any]:
        workteam = self._find_workteam(name)
        if workteam is None:
            raise invalid(
                f"There is no work team named '{name}'. Create it with CreateWorkteam, or use '{EVERYONE}', "
                "which is always there."
            )
        return workteam

    def _tags(self, resource: str) -> dict[str, str]:
        query = "SELECT key, value FROM tags WHERE resource = ? ORDER BY key"
        return dict(self._database.execute(query, (resource,)).fetchall())

    def _write_tags(self, resource: str, tags: Mapping[str, str]) -> None:
        rows = [(resource, key, value) for key, value in tags.items()]
        self._database.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", rows)


def _workteam(name: str, details: bytes, created: float, updated: float) -> dict[str, Any]:
    times = (datetime.fromtimestamp(moment, UTC) for moment in (created, updated))
    return {**msgspec.json.decode(details), **dict(zip(_COLUMNS, (name, *times), strict=True))}


def workteam_resource(name: str) -> str:
    """The end of a work team's ARN.

    Args:
        name: The work team's name.

    Returns:
        ``workteam/private-crowd/NAME``.
    """
    return f"workteam/private-crowd/{name}"
