"""Servers of one's own in AWS: what the stack makes of them on moto, and that the server runs with what it is given."""

import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from ground_truth_server.aws_services import AwsServices, ServerSettings
from ground_truth_server.commands import serve
from ground_truth_server.commands.places import keep_shared_keys
from ground_truth_server.edge.loopback import _PROXY_SECONDS
from ground_truth_server.lambda_host.cloudformation import TemplateStack
from ground_truth_server.portal.sign_in_at_provider import CALLBACK
from ground_truth_server.records.database import RecordsUnusable
from ground_truth_server.records.postgres import PostgresDatabase
from tests.conftest import ROOT
from tests.stack.conftest import REGION, Deployed, deployed
from tests.stack.test_docs import commands
from tests.stack.test_roles import REFUSED, call, set_unchecked_calls
from tests.stack.test_template import NESTED, OWN, properties, stack_of, statements

IMAGE = (ROOT / "container" / "aws.Dockerfile").read_text()
SERVER = NESTED["ServerStack"]["Resources"]


@pytest.fixture(scope="module")
def network(moto: str) -> dict[str, str]:
    """The network that the docs' commands make."""
    page = commands("own-server-on-aws.md")
    first = next(n for n, line in enumerate(page) if line.startswith("VPC="))
    last = next(n for n, line in enumerate(page) if line.startswith("aws ec2 create-vpc-endpoint"))
    names = ("VPC", "PUBLIC_1", "PUBLIC_2", "PRIVATE_1", "PRIVATE_2", "NAT", "PRIVATE_TABLE", "PUBLIC_TABLE")
    lines = [*page[first : last + 1], *(f'echo "{name}=${name}" >&3' for name in names)]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": moto,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    script = "set -euo pipefail\nexec 3>&1 >/dev/null\n" + "\n".join(lines)
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def own(moto: str, packaged: dict[str, Any], network: dict[str, str]) -> Deployed:
    certificates = boto3.client("acm", endpoint_url=moto, region_name=REGION)
    certificate = certificates.request_certificate(
        DomainName=OWN["ServerDomain"], SubjectAlternativeNames=[OWN["ServerPagesDomain"]]
    )
    places = {
        "ServerCertificateArn": certificate["CertificateArn"],
        "ServerVpcId": network["VPC"],
        "ServerPublicSubnetIds": f"{network['PUBLIC_1']},{network['PUBLIC_2']}",
        "ServerPrivateSubnetIds": f"{network['PRIVATE_1']},{network['PRIVATE_2']}",
    }
    return deployed(moto, packaged, "plant", {**OWN, **places})


def container(own: Deployed) -> Any:
    tasks = own.client("ecs")
    task = tasks.describe_task_definition(taskDefinition=own.resources["Server"])["taskDefinition"]
    (only,) = task["containerDefinitions"]
    return only


def listed(stack: TemplateStack) -> dict[str, str]:
    """The load balancer's attributes, of which moto doesn't keep all."""
    return {one["Key"]: one["Value"] for one in stack.resolve(properties("LoadBalancer"))["LoadBalancerAttributes"]}


# ---------------------------------------------------------------- what is made


def test_the_docs_network_has_a_way_out_of_its_private_subnets_and_one_past_it_to_s3(
    own: Deployed, network: dict[str, str]
) -> None:
    ec2 = own.client("ec2")
    tables = {one["RouteTableId"]: one for one in ec2.describe_route_tables()["RouteTables"]}
    for table, gateway, subnets in (
        ("PRIVATE_TABLE", "NatGatewayId", ("PRIVATE_1", "PRIVATE_2")),
        ("PUBLIC_TABLE", "GatewayId", ("PUBLIC_1", "PUBLIC_2")),
    ):
        found = tables[network[table]]
        assert {one.get("SubnetId") for one in found["Associations"]} >= {network[name] for name in subnets}
        (out,) = (one for one in found["Routes"] if one.get("DestinationCidrBlock") == "0.0.0.0/0")
        assert out[gateway]
    zones = {
        one["SubnetId"]: one["AvailabilityZone"]
        for one in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [network["VPC"]]}])["Subnets"]
    }
    assert zones[network["PRIVATE_1"]] != zones[network["PRIVATE_2"]]
    assert zones[network["PUBLIC_1"]] != zones[network["PUBLIC_2"]]


def test_there_is_no_role_of_ground_truth_s_and_the_servers_take_its_place(own: Deployed) -> None:
    assert "GroundTruthRole" not in own.resources
    assert own.outputs["SagemakerServiceRoleArn"].endswith(f"/{own.resources['ServerRole']}")
    assert own.outputs["PortalUrl"] == "https://label.example.com"
    assert own.outputs["LoadBalancerName"]
    handed = stack_of("Bucket", **OWN).resolve(properties("StackSetup"))
    assert handed["WorkteamArn"] == "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/everyone"
    assert handed["RoleArn"] == "ServerStack.Outputs.RoleArn"
    team = "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/welders"
    assert stack_of("Bucket", **OWN, WorkteamArn=team).resolve(properties("StackSetup"))["WorkteamArn"] == team


def test_with_ground_truth_nothing_of_it_is_there(stack: Deployed) -> None:
    assert not SERVER.keys() & stack.resources.keys()
    assert "PortalUrl" not in stack.outputs


def test_the_load_balancer_speaks_tls_alone_and_leads_each_name_to_its_port(own: Deployed) -> None:
    balancing = own.client("elbv2")
    (listener,) = balancing.describe_listeners(LoadBalancerArn=own.resources["LoadBalancer"])["Listeners"]
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert "TLS13-1-2" in listener["SslPolicy"]
    assert listener["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"
    ports = {
        one["TargetGroupArn"]: (one["Port"], one["HealthCheckPath"], one["HealthCheckPort"])
        for one in balancing.describe_target_groups()["TargetGroups"]
    }
    rules = balancing.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    names = {
        rule["Conditions"][0]["HostHeaderConfig"]["Values"][0]: ports[rule["Actions"][0]["TargetGroupArn"]]
        for rule in rules
        if rule["Conditions"]
    }
    assert names == {"label.example.com": (8085, "/readyz", "8085"), "pages.example.com": (8086, "/readyz", "8085")}


def test_the_load_balancer_hands_on_what_the_servers_look_at() -> None:
    """The name that was asked for, and as the last address the client's, without a port."""
    found = listed(stack_of("LoadBalancer"))
    assert found["routing.http.preserve_host_header.enabled"] == "true"
    assert found["routing.http.xff_header_processing.mode"] == "append"
    assert found["routing.http.xff_client_port.enabled"] == "false"
    assert found["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert found["deletion_protection.enabled"] == "true"
    assert found["access_logs.s3.enabled"] == "false"
    assert int(found["idle_timeout.timeout_seconds"]) < _PROXY_SECONDS  # else it asks on connections that are closed


def test_access_logs_go_where_the_parameter_says() -> None:
    found = listed(stack_of("LoadBalancer", ServerAccessLogsBucket="team-logs", ServerDeletionProtection="off"))
    assert (found["access_logs.s3.enabled"], found["access_logs.s3.bucket"]) == ("true", "team-logs")
    assert found["deletion_protection.enabled"] == "false"


def test_two_servers_run_in_private_subnets(own: Deployed, network: dict[str, str]) -> None:
    (service,) = own.client("ecs").describe_services(
        cluster=own.resources["Cluster"], services=[own.resources["Servers"].split("/")[-1]]
    )["services"]
    assert service["desiredCount"] == 2
    declared = stack_of("Servers").resolve(properties("Servers"))  # moto doesn't take all of it over
    assert declared["LaunchType"] == "FARGATE"
    assert declared["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert declared["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "AssignPublicIp": "DISABLED",
        "Subnets": ["subnet-3", "subnet-4"],
        "SecurityGroups": ["ServerGroup"],
    }
    assert {one["ContainerPort"] for one in declared["LoadBalancers"]} == {8085, 8086}
    assert properties("ServerStack")["Parameters"]["PrivateSubnetIds"] == {"Ref": "ServerPrivateSubnetIds"}
    assert own.client("ec2").describe_subnets(SubnetIds=[network["PRIVATE_1"]])["Subnets"]


def test_a_server_is_not_root_and_writes_in_its_volumes_alone(own: Deployed) -> None:
    server = container(own)
    assert server["readonlyRootFilesystem"] is True
    assert server["user"] == "10001:10001"
    assert server["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert "privileged" not in server
    mounted = {one["containerPath"] for one in server["mountPoints"]}
    image = (ROOT / "Dockerfile").read_text() + IMAGE
    assert "--uid 10001" in image
    # ECS takes a volume's owner and rights from the image's VOLUME of the same path.
    assert mounted == set(re.findall(r"^VOLUME (\S+)$", image, re.MULTILINE))


def groups(own: Deployed, name: str) -> Any:
    (found,) = own.client("ec2").describe_security_groups(GroupIds=[own.resources[name]])["SecurityGroups"]
    return found


def test_browsers_reach_the_load_balancer_it_the_servers_and_they_the_database(own: Deployed) -> None:
    entries = {
        name: [
            (
                rule["FromPort"],
                rule["ToPort"],
                [one["CidrIp"] for one in rule["IpRanges"]] or [one["GroupId"] for one in rule["UserIdGroupPairs"]],
            )
            for rule in groups(own, name)["IpPermissions"]
        ]
        for name in ("LoadBalancerGroup", "ServerGroup", "DatabaseGroup")
    }
    assert entries == {
        "LoadBalancerGroup": [(443, 443, ["0.0.0.0/0"])],
        "ServerGroup": [(8085, 8086, [own.resources["LoadBalancerGroup"]])],
        "DatabaseGroup": [(5432, 5432, [own.resources["ServerGroup"]])],
    }
    outward = {
        name: (
            made["Properties"]["GroupId"],
            made["Properties"]["DestinationSecurityGroupId"],
            made["Properties"]["ToPort"],
        )
        for name, made in SERVER.items()
        if made["Type"] == "AWS::EC2::SecurityGroupEgress"
    }
    assert outward == {
        "LoadBalancerToServers": ({"Ref": "LoadBalancerGroup"}, {"Ref": "ServerGroup"}, 8086),
        "ServersToDatabase": ({"Ref": "ServerGroup"}, {"Ref": "DatabaseGroup"}, 5432),
    }
    nowhere = [{"CidrIp": "127.0.0.1/32"}]
    for name in ("LoadBalancerGroup", "DatabaseGroup"):
        assert [{"CidrIp": rule["CidrIp"]} for rule in properties(name)["SecurityGroupEgress"]] == nowhere


def test_logs_go_after_a_while(own: Deployed) -> None:
    (group,) = own.client("logs").describe_log_groups(logGroupNamePrefix=own.resources["ServerLogs"])["logGroups"]
    assert group["retentionInDays"] == 90
    assert container(own)["logConfiguration"]["options"]["awslogs-group"] == own.resources["ServerLogs"]


# ---------------------------------------------------------------- what moto makes by its API, and not by CloudFormation


def test_the_database_is_encrypted_kept_and_can_sleep(own: Deployed, network: dict[str, str]) -> None:
    rds = own.client("rds")
    subnets = [network["PRIVATE_1"], network["PRIVATE_2"]]
    rds.create_db_subnet_group(DBSubnetGroupName="own", DBSubnetGroupDescription="own", SubnetIds=subnets)
    given = stack_of("Database").resolve(properties("Database"))
    assert given["MasterUserPassword"] == "{{resolve:secretsmanager:DatabasePassword:SecretString:password}}"
    given |= {"DBSubnetGroupName": "own", "MasterUserPassword": "of-the-secret", "DBClusterIdentifier": "own"}
    scaling = given["ServerlessV2ScalingConfiguration"]
    scaling["MaxCapacity"] = int(scaling["MaxCapacity"])
    made = rds.create_db_cluster(**given)["DBCluster"]
    assert (made["Engine"], made["StorageEncrypted"], made["DeletionProtection"]) == ("aurora-postgresql", True, True)
    assert made["BackupRetentionPeriod"] == 14
    assert made["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0
    instance = stack_of("DatabaseInstance").resolve(properties("DatabaseInstance"))
    instance |= {"DBClusterIdentifier": "own", "DBInstanceIdentifier": "own"}
    assert rds.create_db_instance(**instance)["DBInstance"]["PubliclyAccessible"] is False
    assert SERVER["Database"]["DeletionPolicy"] == SERVER["Database"]["UpdateReplacePolicy"] == "Snapshot"
    unprotected = stack_of("Database", ServerDeletionProtection="off").resolve(properties("Database"))
    assert unprotected["DeletionProtection"] is False


def test_people_come_by_invitation_and_by_a_code_that_the_server_alone_can_use(own: Deployed) -> None:
    cognito = own.client("cognito-idp")
    given = stack_of("UserPool").resolve(properties("UserPool"))
    assert "https://label.example.com" in given["AdminCreateUserConfig"]["InviteMessageTemplate"]["EmailMessage"]
    name, enabled = given.pop("UserPoolName"), given.pop("EnabledMfas")
    pool = cognito.create_user_pool(PoolName=name, **given)["UserPool"]
    assert enabled == ["SOFTWARE_TOKEN_MFA"]
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    asked = {**stack_of("UserPoolClient").resolve(properties("UserPoolClient")), "UserPoolId": pool["Id"]}
    client = cognito.create_user_pool_client(**asked)["UserPoolClient"]
    assert client["ClientSecret"]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["CallbackURLs"] == [f"https://label.example.com{CALLBACK}"]
    assert client["LogoutURLs"] == ["https://label.example.com/"]
    for name in ("Admins", "Owners", "Workers"):
        group = {**stack_of(name).resolve(properties(name)), "UserPoolId": pool["Id"]}
        cognito.create_group(**group)
    made = {group["GroupName"] for group in cognito.list_groups(UserPoolId=pool["Id"])["Groups"]}
    assert made == {"admins", "owners", "workers"}


def secret(own: Deployed, name: str) -> str:
    """What Secrets Manager makes of a secret of the template."""
    manager = own.client("secretsmanager")
    inner = stack_of(name)
    (outer,) = own.client("cloudformation").describe_stacks(StackName="plant")["Stacks"]
    inner._values["AWS::StackId"] = outer["StackId"]
    asked = dict(inner.resolve(properties(name))["GenerateSecretString"])
    template, key = asked.pop("SecretStringTemplate", None), asked.pop("GenerateStringKey", None)
    made: str = manager.get_random_password(**asked)["RandomPassword"]
    return made if template is None else json.dumps({**json.loads(template), key: made})


# ---------------------------------------------------------------- what the server is given


def environment_of(own: Deployed) -> dict[str, str]:
    """A server's variables, with secrets as Secrets Manager would make them."""
    server = container(own)
    variables = {one["name"]: one["value"] for one in server["environment"]}
    for one in server["secrets"]:
        name, _, key = one["valueFrom"].rpartition(":secret:")[2].partition(":")
        text = "of-cognito" if name == "ClientSecret" else secret(own, name)
        variables[one["name"]] = json.loads(text)[key.removesuffix("::")] if key else text
    return variables


def settings_of(own: Deployed, monkeypatch: pytest.MonkeyPatch, workspace: Path) -> ServerSettings:
    for name, value in environment_of(own).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GROUND_TRUTH_WORKSPACE", str(workspace))
    program, command, *options = container(own)["command"]
    assert (program, command) == ("ground-truth", "serve")
    parser = ArgumentParser()
    serve.add_arguments(parser)
    given = parser.parse_args(options)
    keep_shared_keys(given.workspace)
    return serve.settings_of(given)


def test_the_server_takes_its_command_and_variables(
    own: Deployed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = settings_of(own, monkeypatch, tmp_path)
    settings.network.check(signs_in=settings.people.way != "names")
    assert settings.network.behind_proxy
    assert (settings.s3, settings.functions) == ("aws", "aws")
    assert (settings.region, settings.account) == (REGION, "123456789012")
    assert len(settings.links_secret) == 64
    oidc = settings.people.oidc
    assert oidc is not None
    assert settings.people.way == "oidc"
    assert oidc.issuer == f"https://cognito-idp.{REGION}.amazonaws.com/UserPool"
    assert (oidc.groups_claim, oidc.client_secret) == ("cognito:groups", "of-cognito")
    assert (oidc.admin_group, oidc.owner_group) == ("Admins", "Owners")  # moto has no groups; their Ref is their name
    assert AwsServices(settings).keys.access_key.startswith("GTSL")


def test_no_secret_stands_in_the_task_definition(own: Deployed) -> None:
    server = container(own)
    variables = environment_of(own)
    secrets = {one["name"] for one in server["secrets"]}
    assert secrets == {
        *("PGPASSWORD", "GROUND_TRUTH_SECRET", "GROUND_TRUTH_ACCESS_KEY_ID", "GROUND_TRUTH_SECRET_ACCESS_KEY"),
        "GROUND_TRUTH_OIDC_CLIENT_SECRET",
    }
    text = json.dumps({name: value for name, value in server.items() if name != "secrets"})
    assert not any(variables[name] in text for name in secrets)
    database = urlsplit(variables["GROUND_TRUTH_DATABASE"])
    assert database.password is None
    assert parse_qs(database.query) == {"sslmode": ["verify-full"], "sslrootcert": ["/etc/ssl/aurora.pem"]}
    assert "aurora.pem /etc/ssl/aurora.pem" in IMAGE


class EcsCredentials(BaseHTTPRequestHandler):
    """ECS's endpoint, which gives a task its role's credentials."""

    def do_GET(self) -> None:
        keys = {"AccessKeyId": "ASIAOFTHETASK", "SecretAccessKey": "secret", "Token": "of-the-task"}
        body = json.dumps({**keys, "Expiration": "2100-01-01T00:00:00Z"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A task's environment, without any other credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with ThreadingHTTPServer(("127.0.0.1", 0), EcsCredentials) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_port}/role")
        yield
        server.shutdown()


@pytest.mark.usefixtures("ecs")
def test_the_server_works_under_the_task_s_role(own: Deployed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with AwsServices(settings_of(own, monkeypatch, tmp_path)) as services:
        link = services.s3.generate_presigned_url("get_object", Params={"Bucket": own.bucket, "Key": "plots/a.png"})
    assert (urlsplit(link).hostname or "").endswith(".amazonaws.com")
    query = parse_qs(urlsplit(link).query)
    assert query["X-Amz-Credential"][0].startswith(f"ASIAOFTHETASK/{query['X-Amz-Date'][0][:8]}/{REGION}/s3")
    assert query["X-Amz-Security-Token"] == ["of-the-task"]


def password_asked_by(listener: socket.socket, told: list[bytes]) -> None:
    """A PostgreSQL that asks for a password in plain words, and then wants no more."""
    connection, _ = listener.accept()
    with connection:
        while True:
            (length,) = struct.unpack("!i", connection.recv(4, socket.MSG_WAITALL))
            body = connection.recv(length - 4, socket.MSG_WAITALL)
            if len(body) != 4:  # else asks for encryption, which there isn't
                break
            connection.sendall(b"N")
        connection.sendall(b"R" + struct.pack("!ii", 8, 3))
        _, length = struct.unpack("!ci", connection.recv(5, socket.MSG_WAITALL))
        told.append(connection.recv(length - 4, socket.MSG_WAITALL).rstrip(b"\0"))


def test_the_server_tells_the_database_the_password_of_its_secret(
    own: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = environment_of(own)
    monkeypatch.setenv("PGPASSWORD", variables["PGPASSWORD"])
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=password_asked_by, args=(listener, told), daemon=True)
        thread.start()
        place = urlsplit(variables["GROUND_TRUTH_DATABASE"])
        port = listener.getsockname()[1]
        url = f"postgresql://{place.username}@127.0.0.1:{port}{place.path}?sslmode=prefer"
        with pytest.raises(RecordsUnusable) as refused:
            PostgresDatabase(url)
        thread.join(10)
    assert told == [variables["PGPASSWORD"].encode()]
    assert variables["PGPASSWORD"] not in unquote(str(refused.value))


# ---------------------------------------------------------------- what the roles may

OBJECTS = (
    "manifests/m",
    "dataset/d.json",
    "images/i.png",
    "plots/p.png",
    "output/o.json",
    "labels/l.jsonl",
    "hr/pay.csv",
)
ALLOWED = [
    *(("get", key) for key in ("manifests/m", "dataset/d.json", "images/i.png", "plots/p.png", "output/o.json")),
    ("put", "output/job/new.json"),
]
DENIED = [
    *(("get", key) for key in ("labels/l.jsonl", "hr/pay.csv")),
    *(("put", key) for key in ("manifests/m", "images/i.png", "plots/p.png", "labels/l.jsonl", "worker-page/page")),
    *(("delete", key) for key in ("output/o.json", "images/i.png")),
]


@pytest.fixture(scope="module")
def enforced(own: Deployed) -> Iterator[Mapping[str, dict[str, str]]]:
    """IAM's rules apply from here on; gives the servers' roles' credentials."""
    s3, sts = own.client("s3"), own.client("sts")
    for key in OBJECTS:
        s3.put_object(Bucket=own.bucket, Key=key, Body=b"{}")
    roles = {
        name: sts.assume_role(RoleArn=f"arn:aws:iam::123456789012:role/{own.resources[name]}", RoleSessionName="test")[
            "Credentials"
        ]
        for name in ("ServerRole", "ServerStartRole")
    }
    set_unchecked_calls(own, "0")
    yield roles
    set_unchecked_calls(own, "1000000")


@pytest.mark.parametrize(("verb", "key"), ALLOWED)
def test_the_servers_may_do_what_their_work_needs(
    own: Deployed, enforced: dict[str, dict[str, str]], verb: str, key: str
) -> None:
    call(own.client("s3", enforced["ServerRole"]), verb, own.bucket, key)


@pytest.mark.parametrize(("verb", "key"), DENIED)
def test_and_nothing_else(own: Deployed, enforced: dict[str, dict[str, str]], verb: str, key: str) -> None:
    with pytest.raises(ClientError, match=REFUSED):
        call(own.client("s3", enforced["ServerRole"]), verb, own.bucket, key)


def test_who_starts_them_reaches_no_object(own: Deployed, enforced: dict[str, dict[str, str]]) -> None:
    for verb, key in ALLOWED:
        with pytest.raises(ClientError, match=REFUSED):
            call(own.client("s3", enforced["ServerStartRole"]), verb, own.bucket, key)


def by_name(role: str) -> dict[str, Any]:
    return {one["Sid"]: stack_of(role).resolve(one["Resource"]) for one in statements(role)}


def test_the_servers_invoke_the_two_functions_and_no_other() -> None:
    invoked = [one for one in statements("ServerRole") if "lambda" in str(one["Action"])]
    assert [(one["Action"], one["Resource"]) for one in invoked] == [
        ("lambda:InvokeFunction", [{"Ref": "PreLabelingFunctionArn"}, {"Ref": "PostLabelingFunctionArn"}])
    ]
    handed = properties("ServerStack")["Parameters"]
    assert handed["PreLabelingFunctionArn"] == {"Ref": "PreLabelingFunction.Alias"}
    assert handed["PostLabelingFunctionArn"] == {"Ref": "PostLabelingFunction.Alias"}


def test_ecs_reads_the_servers_secrets_pulls_their_image_and_writes_their_log() -> None:
    assert by_name("ServerStartRole") == {
        "SignInToEcr": "*",
        "PullTheImage": "arn:aws:ecr:eu-west-1:111122223333:repository/plant/ground-truth",
        "ReadTheirSecrets": ["DatabasePassword", "LinksSecret", "ServerKey", "ClientSecret"],
        "UseTheKey": "",
        "WriteLogs": "ServerLogs.Arn",
    }
    asked = {
        one["ValueFrom"]
        for one in stack_of("Server").resolve(properties("Server"))["ContainerDefinitions"][0]["Secrets"]
    }
    assert {name.partition(":")[0] for name in asked} == set(by_name("ServerStartRole")["ReadTheirSecrets"])
    digest = f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/ground-truth@sha256:{'0' * 64}"
    pulled = next(one for one in statements("ServerStartRole") if one["Sid"] == "PullTheImage")["Resource"]
    assert stack_of("Server", ServerImage=digest).resolve(pulled) == (
        "arn:aws:ecr:eu-central-1:111122223333:repository/ground-truth"
    )


def test_only_ecs_takes_the_roles_and_the_servers_one_for_this_account_alone() -> None:
    for role in ("ServerRole", "ServerStartRole"):
        (trust,) = properties(role)["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    (trust,) = properties("ServerRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_a_key_of_yours_encrypts_database_secrets_and_logs() -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/1"
    for name in ("Database", "DatabasePassword", "LinksSecret", "ServerKey", "ClientSecret", "ServerLogs"):
        assert stack_of(name, KmsKeyArn=arn).resolve(properties(name))["KmsKeyId"] == arn
        assert "KmsKeyId" not in stack_of(name).resolve(properties(name))


def test_items_elsewhere_are_read_by_the_servers_in_ground_truth_s_place() -> None:
    policy = stack_of("Bucket", **OWN, InputBuckets="one").resolve(properties("InputBucketsPolicy"))
    assert policy["Roles"] == ["PreLabelingRole", "PostLabelingRole", "ServerStack.Outputs.RoleName"]
