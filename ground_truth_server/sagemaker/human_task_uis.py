"""Worker pages that have a name of their own, which RenderUiTemplate shows."""

import hashlib
from typing import Any

from ground_truth_server.aws_error import AwsError
from ground_truth_server.records.named import NamedRecord
from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import from_text, now, to_text


class HumanTaskUiTable:
    """The human task UIs. Safe to use from several threads.

    Args:
        records: Where they are kept.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._uis = records.human_task_uis

    def add(self, name: str, content: str) -> None:
        """Keep a template.

        Raises:
            AwsError: ``ResourceInUse`` if the name is taken.
        """
        with self._records.transaction():
            self._uis.hold()
            if self._uis.find(name) is not None:
                raise AwsError("ResourceInUse", f"A human task UI named '{name}' exists already.")
            at = to_text(now())
            self._uis.add(NamedRecord(name, {"Content": content}, at, at))

    def content(self, name: str) -> str:
        """Give a template's text.

        Raises:
            AwsError: ``ResourceNotFound`` if there is none of this name.
        """
        return str(self._find(name).details["Content"])

    def describe(self, name: str) -> dict[str, Any]:
        """Describe one as DescribeHumanTaskUi does, without its ARN and URL.

        Raises:
            AwsError: ``ResourceNotFound`` if there is none of this name.
        """
        return _described(self._find(name))

    def all(self) -> list[dict[str, Any]]:
        """Describe all, the oldest first."""
        return [_described(ui) for ui in self._uis.all()]

    def remove(self, name: str) -> None:
        """Forget one.

        Raises:
            AwsError: ``ResourceNotFound`` if there is none of this name.
        """
        with self._records.transaction():
            self._uis.hold()
            self._find(name)
            self._uis.remove(name)

    def _find(self, name: str) -> NamedRecord:
        found = self._uis.find(name)
        if found is None:
            raise AwsError("ResourceNotFound", f"There is no human task UI named '{name}'.")
        return found


def _described(ui: NamedRecord) -> dict[str, Any]:
    return {
        "HumanTaskUiName": ui.name,
        "HumanTaskUiStatus": "Active",
        "CreationTime": from_text(ui.created),
        "UiTemplate": {"ContentSha256": hashlib.sha256(ui.details["Content"].encode()).hexdigest()},
    }
