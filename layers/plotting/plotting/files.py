"""A source's file to a recording, whatever kind of source it is."""

from labeling.sources import Sound, TimeSeriesSource

from plotting.recording import Recording, read
from plotting.sound import read_sound


def read_file(data: bytes, source: TimeSeriesSource, name: str) -> Recording:
    """Read what is drawn of a file.

    Args:
        data: The file.
        source: As what it is drawn.
        name: The object's name for errors, its S3 URI.

    Raises:
        AudioError: If it is no sound where one is expected.
        RecordingError: As `read` and `read_sound`.
    """
    return read_sound(data, source, name) if isinstance(source, Sound) else read(data, source, name)
