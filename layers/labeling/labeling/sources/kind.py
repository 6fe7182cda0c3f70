"""What every kind of source has: where its files lie, which panels show them, and how a file is checked."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from labeling.panels import ConfiguredPanel

if TYPE_CHECKING:
    from labeling.sources.timeseries import TimeSeriesSource

Key = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}\Z",
        description="letters, digits, _ and -, 63 at most, beginning with a letter",
    ),
]
Folder = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*\Z",
        description="letters, digits, _ . = and -, with / between folders and none at the ends",
    ),
]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class SourceKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """One file of an item. A kind of source is a class of this, in a module of its own, with a tag.

    Attributes:
        title: What it shows, for people.
        folder: Where such files lie in the bucket and in a data folder.
        first_bytes: How much of a file `check` needs; 0 if the file is read whole before anything is shown of it.
    """

    first_bytes: ClassVar[int] = 0

    title: Title
    folder: Folder

    def panels(self, key: str) -> tuple[ConfiguredPanel, ...]:
        """All that is shown of it, in order.

        Args:
            key: The source's key in the job configuration.
        """
        raise NotImplementedError

    def file_panel(self, uri: str) -> dict[str, Any] | None:  # noqa: ARG002
        """What the task input says of the file where workers get it as it is; nothing if they don't.

        Args:
            uri: The file's S3 URI.
        """
        return None

    def drawn(self, key: str) -> "TimeSeriesSource | None":  # noqa: ARG002
        """As what recording it is drawn; nothing if it isn't.

        Args:
            key: The source's key in the job configuration.
        """
        return None

    def check(self, begin: bytes, name: str) -> None:
        """Makes sure that workers will see a file.

        Args:
            begin: Its first bytes, as many as `first_bytes` if it has them.
            name: Its S3 URI, for messages.

        Raises:
            ItemError: If they won't.
        """

    def contradictions(self, path: str) -> Iterator[str]:  # noqa: ARG002
        """Yields values that don't go together, which no single key shows.

        Args:
            path: Where the source stands in the job configuration.
        """
        yield from ()


def file_panel(what: str, title: str, uri: str, **more: float) -> dict[str, Any]:
    """A panel whose file is the item's own.

    Args:
        what: The kind of file in a word.
        title: What it shows.
        uri: Its S3 URI.
        more: What else the page needs to know.
    """
    name = uri.rpartition("/")[2]
    return {"file": uri, "title": f" from {what} at {uri}", "alt": f"{title}: {name}.", "notes": [], **more}
