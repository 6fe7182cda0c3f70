"""Seals the audit: links its entries in a chain of hashes, every second, in one process at a time."""

import logging
import threading

from ground_truth_server.records.records import Records

_log = logging.getLogger(__name__)
_LEASE = "audit"
_PATIENCE = 5.0  # seconds


class Sealing:
    """Seals in a thread of its own.

    Args:
        records: What must survive.
        seconds: Between two looks for entries.
    """

    def __init__(self, records: Records, seconds: float = 1.0) -> None:
        self._records = records
        self._seconds = seconds
        self._told = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealing", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Seal what is there, and stop; what a database that can't be reached keeps it from is sealed next time."""
        self._closing.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            self._try_to_seal()
        self._try_to_seal()
        self._records.database.give_back(_LEASE)

    def _try_to_seal(self) -> None:
        try:
            if self._records.audit.any_unsealed() and self._records.database.lease(_LEASE):
                self._seal_all()
        except Exception as error:  # what it is may pass: the next look tries again
            if str(error) != self._told:
                _log.warning("the audit can't be sealed now, trying again: %s", error)
            self._told = str(error)
        else:
            self._told = ""

    def _seal_all(self) -> None:
        sealed = 1
        while sealed:
            with self._records.transaction():
                sealed = self._records.audit.seal()
