"""The workforce and human task UIs, as scripts for Ground Truth make them with boto3."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_sagemaker import SageMakerClient
from mypy_boto3_sagemaker.type_defs import OidcConfigTypeDef
from starlette.applications import Starlette

from ground_truth_server.edge.loopback import serving
from ground_truth_server.people.oidc_settings import OidcSettings
from ground_truth_server.people.workforces import WorkforceTable, provider_of
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase
from tests.ground_truth_server.sagemaker.sagemaker_server import JobsInMemory, connect, sagemaker_route

ARN = "arn:aws:sagemaker:us-east-1:111122223333:"
OIDC: OidcConfigTypeDef = {
    "ClientId": "ground-truth",
    "ClientSecret": "hidden",
    "Issuer": "https://login.example.com",
    "AuthorizationEndpoint": "https://login.example.com/auth",
    "TokenEndpoint": "https://login.example.com/token",
    "UserInfoEndpoint": "https://login.example.com/me",
    "LogoutEndpoint": "https://login.example.com/end",
    "JwksUri": "https://login.example.com/keys",
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[SageMakerClient]:
    app = Starlette()
    with sagemaker_route(JobsInMemory(), tmp_path / "account.sqlite") as route, serving(app) as url:
        app.router.routes = [route]
        yield connect(url)


def test_a_workforce_is_there_without_being_created(client: SageMakerClient) -> None:
    (force,) = client.list_workforces()["Workforces"]
    assert force["WorkforceArn"] == f"{ARN}workforce/private-crowd/default"
    assert force["Status"] == "Active"
    team = client.describe_workteam(WorkteamName="everyone")["Workteam"]
    assert team["WorkforceArn"] == force["WorkforceArn"]


def test_addresses_are_kept_and_checked(client: SageMakerClient) -> None:
    client.update_workforce(WorkforceName="default", SourceIpConfig={"Cidrs": ["10.0.0.0/16", "192.0.2.7/32"]})
    described = client.describe_workforce(WorkforceName="default")["Workforce"]
    assert described["SourceIpConfig"]["Cidrs"] == ["10.0.0.0/16", "192.0.2.7/32"]
    with pytest.raises(ClientError, match=r"\(ValidationException\).*10\.0\.0\.0/99"):
        client.update_workforce(WorkforceName="default", SourceIpConfig={"Cidrs": ["10.0.0.0/99"]})
    with pytest.raises(ClientError, match=r"There is no workforce named 'x'; there is 'default'"):
        client.describe_workforce(WorkforceName="x")


def test_a_provider_is_kept_and_its_secret_not_told(client: SageMakerClient, tmp_path: Path) -> None:
    assert client.create_workforce(WorkforceName="plant", OidcConfig=OIDC)["WorkforceArn"].endswith("crowd/plant")
    described = client.describe_workforce(WorkforceName="plant")["Workforce"]
    assert described["OidcConfig"] == {name: value for name, value in OIDC.items() if name != "ClientSecret"}
    with pytest.raises(ClientError, match=r"\(ResourceInUse\)"):
        client.create_workforce(WorkforceName="plant", OidcConfig=OIDC)
    with pytest.raises(ClientError, match=r"\(ResourceLimitExceeded\).*plant"):
        client.create_workforce(WorkforceName="other", OidcConfig=OIDC)
    records = Records(SqliteDatabase(tmp_path / "account.sqlite"))
    found = provider_of(records, OidcSettings("https://elsewhere", "x", admin_group="admins", groups_claim="teams"))
    assert found is not None
    assert (found.issuer, found.client_id, found.client_secret) == (
        "https://login.example.com",
        "ground-truth",
        "hidden",
    )
    assert dict(found.endpoints)["end_session_endpoint"] == "https://login.example.com/end"
    assert (found.admin_group, found.groups_claim) == ("admins", "teams")
    records.database.close()


def test_a_provider_on_a_server_that_signs_in_otherwise_is_refused(tmp_path: Path) -> None:
    records = Records(SqliteDatabase(tmp_path / "records.sqlite"))
    with pytest.raises(Exception, match="--people oidc"):
        WorkforceTable(records).add("plant", {"OidcConfig": OIDC})
    assert provider_of(records, None) is None
    records.database.close()


def test_a_workforce_goes_after_its_work_teams(client: SageMakerClient) -> None:
    client.create_workforce(WorkforceName="plant", SourceIpConfig={"Cidrs": ["10.0.0.0/8"]})
    members = [{"OidcMemberDefinition": {"Groups": ["welders"]}}]
    client.create_workteam(WorkteamName="welders", Description="who weld", MemberDefinitions=members)  # type: ignore[arg-type]
    with pytest.raises(ClientError, match=r"\(ValidationException\).*welders"):
        client.delete_workforce(WorkforceName="plant")
    client.delete_workteam(WorkteamName="welders")
    client.delete_workforce(WorkforceName="plant")
    assert [force["WorkforceName"] for force in client.list_workforces()["Workforces"]] == ["default"]


def test_a_human_task_ui_is_kept_shown_listed_and_forgotten(client: SageMakerClient) -> None:
    content = "<crowd-form>{{ task.input.source }}</crowd-form>"
    arn = client.create_human_task_ui(HumanTaskUiName="weld-page", UiTemplate={"Content": content})["HumanTaskUiArn"]
    assert arn == f"{ARN}human-task-ui/weld-page"
    described = client.describe_human_task_ui(HumanTaskUiName="weld-page")
    assert described["UiTemplate"]["ContentSha256"] == hashlib.sha256(content.encode()).hexdigest()
    assert described["HumanTaskUiStatus"] == "Active"
    rendered = client.render_ui_template(HumanTaskUiArn=arn, Task={"Input": '{"source": 1}'}, RoleArn=f"{ARN}role/x")
    assert rendered["RenderedContent"].startswith(content)
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "line", "Value": "4"}])
    assert client.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "line", "Value": "4"}]
    (listed,) = client.list_human_task_uis()["HumanTaskUiSummaries"]
    assert (listed["HumanTaskUiName"], listed["HumanTaskUiArn"]) == ("weld-page", arn)
    with pytest.raises(ClientError, match=r"\(ResourceInUse\)"):
        client.create_human_task_ui(HumanTaskUiName="weld-page", UiTemplate={"Content": content})
    client.delete_human_task_ui(HumanTaskUiName="weld-page")
    with pytest.raises(ClientError, match=r"\(ResourceNotFound\)"):
        client.describe_human_task_ui(HumanTaskUiName="weld-page")
