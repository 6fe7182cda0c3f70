"""The stack that the functions were deployed as, and what its outputs say."""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from cli.account import AwsAccount
from cli.errors import CommandError, code_of, message_of

BUCKET = "BucketName"
MANIFEST = "ManifestS3Path"
OUTPUT = "ProposedOutputPath"
ROLE = "SagemakerServiceRoleArn"
PRE_LABELING = "PreLabelingFunctionArn"
POST_LABELING = "PostLabelingFunctionArn"
OUTPUT_KEY = "OutputKmsKeyArn"
JOB_TAGS = "LabelingJobTags"


class DeployedStack:
    """A stack's outputs.

    Args:
        name: The stack.
        account: Where it is.

    Raises:
        CommandError: If there is no such stack.
        botocore.exceptions.ClientError: If CloudFormation refuses to tell.
    """

    def __init__(self, name: str, account: AwsAccount) -> None:
        self.name = name
        try:
            found = account.cloudformation.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if code_of(error) == "ValidationError" and "does not exist" in message_of(error):
                found = []
            else:
                raise
        if not found:
            raise CommandError(
                f"There is no stack named {name!r} in {account.region}. Deploy it with “sam deploy --guided”, or name "
                "its region with --region."
            )
        self.status = found[0]["StackStatus"]
        self.outputs: Mapping[str, str] = {
            output["OutputKey"]: output["OutputValue"] for output in found[0].get("Outputs", [])
        }

    def output(self, key: str) -> str:
        """One output.

        Raises:
            CommandError: If the stack doesn't have it.
        """
        if value := self.outputs.get(key):
            return value
        found = ", ".join(sorted(self.outputs)) or "none"
        raise CommandError(
            f"The stack {self.name!r} ({self.status}) has no output {key!r}; found {found}. Is it the stack of this "
            "repository's template.yaml, and is its deployment complete?"
        )
