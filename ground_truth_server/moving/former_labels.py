"""The labels that a former job has so far, by the lines of its input manifest.

They stand in its output manifest; where it has none, in the newest intermediate manifest. Labels that were consolidated
after that one was written stand in the consolidation responses alone, each under its line's number.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from types import TracebackType
from typing import Any, NamedTuple

from ground_truth_server.engine.manifest import ManifestLine, check_line, split_lines
from ground_truth_server.engine.outputs import label_metadata
from ground_truth_server.json_text import write_json
from ground_truth_server.moving.former_files import FormerFiles

_OUTPUT = "manifests/output/output.manifest"
_INTERMEDIATE = (
    ("manifests/intermediate", "output.manifest"),
    ("annotations/intermediate", "annotations.manifest"),
)
_RESPONSES = "annotations/consolidated-annotation/consolidation-response"
_REQUESTS = "annotations/consolidated-annotation/consolidation-request"
_ANSWERS = "annotations/worker-response"
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[_T](\d\d:\d\d:\d\d)\.json")
_ANSWERS_PATH = re.compile(rf"{_ANSWERS}/iteration-\d+/(\d{{1,9}})/[^/]+\.json")
_MOST_REMARKS = 100

Source = tuple[object, object]
"""What a line is of: its ``source-ref`` and its ``source``."""


class _Place(NamedTuple):
    start: int
    length: int


class _Entry(NamedTuple):
    line: _Place | None
    failed: bool


class FormerLabels:
    """Finds the labels, and holds their lines in a temporary file until it is closed.

    Args:
        job: The former job's name.
        attribute: The label's key.
        files: The job's output.

    Attributes:
        manifest: Which file the lines are from, as people know it; ``None`` if there is none.
        remarks: What couldn't be used, and why, by its name; after a hundred of them only how many.
        lines: How many lines that manifest has.
        matched: How many of them were asked for.

    Raises:
        CantMoveIn: If the output can't be read.
        OSError: If it can't be read, or the temporary file can't be written.
    """

    def __init__(self, job: str, attribute: str, files: FormerFiles) -> None:
        self._job = job
        self._attribute = attribute
        self._files = files
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115  (closed with this)
        self._by_source: dict[bytes, list[_Entry]] = {}
        self._by_number: dict[int, _Place] = {}
        self._more_remarks = 0
        self._remarks: list[str] = []
        self.manifest: str | None = None
        self.lines = self.matched = 0
        try:
            self._read_manifest()
            self._read_responses()
        except BaseException:
            self._kept.close()
            raise

    def __enter__(self) -> "FormerLabels":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    @property
    def remarks(self) -> list[str]:
        """What couldn't be used, and why."""
        return [*self._remarks, *([f"{self._more_remarks} more of this kind"] if self._more_remarks else [])]

    def labeled_line(self, line: ManifestLine) -> tuple[bytes | None, bool]:
        """Give the line of an output manifest that is a line of the input's; each is given once.

        Args:
            line: A line of the input manifest.

        Returns:
            The line as it stands there, if it has a label, and whether the object failed.
        """
        if line.data_object is None:
            return None, False
        entries = self._by_source.get(_digest(_source(line.data_object)))
        if not entries:
            return None, False
        self.matched += 1
        entry = entries.pop(0)
        return (None if entry.line is None else self._read(entry.line)), entry.failed

    def consolidated_line(self, line: ManifestLine) -> bytes | None:
        """Make the line of an output manifest of a label that was consolidated, but stands in no manifest yet.

        Args:
            line: A line of the input manifest.

        Returns:
            The line; ``None`` if there is no such label.
        """
        place = self._by_number.get(line.number - 1)
        if place is None or line.data_object is None:
            return None
        found = json.loads(self._read(place))
        if found["source"] not in (None, *_source(line.data_object)):
            self._remark(
                f"{found['file']}: object {line.number - 1} is {found['source']!r} there, but line {line.number} of "
                "the manifest is another; its label isn't used"
            )
            return None
        name, content = f"{self._attribute}-metadata", found["content"]
        given = content.pop(name, None)
        metadata = {**(given if isinstance(given, dict) else {}), **label_metadata(self._job, found["at"])}
        label = {self._attribute: content.pop(self._attribute), name: metadata}
        text = write_json({**content, **line.data_object, **label})
        return None if check_line(line.number, text.encode(), self._attribute).label is None else text.encode()

    def answers(self) -> dict[int, list[str]]:
        """List the files with workers' answers, by the object's number, from 0."""
        found: dict[int, list[str]] = {}
        for path in self._files.paths(_ANSWERS):
            if place := _ANSWERS_PATH.fullmatch(path):
                found.setdefault(int(place[1]), []).append(path)
        return found

    def count_answers(self, path: str) -> int:
        """Count the answers in a file of them; none where it can't be read."""
        found = self._json(path)
        answers = found.get("answers") if isinstance(found, dict) else None
        return len(answers) if isinstance(answers, list) else 0

    def _read_manifest(self) -> None:
        path = self._newest_manifest()
        if path is None:
            return
        self.manifest = self._files.name(path)
        for number, raw in enumerate(split_lines(self._files.chunks(path)), 1):
            if raw is not None and not raw.strip():
                continue
            self.lines += 1
            line = check_line(number, raw, self._attribute)
            if line.data_object is None or raw is None:
                self._remark(f"{self.manifest}: line {number}: {line.problem}; its label, if it has one, isn't used")
                continue
            place = self._keep(raw) if line.label is not None else None
            entry = _Entry(place, self._has_failed(line.data_object))
            self._by_source.setdefault(_digest(_source(line.data_object)), []).append(entry)

    def _newest_manifest(self) -> str | None:
        if _OUTPUT in self._files.paths("manifests/output"):
            return _OUTPUT
        for folder, name in _INTERMEDIATE:
            waves = re.compile(rf"{folder}/(\d{{1,9}})/{re.escape(name)}")
            found = [(int(place[1]), path) for path in self._files.paths(folder) if (place := waves.fullmatch(path))]
            if found:
                return max(found)[1]
        return None

    def _has_failed(self, data_object: Mapping[str, Any]) -> bool:
        metadata = data_object.get(f"{self._attribute}-metadata")
        return isinstance(metadata, dict) and "failure-reason" in metadata

    def _read_responses(self) -> None:
        responses = sorted(self._files.paths(_RESPONSES), key=_iteration)
        requests = set(self._files.paths(_REQUESTS)) if responses else set()
        for path in responses:
            stamp = _STAMP.fullmatch(path.rpartition("/")[2])
            answer = self._json(path)
            if stamp is None or not isinstance(answer, list):
                self._remark(
                    f"{self._files.name(path)}: expected STAMP.json with a JSON array of labels; it isn't used"
                )
                continue
            request = path.replace(_RESPONSES, _REQUESTS, 1)
            sources = self._sources_of(request) if request in requests else {}
            for entry in answer:
                self._take_response(path, entry, sources, f"{stamp[1]}T{stamp[2]}.000000")

    def _take_response(self, path: str, entry: object, sources: Mapping[str, object], at: str) -> None:
        try:
            number = str(entry["datasetObjectId"])  # type: ignore[index]  # whatever it is
            content = entry["consolidatedAnnotation"]["content"]  # type: ignore[index]
            label = content[self._attribute]
        except (KeyError, TypeError):
            self._remark(
                f"{self._files.name(path)}: found an entry without datasetObjectId, or without "
                f"{self._attribute} in its consolidatedAnnotation's content; it isn't used"
            )
            return
        if label is None or not (number.isascii() and number.isdigit() and len(number) < 10):
            return
        kept = {"file": self._files.name(path), "at": at, "source": sources.get(number), "content": content}
        try:
            self._by_number[int(number)] = self._keep(write_json(kept).encode())
        except ValueError as error:
            self._remark(f"{self._files.name(path)}: object {number}: {error}; its label isn't used")

    def _sources_of(self, path: str) -> dict[str, object]:
        """What the objects of a consolidation request were, by their numbers."""
        payload = self._json(path)
        found = {}
        for entry in payload if isinstance(payload, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("dataObject"), dict):
                given = entry["dataObject"]
                found[str(entry.get("datasetObjectId"))] = given.get("content", given.get("s3Uri"))
        return found

    def _json(self, path: str) -> Any:
        try:
            return json.loads(b"".join(self._files.chunks(path)))
        except (ValueError, RecursionError) as error:
            self._remark(f"{self._files.name(path)}: no JSON: {error}; it isn't used")
            return None

    def _keep(self, raw: bytes) -> _Place:
        start = self._kept.seek(0, 2)
        self._kept.write(raw)
        return _Place(start, len(raw))

    def _read(self, place: _Place) -> bytes:
        self._kept.seek(place.start)
        return self._kept.read(place.length)

    def _remark(self, text: str) -> None:
        if len(self._remarks) < _MOST_REMARKS:
            self._remarks.append(text)
        else:
            self._more_remarks += 1


def _iteration(path: str) -> tuple[int, str]:
    found = re.search(r"/iteration-(\d{1,9})/", path)
    return (int(found[1]) if found else 0), path


def _source(data_object: Mapping[str, Any]) -> Source:
    return data_object.get("source-ref"), data_object.get("source")


def _digest(source: Source) -> bytes:
    return sha256(repr(source).encode("utf-8", "surrogatepass")).digest()


def lines_of(chunks: Iterator[bytes], attribute: str) -> Iterator[tuple[ManifestLine, bytes]]:
    """Read an input manifest.

    Args:
        chunks: Its bytes.
        attribute: The label's key.

    Yields:
        Each line, good or bad, and its bytes; those of one that is longer than any good line aren't kept.
    """
    for number, raw in enumerate(split_lines(chunks), 1):
        if number == 1 and raw is not None:
            raw = raw.removeprefix(b"\xef\xbb\xbf")  # noqa: PLW2901  (a byte-order mark)
        yield check_line(number, raw, attribute), b"{}" if raw is None else raw
