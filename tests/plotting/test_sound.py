"""Sounds to recordings and pictures: samples written here byte by byte, and tones of known frequency."""

import io
import itertools
import struct
import subprocess
import sys
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from labeling.errors import AudioError, ItemError
from labeling.sources import AudioSource, Channel, Sound, TimeColumn, TimeSeriesSource
from numpy.typing import NDArray
from PIL import Image
from plotting import sound
from plotting.errors import RecordingError
from plotting.focus import find_focus
from plotting.layout import BOTTOM, HEIGHT, LEFT, RIGHT, TOP
from plotting.panels import draw_files
from plotting.recording import Recording
from plotting.sound import read_sound
from plotting.spectra import MOST_FRAMES, Samples, spectrogram

Values = NDArray[np.float64]
NAME = "s3://bucket/sounds/weld.1.wav"
RATE = 16_000


def source(**options: float) -> Sound:
    return AudioSource("Sound", "sounds", **options).drawn("sound")  # type: ignore[arg-type]


def wav(samples: Sequence[Sequence[int]], rate: int = 1000) -> bytes:
    """A WAV of 16 bits, one sequence of samples a channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(len(samples))
        made.setsampwidth(2)
        made.setframerate(rate)
        made.writeframes(b"".join(struct.pack("<h", value) for frame in zip(*samples, strict=True) for value in frame))
    return file.getvalue()


def written(values: Values | NDArray[np.int16], kind: str, rate: int = RATE, **options: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, values, rate, format=kind, **options)
    return file.getvalue()


def tone(frequency: float, seconds: float, rate: int = RATE) -> Values:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


class TestSamples:
    def test_they_are_shares_of_full_scale_a_rate_apart(self) -> None:
        found = read_sound(wav([[0, 16384, -32768, 8192, 1]]), source(), NAME)
        assert found.values[0].tolist() == [0.0, 0.5, -1.0, 0.25, 1 / 32768]
        assert found.time.tolist() == [0.0, 0.001, 0.002, 0.003, 0.004]
        assert (found.channel_notes, len(found.gaps), found.start) == (((),), 0, None)

    def test_several_channels_become_their_mean_and_a_note_says_so(self) -> None:
        for channels in (2, 6):
            samples = [[1000 * channel, -2000] for channel in range(channels)]
            found = read_sound(wav(samples), source(), NAME)
            mean = sum(range(channels)) / channels * 1000
            assert found.values[0] == pytest.approx([mean / 32768, -2000 / 32768])
            assert found.channel_notes[0] == (f"{channels} channels, drawn as their mean.",)

    def test_flac_gives_the_same_and_mp3_about_the_same(self) -> None:
        samples = (32_767 * tone(440, 2)).astype(np.int16)
        exact = read_sound(written(samples, "WAV"), source(), NAME)
        lossless = read_sound(written(samples, "FLAC"), source(), NAME)
        assert lossless.values[0].tolist() == exact.values[0].tolist()
        assert exact.values[0].tolist() == (samples / 32768).tolist()
        lossy = read_sound(written(samples, "MP3"), source(), NAME)
        assert lossy.duration == pytest.approx(2, abs=0.15)
        spectrum = np.abs(np.fft.rfft(lossy.values[0]))
        assert np.argmax(spectrum) / lossy.duration == pytest.approx(440, rel=0.01)

    def test_an_offset_moves_it_on_the_item_s_clock(self) -> None:
        found = read_sound(wav([[1, 2, 3]]), source(offset_seconds=2.5), NAME)
        assert found.time.tolist() == pytest.approx([2.5, 2.501, 2.502])

    def test_what_lies_before_the_item_is_left_out(self) -> None:
        found = read_sound(wav([list(range(10))]), source(offset_seconds=-0.004), NAME)
        assert found.time.tolist() == pytest.approx([0, 0.001, 0.002, 0.003, 0.004, 0.005], abs=1e-12)
        assert found.values[0].tolist() == [value / 32768 for value in range(4, 10)]
        assert found.channel_notes[0] == ("The first 0.004 s lie before the item's beginning and aren't drawn.",)

    def test_what_is_no_number_is_missing(self) -> None:
        values = np.array([0.1, np.nan, np.inf, 0.25])
        found = read_sound(written(values, "WAV", subtype="FLOAT"), source(), NAME)
        assert found.values[0] == pytest.approx([0.1, np.nan, np.nan, 0.25], nan_ok=True)
        assert found.channel_notes[0] == ("2 samples missing: no number.",)

    def test_a_flac_that_ends_early_is_shown_as_far_as_it_goes_or_refused_by_name(self) -> None:
        whole = written(np.random.default_rng(0).normal(scale=0.1, size=50_000), "FLAC")
        for cut in (len(whole) // 2, len(whole) - 10, 60):
            try:
                found = read_sound(whole[:cut], source(), NAME)
            except ItemError as error:
                assert str(error).startswith(NAME)  # noqa: PT017 - either will do
            else:
                assert 2 <= found.rows < 50_000
                assert found.channel_notes[0][0].startswith("Ends early: ")

    def test_a_job_without_sounds_never_loads_the_decoder(self) -> None:
        code = "import sys, plotting.panels, plotting.warming as w; w.warm(); sys.exit('soundfile' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestBadSounds:
    def test_a_flac_that_was_sent_through_a_pipe_says_nothing_of_its_length(self) -> None:
        data = bytearray(written(tone(440, 1), "FLAC"))
        data[21] &= 0xF0  # the number of samples in STREAMINFO, 36 bits
        data[22:26] = bytes(4)
        with pytest.raises(AudioError, match=r"is a FLAC that doesn't say how long it is.*ffmpeg -i IN -c:a flac"):
            read_sound(bytes(data), source(), NAME)

    def test_a_wav_that_was_sent_through_a_pipe_is_read_to_its_end(self) -> None:
        data = bytearray(wav([[1, 2, 3]]))
        data[4:8] = data[40:44] = b"\xff" * 4
        assert read_sound(bytes(data), source(), NAME).values[0].tolist() == [1 / 32768, 2 / 32768, 3 / 32768]

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "no sound that can be played and drawn: found nothing; expected one of WAV, FLAC, MP3: convert it"),
            (b"time,current\n0,1\n", r"found b'time,current\\n0,1'"),
            (b"OggS" + b"\0" * 100, "found Ogg"),
            (b"\0\0\0\x20ftypM4A " + b"\0" * 100, "found M4A"),
            (b"FORM\0\0\0\0AIFF" + b"\0" * 100, "found AIFF"),
            (b"\xff\xf1" + b"\0" * 100, "found AAC"),
            (b"<!DOCTYPE html><html>", "found HTML"),
            (b"RIFF\x24\0\0\0WAVEjunk" + b"\0" * 100, "can't be decoded: .*; expected a sound as WAV, FLAC, MP3"),
            (b"fLaC" + b"\xff" * 1000, "can't be decoded"),
            (b"ID3" + b"\0" * 1000, "can't be decoded"),
            (written(tone(440, 1), "WAV", subtype="MS_ADPCM"), "found samples coded as Microsoft ADPCM; expected PCM"),
            (written(tone(440, 1), "WAV", subtype="DOUBLE"), "found samples coded as 64 bit float"),
        ],
    )
    def test_what_is_no_sound_is_named(self, data: bytes, said: str) -> None:
        with pytest.raises(AudioError, match=said) as error:
            read_sound(data, source(), NAME)
        assert str(error.value).startswith(NAME)

    @pytest.mark.parametrize(
        ("data", "options", "said"),
        [
            (wav([[]]), {}, "found 0 samples; expected at least two|: 0 samples; expected at least two"),
            (wav([[5]]), {}, "1 sample; expected at least two, to draw a line. Record again"),
            (
                wav([[1, 2, 3]]),
                {"offset_seconds": -1},
                "3 samples, all before the item's beginning with offset_seconds = -1; .*Check offset_seconds",
            ),
            (
                wav([[0] * 3001]),
                {"max_seconds": 3.0},
                "3.001 s of sound, 3,001 samples; expected at most 3 s. Shorten the sound, or raise the source's max_s",
            ),
            (written(np.full(10, np.nan), "WAV", subtype="FLOAT"), {}, "no number in any sample"),
        ],
    )
    def test_what_cannot_be_shown_is_named(self, data: bytes, options: dict[str, float], said: str) -> None:
        with pytest.raises(RecordingError, match=said) as error:
            read_sound(data, source(**options), NAME)
        assert str(error.value).startswith(NAME)

    def test_too_many_samples_are_refused_before_they_are_decoded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sound, "MOST_SAMPLES", 1000)
        monkeypatch.setattr(sound, "_decode", lambda _: pytest.fail("decoded"))
        with pytest.raises(RecordingError, match="1,001 samples; expected at most 1,000 samples"):
            read_sound(wav([[0] * 1001], rate=192_000), source(), NAME)


class TestPictures:
    def panels(self, data: bytes, **options: float) -> dict[str, object]:
        return {panel.key: panel for panel in draw_files([(data, source(**options), NAME)]).panels}

    def test_waveform_and_spectrogram_lie_on_one_time_axis(self) -> None:
        samples = np.concatenate([tone(1000, 5), tone(5000, 5)])
        drawn = list(draw_files([(written(samples, "FLAC"), source(), NAME)]).panels)
        waveform, frequencies = drawn
        assert [panel.key for panel in drawn] == ["sound_waveform", "sound_spectrogram"]
        assert [panel.suffix for panel in drawn] == ["sound_waveform", "sound_spectrogram"]
        assert waveform.alt.startswith("Sound over 10 s: from −0.5 to 0.5 FS, mean ")
        assert frequencies.alt.startswith("Sound, frequencies, spectrogram from 0 s to 10 s, up to 8,000 Hz; ")
        assert waveform.area is not None
        assert frequencies.area is not None
        for one, other in zip(waveform.area.__struct_fields__, frequencies.area.__struct_fields__, strict=True):
            if one not in ("low", "high"):
                assert getattr(waveform.area, one) == getattr(frequencies.area, other)
        red = np.asarray(Image.open(io.BytesIO(frequencies.png)).convert("RGB"), dtype=np.int64)[..., 0]
        for moment, frequency in ((1.0, 1000), (4.0, 1000), (6.0, 5000), (9.0, 5000)):
            column = red[HEIGHT - TOP : HEIGHT - BOTTOM, round(LEFT + moment / 10 * (RIGHT - LEFT))]
            darkest = 1 - (np.flatnonzero(column == column.min()).mean() + 0.5) / len(column)
            assert darkest * 8000 == pytest.approx(frequency, abs=20)

    def test_silence_has_no_frequencies_and_says_so(self) -> None:
        drawn = list(draw_files([(wav([[0] * 5000]), source(), NAME)]).panels)
        assert drawn[0].alt == "Sound over 4.999 s: constant at 0 FS."
        assert drawn[1].alt.startswith("Sound, frequencies: none. Nothing changes in the stretch")

    def test_numbers_behind_the_waveform_are_the_samples(self) -> None:
        data = wav([[0, 16384, -32768, 8192, 1]])
        ((file, layout),) = draw_files([(data, source(offset_seconds=1), NAME)]).data
        assert (layout.channels, layout.levels[0].entries) == (1, 5)
        numbers = np.frombuffer(file, "<f8")
        assert numbers[:5] == pytest.approx([1, 1.001, 1.002, 1.003, 1.004])
        assert numbers[5:10].tolist() == [0.0, 0.5, -1.0, 0.25, 1 / 32768]

    def test_beside_a_recording_it_is_on_its_clock_and_leaves_the_focus_to_it(self) -> None:
        time = np.arange(0, 100, 0.01)
        current = np.where((time > 40) & (time < 50), 100 + 10 * np.sin(time * 90), 0.0)
        of = TimeSeriesSource(
            title="Run", folder="runs", time=TimeColumn(unit="s"), channels=(Channel("i", "Current", 1, "i", "A"),)
        )
        text = io.BytesIO()
        np.savetxt(text, np.c_[time, current], delimiter=",")
        noise = np.random.default_rng(0).normal(scale=0.2, size=60 * 1000).clip(-1, 1)
        data = written(noise, "WAV", 1000)
        files = [(text.getvalue(), of, "s3://b/run.csv"), (data, source(offset_seconds=20), NAME)]
        current_panel, waveform, frequencies = draw_files(files).panels
        for panel in (current_panel, waveform, frequencies):
            assert panel.area is not None
            assert (panel.area.begin, panel.area.end) == pytest.approx((39.5, 50.5), abs=0.1)
            assert panel.area.duration == pytest.approx(99.99)
        assert find_focus([(read_sound(data, source(), NAME), source())])[0].begin == 0  # alone it decides


class TestLongSpectrograms:
    @pytest.mark.parametrize("rows", [300, 5_000, 600_000, 2_500_001])
    def test_each_density_is_the_mean_of_its_segments(self, rows: int) -> None:
        """The sum over all, weighed, is that of plain segments, none of them left out."""
        values = np.random.default_rng(rows).normal(size=rows)
        middles, frequencies, density = spectrogram(Samples(3.0, 1000.0, values))
        length = 2 * (len(frequencies) - 1)
        assert len(middles) == len(density) <= MOST_FRAMES + 1
        steps = np.diff(middles)
        assert steps[:-1] == pytest.approx(steps[0])
        assert middles[0] >= 3.0
        assert middles[-1] <= 3.0 + rows / 1000
        # White noise of variance 1 at 1,000 Hz: 1/500 at each frequency but the lowest.
        assert density[:, 4:-1].mean() == pytest.approx(1 / 500, rel=0.25 if rows < 1000 else 0.05)
        assert length == {300: 32, 5_000: 256}.get(rows, 1024)

    def test_a_click_is_seen_however_long_the_sound_is(self) -> None:
        values = np.zeros(3_000_000)
        for at in (123_456, 1_500_001, 2_900_000):
            values[at] = 1.0
        middles, _, density = spectrogram(Samples(0.0, 1000.0, values))
        heard = middles[density.sum(axis=1) > 0]
        for at in (123_456, 1_500_001, 2_900_000):
            assert np.abs(heard - at / 1000).min() < 2 * (middles[1] - middles[0])


def test_a_wav_on_disk_is_drawn_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(100, 1), RATE, subtype="PCM_24")
    found = read_sound(path.read_bytes(), source(), str(path))
    assert isinstance(found, Recording)
    crossings = [a < 0 <= b for a, b in itertools.pairwise(found.values[0])]
    assert sum(crossings) == pytest.approx(100, abs=1)
