import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_server.lambda_host.cloudformation import SamTemplateError, TemplateStack, line_of, load_template

TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String, Default: test}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
  NoDefault: {Type: String}
Conditions:
  IsTest: !Equals [!Ref Stage, test]
  IsProduction: !Not [!Condition IsTest]
  Either: !Or [!Condition IsTest, !Condition IsProduction]
  Both: !And [!Condition IsTest, !Condition IsProduction]
  Circular: !Not [!Condition Circular]
Mappings:
  Sizes:
    test: {Workers: 2}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "welds-${Stage}"}
  Unnamed:
    Type: AWS::S3::Bucket
  Label:
    Type: AWS::Serverless::Function
"""


@pytest.fixture
def stack(tmp_path: Path) -> TemplateStack:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return TemplateStack(path, load_template(path), {}, "eu-west-1")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!Ref Stage", "test"),
        ("!Ref NoDefault", "NoDefault"),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref Bucket", "welds-test"),
        ("!Ref Unnamed", "Unnamed"),
        ("!Ref RoleThatSamMakes", "RoleThatSamMakes"),
        ("!GetAtt Bucket.Arn", "arn:aws:s3:::welds-test"),
        ("!GetAtt Bucket.DomainName", "Bucket.DomainName"),
        ("!GetAtt Label.Arn", "arn:aws:lambda:eu-west-1:111122223333:function:Label"),
        ("!GetAtt [Label, Arn]", "arn:aws:lambda:eu-west-1:111122223333:function:Label"),
        ('!Sub "s3://${Bucket}/${AWS::AccountId}/${!Literal}"', "s3://welds-test/111122223333/${Literal}"),
        ('!Sub ["${Own}-${Stage}", {Own: !Ref Zones}]', "a,b,c-test"),
        ('!Sub "${Bucket.Arn}/*"', "arn:aws:s3:::welds-test/*"),
        ("!Join ['-', [a, !Ref Stage, 3]]", "a-test-3"),
        ("!Join ['+', !Ref Zones]", "a+b+c"),
        ("!Select [1, !Ref Zones]", "b"),
        ("!Split ['-', !Ref Bucket]", ["welds", "test"]),
        ("!If [IsTest, yes-it-is, no]", "yes-it-is"),
        ("!If [Both, [1], [2]]", [2]),
        ("!If [Either, 1, 2]", 1),
        ("{a: !Ref AWS::NoValue, b: !If [IsProduction, 1, !Ref AWS::NoValue], c: 3}", {"c": 3}),
        ("[!Ref AWS::NoValue, 1]", [1]),
        ("!FindInMap [Sizes, !Ref Stage, Workers]", 2),
        ("!FindInMap [Sizes, other, Workers, {DefaultValue: 9}]", 9),
        ("!Base64 weld", "d2VsZA=="),
        ("!ImportValue network-vpc", "network-vpc"),
        ("!GetAZs ''", ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ("Fn::ToJsonString: {a: !Ref Stage}", '{"a":"test"}'),
        ("Fn::Length: !Ref Zones", 3),
        ("!Cidr [10.0.0.0/16, 2, 8]", 'Fn::Cidr(["10.0.0.0/16", 2, 8])'),
        ("2018-10-16", "2018-10-16"),
    ],
)
def test_expressions_are_worked_out(stack: TemplateStack, expression: str, expected: object) -> None:
    value = load_template_value(stack.path, expression)
    assert stack.resolve(value) == expected


def load_template_value(template: Path, expression: str) -> object:
    path = template.with_name("expression.yaml")
    path.write_text("Resources:\n  Value:\n    " + expression + "\n")
    return load_template(path)["Resources"]["Value"]


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("!Select [7, !Ref Zones]", "expression"),
        ("!If [NoSuch, 1, 2]", "no condition NoSuch"),
        ("!If [Circular, 1, 2]", "refers to itself"),
        ("!FindInMap [Sizes, nowhere, Workers]", "nowhere"),
        ("!Join 5", r"Fn::Join can't take \"5\""),
    ],
)
def test_a_wrong_call_is_named(stack: TemplateStack, expression: str, named: str) -> None:
    value = load_template_value(stack.path, expression)
    with pytest.raises(SamTemplateError, match=named if named != "expression" else r"yaml:3: Fn::Select"):
        stack.resolve(value)


def test_parameters_are_overridden(stack: TemplateStack) -> None:
    other = TemplateStack(stack.path, stack.template, {"Stage": "live"}, "eu-west-1")
    assert other.resolve({"Ref": "Bucket"}) == "welds-live"
    assert not other.exists({"Condition": "IsTest"})


def test_an_unknown_parameter_is_refused(stack: TemplateStack) -> None:
    with pytest.raises(SamTemplateError, match=r"no parameter Stag; it has NoDefault, Stage, Zones"):
        TemplateStack(stack.path, stack.template, {"Stag": "live"}, "eu-west-1")


def test_keys_know_their_lines(stack: TemplateStack) -> None:
    assert line_of(stack.resources, "Label") == TEMPLATE.splitlines().index("  Label:") + 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources:\n  a: [1\n", r"template.yaml:3: not YAML"),
        ('{"Resources": {},}', r"template.yaml:1: not JSON"),
        ("just text", r"expected a mapping with Resources"),
        ("Transform: x\n", r"expected a mapping with Resources"),
    ],
)
def test_what_is_no_template_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(SamTemplateError, match=message):
        load_template(path)


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(SamTemplateError, match=r"nowhere\.yaml: the template can't be read"):
        load_template(tmp_path / "nowhere.yaml")


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(tree=TREES)
@settings(max_examples=50)
def test_json_and_yaml_of_one_template_are_read_alike(tree: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    template = {"Resources": {"Thing": tree}}
    path = tmp_path_factory.getbasetemp() / "same.template"
    path.write_text(json.dumps(template), encoding="utf-8")
    from_json = load_template(path)
    path.write_text(yaml.safe_dump(template), encoding="utf-8")
    assert load_template(path) == from_json == template
