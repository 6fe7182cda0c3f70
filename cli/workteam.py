"""The work team that labels."""

from botocore.exceptions import ClientError

from cli.account import AwsAccount
from cli.errors import CommandError, code_of, message_of

# Teams of the account itself; public and vendors' teams can't be described.
PRIVATE = ":workteam/private-crowd/"


def workteam_arn(named: str | None, account: AwsAccount) -> str:
    """Finds a work team.

    Args:
        named: Its name or ARN; nothing for the account's only team.
        account: Where it is.

    Raises:
        CommandError: If there is no such team, or more than one to choose from.
        botocore.exceptions.ClientError: If SageMaker refuses to tell.
    """
    if named is None:
        return _only_team(account)
    if named.startswith("arn:") and PRIVATE not in named:
        return named
    name = named.rpartition("/")[2]
    try:
        arn = account.sagemaker.describe_workteam(WorkteamName=name)["Workteam"]["WorkteamArn"]
    except ClientError as error:
        if code_of(error) not in ("ResourceNotFound", "ValidationException"):
            raise
        raise CommandError(
            f"There is no work team {named!r} in {account.region} ({message_of(error)}) {_found(account)}"
        ) from None
    if named.startswith("arn:") and named != arn:
        raise CommandError(f"There is no work team {named!r}; found {arn!r} in {account.region}.")
    return arn


def _only_team(account: AwsAccount) -> str:
    teams = account.sagemaker.list_workteams(MaxResults=100)["Workteams"]
    if len(teams) == 1:
        return teams[0]["WorkteamArn"]
    raise CommandError(f"Who labels? Name a work team with --workteam. {_found(account)}")


def _found(account: AwsAccount) -> str:
    teams = account.sagemaker.list_workteams(MaxResults=100)["Workteams"]
    if not teams:
        return (
            "There is none in this account and region yet: make one in the SageMaker console under “Labeling "
            "workforces”, or with “aws sagemaker create-workteam”."
        )
    return f"There are: {', '.join(sorted(team['WorkteamName'] for team in teams))}."
