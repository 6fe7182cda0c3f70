"""Accounts, tries, sessions and keys, on both databases; what is kept is looked at in the tables themselves."""

import hashlib
from datetime import UTC, datetime, timedelta

import argon2
import pytest
from sqlalchemy import select

from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.people.access_keys import AccessKeys, issue
from ground_truth_server.people.accounts import AccountRefused, Accounts
from ground_truth_server.people.directory import Directory
from ground_truth_server.people.membership import Membership, groups_of
from ground_truth_server.people.person import Person, person_of
from ground_truth_server.people.sessions import Sessions
from ground_truth_server.people.tries import TooManyTries, Tries
from ground_truth_server.people.work_teams import WorkteamTable
from ground_truth_server.people.workforces import WorkforceTable
from ground_truth_server.records.people import PersonRecord
from ground_truth_server.records.records import Records
from ground_truth_server.records.schema import access_keys, invitations, people, sessions
from tests.ground_truth_server.engine.labeling import Bench, request, wait_until

PASSWORD = "three small seams"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(records: Records, clock: Clock) -> Accounts:
    return Accounts(records, clock)


def account(accounts: Accounts, name: str = "Ada Lovelace", password: str = PASSWORD) -> PersonRecord:
    return accounts.accept(accounts.invite(name, "worker", ["welders"]), password)


def test_an_invitation_leads_to_an_account_and_only_hashes_are_kept(accounts: Accounts, records: Records) -> None:
    token = accounts.invite("  Ada   Lovelace ", "worker", ["welders"])
    (kept,) = records.database.rows(select(invitations))
    assert kept.token == hashlib.sha256(token.encode()).hexdigest()
    person = accounts.accept(token, PASSWORD)
    assert (person.name, person.role, person.groups) == ("Ada Lovelace", "worker", frozenset({"welders"}))
    (row,) = records.database.rows(select(people))
    assert row.password.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    argon2.PasswordHasher().verify(row.password, PASSWORD)
    assert "Ada" not in row.id
    assert not records.database.rows(select(invitations))


def test_people_sign_in_by_name_in_any_case_and_password(accounts: Accounts) -> None:
    person = account(accounts)
    found = accounts.sign_in(" ada  LOVELACE", PASSWORD, "10.0.0.1")
    assert found is not None
    assert found.id == person.id
    assert accounts.sign_in("Ada Lovelace", f"{PASSWORD} ", "10.0.0.1") is None
    assert accounts.sign_in("nobody", PASSWORD, "10.0.0.1") is None


def test_without_a_password_nobody_signs_in(accounts: Accounts) -> None:
    accounts.invite("Ada")
    assert accounts.sign_in("Ada", "nobody has this password", "10.0.0.1") is None
    assert accounts.sign_in("Ada", "", "10.0.0.1") is None


def test_an_invitation_opens_once_and_for_seven_days(accounts: Accounts, clock: Clock) -> None:
    first = accounts.invite("Ada")
    second = accounts.invite("Ada")
    assert accounts.invited(first) is None  # the newer one counts
    accounts.accept(second, PASSWORD)
    with pytest.raises(AccountRefused, match="used already, or is over"):
        accounts.accept(second, "another password")
    third = accounts.invite("Ada")
    clock.move(days=7, seconds=-1)
    assert accounts.invited(third) is not None
    clock.move(seconds=1)
    assert accounts.invited(third) is None


def test_a_new_invitation_ends_what_was_open_and_keeps_the_person(accounts: Accounts, records: Records) -> None:
    person = account(accounts)
    session = Sessions(records).begin(person.id, "10.0.0.1")
    again = accounts.accept(accounts.invite("ada lovelace", "owner"), "another password")
    assert (again.id, again.role, again.groups) == (person.id, "owner", frozenset({"welders"}))
    assert Sessions(records).find(session) is None
    assert accounts.sign_in("Ada Lovelace", PASSWORD, "10.0.0.1") is None


@pytest.mark.parametrize(
    ("password", "found"),
    [("short", "5 characters"), ("aaaaaaaaaaaaa", "easy to guess"), ("Ada Lovelace 1", "easy"), ("x" * 300, "300")],
)
def test_passwords_that_are_easy_to_guess_are_refused(accounts: Accounts, password: str, found: str) -> None:
    with pytest.raises(AccountRefused, match=found):
        accounts.accept(accounts.invite("Ada Lovelace"), password)


@pytest.mark.parametrize("name", ["", "  ", "a\x07", "x" * 65, "\u202eadmin"])
def test_names_that_are_none_are_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountRefused, match="is no name"):
        accounts.invite(name)


def test_no_account_is_named_as_a_group(accounts: Accounts) -> None:
    account(accounts)
    with pytest.raises(AccountRefused, match="name of a group"):
        accounts.invite("welders")


# -- tries


def fail(tries: Tries, name: str, address: str = "10.0.0.1") -> None:
    tries.begin(name, address)


def test_after_five_failures_the_next_waits_longer_each_time(records: Records, clock: Clock) -> None:
    tries = Tries(records, clock)
    for _ in range(5):
        fail(tries, "ada")
    waits = []
    for _ in range(8):
        with pytest.raises(TooManyTries) as refused:
            fail(tries, "ada")
        waits.append(refused.value.seconds)
        clock.move(seconds=refused.value.seconds)
        fail(tries, "ada")
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]  # doubling, a minute at most
    fail(tries, "bo")  # others are free


def test_a_name_that_nobody_has_is_limited_as_any_other(accounts: Accounts) -> None:
    account(accounts)
    seen = {}
    for name in ("Ada Lovelace", "nobody"):
        count = 0
        try:
            while True:
                accounts.begin_try(name, f"10.0.0.{count}")
                assert accounts.sign_in(name, "wrong", "10.0.0.1") is None
                count += 1
        except TooManyTries as error:
            seen[name] = (count, error.seconds)
    assert seen["Ada Lovelace"] == seen["nobody"] == (5, 1)


def test_one_address_can_t_try_many_names(records: Records, clock: Clock) -> None:
    tries = Tries(records, clock)
    for number in range(30):
        fail(tries, f"person {number}")
    with pytest.raises(TooManyTries):
        fail(tries, "person 31")
    fail(tries, "person 31", "10.0.0.2")


def test_who_signs_in_is_free_again_and_old_failures_are_forgotten(records: Records, clock: Clock) -> None:
    tries = Tries(records, clock)
    for _ in range(5):
        fail(tries, "ada")
    tries.succeed("ada", "10.0.0.1")
    for _ in range(5):
        fail(tries, "ada")
    clock.move(hours=2)
    for _ in range(5):
        fail(tries, "ada")


# -- sessions


def test_a_session_ends_when_idle_and_after_a_day(accounts: Accounts, records: Records, clock: Clock) -> None:
    person = account(accounts)
    kept = Sessions(records, clock)
    token = kept.begin(person.id, "10.0.0.1")
    (row,) = records.database.rows(select(sessions))
    assert row.token == hashlib.sha256(token.encode()).hexdigest()
    for _ in range(27):  # at work every 53 minutes
        clock.move(minutes=53)
        assert kept.find(token) is not None
    clock.move(minutes=8, seconds=59)
    assert kept.find(token) is not None
    clock.move(seconds=2)  # a day and a second
    assert kept.find(token) is None
    idle = kept.begin(person.id, "10.0.0.1")
    clock.move(minutes=40)
    assert kept.find(idle, at_work=False) is not None  # a page that looks for news is no work
    clock.move(minutes=20)
    assert kept.find(idle) is None
    assert not kept.has_any(person.id)


def test_who_is_disabled_or_erased_is_out_at_once(accounts: Accounts, records: Records) -> None:
    person, kept, directory = account(accounts), Sessions(records), Directory(records)
    token = kept.begin(person.id, "10.0.0.1")
    key = issue(records, "owner", person=person)
    keys = AccessKeys(KeyPair.new(), records)
    directory.set_active(person, active=False)
    assert kept.find(token) is None
    assert keys.find(key.access_key) is None
    assert accounts.sign_in("Ada Lovelace", PASSWORD, "10.0.0.1") is None
    directory.set_active(directory.find("ada lovelace"), active=True)
    assert accounts.sign_in("Ada Lovelace", PASSWORD, "10.0.0.1") is not None
    directory.erase(directory.find("Ada Lovelace"))
    assert not records.database.rows(select(people))
    assert directory.names([person.id]) == {person.id: person.id}


def test_who_signed_in_by_name_is_erased_from_tasks_and_log(bench: Bench) -> None:
    bench.put_manifest([{"source": "1"}, {"source": "2"}])
    with bench.engine() as engine:
        engine.create(request("welds"))
        engine.resume()
        wait_until(lambda: engine.desk.next_task("Ada Lovelace", "welds") is not None)
        assert any("Ada Lovelace" in event.message for event in engine.ledger.events("welds"))
        erased = Directory(engine.records).erase_name("Ada Lovelace")
        assert not any("Ada" in str(event) for event in engine.ledger.events("welds"))
        assert [worker["worker"] for worker in engine.ledger.workers("welds")] == [erased]
        with pytest.raises(AccountRefused, match="Nobody named"):
            Directory(engine.records).erase_name("Ada Lovelace")


# -- keys


def test_a_key_signs_until_it_ends(records: Records, clock: Clock) -> None:
    workspace = KeyPair.new()
    keys = AccessKeys(workspace, records, clock)
    key = issue(records, "owner", days=1, description="the press", clock=clock)
    found = keys.find(key.access_key)
    assert found is not None
    assert found.secret_key == key.secret_key
    assert (keys.principal(key.access_key).id, keys.principal(key.access_key).role) == (key.access_key, "owner")
    assert keys.principal(workspace.access_key).is_admin
    clock.move(days=1)
    assert keys.find(key.access_key) is None
    assert keys.principal(key.access_key).role == "worker"
    assert keys.find("GTSLNOBODY") is None
    assert len(records.database.rows(select(access_keys))) == 1
    with pytest.raises(ValueError, match="owner or an admin"):
        issue(records, "worker")


# -- work teams


def arn(team: str, kind: str = "private-crowd") -> str:
    return f"arn:aws:sagemaker:eu-west-1:111122223333:workteam/{kind}/{team}"


def test_a_team_is_its_groups_and_named_accounts(accounts: Accounts, records: Records) -> None:
    teams, membership = WorkteamTable(records), Membership(records)
    ada = person_of(account(accounts))
    grace = person_of(account(accounts, "Grace"))
    teams.add_workteam("smiths", {"MemberDefinitions": [{"OidcMemberDefinition": {"Groups": ["smiths", "Grace"]}}]}, {})
    member = {"UserPool": "p", "UserGroup": "welders", "ClientId": "c"}
    teams.add_workteam("welders", {"MemberDefinitions": [{"CognitoMemberDefinition": member}]}, {})
    assert [membership.is_member(ada, arn(team)) for team in ("smiths", "welders", "everyone", "gone")] == [
        False,
        True,
        True,
        False,
    ]
    assert membership.is_member(grace, arn("smiths"))
    named_so_elsewhere = Person("x", "Grace", "worker", frozenset())  # a provider's name is no group
    assert not membership.is_member(named_so_elsewhere, arn("smiths"))
    assert membership.is_member(ada, arn("x", "vendor-crowd"))
    assert groups_of({}) == frozenset()


def test_workers_come_from_the_workforce_s_addresses(records: Records) -> None:
    membership, forces = Membership(records), WorkforceTable(records)
    assert membership.allows("203.0.113.9")
    forces.update("default", {"SourceIpConfig": {"Cidrs": ["10.0.0.0/16", "2001:db8::/32"]}})
    allowed = ["10.0.255.255", "10.1.0.0", "2001:db8::1", "::ffff:10.0.0.1", "::1", "unix", ""]
    assert [membership.allows(address) for address in allowed] == [True, False, True, True, False, False, False]
