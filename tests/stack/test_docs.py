"""The docs' commands for a second stack and for the end of one leave the first stack alone."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import boto3

from tests.conftest import ROOT

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Topic: {Type: AWS::SNS::Topic}
"""
# What SAM keeps its uploads in, as it makes it itself in AWS; moto doesn't make all of it.
UPLOADS = """
{"Resources": {"Uploads": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "uploads"}}},
 "Outputs": {"SourceBucket": {"Value": "uploads"}}}
"""


def commands(page: str) -> list[str]:
    """The commands of a page's blocks, each in one line, without comments."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines]


def test_a_second_stack_s_answers_do_not_take_the_first_one_s_place(moto: str, tmp_path: Path) -> None:
    (command,) = (line for line in commands("deploy.md") if line.startswith("sam deploy --guided --config-env"))
    region = command.split("--region ")[1].split()[0]
    cloudformation = boto3.client("cloudformation", endpoint_url=moto, region_name=region)
    source: Any = [{"Key": "ManagedStackSource", "Value": "AwsSamCli"}]
    cloudformation.create_stack(StackName="aws-sam-cli-managed-default", TemplateBody=UPLOADS, Tags=source)
    shutil.copy(ROOT / "samconfig.toml", tmp_path)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    sam = [str(Path(sys.executable).parent / "sam"), *shlex.split(command)[1:], "--no-execute-changeset"]
    environment = {**os.environ, "AWS_ENDPOINT_URL": moto, "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(
        sam, cwd=tmp_path, env=environment, input="\n" * 20, capture_output=True, text=True, timeout=120, check=False
    )
    before = tomllib.loads((ROOT / "samconfig.toml").read_text())
    after = tomllib.loads((tmp_path / "samconfig.toml").read_text())
    assert after["default"] == before["default"], done.stdout
    assert after["pump-labeling"]["deploy"]["parameters"]["stack_name"] == "pump-labeling"


def test_every_command_of_the_uninstall_page_names_its_stack() -> None:
    found = [line for line in commands("uninstall.md") if line.startswith(("sam deploy", "sam delete"))]
    inline = re.findall(r"`(sam de[^`]+)`", (ROOT / "docs" / "uninstall.md").read_text())
    named = [line for line in (*found, *inline) if " " in line.removeprefix("sam ")]
    assert len(named) >= 4
    assert all('--stack-name "$STACK"' in line for line in named)
