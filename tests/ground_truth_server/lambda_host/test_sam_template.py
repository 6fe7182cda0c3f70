import importlib
import sys
from pathlib import Path

import pytest

from ground_truth_server.lambda_host.cloudformation import SamTemplateError
from ground_truth_server.lambda_host.sam_template import read_template

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Memory: {Type: Number, Default: 512}
  WithExtra: {Type: String, Default: "no"}
Conditions:
  HasExtra: !Equals [!Ref WithExtra, "yes"]
Globals:
  Function:
    Runtime: python3.13
    Timeout: 30
    MemorySize: !Ref Memory
    Layers: [!Ref SharedLayer]
    Environment:
      Variables:
        BUCKET: !Ref DataBucket
        LOG_LEVEL: INFO
Resources:
  DataBucket: {Type: AWS::S3::Bucket}
  SharedLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/shared}
  OwnLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {LayerName: own-layer, ContentUri: layers/own}
  First:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/first
      Handler: app.handler
      Timeout: 5
      ReservedConcurrentExecutions: 1
      Layers:
        - !Ref OwnLayer
        - !Sub "arn:aws:lambda:${AWS::Region}:017000801446:layer:Powertools:7"
      Environment:
        Variables: {LOG_LEVEL: DEBUG, FLAG: true, COUNT: 3, FIRST: !GetAtt DataBucket.Arn}
      Policies: [!Sub "${SecretThatSamMakes.Arn}"]
  Named:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: label-welds, CodeUri: functions/first/, Handler: package/app.handler}
  Extra:
    Type: AWS::Serverless::Function
    Condition: HasExtra
    Properties: {CodeUri: nowhere, Handler: app.handler}
  Web:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: web, Handler: index.handler, Runtime: nodejs22.x}
  Boxed:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image}
  Inline:
    Type: AWS::Serverless::Function
    Properties: {Handler: index.handler, InlineCode: "def handler(event, context): pass"}
  Uploaded:
    Type: AWS::Serverless::Function
    Properties: {Handler: index.handler, CodeUri: {Bucket: b, Key: k}}
  Plain:
    Type: AWS::Lambda::Function
    Properties: {Code: functions/first, Handler: app.handler, Runtime: python3.12, Layers: [!Ref OwnLayer]}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    for folder in ("functions/first", "layers/shared/shared", "layers/own"):
        (tmp_path / folder).mkdir(parents=True)
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def test_globals_are_merged_as_sam_merges_them(template: Path) -> None:
    first = read_template(template).functions["First"]
    assert (first.handler, first.runtime, first.timeout_seconds, first.memory_mb) == (
        "app.handler",
        "python3.13",
        5,
        512,
    )
    assert first.environment == {
        "BUCKET": "DataBucket",
        "LOG_LEVEL": "DEBUG",
        "FLAG": "true",
        "COUNT": "3",
        "FIRST": "arn:aws:s3:::DataBucket",
    }
    assert first.reserved_concurrency == 1


def test_later_layers_come_first_and_distant_ones_are_told(template: Path) -> None:
    folder = template.parent
    first = read_template(template, region="eu-west-1").functions["First"]
    assert first.code_folder == folder / "functions/first"
    assert first.layer_folders == (folder / "layers/own", folder / "layers/shared")
    assert first.remote_layers == ("arn:aws:lambda:eu-west-1:017000801446:layer:Powertools:7",)


def test_a_built_layer_is_imported_from_its_python_folder(template: Path) -> None:
    layer = template.parent / "layers/shared"
    packages = layer / f"python/lib/python3.{sys.version_info.minor}/site-packages"
    packages.mkdir(parents=True)
    named = read_template(template).functions["Named"]
    assert named.layer_folders == (packages, layer / "python")
    assert named.name == "label-welds"


def test_callers_values_win(template: Path) -> None:
    read = read_template(template, parameters={"Memory": "1024"}, environment={"BUCKET": "mine", "NEW": "1"})
    assert read.functions["First"].environment["BUCKET"] == "mine"
    assert {function.environment["NEW"] for function in read.functions.values()} == {"1"}
    assert read.functions["First"].memory_mb == 1024


def test_plain_functions_have_no_globals(template: Path) -> None:
    plain = read_template(template).functions["Plain"]
    assert (plain.timeout_seconds, plain.memory_mb, plain.environment) == (3, 128, {})
    assert plain.layer_folders == (template.parent / "layers/own",)


def test_what_cant_run_here_says_why(template: Path) -> None:
    read = read_template(template)
    assert set(read.functions) == {"First", "Named", "Plain"}
    assert "nodejs22.x" in read.not_local["Web"]
    assert "container image" in read.not_local["Boxed"]
    assert "CodeUri" in read.not_local["Inline"]
    assert '{"Bucket":"b","Key":"k"}' in read.not_local["Uploaded"]


@pytest.mark.parametrize(
    ("found", "replacement", "message"),
    [
        (
            "CodeUri: functions/first\n",
            "CodeUri: functions/frist\n",
            r"First: CodeUri is functions/frist, but",
        ),
        ("Handler: app.handler\n", "Handler: app\n", r"First: Handler is 'app'; expected module.function"),
        ("Timeout: 5", "Timeout: soon", r"First: Timeout is 'soon'; expected 1 to 900"),
        ("Default: 512", "Default: 64", r"First: MemorySize is 64; expected 128 to 10240"),
        ("layers/own", "layers/gone", r"First: layer OwnLayer: ContentUri is layers/gone"),
        ("{Type: AWS::S3::Bucket}", "{}", r"template.yaml:18: DataBucket: a resource needs a Type"),
    ],
)
def test_mistakes_are_named_with_the_function(template: Path, found: str, replacement: str, message: str) -> None:
    assert found in TEMPLATE
    template.write_text(TEMPLATE.replace(found, replacement, 1))
    with pytest.raises(SamTemplateError, match=message):
        read_template(template)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the CLI's own parts
def test_the_sam_cli_reads_the_same(template: Path) -> None:
    """The judge is what `sam local` itself takes from the template; it leaves unknown references out."""
    functions = importlib.import_module("samcli.lib.providers.sam_function_provider")
    sam_stacks = importlib.import_module("samcli.lib.providers.sam_stack_provider")
    stacks, _ = sam_stacks.SamLocalStackProvider.get_stacks(str(template), use_sam_transform=True)
    theirs = {each.function_id: each for each in functions.SamFunctionProvider(stacks).get_all()}
    for name, ours in read_template(template).functions.items():
        other = theirs[name]
        assert (ours.name, ours.handler, ours.runtime) == (other.functionname, other.handler, other.runtime)
        assert ours.timeout_seconds == (other.timeout or 3)
        assert ours.memory_mb == (other.memory or 128)
        assert set(ours.environment) == set((other.environment or {}).get("Variables", {}))
        local_layers = [layer for layer in other.layers if layer.codeuri]
        assert [str(folder) for folder in ours.layer_folders] == [
            str((template.parent / str(layer.codeuri)).resolve()) for layer in reversed(local_layers)
        ]
