"""The labeling job: what is labeled, how its files are read, and how answers become a label.

Everything that differs between one job and another stands in one TOML file, ``job.toml``.
"""

import math
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from labeling.answers import AnyQuestion, CategoryQuestion, MarkingQuestion
from labeling.answers.question import AnswerName, CategoryName
from labeling.consolidation import ConsolidationConfiguration
from labeling.decoding import convert
from labeling.errors import JobConfigurationError
from labeling.sources import Channel, Derived, Focus, ImageSource, Key, Source, TimeSeriesSource

CONFIG_VARIABLE = "LABELING_JOB_CONFIG"
# In Lambda the configuration comes with the layer; from a checkout, the repository's own job is meant.
DEFAULT_PATHS = (
    Path("/opt/labeling_job/job.toml"),
    Path(__file__).resolve().parents[3] / "labeling_job" / "job.toml",
)
# What the job keeps in the bucket itself: a source's folder there would mix with it.
OWN_FOLDERS = (
    *("dataset", "manifests", "worker-page", "plots", "labels", "evidence", "output", "sample"),
    "check-report",
)
# What stands beside the label in an answer.
RESERVED_NAMES = ("confidence", "votes", "evidence", "strategy")

# Ground Truth allows 63 characters; each start adds a number.
JobName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*\Z",
        max_length=56,
        description="letters, digits and hyphens, 56 at most, beginning and ending with a letter or digit",
    ),
]


Keyword = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(?=.{1,30}\Z)[A-Za-z0-9]+( [A-Za-z0-9]+)*\Z",
        description="letters and digits, 30 at most, with single blanks between words",
    ),
]


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer that a worker can choose.

    Attributes:
        name: The answer itself, as it stands in the label.
        description: What it is, in a line.
        look_for: What to look for in the sources.
    """

    name: CategoryName
    description: str = ""
    look_for: str = ""


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What workers decide first: the category of the item.

    Attributes:
        name: The name of the answer in the worker page's form and in the label.
        categories: The answers that are allowed, in the order in which they are shown; none where only further
            questions are asked.
        not_sure: The category that stands for "can't be told".
        attribute: The label attribute: the key of the label in the output manifest; ``name`` if left out.
    """

    name: AnswerName
    categories: Annotated[tuple[Category, ...], msgspec.Meta(min_length=2, max_length=30)] = ()
    not_sure: str = ""
    attribute: AnswerName = ""

    @property
    def category_names(self) -> tuple[str, ...]:
        """The allowed answers, in the order of the configuration."""
        return tuple(category.name for category in self.categories)


class Workers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers, and how long they have; the limits are Ground Truth's.

    Attributes:
        per_object: How many workers label each object.
        task_time_limit_seconds: How long a worker may take for one task.
        task_availability_seconds: How long a task waits for workers.
        max_concurrent_tasks: How many objects are out with workers at the same time.
    """

    per_object: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    task_time_limit_seconds: Annotated[int, msgspec.Meta(ge=30, le=28_800)] = 900
    task_availability_seconds: Annotated[int, msgspec.Meta(ge=60, le=864_000)] = 864_000
    max_concurrent_tasks: Annotated[int, msgspec.Meta(ge=1, le=5_000)] = 1_000


class JobConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A labeling job's configuration.

    Attributes:
        name: What jobs are called; Ground Truth wants a new name for each run, so set-up adds to it.
        title: The task's title in the worker portal.
        description: The task's description in the worker portal.
        keywords: What workers may search for.
        label: What is decided.
        sources: The files of an item, by their keys in the dataset file.
        questions: What else is asked.
        workers: Who answers, and how long they have.
        consolidation: How answers become a label.
        related_by: What relatives among the items, such as those of one part, have in common in their manifest lines:
            they stay together in a set to train or to validate with. Empty if items have no relatives.
        broken_items: What happens to an item that can't be shown. ``fail``, the default, raises the error, and Ground
            Truth then fails the whole job; ``skip`` logs and counts it, keeps the item from the workers, and goes on.
    """

    name: JobName
    title: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[\t\n\r -\uD7FF\uE000-\uFFFD]{1,128}\Z",
            description="1 to 128 characters, none of them a control character or an emoji",
        ),
    ]
    label: Label
    sources: Annotated[dict[Key, Source], msgspec.Meta(min_length=1)]
    description: Annotated[
        str,
        msgspec.Meta(pattern=r"^[^\n\r\u0085\u2028\u2029]{1,255}\Z", description="1 to 255 characters in one line"),
    ] = "Look at all sources, then choose."
    keywords: Annotated[
        tuple[Keyword, ...],
        msgspec.Meta(min_length=1, max_length=5),
    ] = ("labeling",)
    questions: Annotated[tuple[AnyQuestion, ...], msgspec.Meta(max_length=20)] = ()
    workers: Workers = Workers()
    consolidation: ConsolidationConfiguration = ConsolidationConfiguration()
    broken_items: Literal["fail", "skip"] = "fail"
    related_by: Annotated[str, msgspec.Meta(max_length=100)] = ""

    @property
    def label_attribute(self) -> str:
        """The key of the label in the output manifest."""
        return self.label.attribute or self.label.name

    @property
    def asked(self) -> tuple[AnyQuestion, ...]:
        """All questions, the label's category first."""
        return (*filter(None, [self.category_question]), *self.questions)

    @property
    def category_question(self) -> CategoryQuestion | None:
        """What the label asks; nothing if it has no categories."""
        label = self.label
        if not label.categories:
            return None
        return CategoryQuestion(
            name=label.name, title=self.title, categories=label.category_names, not_sure=label.not_sure
        )

    @property
    def images(self) -> dict[str, ImageSource]:
        """The sources that workers see as they are, by key."""
        return {key: source for key, source in self.sources.items() if isinstance(source, ImageSource)}

    @property
    def recordings(self) -> dict[str, TimeSeriesSource]:
        """The sources that are drawn, by key."""
        return {key: source for key, source in self.sources.items() if isinstance(source, TimeSeriesSource)}

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel of every recording, in the order in which they are shown."""
        return tuple(channel for source in self.recordings.values() for channel in source.channels)

    @property
    def channel_keys(self) -> tuple[str, ...]:
        """The keys of the plots on which something can be marked: those of channels."""
        return tuple(channel.key for channel in self.channels)

    @property
    def plots(self) -> tuple[tuple[Channel | Derived, str], ...]:
        """Every plot of every recording with its unit, in the order in which they are shown."""
        return tuple(
            (panel, panel.unit if isinstance(panel, Channel) else source.unit_of(panel))
            for source in self.recordings.values()
            for panel in source.panels
        )


def load(path: Path) -> JobConfiguration:
    """Reads a job configuration and refuses a wrong one.

    Args:
        path: The TOML file.

    Raises:
        JobConfigurationError: Naming the file, the key's path, what was found and what is allowed.
    """
    try:
        job = convert(tomllib.loads(path.read_text(encoding="utf-8-sig")), JobConfiguration)
    except OSError as error:
        raise JobConfigurationError(
            f"{path}: the job configuration can't be read ({error.strerror}); "
            f"name another file in the environment variable {CONFIG_VARIABLE}"
        ) from error
    except RecursionError:
        raise JobConfigurationError(
            f"{path}: its values are nested too deep; docs and examples have two levels"
        ) from None
    except ValueError as error:  # no TOML, no UTF-8, a number of thousands of digits, or none of what is allowed
        raise JobConfigurationError(f"{path}: {error}") from None
    for problem in _contradictions(job):
        raise JobConfigurationError(f"{path}: {problem}")
    return job


def load_configured(environment: Mapping[str, str] = os.environ) -> JobConfiguration:
    """Reads the configuration that ``LABELING_JOB_CONFIG`` names, or the one deployed with the functions.

    Raises:
        JobConfigurationError: As `load`.
    """
    named = environment.get(CONFIG_VARIABLE)
    return load(Path(named) if named else next(filter(Path.is_file, DEFAULT_PATHS), DEFAULT_PATHS[0]))


def _contradictions(job: JobConfiguration) -> Iterator[str]:
    """What no single key shows: values that don't go together."""
    yield from _label_contradictions(job)
    yield from _question_contradictions(job)
    channels: dict[str, Channel | Derived] = {
        f"sources.{key}.{kind}[{index}]": panel
        for key, source in job.recordings.items()
        for kind, panels in _kinds(source)
        for index, panel in enumerate(panels)
    }
    keys = {f"sources.{key}": key for key in job.images} | {f"{path}.key": of.key for path, of in channels.items()}
    yield from _twice(keys)
    yield from _twice({f"{path}.suffix": channel.suffix for path, channel in channels.items()})
    yield from _twice({f"sources.{key}.folder": source.folder for key, source in job.sources.items()})
    for key, source in job.sources.items():
        if source.folder.split("/")[0] in (*OWN_FOLDERS, ".", "..") or ".." in source.folder.split("/"):
            yield (
                f"sources.{key}.folder: found {source.folder!r}; allowed: any folder of the bucket but "
                f"{', '.join(OWN_FOLDERS)}, where the job itself writes"
            )
        if isinstance(source, TimeSeriesSource):
            yield from _recording_contradictions(f"sources.{key}", source)


def _kinds(source: TimeSeriesSource) -> Sequence[tuple[str, Sequence[Channel | Derived]]]:
    return ("channels", source.channels), ("derived", source.derived)


def _label_contradictions(job: JobConfiguration) -> Iterator[str]:
    names = job.label.category_names
    yield from _twice({f"label.categories[{index}].name": name for index, name in enumerate(names)})
    if not names and not job.questions:
        yield "label.categories: missing; a label needs two or more, or a job [[questions]]"
    if names and job.label.not_sure not in names:
        yield f"label.not_sure: found {job.label.not_sure!r}; allowed: {', '.join(map(repr, names))}"
    if job.label.name in RESERVED_NAMES:
        yield f"label.name: found {job.label.name!r}; allowed: any name but {', '.join(RESERVED_NAMES)}"
    for ending in ("-metadata", "-ref"):
        if job.label_attribute.endswith(ending):
            yield (
                f"label.attribute: found {job.label_attribute!r}; allowed: a name that doesn't end in {ending}, "
                "which Ground Truth keeps for itself"
            )


def _question_contradictions(job: JobConfiguration) -> Iterator[str]:
    names = {"label.name": job.label.name} | {
        f"questions[{index}].name": q.name for index, q in enumerate(job.questions)
    }
    yield from _twice(names)
    for index, question in enumerate(job.questions):
        path = f"questions[{index}]"
        if question.name in RESERVED_NAMES:
            yield f"{path}.name: found {question.name!r}; allowed: any name but {', '.join(RESERVED_NAMES)}"
        if isinstance(question, MarkingQuestion) and not job.recordings:
            yield f"{path}.kind: found {question.kind!r}; allowed with a source of kind 'timeseries', to mark its plots"
        categories: Sequence[str] = getattr(question, "categories", ())
        yield from _twice({f"{path}.categories[{place}]": name for place, name in enumerate(categories)})
        for key, problem in question.contradictions():
            yield f"{path}.{key}: {problem}"


def _recording_contradictions(path: str, source: TimeSeriesSource) -> Iterator[str]:
    if source.delimiter == source.decimal:
        yield f"{path}.decimal: found {source.decimal!r}; allowed: a mark that isn't the delimiter as well"
    if source.comment and source.comment == source.delimiter:
        yield f"{path}.comment: found {source.comment!r}; allowed: a mark that isn't the delimiter as well"
    for index, channel in enumerate(source.channels):
        if channel.column == source.time.column:
            yield f"{path}.channels[{index}].column: found {channel.column!r}, the time column; allowed: any other"
        if not math.isfinite(channel.scale) or channel.scale == 0:
            yield f"{path}.channels[{index}].scale: found {channel.scale!r}; allowed: any number but 0"
    if isinstance(source.focus, Focus):
        yield from _focus_contradictions(f"{path}.focus", source.focus, [channel.key for channel in source.channels])
    for index, derived in enumerate(source.derived):
        yield from _derived_contradictions(f"{path}.derived[{index}]", derived, [one.key for one in source.channels])
    columns = [("time", source.time.column)]
    columns += [(f"channels[{index}]", channel.column) for index, channel in enumerate(source.channels)]
    for owner, column in columns:
        if isinstance(column, str) and not source.header:
            yield (
                f"{path}.{owner}.column: found {column!r}; allowed: an index counted from 0, "
                f"or a name together with {path}.header = true"
            )


def _derived_contradictions(path: str, derived: Derived, channels: Sequence[str]) -> Iterator[str]:
    named = {"of": derived.of} | ({"over": derived.over} if derived.kind == "ratio" else {})
    for name, key in named.items():
        if key not in channels:
            yield f"{path}.{name}: found {key!r}; allowed: {', '.join(map(repr, channels))}"
    moving = derived.kind in ("moving-mean", "moving-rms")
    if moving and derived.window_seconds is None:
        yield f"{path}: found no window_seconds; a {derived.kind} needs one"
    for name, has, needs in (
        ("over", bool(derived.over), derived.kind == "ratio"),
        ("window_seconds", derived.window_seconds is not None, moving),
    ):
        if has and not needs:
            yield f"{path}.{name}: found {getattr(derived, name)!r}; a {derived.kind} has none"


def _focus_contradictions(path: str, focus: Focus, channels: Sequence[str]) -> Iterator[str]:
    if focus.channel not in channels:
        yield f"{path}.channel: found {focus.channel!r}; allowed: {', '.join(map(repr, channels))}"
    levels = {name: level for name in ("above", "below") if (level := getattr(focus, name)) is not None}
    if not levels:
        yield f"{path}: found neither above nor below; allowed: one of them, or both"
    for name, level in levels.items():
        if not math.isfinite(level):
            yield f"{path}.{name}: found {level!r}; allowed: any number"
    if len(levels) == 2 and not levels["above"] < levels["below"]:
        yield f"{path}.below: found {levels['below']!r}; allowed: more than above, {levels['above']!r}"


def _twice(names: Mapping[str, str]) -> Iterator[str]:
    """Which names, by their paths, stand there before."""
    first: dict[str, str] = {}
    for path, name in names.items():
        if name in first:
            yield f"{path}: found {name!r}, as in {first[name]}; allowed: a name of its own"
        first.setdefault(name, path)
