"""Every item of a manifest, checked: in the manifest's order, with as many side by side as are asked for."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from botocore.exceptions import ClientError, NoCredentialsError
from labeling import contract, dataset, manifest
from labeling.broken_items import BrokenItem
from labeling.contract import PreLabelingEvent
from labeling.job import JobConfiguration
from labeling.sources import TimeSeriesSource
from labeling.storage import S3Uri, Storage
from plotting.files import read_file

from cli.errors import NOT_SIGNED_IN, code_of

# Items that wait for their turn, for each that is being checked: enough that a slow one holds nobody up.
AHEAD: Final = 4
# Recordings in memory at once. Reading one takes several times its size, and one of any size goes alone.
MOST_BYTES: Final = 32_000_000

CheckItem = Callable[[dict[str, Any]], object]
"""Takes what a manifest line holds and raises if the item can't be labeled."""


class CheckedItem(NamedTuple):
    """What came of one line.

    Attributes:
        line: Its number, counted from 1.
        broken: What is wrong with it, if anything.
        labeled: Whether it has this job's label already, so that nobody will see it.
    """

    line: int
    broken: BrokenItem | None = None
    labeled: bool = False


class ByteBudget:
    """Lets so many bytes be in memory at once.

    Args:
        most: How many. What is larger by itself waits until it is alone.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Waits until there is room for ``size`` bytes, and keeps it for the block."""
        wanted = min(size, self.most)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + wanted <= self.most)
            self._taken += wanted
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()


class ItemCheck:
    """Pre-labeling's own checks of an item, with nothing drawn and nothing written.

    Args:
        job: The job configuration.
        storage: Where items lie.
    """

    def __init__(self, job: JobConfiguration, storage: Storage) -> None:
        self.job = job
        self.storage = storage
        self.budget = ByteBudget(MOST_BYTES)

    def __call__(self, data_object: dict[str, Any]) -> None:
        """Reads every file of an item.

        Args:
            data_object: What the manifest line holds.

        Raises:
            LabelingError: What is wrong with the item.
        """
        files = dataset.read(S3Uri.parse(manifest.source(data_object)), self.job, self.storage)
        for key, shown in self.job.sources.items():
            dataset.check_file(files[key], shown, self.storage)
        for key, source in self.job.recordings.items():
            self._read(files[key], source)

    def _read(self, uri: S3Uri, source: TimeSeriesSource) -> None:
        stored = self.storage.open(uri)
        with self.budget.of(min(stored.size, source.max_bytes)):
            read_file(stored.read(source.max_bytes), source, str(uri))


def check(
    lines: Iterable[manifest.Line], job: JobConfiguration, check_item: CheckItem, concurrency: int
) -> Iterator[CheckedItem]:
    """Checks the lines of a manifest, going on after broken ones.

    However long the manifest is, only a few of its lines are held at once.

    Args:
        lines: The manifest.
        job: The job configuration.
        check_item: What is done with each line's data object.
        concurrency: How many items are checked side by side.

    Yields:
        What came of each line, in the manifest's order.

    Raises:
        botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError: If the sign-in has ended, which would
            meet every further item alike.
    """
    waiting: deque[Future[CheckedItem]] = deque()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="check")
    try:
        for line in lines:
            waiting.append(pool.submit(_checked, line, job, check_item))
            if len(waiting) > AHEAD * concurrency:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _checked(line: manifest.Line, job: JobConfiguration, check_item: CheckItem) -> CheckedItem:
    source = ""
    try:
        data_object = manifest.data_object(line)
        source = manifest.source(data_object)
        if _is_labeled(data_object, job):
            return CheckedItem(line.number, labeled=True)
        check_item(data_object)
    except Exception as error:  # whatever is wrong with one item, the others are checked
        if isinstance(error.__cause__, (NoCredentialsError, ClientError)) and _signed_out(error.__cause__):
            raise error.__cause__ from None
        return CheckedItem(line.number, BrokenItem.of(line.number, source, error))
    return CheckedItem(line.number)


def _is_labeled(data_object: Mapping[str, Any], job: JobConfiguration) -> bool:
    """Whether pre-labeling will keep the item from the workers because it has its label."""
    return contract.existing_label(PreLabelingEvent("", dict(data_object)), job) is not None


def _signed_out(error: NoCredentialsError | ClientError) -> bool:
    return isinstance(error, NoCredentialsError) or code_of(error) in NOT_SIGNED_IN
