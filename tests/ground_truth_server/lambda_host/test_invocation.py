import boto3
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ground_truth_server.lambda_host.invocation import (
    InvalidParameterError,
    RequestTooLargeError,
    check_event_size,
    parse_reference,
)

OPERATION = boto3.client("lambda", "us-east-1").meta.service_model.operation_model("Invoke")
assert OPERATION.input_shape is not None
PATTERN = OPERATION.input_shape.members["FunctionName"].metadata["pattern"]


@pytest.mark.parametrize(
    ("reference", "qualifier", "expected"),
    [
        ("Label", None, ("Label", "")),
        ("Label", "live", ("Label", "live")),
        ("Label:live", None, ("Label", "live")),
        ("Label:live", "live", ("Label", "live")),
        ("Label:$LATEST", None, ("Label", "$LATEST")),
        ("function:Label:7", None, ("Label", "7")),
        ("111122223333:function:Label", None, ("Label", "")),
        ("arn:aws:lambda:eu-west-1:111122223333:function:Label", None, ("Label", "")),
        ("arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:Label:live", None, ("Label", "live")),
    ],
)
def test_names_and_arns_are_taken_apart(reference: str, qualifier: str | None, expected: tuple[str, str]) -> None:
    assert parse_reference(reference, qualifier) == expected


@pytest.mark.parametrize("reference", ["", "a b", "Label:", "arn:aws:s3:::bucket/key", "a:b:c:d"])
def test_other_texts_are_refused(reference: str) -> None:
    with pytest.raises(InvalidParameterError, match="is no name or ARN of a function"):
        parse_reference(reference)


@given(reference=st.from_regex(PATTERN, fullmatch=True))
@settings(max_examples=50)
def test_every_reference_of_the_apis_model_is_taken(reference: str) -> None:
    assume(reference.isascii())  # Python's \d, which the model means as 0-9, takes other digits too
    name, qualifier = parse_reference(reference)
    assert reference.endswith(f"{name}:{qualifier}" if qualifier else name)


def test_events_over_the_limit_are_refused() -> None:
    check_event_size(6_291_456)
    with pytest.raises(RequestTooLargeError, match=r"6291457 byte payload .* \(limit 6291456 bytes\)"):
        check_event_size(6_291_457)
    with pytest.raises(RequestTooLargeError, match="the Event invocation type"):
        check_event_size(1_048_577, 1_048_576)
