"""Sounds to recordings: the samples as a channel on the item's clock."""

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from labeling.errors import AudioError
from labeling.sources.audio import PLAYED, Sound, check
from numpy.typing import NDArray

from plotting.errors import RecordingError
from plotting.numerals import count, seconds
from plotting.recording import Recording

if TYPE_CHECKING:
    from soundfile import SoundFile

Samples = NDArray[np.float64]

# Each takes some 60 bytes on its way into pictures and numbers; nobody looks at more at once.
MOST_SAMPLES: Final = 15_000_000
# Numbers that are decoded at once, of all channels.
BLOCK: Final = 4_000_000
# libsndfile's largest number stands for a length that the file doesn't tell.
UNKNOWN: Final = 2**62
# How samples in a WAV may be coded for Chromium and Firefox to play them.
PLAYED_CODINGS: Final = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW", "ALAW")


def read_sound(data: bytes, source: Sound, name: str) -> Recording:
    """Read a sound as a recording of one channel, in shares of full scale.

    Several channels become their mean. What lies before the item's beginning is left out.

    Args:
        data: The file: WAV, FLAC or MP3.
        source: Where it begins on the item's clock, and how long it may be.
        name: The object's name for errors, its S3 URI.

    Raises:
        AudioError: If it is no such file.
        RecordingError: If it is too long, or has no samples to show.
    """
    check(data, name)
    # Takes a moment, and most jobs have no sound.
    import soundfile  # noqa: PLC0415

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_size(file, source, name)
            samples, rate, notes = _decode(file), file.samplerate, _notes(file)
            promised = file.frames
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(
            f"{name} can't be decoded: {error}; expected a sound as {', '.join(PLAYED)}: does it play elsewhere? "
            "Export or upload it again"
        ) from None
    if len(samples) < promised:
        notes += (f"Ends early: {len(samples):,} of {count(promised, 'sample')} could be read.",)
    return _recording(samples, rate, notes, source, name)


def _check_size(file: "SoundFile", source: Sound, name: str) -> None:
    """Refuse what is too long, before it is decoded, and what browsers don't play."""
    if file.format in ("WAV", "WAVEX") and file.subtype not in PLAYED_CODINGS:
        raise AudioError(
            f"{name} is a WAV that browsers don't play: found samples coded as {file.subtype_info}; expected PCM or "
            "32-bit floats: convert it, for instance to FLAC"
        )
    if file.frames > UNKNOWN:
        raise AudioError(
            f"{name} is a {file.format} that doesn't say how long it is, as programs write that pipe it: "
            "found no number of samples in its header, so that players can't go to a moment in it; expected one: write "
            "it to a file, for instance by ffmpeg -i IN -c:a flac OUT.flac"
        )
    too_long = file.frames > source.max_seconds * file.samplerate
    if too_long or file.frames > MOST_SAMPLES:
        limit = f"{seconds(source.max_seconds)}" if too_long else f"{MOST_SAMPLES:,} samples"
        raise RecordingError(
            name,
            found=f"{seconds(file.frames / file.samplerate)} of sound, {count(file.frames, 'sample')}",
            expected=f"at most {limit}",
            do="Shorten the sound, or raise the source's max_seconds." if too_long else "Shorten it or resample it.",
        )


def _decode(file: "SoundFile") -> Samples:
    """All samples, as the mean of their channels, shape (n,)."""
    blocks = []
    left = file.frames
    while left > 0:
        block = file.read(min(left, max(1, BLOCK // file.channels)), dtype="float32", always_2d=True)
        if not len(block):
            break
        left -= len(block)
        blocks.append(block.mean(axis=1, dtype=np.float64))
    return np.concatenate(blocks) if blocks else np.empty(0)


def _notes(file: "SoundFile") -> tuple[str, ...]:
    return (f"{file.channels} channels, drawn as their mean.",) if file.channels > 1 else ()


def _recording(samples: Samples, rate: int, notes: tuple[str, ...], source: Sound, name: str) -> Recording:
    time = source.offset_seconds + np.arange(len(samples)) / rate
    first = int(np.searchsorted(time, 0.0))
    if len(samples) - first < 2:
        before = f", all before the item's beginning with offset_seconds = {source.offset_seconds:g}" if first else ""
        raise RecordingError(
            name,
            found=f"{count(len(samples), 'sample')}{before}",
            expected="at least two, to draw a line",
            do="Record again, or take the item out of the manifest." if not before else "Check offset_seconds.",
        )
    if first:
        notes += (f"The first {seconds(float(first / rate))} lie before the item's beginning and aren't drawn.",)
    missing = ~np.isfinite(samples[first:])
    if missing.all():
        raise RecordingError(name, found="no number in any sample", expected="a sound", do="Export it again.")
    if missing.any():
        samples[first:][missing] = np.nan
        notes += (f"{count(int(missing.sum()), 'sample')} missing: no number.",)
    return Recording(
        time=time[first:],
        values=(samples[first:],),
        gaps=np.empty(0, np.intp),
        rows_left_out=0,
        reading_notes=(),
        channel_notes=(notes,),  # the spectrogram needn't say them again
    )
