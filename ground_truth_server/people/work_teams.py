"""Work teams: whose groups may label a job; and the tags of jobs and teams."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ground_truth_server.aws_error import AwsError, invalid
from ground_truth_server.json_text import write_json
from ground_truth_server.records.account_file import read_account_file
from ground_truth_server.records.named import NamedRecord
from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import from_text, now, to_text

EVERYONE = "everyone"
MOST_WORKTEAMS = 25
MOST_TAGS = 50

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

    def __init__(self, records: Records) -> None:
        """Open the account, or found it.

        Args:
            records: Where it is kept.
        """
        self._records = records
        self._teams = records.workteams
        self._tags = records.tags
        with records.transaction():
            self._teams.hold()
            if self._teams.find(EVERYONE) is None:
                self._add(EVERYONE, _EVERYONE_DETAILS)

    def take_over(self, file: Path) -> None:
        """Take over, once, what versions before kept in a file of its own.

        Args:
            file: The file; nothing is done if it is not there.

        Raises:
            sqlite3.Error: If it can't be read.
            OSError: If it can't be renamed.
        """
        if not file.exists():
            return
        teams, tags = read_account_file(file)
        with self._records.transaction():
            self._teams.hold()
            for team in teams:
                if self._teams.find(team.name) is None:
                    self._teams.add(team)
            for resource, values in tags.items():
                self._tags.add(resource, values)
        file.replace(file.with_name(f"{file.name}.taken-over"))

    def add_workteam(self, name: str, details: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Keep a new work team.

        Args:
            name: Its name, not taken yet.
            details: Description, members and the rest, as ``CreateWorkteam`` has them.
            tags: Its tags, the values by key.

        Raises:
            AwsError: ``ResourceInUse`` if the name is taken; ``ResourceLimitExceeded`` at `MOST_WORKTEAMS`.
        """
        with self._records.transaction():
            self._teams.hold()
            if self._teams.find(name) is not None:
                raise AwsError("ResourceInUse", f"A work team named '{name}' exists already.")
            count = len(self._teams.all())
            if count >= MOST_WORKTEAMS:
                message = f"The account has {count} work teams, the most allowed. Delete one that isn't needed."
                raise AwsError("ResourceLimitExceeded", message)
            self._add(name, details)
            self._tags.add(workteam_resource(name), tags)
            if tags:
                self._audit("tags.added", workteam_resource(name), tags)

    def update_workteam(self, name: str, details: Mapping[str, Any]) -> None:
        """Change what is given, keep the rest.

        Args:
            name: The work team's name.
            details: The members of its description that get new values.

        Raises:
            AwsError: ``ValidationException`` if there is no such work team.
        """
        with self._records.transaction():
            self._teams.hold()
            known = self._find(name)
            self._teams.change(name, {**known.details, **details}, to_text(now()))
            self._audit("work-team.changed", workteam_resource(name), _in_audit(details))

    def workteam(self, name: str) -> dict[str, Any]:
        """A work team as ``DescribeWorkteam`` has it, without its ARNs.

        Args:
            name: The work team's name.

        Returns:
            ``WorkteamName``, ``CreateDate``, ``LastUpdatedDate`` and what it was created with.

        Raises:
            AwsError: ``ValidationException`` if there is no such work team.
        """
        return _described(self._find(name))

    def workteams(self) -> list[dict[str, Any]]:
        """All work teams, each as `workteam` has it, the oldest first."""
        return [_described(team) for team in self._teams.all()]

    def remove_workteam(self, name: str) -> None:
        """Forget a work team and its tags.

        Args:
            name: The work team's name.

        Raises:
            AwsError: ``ValidationException`` if there is no such work team, or if it is the default one.
        """
        if name == EVERYONE:
            raise invalid(f"The work team '{EVERYONE}' is the default one and can't be deleted.")
        with self._records.transaction():
            self._teams.hold()
            self._find(name)
            self._teams.remove(name)
            self._tags.remove(workteam_resource(name))
            self._audit("work-team.deleted", workteam_resource(name))

    def tags(self, resource: str) -> dict[str, str]:
        """The tags of a resource, by key, in the keys' order.

        Args:
            resource: What stands at the end of its ARN, such as ``labeling-job/welds``.

        Returns:
            The tags; none if nobody gave the resource any.
        """
        return self._tags.of(resource)

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
        with self._records.transaction():
            self._tags.hold()
            together = {**self._tags.of(resource), **tags}
            if len(together) > MOST_TAGS:
                message = f"'{resource}' would have {len(together)} tags; {MOST_TAGS} are allowed."
                raise AwsError("ResourceLimitExceeded", message)
            self._tags.add(resource, tags)
            self._audit("tags.added", resource, tags)
            return self._tags.of(resource)

    def replace_tags(self, resource: str, tags: Mapping[str, str]) -> None:
        """Give a resource these tags and no others.

        Args:
            resource: What stands at the end of its ARN.
            tags: The values by key, at most `MOST_TAGS`.
        """
        with self._records.transaction():
            self._tags.hold()
            self._tags.remove(resource)
            self._tags.add(resource, tags)
            if tags:
                self._audit("tags.added", resource, tags)

    def remove_tags(self, resource: str, keys: Iterable[str]) -> None:
        """Take tags from a resource.

        Args:
            resource: What stands at the end of its ARN.
            keys: The tags' keys; one that it doesn't have is passed over.
        """
        keys = list(keys)
        with self._records.transaction():
            self._tags.remove(resource, keys)
            self._audit("tags.removed", resource, {"keys": keys})

    def _add(self, name: str, details: Mapping[str, Any]) -> None:
        at = to_text(now())
        self._teams.add(NamedRecord(name, details, at, at))
        self._audit("work-team.created", workteam_resource(name), _in_audit(details))

    def _audit(self, action: str, resource: str, detail: Mapping[str, Any] | None = None) -> None:
        self._records.audit.write(None, action, resource, detail)

    def _find(self, name: str) -> NamedRecord:
        found = self._teams.find(name)
        if found is None:
            raise invalid(
                f"There is no work team named '{name}'. Create it with CreateWorkteam, or use '{EVERYONE}', "
                "which is always there."
            )
        return found


def _in_audit(details: Mapping[str, Any]) -> dict[str, Any]:
    """What the audit tells of a team's details, which may name people: which they are, and their hash."""
    return {"members": sorted(details), "sha256": hashlib.sha256(write_json(details).encode()).hexdigest()}


def _described(team: NamedRecord) -> dict[str, Any]:
    times = {"CreateDate": from_text(team.created), "LastUpdatedDate": from_text(team.updated)}
    return {**team.details, "WorkteamName": team.name, **times}


def workteam_resource(name: str) -> str:
    """The end of a work team's ARN.

    Args:
        name: The work team's name.

    Returns:
        ``workteam/private-crowd/NAME``.
    """
    return f"workteam/private-crowd/{name}"
