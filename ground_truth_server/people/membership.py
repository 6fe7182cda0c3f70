"""Who may label what: the people of a job's work team, from the addresses that the workforce allows."""

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any

from ground_truth_server.people.person import Person
from ground_truth_server.people.work_teams import EVERYONE
from ground_truth_server.records.records import Records

_PRIVATE = ":workteam/private-crowd/"


class Membership:
    """Answers whether somebody is of a work team.

    Args:
        records: Where work teams and workforces are kept.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def is_member(self, person: Person, workteam_arn: str) -> bool:
        """Tell whether a person is of a work team.

        Of a team outside, which isn't there, everybody is who signed in; of one that was deleted, nobody.
        """
        if person.trusted or _PRIVATE not in workteam_arn:
            return True
        name = workteam_arn.rpartition("/")[2]
        if name == EVERYONE:
            return True
        team = self._records.workteams.find(name)
        return team is not None and not groups_of(team.details).isdisjoint(person.groups)

    def allows(self, address: str) -> bool:
        """Tell whether workers may come from an address."""
        networks = [cidr for force in self._records.workforces.all() for cidr in _networks(force.details)]
        if not networks:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found in ipaddress.ip_network(network, strict=False) for network in networks)


def groups_of(details: Mapping[str, Any]) -> frozenset[str]:
    """Name the groups that a work team is made of; an account's name is a group of its own."""
    groups: set[str] = set()
    for member in details.get("MemberDefinitions", ()):
        groups.update(member.get("OidcMemberDefinition", {}).get("Groups", ()))
        if "CognitoMemberDefinition" in member:
            groups.add(member["CognitoMemberDefinition"]["UserGroup"])
    return frozenset(groups)


def _networks(details: Mapping[str, Any]) -> Collection[str]:
    found: Collection[str] = details.get("SourceIpConfig", {}).get("Cidrs", ())
    return found
