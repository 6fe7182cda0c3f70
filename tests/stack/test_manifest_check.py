"""The state machine that checks a manifest: its expressions, worked out by an implementation of JSONata.

Step Functions itself runs in AWS only, and moto's stand-in reads no JSON Lines; what a distributed map leaves is read
in tests/labeling/test_check_results.py.
"""

import json
import re
from typing import Any

import msgspec
import pytest
from jsonata import Jsonata
from labeling import contract
from labeling.broken_items import BrokenItem
from labeling.errors import EventError, ItemError, ManifestLineError
from plotting.errors import RecordingError

from ground_truth_server.lambda_host.cloudformation import TemplateStack, load_template
from tests.conftest import ROOT

PATH = ROOT / "stack" / "manifest_check.yaml"
TEMPLATE = load_template(PATH)
STATE_MACHINE = TEMPLATE["Resources"]["StateMachine"]["Properties"]
DEFINITION = json.loads((PATH.parent / STATE_MACHINE["DefinitionS3Location"]).read_text())
CHECK = DEFINITION["States"]["CheckItems"]
CHILD = CHECK["ItemProcessor"]["States"]
SOURCE = "s3://b/dataset/dataset-3.json"


def evaluated(value: Any, **states: Any) -> Any:
    """A state's field with its expressions worked out, as Step Functions does with `$states`."""
    if isinstance(value, dict):
        return {key: evaluated(item, **states) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluated(item, **states) for item in value]
    if not isinstance(value, str) or not value.startswith("{%"):
        return value
    expression = Jsonata(value.removeprefix("{%").removesuffix("%}").strip())
    expression.assign("states", states)
    expression.register_lambda("parse", json.loads)
    return expression.evaluate(None)


def child(item: dict[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
    """What the execution of one item leaves, given what the pre-labeling function answers."""
    output = evaluated(CHILD["PreLabel"]["Output"], input=item, result={"Payload": answer})
    (choice,) = CHILD["Sound?"]["Choices"]
    end = choice["Next"] if evaluated(choice["Condition"], input=output) else CHILD["Sound?"]["Default"]
    left: list[dict[str, Any]] = evaluated(CHILD[end]["Output"], input=output)
    return left


def test_a_line_is_counted_from_one() -> None:
    context = {"Map": {"Item": {"Index": 2, "Value": {"source": SOURCE}}}}
    assert evaluated(CHECK["ItemSelector"], context=context) == {"line": 3, "dataObject": {"source": SOURCE}}


@pytest.mark.parametrize("for_workers", [True, False], ids=["for workers", "labeled already"])
def test_a_sound_item_leaves_nothing(for_workers: bool) -> None:
    answer = contract.task({"image": {"file": "s3://b/i.png"}} if for_workers else {}, for_workers=for_workers)
    assert child({"line": 3, "dataObject": {"source": SOURCE}}, answer) == []


@pytest.mark.parametrize(
    ("data_object", "source"), [({"source": SOURCE}, SOURCE), ({"source-ref": SOURCE}, SOURCE), ({"url": "x"}, None)]
)
def test_a_broken_item_leaves_a_line_of_the_report(data_object: dict[str, str], source: str | None) -> None:
    answer = contract.task({"error": "no picture", "errorType": "ImageError"}, for_workers=False)
    (left,) = child({"line": 3, "dataObject": data_object}, answer)
    assert left == msgspec.to_builtins(BrokenItem(3, source, "ImageError", "no picture"))


def test_an_item_that_the_function_raises_for_is_reported_as_well() -> None:
    (catch,) = CHILD["PreLabel"]["Catch"]
    cause = json.dumps({"errorMessage": "no dataset file", "errorType": "DatasetFileError", "stackTrace": []})
    raised = evaluated(
        catch["Output"],
        input={"line": 3, "dataObject": {"source": SOURCE}},
        errorOutput={"Error": "DatasetFileError", "Cause": cause},
    )
    (left,) = evaluated(CHILD[catch["Next"]]["Output"], input=raised)
    assert left == msgspec.to_builtins(BrokenItem(3, SOURCE, "DatasetFileError", "no dataset file"))


def test_every_trouble_with_one_item_is_caught_and_no_other() -> None:
    (catch,) = CHILD["PreLabel"]["Catch"]
    kinds = {kind.__name__ for kind in (*ItemError.__subclasses__(), RecordingError, EventError)}
    # Step Functions reads the manifest's lines, so the function meets no line that can't be read.
    assert set(catch["ErrorEquals"]) == kinds - {ManifestLineError.__name__}


def test_manifest_and_name_may_be_left_out() -> None:
    assert evaluated(CHECK["ItemReader"]["Arguments"], input={})["Key"] == "manifests/input.manifest"
    assert evaluated(CHECK["ItemReader"]["Arguments"], input={"manifest": "manifests/a"})["Key"] == "manifests/a"
    told = {"context": {"Execution": {"Name": "run-1"}}, "result": {"ResultWriterDetails": {"Key": "k/manifest.json"}}}
    assert evaluated(CHECK["Output"], input={}, **told)["name"] == "run-1"
    assert evaluated(CHECK["Output"], input={"name": "welds"}, **told) == {
        "bucket": "${Bucket}",
        "results": "k/manifest.json",
        "name": "welds",
    }


def test_parameters_become_numbers() -> None:
    given = TemplateStack(PATH, TEMPLATE, {"Concurrency": "7"}, "eu-west-1").resolve(
        STATE_MACHINE["DefinitionSubstitutions"]
    )
    text = CHECK["MaxConcurrency"].replace("${Concurrency}", str(given["Concurrency"]))
    assert evaluated(text) == 7


def test_every_substitution_is_used_and_every_place_for_one_is_filled() -> None:
    places = set(re.findall(r"\$\{(\w+)\}", json.dumps(DEFINITION)))
    assert places == STATE_MACHINE["DefinitionSubstitutions"].keys()
