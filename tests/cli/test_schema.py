"""The schema of a worker's answer, by another library's word."""

import json

import jsonschema
import pytest

from tests.cli.conftest import Command

REGIONS = {"regions": [{"category": "Defect", "begin": 1.5, "end": 2.5}], "duration": 9.0}


def test_the_schema_takes_what_the_page_submits_and_nothing_else(command: Command) -> None:
    done = command("schema")
    assert done.status == 0
    schema = json.loads(done.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    chosen = {"WeldingClassification": {"label": "Good Weld"}}
    for right in (chosen, chosen | {"DefectStretch": json.dumps(REGIONS)}, chosen | {"DefectStretch": REGIONS}):
        jsonschema.validate(right, schema)
    for wrong in (
        {},
        {"DefectStretch": REGIONS},
        {"WeldingClassification": {"label": "A cat"}},
        chosen | {"DefectStretch": {"regions": [{"category": "?", "begin": 0, "end": 1}]}},
        chosen | {"DefectStretch": 3},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
