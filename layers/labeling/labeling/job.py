"""The labeling job: what is labeled, how its files are read, and how answers become a label.

Everything that differs between one job and another stands in one TOML file, ``job.toml``.
"""

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
from labeling.panels import PANELS, ConfiguredPanel
from labeling.sources import Channel, ImageSource, Key, Source, TimeSeriesSource
from labeling.sources.timeseries import ROW_BY_ROW

CONFIG_VARIABLE = "LABELING_JOB_CONFIG"
# In Lambda the configuration comes with the layer; from a checkout, the repository's own job is meant.
DEFAULT_PATHS = (
    Path("/opt/labeling_job/job.toml"),
    Path(__file__).resolve().parents[3] / "labeling_job" / "job.toml",
)
# What the job keeps in the bucket itself: a source's folder there would mix with it.
OWN_FOLDERS = (
    *("dataset", "manifests", "worker-page", "plots", "reference", "labels", "evidence", "output", "sample"),
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


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Good items, whose median and band lie behind the lines of every item's plots.

    Attributes:
        job: The labeling job that found them good; its items with the label ``category`` are meant.
        manifest: In place of it, a manifest of items: its key in the job's bucket, or its S3 URI.
        category: The label of the items that are meant; of a manifest all items if left out.
        title: What these items are, as the plots' legends name them behind their number.
    """

    job: Annotated[str, msgspec.Meta(max_length=63)] = ""
    manifest: Annotated[str, msgspec.Meta(max_length=1024)] = ""
    category: str = ""
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "good items"


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
        reference: Good items to compare each item with; nothing if there are none to show.
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
    reference: Reference | None = None
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
        """The pictures that workers see as they are, by key."""
        return {key: source for key, source in self.sources.items() if isinstance(source, ImageSource)}

    @property
    def recordings(self) -> dict[str, TimeSeriesSource]:
        """The sources that are drawn, each as what it is drawn, by key."""
        return {key: drawn for key, source in self.sources.items() if (drawn := source.drawn(key))}

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel of every recording, in the order in which they are shown."""
        return tuple(channel for source in self.recordings.values() for channel in source.channels)

    @property
    def channel_keys(self) -> tuple[str, ...]:
        """The keys of the plots on which something can be marked: those with a value a row."""
        computed = (one for source in self.recordings.values() for one in source.derived if one.kind in ROW_BY_ROW)
        return (*(channel.key for channel in self.channels), *(one.key for one in computed))

    @property
    def panels(self) -> tuple[ConfiguredPanel, ...]:
        """All that is shown of an item, in the order of its sources."""
        return tuple(panel for key, source in self.sources.items() for panel in source.panels(key))


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
    if job.reference:
        yield from _reference_contradictions(job, job.reference)
    yield from _question_contradictions(job)
    for key, source in job.sources.items():
        yield from source.contradictions(f"sources.{key}")
    panels = {f"sources.{k}{panel.place}": panel for k, source in job.sources.items() for panel in source.panels(k)}
    yield from _twice({f"{path}.key" if panel.place else path: panel.key for path, panel in panels.items()})
    yield from _twice({f"{path}.suffix": panel.suffix for path, panel in panels.items() if panel.suffix})
    yield from _twice({f"sources.{key}.folder": source.folder for key, source in job.sources.items()})
    for path, panel in panels.items():
        if panel.key == PANELS:
            yield f"{path}: found the key {PANELS!r}, under which the task input lists all panels; allowed: any other"
    for key, source in job.sources.items():
        if source.folder.split("/")[0] in (*OWN_FOLDERS, ".", "..") or ".." in source.folder.split("/"):
            yield (
                f"sources.{key}.folder: found {source.folder!r}; allowed: any folder of the bucket but "
                f"{', '.join(OWN_FOLDERS)}, where the job itself writes"
            )


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


def _reference_contradictions(job: JobConfiguration, reference: Reference) -> Iterator[str]:
    if not job.recordings:
        yield "reference: found no source of kind 'timeseries'; a reference is of recordings"
    if bool(reference.job) == bool(reference.manifest):
        found = "both job and manifest" if reference.job else "neither job nor manifest"
        yield f"reference: found {found}; allowed: one of them, which names the good items"
    if reference.job and not reference.category:
        yield "reference: found no category; with job, it says which of the job's items are meant"
    if reference.category and job.label.categories and reference.category not in job.label.category_names:
        allowed = ", ".join(map(repr, job.label.category_names))
        yield f"reference.category: found {reference.category!r}; allowed: {allowed}"


def _twice(names: Mapping[str, str]) -> Iterator[str]:
    """Which names, by their paths, stand there before."""
    first: dict[str, str] = {}
    for path, name in names.items():
        if name in first:
            yield f"{path}: found {name!r}, as in {first[name]}; allowed: a name of its own"
        first.setdefault(name, path)
