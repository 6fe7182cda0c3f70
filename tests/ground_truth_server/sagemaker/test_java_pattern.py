from collections.abc import Iterator

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

from ground_truth_server.sagemaker.java_pattern import java_pattern

SERVED = [
    *("CreateLabelingJob", "DescribeLabelingJob", "ListLabelingJobs", "StopLabelingJob", "RenderUiTemplate"),
    *("CreateWorkteam", "DescribeWorkteam", "ListWorkteams", "UpdateWorkteam", "DeleteWorkteam"),
    *("ListTags", "AddTags", "DeleteTags", "ListLabelingJobsForWorkteam"),
]


def patterns_in(shape: Shape) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            yield from patterns_in(member)
    elif isinstance(shape, ListShape):
        yield from patterns_in(shape.member)
    if "pattern" in shape.metadata:
        yield shape.metadata["pattern"]


def served_patterns() -> list[str]:
    model = ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
    shapes = (model.operation_model(name).input_shape for name in SERVED)
    return sorted({pattern for shape in shapes if shape is not None for pattern in patterns_in(shape)})


@pytest.mark.parametrize("pattern", served_patterns())
def test_every_pattern_of_the_served_operations_compiles(pattern: str) -> None:
    assert java_pattern(pattern).fullmatch("\x00") is None or "." in pattern or "\\S" in pattern


@pytest.mark.parametrize("pattern", served_patterns())
def test_no_pattern_needs_unicode_properties_and_ascii_classes_at_once(pattern: str) -> None:
    assert not (r"\p{" in pattern and (r"\d" in pattern or r"\w" in pattern))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "Größe 3 μm/焊缝", True),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "50 %", False),
        (r"\d{3}", "123", True),
        (r"\d{3}", "١٢٣", False),
        (r"[\w-]+", "é", False),
        (r".+", "one line", True),
        (r".+", "two\u2028lines", False),
        (r".+", "two\rlines", False),
        (r"[.]\.", "..", True),
        (r"[.]\.", "ab", False),
        (r"[a-z]++x", "abx", False),
        ("[\\t\\n\\r -\\uD7FF\\uE000-\\uFFFD]*", "Ω ok", True),
        ("[\\t\\n\\r -\\uD7FF\\uE000-\\uFFFD]*", "🔥", False),
    ],
)
def test_matches_as_java_does(pattern: str, text: str, fits: bool) -> None:
    assert (java_pattern(pattern).fullmatch(text) is not None) == fits
