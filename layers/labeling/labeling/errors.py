"""What can go wrong, one exception type a kind of trouble.

Every message names the object, what was found, what was expected and what to do. An `ItemError` is about one
item and leaves the others alone; any other `LabelingError` would meet every item alike.
"""


class LabelingError(Exception):
    """A trouble that the reader of its message can do something about."""


class JobConfigurationError(LabelingError):
    """The job configuration can't be used as it is written."""


class WorkerPageError(LabelingError):
    """The worker page's template can't be used as it is written."""


class ReferenceUnusableError(LabelingError):
    """A reference can't be built of its items, or what was kept isn't one."""


class EventError(LabelingError):
    """An event is not what Ground Truth sends."""


class AccessError(LabelingError):
    """S3 refuses the function's role."""


class StorageError(LabelingError):
    """S3 failed, also when asked again."""


class ItemError(LabelingError):
    """One item is broken; the others can go on."""


class MissingObjectError(ItemError):
    """An object that an item names is not there."""


class DamagedObjectError(ItemError):
    """An object's bytes are not those that its checksum tells of."""


class UnforeseenItemError(ItemError):
    """Something that nobody foresaw came out of one item."""


class BucketError(ItemError):
    """An S3 URI is malformed or leads out of the job's buckets."""


class ObjectTooLargeError(ItemError):
    """An object is over its configured size."""


class ManifestLineError(ItemError):
    """A line of the manifest is none that Ground Truth takes."""


class DatasetFileError(ItemError):
    """A dataset file is not one, or doesn't name the job's sources."""


class ImageError(ItemError):
    """A picture is not one that browsers show."""


class AudioError(ItemError):
    """A sound is not one that browsers play and that can be drawn."""


class VideoError(ItemError):
    """A video is not one that browsers play."""
