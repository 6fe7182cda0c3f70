"""Where labeling jobs are when nothing says so, and their ARNs."""

ACCOUNT = "111122223333"
"""The account of ARNs where none is named."""
REGION = "eu-west-1"
"""The region of ARNs and clients where none is named."""


def labeling_job_arn(name: str, region: str = REGION, account: str = ACCOUNT) -> str:
    """Make a labeling job's ARN; Ground Truth lowers the name in it, as it does not tell names apart by case."""
    return f"arn:aws:sagemaker:{region}:{account}:labeling-job/{name.lower()}"
