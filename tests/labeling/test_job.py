"""The job configuration: the sample is read as written, and each wrong one is refused with its key's path."""

import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.model import ListShape, Shape, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st
from labeling.errors import JobConfigurationError
from labeling.job import load, load_configured
from labeling.job_request import JobResources, create_labeling_job
from labeling.sources import ImageSource, TimeSeriesSource

from ground_truth_server.sagemaker.java_pattern import java_pattern

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "labeling_job" / "job.toml"
QUESTION = "[[questions]]\nname = 'asked'\ntitle = 'Asked'\n"
DERIVED = "[[sources.sensor_data.derived]]\nkey = 'computed'\ntitle = 'Computed'\nsuffix = 'computed'\n"


def test_the_sample_job_is_the_article_s() -> None:
    job = load(SAMPLE)
    assert job.label.name == "WeldingClassification"
    assert job.label.not_sure == "Not sure"
    assert job.label.category_names == (
        "Good Weld",
        "Burn Through",
        "Contamination",
        "Lack of Fusion",
        "Lack of Shielding Gas",
        "High Travel Speed",
        "Not sure",
    )
    assert isinstance(job.sources["image"], ImageSource)
    assert isinstance(job.sources["sensor_data"], TimeSeriesSource)
    assert {channel.key: (channel.column, channel.suffix) for channel in job.channels} == {
        "electrode": (1, "electrode_pos"),
        "current": (2, "current"),
        "voltage": (3, "voltage"),
    }


def test_every_category_tells_workers_what_to_look_for() -> None:
    for category in load(SAMPLE).label.categories:
        assert category.description
        assert category.look_for


@pytest.mark.parametrize(
    "path", sorted((ROOT / "labeling_job" / "examples").glob("*.toml")), ids=lambda path: path.stem
)
def test_every_example_job_is_right(path: Path) -> None:
    assert load(path).sources


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('unit = "ms"', 'unit = "min"', r"sources\.sensor_data\.time\.unit: found 'min'; allowed: 'us', 'ms', 's'"),
        ('kind = "image"', 'kind = "movie"', r"sources\.image\.kind: found 'movie'; allowed: 'image', 'timeseries'"),
        ('kind = "image"\n', "", r"sources\.image\.kind: found nothing; allowed: 'image', 'timeseries'"),
        ("per_object = 3", "per_object = 12", r"workers\.per_object: found 12; .*<= 9"),
        ("per_object = 3", 'per_object = "3"', r"workers\.per_object: found '3'; Expected `int`"),
        ('key = "current"', 'key = "1 c"', r"channels\[0\]\.key: found '1 c'"),
        ("column = 2", "colum = 2", r"channels\[0\]\.colum: no such key; allowed: key, title, column"),
        ("column = 2", 'column = "I"', r"channels\[0\]\.column: found 'I'; .*header = true"),
        ("column = 2", "column = -2", r"channels\[0\]\.column: found -2; .*>= 0"),
        ('title = "Welding current"\n', "", r"channels\[0\]\.title: missing"),
        ('attribute = "WeldingLabel"', 'attribute = "W-ref"', r"label\.attribute: found 'W-ref'.*-ref"),
        ('attribute = "WeldingLabel"', 'attribute = "W-metadata"', r"label\.attribute: .*-metadata"),
        ('name = "WeldingClassification"', 'name = "votes"', r"label\.name: found 'votes'"),
        ('not_sure = "Not sure"', 'not_sure = "?"', r"label\.not_sure: found '\?'; allowed: 'Good Weld'"),
        (
            'name = "Burn Through"',
            'name = "Good Weld"',
            r"label\.categories\[1\]\.name: found 'Good Weld', as in label\.categories\[0\]\.name",
        ),
        (
            'suffix = "voltage"',
            'suffix = "current"',
            r"channels\[1\]\.suffix: found 'current', as in sources\.sensor_data\.channels\[0\]\.suffix",
        ),
        ('key = "voltage"', 'key = "image"', r"channels\[1\]\.key: found 'image', as in sources\.image"),
        (
            'key = "voltage"',
            'key = "panels"',
            r"channels\[1\]: found the key 'panels', under which the task input lists",
        ),
        ("[sources.image]", "[sources.panels]", r"sources\.panels: found the key 'panels'"),
        ('folder = "images"', 'folder = "plots"', r"sources\.image\.folder: found 'plots'"),
        ('folder = "images"', 'folder = "a/../plots"', r"sources\.image\.folder: found 'a/\.\./plots'"),
        ('delimiter = ","', "delimiter = 3", r"sources\.sensor_data\.delimiter: found 3; allowed: ','"),
        ('decimal = "."', 'decimal = ","', r"sources\.sensor_data\.decimal: found ','"),
        ('strategy = "majority-vote"', 'strategy = "best"', r"consolidation\.strategy: found 'best'; allowed: 'maj"),
        ('tie = "not-sure"', 'tie = "coin"', r"consolidation\.tie: found 'coin'"),
        ('broken_items = "skip"', 'broken_items = "?"', r"broken_items: found '\?'; allowed: 'fail', 'skip'"),
        ("task_time_limit_seconds = 900", "task_time_limit_seconds = 10", r"time_limit_seconds: found 10; .*>= 30"),
        ('name = "WeldingLabelJob"', 'name = "Welding job!"', r"name: found 'Welding job!'"),
        ("[sources.image]", '[sources."a b"]', r"sources\.a b: found 'a b'"),
        (
            'suffix = "current"',
            'suffix = "cur-rent"',
            r"channels\[0\]\.suffix: found 'cur-rent'; allowed: letters, digits and _",
        ),
        ('folder = "images"', 'folder = "my images/"', r"folder: found 'my images/'; allowed: letters, digits, _"),
        ('folder = "images"', 'folder = "dataset"', r"sources\.image\.folder: found 'dataset'; allowed: any folder"),
        ("column = 2", "column = 0", r"channels\[0\]\.column: found 0, the time column; allowed: any other"),
        ("column = 2", "column = 2\nscale = 0", r"channels\[0\]\.scale: found 0\.0; allowed: any number but 0"),
        ("column = 2", "column = 2\nscale = nan", r"channels\[0\]\.scale: found nan; allowed: any number but 0"),
        ('focus = "auto"', 'focus = "most"', r"sensor_data\.focus: found 'most'"),
        (
            'focus = "auto"',
            'focus = { channel = "amps", above = 1 }',
            r"focus\.channel: found 'amps'; allowed: 'current', 'voltage', 'electrode'",
        ),
        ('focus = "auto"', 'focus = { channel = "current" }', "focus: found neither above nor below; allowed: one"),
        (
            'focus = "auto"',
            'focus = { channel = "current", above = nan }',
            "focus.above: found nan; allowed: any",
        ),
        (
            'focus = "auto"',
            'focus = { channel = "current", above = 9, below = 9 }',
            r"focus\.below: found 9\.0; allowed: more than above, 9\.0",
        ),
        (
            'focus = "auto"',
            'focus = { channel = "current", below = 1, margin_seconds = -1 }',
            "seconds: found -1",
        ),
        (
            "[sources.sensor_data.time]",
            f"{DERIVED}kind = 'ratio'\nof = 'voltage'\nover = 'amps'\n[sources.sensor_data.time]",
            r"derived\[0\]\.over: found 'amps'; allowed: 'current', 'voltage', 'electrode'",
        ),
        (
            "[sources.sensor_data.time]",
            f"{DERIVED}kind = 'moving-mean'\nof = 'volts'\n[sources.sensor_data.time]",
            r"derived\[0\]\.of: found 'volts'; allowed: 'current'",
        ),
        (
            "[sources.sensor_data.time]",
            f"{DERIVED}kind = 'moving-rms'\nof = 'voltage'\n[sources.sensor_data.time]",
            r"derived\[0\]: found no window_seconds; a moving-rms needs one",
        ),
        (
            "[sources.sensor_data.time]",
            f"{DERIVED}kind = 'spectrum'\nof = 'voltage'\nwindow_seconds = 1\n[sources.sensor_data.time]",
            r"derived\[0\]\.window_seconds: found 1\.0; a spectrum has none",
        ),
        (
            "[sources.sensor_data.time]",
            f"{DERIVED.replace('computed', 'voltage')}kind = 'histogram'\nof = 'voltage'\n[sources.sensor_data.time]",
            r"derived\[0\]\.key: found 'voltage', as in",
        ),
        ('kind = "regions"', 'kind = "boxes"', r"questions\[0\]\.kind: found 'boxes'; allowed: 'categor"),
        ('categories = ["Defect"]', "categories = []", r"questions\[0\]\.categories: found \[\]"),
        ('categories = ["Defect"]', "categories = ['a', 'a']", r"questions\[0\]\.categories\[1\]: found 'a', as in"),
        (
            'categories = ["Defect"]',
            "categories = [' a']",
            r"questions\[0\]\.categories\[0\]: found ' a'; allowed: 1 to",
        ),
        ('name = "DefectStretch"', 'name = "votes"', r"questions\[0\]\.name: found 'votes'; allowed: any name but"),
        ('name = "DefectStretch"', 'name = "a b"', r"questions\[0\]\.name: found 'a b'; allowed: letters"),
        (
            'name = "DefectStretch"',
            'name = "WeldingClassification"',
            r"questions\[0\]\.name: found 'WeldingClassification', as in label\.name",
        ),
        (
            "[[questions]]\n",
            f"{QUESTION}kind = 'number'\nleast = 3\nmost = 3\n[[questions]]\n",
            r"questions\[0\]\.most: found 3\.0; allowed: more than least, 3\.0",
        ),
        (
            "[[questions]]\n",
            f"{QUESTION}kind = 'number'\nleast = nan\n[[questions]]\n",
            r"questions\[0\]\.least: found nan; allowed: any number",
        ),
        (
            "[[questions]]\n",
            f"{QUESTION}kind = 'category'\ncategories = ['a', 'b']\nnot_sure = 'c'\n[[questions]]\n",
            r"questions\[0\]\.not_sure: found 'c'; allowed: 'a', 'b'",
        ),
        (
            "[[questions]]\n",
            f"{QUESTION}kind = 'instants'\ncategories = ['a', 'b']\n[[questions]]\n",
            r"questions\[0\]\.tolerance_seconds: missing",
        ),
        ("[label]", "[labels]", r"label: missing|labels: no such key"),
        ("[workers]", "[reference]\n[workers]", r"reference: found neither job nor manifest; allowed: one of them"),
        (
            "[workers]",
            '[reference]\njob = "W-1"\nmanifest = "m"\ncategory = "Good Weld"\n[workers]',
            r"reference: found both job and manifest; allowed: one of them",
        ),
        ("[workers]", '[reference]\njob = "W-1"\n[workers]', r"reference: found no category; with job, it says which"),
        (
            "[workers]",
            '[reference]\njob = "W-1"\ncategory = "Best Weld"\n[workers]',
            r"reference\.category: found 'Best Weld'; allowed: 'Good Weld', 'Burn Through'",
        ),
        ("[workers]", "[reference]\njob = 1\n[workers]", r"reference\.job: found 1; Expected `str`"),
        ('folder = "sensor_data"', 'folder = "reference/csv"', r"folder: found 'reference/csv'; allowed: any folder"),
        ('comment = "#"', 'comment = ","', r"sensor_data\.comment: found ','"),
        ('name = "Good Weld"', 'name = " "', r"label\.categories\[0\]\.name: found ' '; allowed: 1 to 100 characters"),
        ('name = "WeldingLabelJob"', f'name = "{"x" * 63}"', r"name: found 'x+'; .*56"),
        ("[workers]", "[workers", "line 1"),
    ],
)
def test_a_wrong_configuration_is_refused_by_path(right: str, wrong: str, message: str, tmp_path: Path) -> None:
    text = SAMPLE.read_text()
    assert right in text
    path = tmp_path / "job.toml"
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(JobConfigurationError, match=message) as refusal:
        load(path)
    assert str(refusal.value).startswith(f"{path}: ")


ONLY_FURTHER = """
name = "Marks"
title = "Mark it"
[label]
name = "Marks"
[sources.recording]
kind = "timeseries"
title = "Recording"
folder = "recordings"
channels = [{ key = "force", title = "Force", column = 1, suffix = "force" }]
"""


def test_a_job_may_ask_other_questions_than_a_category(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text(f"{ONLY_FURTHER}{QUESTION}kind = 'regions'\ncategories = ['a']\n")
    assert [(question.kind, question.name) for question in load(path).asked] == [("regions", "asked")]
    path.write_text(ONLY_FURTHER)
    with pytest.raises(JobConfigurationError, match=r"label\.categories: missing; a label needs two or more"):
        load(path)


def test_marks_need_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    only_image = (
        ONLY_FURTHER.split("[sources.recording]", maxsplit=1)[0] + "[sources.i]\nkind='image'\ntitle='i'\nfolder='i'\n"
    )
    path.write_text(f"{only_image}{QUESTION}kind = 'regions'\ncategories = ['a']\n")
    with pytest.raises(JobConfigurationError, match=r"questions\[0\]\.kind: found 'regions'; allowed with a source"):
        load(path)


def test_marks_may_lie_on_what_has_a_value_a_row(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    ratio = f"{DERIVED}kind = 'ratio'\nof = 'voltage'\nover = 'current'\n"
    spectrum = f"{DERIVED.replace('computed', 'spectrum')}kind = 'spectrum'\nof = 'voltage'\n"
    path.write_text(SAMPLE.read_text() + ratio + spectrum)
    assert load(path).channel_keys == ("current", "voltage", "electrode", "computed")


def test_a_tolerance_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text(f"{ONLY_FURTHER}{QUESTION}kind = 'instants'\ncategories = ['a']\ntolerance_seconds = inf\n")
    with pytest.raises(JobConfigurationError, match=r"questions\[0\]\.tolerance_seconds: found inf; allowed: any"):
        load(path)


def test_the_label_s_category_is_asked_first() -> None:
    first, second = load(SAMPLE).asked
    assert (first.kind, first.name) == ("category", "WeldingClassification")
    assert (second.kind, second.name, second.required) == ("regions", "DefectStretch", False)


def test_a_reference_needs_recordings(tmp_path: Path) -> None:
    text = SAMPLE.read_text()
    path = tmp_path / "job.toml"
    images_only = text[: text.index("[sources.sensor_data]")]
    path.write_text(f'{images_only}[reference]\nmanifest = "m"\n')
    with pytest.raises(JobConfigurationError, match="reference: found no source of kind 'timeseries'"):
        load(path)


def test_the_environment_names_another_file(tmp_path: Path) -> None:
    path = tmp_path / "pumps.toml"
    path.write_text(SAMPLE.read_text().replace("WeldingLabelJob", "PumpJob"))
    assert load_configured({"LABELING_JOB_CONFIG": str(path)}).name == "PumpJob"
    assert load_configured({}).name == "WeldingLabelJob"


def test_a_byte_order_mark_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "job.toml"
    path.write_text(SAMPLE.read_text(), encoding="utf-8-sig")
    assert load(path) == load(SAMPLE)


def test_a_file_that_is_not_there_is_named_with_the_variable(tmp_path: Path) -> None:
    with pytest.raises(JobConfigurationError, match=r"none\.toml: .*LABELING_JOB_CONFIG"):
        load_configured({"LABELING_JOB_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = " + "9" * 5_000, "limit"),
        ("name = " + "[" * 5_000 + "]" * 5_000, "nested too deep"),
        ("name = '\xff'", "utf-8"),
    ],
)
def test_a_file_that_breaks_the_reader_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "job.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(JobConfigurationError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert said in str(error.value)
    assert len(str(error.value)) < 400


def refused_by_sagemaker(shape: Shape, value: Any, path: str = "") -> list[str]:
    """What of a request SageMaker's own model refuses: lengths, bounds and patterns, which botocore doesn't check."""
    match shape, value:
        case StructureShape(), dict():
            members = shape.members
            return [
                one
                for name, part in value.items()
                for one in refused_by_sagemaker(members[name], part, f"{path}.{name}")
            ]
        case ListShape(), list():
            found = [one for part in value for one in refused_by_sagemaker(shape.member, part, f"{path}[]")]
            return found + (
                [path] if not shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", 1e9) else []
            )
        case _, str():
            length = shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", 1e9)
            fits = java_pattern(shape.metadata.get("pattern", r"[\s\S]*")).fullmatch(value)
            return [] if length and fits else [f"{path}: {value!r}"]
        case _, int():
            return (
                [] if shape.metadata.get("min", 0) <= value <= shape.metadata.get("max", 1e9) else [f"{path}: {value}"]
            )
    raise AssertionError(path)


WORKTEAM = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/t"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:f"
SAGEMAKER = boto3.client("sagemaker", region_name="eu-west-1").meta.service_model
REQUEST = SAGEMAKER.operation_model("CreateLabelingJob").input_shape
JOB_TEXT = (ROOT / "labeling_job" / "job.toml").read_text(encoding="utf-8")
ODD = st.sampled_from(
    [
        "\\n",
        "\\t",
        "\\u0000",
        "\\u001b",
        "\\U0001F600",
        "\\uFFFE",
        "-",
        " ",
        "  ",
        "ü",
        "-ref",
        "x" * 60,
        "x" * 300,
        "",
        "\\r\\n",
        "\\uD7FF",
        "\\u2028",
    ]
)


@settings(max_examples=1_500, deadline=None)
@given(
    key=st.sampled_from(
        ["name", "title", "description", "keywords", "attribute", "per_object", "task_time_limit_seconds"]
    ),
    odd=ODD,
    place=st.integers(0, 60),
    number=st.integers(-10, 10**6),
)
def test_what_loads_is_a_job_that_sagemaker_takes(
    tmp_path_factory: pytest.TempPathFactory, key: str, odd: str, place: int, number: int
) -> None:
    lines = JOB_TEXT.splitlines()
    index = next(n for n, line in enumerate(lines) if line.startswith(f"{key} = "))
    found = re.match(r'(\w+ = \[?)("?)([^"]*|\d+)("?.*)', lines[index])
    assert found
    head, quote, value, rest = found.groups()
    value = value[:place] + odd + value[place:] if quote else str(number) + rest[len(rest) :]
    lines[index] = f"{head}{quote}{value}{rest}" if quote else f"{key} = {number}"
    path = tmp_path_factory.mktemp("job") / "job.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        job = load(path)
    except JobConfigurationError:
        return
    resources = JobResources("a-bucket", "arn:aws:iam::111122223333:role/r", WORKTEAM, FUNCTION, FUNCTION)
    request = create_labeling_job(job, f"{job.name}-123456", resources)
    assert REQUEST is not None
    assert refused_by_sagemaker(REQUEST, request) == []
