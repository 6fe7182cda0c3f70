"""Ground Truth's workforce: Cognito's part on moto, and its portal opened as CloudFormation asks for it."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.stack_setup import app
from tests.stack.conftest import REGION
from tests.stack.test_roles import CloudFormationMailbox
from tests.stack.test_template import NESTED, TEMPLATE, properties, stack, stack_of

ON = {"Workforce": "on", "SignInDomainPrefix": "labelers-of-my-company"}
PORTAL = "abcdefghij.labeling.eu-west-1.sagemaker.aws"


@pytest.fixture
def cognito(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", moto)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(app, "PORTAL_PAUSE", 0.01)
    return boto3.client("cognito-idp", endpoint_url=moto, region_name=REGION)


@pytest.fixture
def client(cognito: Any) -> dict[str, str]:
    """A user pool and its client, as the template makes them."""
    pool = stack_of("LabelersPool", **ON).resolve(properties("LabelersPool"))
    name = pool.pop("UserPoolName")
    pool.pop("EnabledMfas")
    made = cognito.create_user_pool(PoolName=name, **pool)["UserPool"]
    asked = {**stack_of("LabelersClient", **ON).resolve(properties("LabelersClient")), "UserPoolId": made["Id"]}
    return {
        "UserPoolId": made["Id"],
        "ClientId": cognito.create_user_pool_client(**asked)["UserPoolClient"]["ClientId"],
    }


@pytest.fixture
def mailbox() -> Iterator[CloudFormationMailbox]:
    made = CloudFormationMailbox()
    yield made
    made.close()


def asked(mailbox: CloudFormationMailbox, client: dict[str, str], kind: str = "Create") -> dict[str, Any]:
    """Has the function do what CloudFormation asks for; gives the answer."""
    event = {
        "RequestType": kind,
        "ResponseURL": mailbox.url,
        "StackId": "stack",
        "RequestId": "1",
        "LogicalResourceId": "WorkforcePortal",
        "ResourceType": "Custom::WorkforcePortal",
        "ResourceProperties": {"ServiceToken": "arn", **client, "Portal": PORTAL, "ClientVersion": "1"},
    }
    app.handler(event, SimpleNamespace(log_stream_name="log", get_remaining_time_in_millis=lambda: 60_000))
    answer: dict[str, Any] = mailbox.answers[-1]
    return answer


def test_the_client_lets_people_in_to_the_portal_and_stays_what_it_was(
    cognito: Any, client: dict[str, str], mailbox: CloudFormationMailbox
) -> None:
    before = cognito.describe_user_pool_client(**client)["UserPoolClient"]
    answer = asked(mailbox, client)
    assert (answer["Status"], answer["Data"]) == ("SUCCESS", {"Url": f"https://{PORTAL}"})
    after = cognito.describe_user_pool_client(**client)["UserPoolClient"]
    assert after["CallbackURLs"] == [f"https://{PORTAL}/oauth2/idpresponse"]
    assert after["LogoutURLs"] == [f"https://{PORTAL}/logout"]
    assert after["AllowedOAuthFlowsUserPoolClient"] is True
    for name in ("ClientSecret", "PreventUserExistenceErrors", "EnableTokenRevocation", "ClientName"):
        assert after[name] == before[name]


def test_it_goes_with_its_user_pool(cognito: Any, client: dict[str, str], mailbox: CloudFormationMailbox) -> None:
    before = cognito.describe_user_pool_client(**client)["UserPoolClient"]
    assert asked(mailbox, client, "Delete")["Status"] == "SUCCESS"
    assert cognito.describe_user_pool_client(**client)["UserPoolClient"] == before


def test_a_policy_that_holds_a_moment_later_is_waited_for(
    cognito: Any, client: dict[str, str], mailbox: CloudFormationMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = [1, 2, 3]
    describe = cognito.describe_user_pool_client

    def refused_at_first(**asked: Any) -> Any:
        if refusals:
            refusals.pop()
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeUserPoolClient")
        return describe(**asked)

    monkeypatch.setattr(cognito, "describe_user_pool_client", refused_at_first)
    monkeypatch.setattr(boto3, "client", lambda _: cognito)
    assert asked(mailbox, client)["Status"] == "SUCCESS"
    refusals += [1] * app.PORTAL_TRIES
    answer = asked(mailbox, client)
    assert answer["Status"] == "FAILED"
    assert "AccessDeniedException" in answer["Reason"]


def test_the_function_reaches_that_user_pool_s_clients_alone() -> None:
    policy = stack(**ON).resolve(properties("WorkforcePortalPolicy"))
    assert policy["Roles"] == ["StackSetupRole"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["cognito-idp:DescribeUserPoolClient", "cognito-idp:UpdateUserPoolClient"]
    pool = "WorkforceStack.Outputs.UserPoolId"
    assert statement["Resource"] == f"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/{pool}"
    assert TEMPLATE["Resources"]["WorkforcePortal"]["DependsOn"] == "WorkforcePortalPolicy"


def test_the_team_is_a_group_of_the_pool_and_in_the_request() -> None:
    inner = stack_of("InspectorsTeam", **ON)
    pool, client = {"Ref": "LabelersPool"}, {"Ref": "LabelersClient"}
    (member,) = properties("InspectorsTeam")["MemberDefinitions"]
    assert member["CognitoMemberDefinition"] == {
        "CognitoUserPool": pool,
        "CognitoUserGroup": {"Ref": "Inspectors"},
        "CognitoClientId": client,
    }
    workforce = properties("LabelersWorkforce")
    assert workforce["WorkforceName"] == properties("InspectorsTeam")["WorkforceName"]
    assert workforce["CognitoConfig"] == {"UserPool": pool, "ClientId": client}
    team = inner.resolve(NESTED["WorkforceStack"]["Outputs"]["WorkteamArn"]["Value"])
    assert team == "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/inspectors"
    name = inner.resolve(properties("InspectorsTeam"))["WorkteamName"]
    assert team.rpartition("/")[2] == name
    handed = stack(**ON).resolve(properties("StackSetup"))
    assert handed["WorkteamArn"] == "WorkforceStack.Outputs.WorkteamArn"
    assert stack().resolve(properties("StackSetup"))["WorkteamArn"] == ""


def test_the_people_outlive_the_stack() -> None:
    pool = NESTED["WorkforceStack"]["Resources"]["LabelersPool"]
    assert pool["DeletionPolicy"] == pool["UpdateReplacePolicy"] == "Retain"
    assert "AllowAdminCreateUserOnly" in json.dumps(pool)
