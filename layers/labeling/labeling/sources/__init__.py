"""What an item's files are: the part of the job configuration that says how to read, check and show each source.

Each kind has a module of its own; a new one joins the union below, and its panels have their part of the worker page
in ``labeling/page``.
"""

from typing import get_args

from labeling.sources.audio import AudioSource, Sound
from labeling.sources.image import ImageSource
from labeling.sources.kind import Folder, Key, SourceKind, Title
from labeling.sources.timeseries import Channel, Column, Derived, Focus, Suffix, TimeColumn, TimeSeriesSource, TimeUnit
from labeling.sources.video import VideoSource

Source = ImageSource | TimeSeriesSource | AudioSource | VideoSource
SOURCES: dict[str, type[SourceKind]] = {kind.__struct_config__.tag: kind for kind in get_args(Source)}

__all__ = [
    "SOURCES",
    "AudioSource",
    "Channel",
    "Column",
    "Derived",
    "Focus",
    "Folder",
    "ImageSource",
    "Key",
    "Sound",
    "Source",
    "SourceKind",
    "Suffix",
    "TimeColumn",
    "TimeSeriesSource",
    "TimeUnit",
    "Title",
    "VideoSource",
]
