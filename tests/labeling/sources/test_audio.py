"""A sound in the job configuration: its panels, and what doesn't go together."""

from pathlib import Path

import pytest
from labeling.errors import JobConfigurationError
from labeling.job import load
from labeling.sources import SOURCES, AudioSource, ImageSource, TimeSeriesSource, VideoSource

from tests.conftest import ROOT

EXAMPLE = ROOT / "labeling_job" / "examples" / "grinding-sound.toml"


def test_every_kind_is_in_the_registry_under_its_name() -> None:
    kinds = {"image": ImageSource, "timeseries": TimeSeriesSource, "audio": AudioSource, "video": VideoSource}
    assert kinds == SOURCES


def test_a_sound_has_a_player_a_waveform_and_its_frequencies() -> None:
    job = load(EXAMPLE)
    assert [(panel.kind, panel.key, panel.name, panel.unit) for panel in job.panels] == [
        ("audio", "sound", "Sound of the grinder", ""),
        ("plot", "sound_waveform", "Sound of the grinder", "FS"),
        ("plot", "sound_spectrogram", "Sound of the grinder, frequencies", "FS"),
        ("plot", "power", "Spindle power", "kW"),
    ]
    assert list(job.recordings) == ["sound", "spindle"]
    assert job.sources["sound"].file_panel("s3://b/sounds/1.flac") == {
        "file": "s3://b/sounds/1.flac",
        "title": " from sound at s3://b/sounds/1.flac",
        "alt": "Sound of the grinder: 1.flac.",
        "notes": [],
        "offset_seconds": -0.25,
    }


def test_a_key_with_hyphens_gives_suffixes_without() -> None:
    panels = AudioSource("Sound", "sounds").panels("micro-phone-1")
    assert [(panel.key, panel.suffix) for panel in panels] == [
        ("micro-phone-1", ""),
        ("micro-phone-1_waveform", "micro_phone_1_waveform"),
        ("micro-phone-1_spectrogram", "micro_phone_1_spectrogram"),
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("[sources.sound]", "[sources.panels]", r"sources\.panels: found the key 'panels'"),
        (
            'key = "power"',
            'key = "sound_waveform"',
            r"channels\[0\]\.key: found 'sound_waveform', as in sources\.sound\.waveform\.key",
        ),
        ('suffix = "power"', 'suffix = "sound_spectrogram"', r"suffix: found .*as in sources\.sound\.spectrogram\.suf"),
        ("offset_seconds = -0.25", "offset_seconds = nan", r"sources\.sound\.offset_seconds: found nan"),
        ("offset_seconds = -0.25", "offset_seconds = -300", r"offset_seconds: found -300\.0; allowed: more than −300"),
        ("max_seconds = 300", "max_seconds = 0", r"sources\.sound\.max_seconds: found 0"),
        ("max_seconds = 300", "volume = 3", r"sources\.sound\.volume: no such key; allowed: kind, title, folder, "),
        ('kind = "audio"', 'kind = "sound"', r"kind: found 'sound'; allowed: 'image', 'timeseries', 'audio', 'video'"),
    ],
)
def test_a_wrong_configuration_is_refused_by_path(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    assert right in text
    (tmp_path / "job.toml").write_text(text.replace(right, wrong, 1))
    with pytest.raises(JobConfigurationError, match=message):
        load(tmp_path / "job.toml")
