"""Sounds: a player, and the waveform and the spectrogram on the item's time axis."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec

from labeling.errors import AudioError
from labeling.panels import ConfiguredPanel
from labeling.sources.first_bytes import kind_of, shown
from labeling.sources.kind import SourceKind, file_panel
from labeling.sources.timeseries import Channel, Derived, TimeSeriesSource

# What browsers play and libsndfile reads; MPEG's frames begin with eleven ones, then version and layer.
PLAYED: Final = {"WAV": rb"RIFF....WAVE", "FLAC": rb"fLaC", "MP3": rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"}
NOT_PLAYED: Final = {
    "a WAV of more than 4 GB (RF64)": rb"RF64",
    "Ogg": rb"OggS",
    "AIFF": rb"FORM....AIF[FC]",
    "M4A": rb"....ftyp",
    "AAC": rb"\xff[\xf0\xf1\xf8\xf9]",
    "WMA": rb"0&\xb2u\x8ef\xcf\x11",
    "AMR": rb"#!AMR",
    "CAF": rb"caff",
    "AVI": rb"RIFF....AVI ",
    "WebM or Matroska": rb"\x1a\x45\xdf\xa3",
    "HTML": rb"\s*<(!DOCTYPE html|html)",
}
FULL_SCALE: Final = "FS"
Offset = Annotated[float, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]


class Sound(TimeSeriesSource, frozen=True, tag="sound"):
    """As what recording a sound is drawn: one channel in shares of full scale, from −1 to 1, and its spectrogram.

    It isn't configured as such, and what only delimited text has is of no use to it.

    Attributes:
        offset_seconds: Where it begins on the item's clock.
        max_seconds: It is refused if it is longer.
    """

    offset_seconds: float = 0.0
    max_seconds: float = 300.0


class AudioSource(SourceKind, frozen=True, tag="audio"):
    """A sound that workers hear and see.

    Attributes:
        offset_seconds: Where it begins on the item's clock, in seconds; before 0 if it begins before the item.
        max_bytes: Files larger than this are refused.
        max_seconds: Sounds longer than this are refused.
    """

    offset_seconds: Offset = 0.0
    max_bytes: Annotated[int, msgspec.Meta(ge=1)] = 50_000_000
    max_seconds: Annotated[float, msgspec.Meta(gt=0)] = 300.0

    def panels(self, key: str) -> tuple[ConfiguredPanel, ...]:
        """The player, the waveform and the spectrogram."""
        waveform, spectrogram = self.drawn(key).panels(key)
        return (
            ConfiguredPanel("audio", key, self.title),
            waveform._replace(place=".waveform"),
            spectrogram._replace(place=".spectrogram"),
        )

    def file_panel(self, uri: str) -> dict[str, Any]:
        """What the task input says of the player."""
        return file_panel("sound", self.title, uri, offset_seconds=self.offset_seconds)

    def drawn(self, key: str) -> Sound:
        """As what recording it is drawn; its panels' keys are ``KEY_waveform`` and ``KEY_spectrogram``."""
        waveform, spectrogram = f"{key}_waveform", f"{key}_spectrogram"
        # Suffixes have no hyphen; see `Suffix`.
        samples = Channel(waveform, self.title, 0, waveform.replace("-", "_"), FULL_SCALE)
        frequencies = f"{self.title}, frequencies"
        return Sound(
            title=self.title,
            folder=self.folder,
            channels=(samples,),
            derived=(Derived(spectrogram, frequencies, "spectrogram", waveform, spectrogram.replace("-", "_")),),
            max_bytes=self.max_bytes,
            offset_seconds=self.offset_seconds,
            max_seconds=self.max_seconds,
        )

    def check(self, begin: bytes, name: str) -> None:
        """As `check`."""
        check(begin, name)

    def contradictions(self, path: str) -> Iterator[str]:
        """Yields values that don't go together."""
        if self.offset_seconds <= -self.max_seconds:
            yield (
                f"{path}.offset_seconds: found {self.offset_seconds!r}; allowed: more than −{self.max_seconds:g}, or "
                "no sound of max_seconds reaches into the item"
            )


def check(begin: bytes, name: str) -> None:
    """Makes sure that browsers play such a file, by its first bytes.

    Raises:
        AudioError: If they don't.
    """
    if not kind_of(begin, PLAYED):
        raise AudioError(
            f"{name} is no sound that can be played and drawn: found {kind_of(begin, NOT_PLAYED) or shown(begin)}; "
            f"expected one of {', '.join(PLAYED)}: convert it, for instance to FLAC, which loses nothing"
        )
