"""The workforce, as SageMaker's API has it: where workers may come from, and the provider at which they sign in."""

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ground_truth_server.aws_error import AwsError, invalid
from ground_truth_server.people.oidc_settings import OidcSettings
from ground_truth_server.people.work_teams import EVERYONE
from ground_truth_server.records.named import NamedRecord
from ground_truth_server.records.records import Records
from ground_truth_server.timestamps import from_text, now, to_text

DEFAULT = "default"
"""The workforce that is there while nobody has created one."""
_ALWAYS = to_text(datetime(2026, 1, 1, tzinfo=UTC))  # as it was there before anything
_SECRET = "ClientSecret"  # noqa: S105  (a member's name)


class WorkforceTable:
    """The workforce: one, as in an AWS account's region. Safe to use from several threads.

    Args:
        records: Where it is kept.
        providers: Whether people sign in at an OpenID Connect provider, so that one can be named.
    """

    def __init__(self, records: Records, *, providers: bool = False) -> None:
        self._records = records
        self._providers = providers

    def add(self, name: str, details: Mapping[str, Any]) -> None:
        """Create the workforce.

        Raises:
            AwsError: If there is one, or it can't be as it is asked for.
        """
        self._check(details)
        with self._records.transaction():
            self._records.workforces.hold()
            known = self._records.workforces.all()
            if known:
                raise AwsError(
                    "ResourceInUse" if known[0].name == name else "ResourceLimitExceeded",
                    f"There is a workforce already, {known[0].name}, and there can be one. Update it, or delete it.",
                )
            at = to_text(now())
            self._records.workforces.add(NamedRecord(name, details, at, at))
            self._audit("created", name, details)

    def update(self, name: str, details: Mapping[str, Any]) -> None:
        """Change what is given and keep the rest; the one that is there by itself becomes one of its own.

        Raises:
            AwsError: If there is none of this name, or it can't be as it is asked for.
        """
        self._check(details)
        with self._records.transaction():
            self._records.workforces.hold()
            at = to_text(now())
            if name == DEFAULT and not self._records.workforces.all():
                self._records.workforces.add(NamedRecord(name, details, at, at))
                self._audit("changed", name, details)
                return
            self._records.workforces.change(name, {**self._find(name).details, **details}, at)
            self._audit("changed", name, details)

    def remove(self, name: str) -> None:
        """Forget the workforce.

        Raises:
            AwsError: If there is none of this name, or a work team is of it.
        """
        with self._records.transaction():
            self._records.workforces.hold()
            self._find(name)
            teams = [team.name for team in self._records.workteams.all() if team.name != EVERYONE]
            if teams:
                raise invalid(f"The workforce has work teams: {', '.join(teams)}. Delete them first.")
            self._records.workforces.remove(name)
            self._audit("deleted", name, {})

    def describe(self, name: str) -> dict[str, Any]:
        """Describe the workforce as DescribeWorkforce does, without its ARN and without secrets.

        Raises:
            AwsError: If there is none of this name.
        """
        return _described(self._find(name))

    def all(self) -> list[dict[str, Any]]:
        """Describe all workforces: one."""
        return [_described(force) for force in self._records.workforces.all() or [_by_itself()]]

    @property
    def name(self) -> str:
        """The workforce's name."""
        return str(self.all()[0]["WorkforceName"])

    def _find(self, name: str) -> NamedRecord:
        found = self._records.workforces.find(name)
        if found is None and name == DEFAULT and not self._records.workforces.all():
            return _by_itself()
        if found is None:
            raise invalid(f"There is no workforce named '{name}'; there is '{self.name}'.")
        return found

    def _audit(self, what: str, name: str, details: Mapping[str, Any]) -> None:
        """Write down what changed; of a provider that it did, since its secret is among it."""
        told = {"members": sorted(details), **{one: details[one] for one in ("SourceIpConfig",) if one in details}}
        self._records.audit.write(None, f"workforce.{what}", f"workforce/private-crowd/{name}", told)

    def _check(self, details: Mapping[str, Any]) -> None:
        if "OidcConfig" in details and "CognitoConfig" in details:
            raise invalid("A workforce has either OidcConfig or CognitoConfig, not both.")
        if "OidcConfig" in details and not self._providers:
            raise invalid(
                "OidcConfig names a provider at which workers sign in; this server signs them in otherwise. Start it "
                "with --people oidc."
            )
        for cidr in details.get("SourceIpConfig", {}).get("Cidrs", ()):
            try:
                ipaddress.ip_network(cidr, strict=False)
            except ValueError as error:
                raise invalid(f"SourceIpConfig.Cidrs: found {cidr!r}, expected a range as 10.0.0.0/16.") from error


def provider_of(records: Records, otherwise: OidcSettings | None) -> OidcSettings | None:
    """Tell at which provider people sign in: the workforce's, if it names one, else another.

    Args:
        records: Where the workforce is kept.
        otherwise: The provider that the server was started with; its groups count for the workforce's, too.
    """
    for force in records.workforces.all():
        config = force.details.get("OidcConfig")
        if config:
            return _settings(config, otherwise or OidcSettings("", ""))
    return otherwise


def _settings(config: Mapping[str, Any], otherwise: OidcSettings) -> OidcSettings:
    names = {
        "authorization_endpoint": "AuthorizationEndpoint",
        "token_endpoint": "TokenEndpoint",
        "userinfo_endpoint": "UserInfoEndpoint",
        "end_session_endpoint": "LogoutEndpoint",
        "jwks_uri": "JwksUri",
    }
    return OidcSettings(
        issuer=config["Issuer"],
        client_id=config["ClientId"],
        client_secret=config.get(_SECRET, ""),
        groups_claim=otherwise.groups_claim,
        admin_group=otherwise.admin_group,
        owner_group=otherwise.owner_group,
        endpoints=tuple((name, config[member]) for name, member in names.items() if config.get(member)),
        scope=config.get("Scope") or otherwise.scope,
    )


def _by_itself() -> NamedRecord:
    return NamedRecord(DEFAULT, {}, _ALWAYS, _ALWAYS)


def _described(force: NamedRecord) -> dict[str, Any]:
    shown = {member: value for member, value in force.details.items() if member != "OidcConfig"}
    if "OidcConfig" in force.details:
        shown["OidcConfig"] = {key: value for key, value in force.details["OidcConfig"].items() if key != _SECRET}
    return {
        "SourceIpConfig": {"Cidrs": []},
        **shown,
        "WorkforceName": force.name,
        "Status": "Active",
        "CreateDate": from_text(force.created),
        "LastUpdatedDate": from_text(force.updated),
    }
