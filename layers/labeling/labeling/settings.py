"""What the environment of a function says."""

import os
from collections.abc import Mapping
from typing import NamedTuple


class FunctionSettings(NamedTuple):
    """Where a function's objects lie.

    Attributes:
        bucket: ``LABELING_BUCKET``: where plots and labels are written; empty for the bucket of the objects
            that the event names.
        input_buckets: ``LABELING_BUCKET`` and those of ``INPUT_BUCKETS`` (separated by commas): where items may
            lie; none for any bucket that the role may read.
    """

    bucket: str
    input_buckets: frozenset[str]

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "FunctionSettings":
        """Reads the environment."""
        bucket = environment.get("LABELING_BUCKET", "").strip()
        names = {bucket, *map(str.strip, environment.get("INPUT_BUCKETS", "").split(","))}
        return cls(bucket, frozenset(filter(None, names)))
