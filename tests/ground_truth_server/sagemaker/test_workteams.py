import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ground_truth_server.aws_error import AwsError
from ground_truth_server.people.work_teams import EVERYONE, MOST_WORKTEAMS, WorkteamTable
from ground_truth_server.records.records import Records
from ground_truth_server.records.sqlite import SqliteDatabase

WELDERS = {
    "Description": "Welding experts",
    "MemberDefinitions": [{"OidcMemberDefinition": {"Groups": ["w"]}}],
}


def open_account(file: Path) -> WorkteamTable:
    return WorkteamTable(Records(SqliteDatabase(file)))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "account.sqlite"


def test_a_new_account_has_the_default_work_team(database: Path) -> None:
    assert [workteam["WorkteamName"] for workteam in open_account(database).workteams()] == [EVERYONE]


def test_a_restart_finds_work_teams_and_tags(database: Path) -> None:
    account = open_account(database)
    account.add_workteam("welders", WELDERS, {"owner": "Ada"})
    account.add_tags("labeling-job/welds", {"stage": "trial"})
    before = account.workteam("welders")
    account._records.database.close()

    restarted = open_account(database)
    assert restarted.workteam("welders") == before
    assert restarted.tags("workteam/private-crowd/welders") == {"owner": "Ada"}
    assert restarted.tags("labeling-job/welds") == {"stage": "trial"}


def test_of_many_who_want_one_name_one_gets_it(database: Path) -> None:
    account = open_account(database)

    def attempt(_: int) -> str:
        try:
            account.add_workteam("welders", WELDERS, {})
        except AwsError as error:
            return error.code
        return "created"

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(attempt, range(8)))
    assert outcomes == [*["ResourceInUse"] * 7, "created"]


def test_the_number_of_work_teams_is_limited(database: Path) -> None:
    account = open_account(database)
    for number in range(MOST_WORKTEAMS - 1):
        account.add_workteam(f"team-{number}", WELDERS, {})
    with pytest.raises(AwsError, match="ResourceLimitExceeded: The account has 25 work teams"):
        account.add_workteam("one-more", WELDERS, {})


def test_an_update_keeps_what_it_does_not_name(database: Path) -> None:
    account = open_account(database)
    account.add_workteam("welders", WELDERS, {})
    created = account.workteam("welders")
    account.update_workteam("welders", {"Description": "Experts"})
    updated = account.workteam("welders")
    assert updated == {**created, "Description": "Experts", "LastUpdatedDate": updated["LastUpdatedDate"]}
    assert updated["LastUpdatedDate"] > created["LastUpdatedDate"]


def test_a_new_team_of_an_old_name_has_none_of_its_tags(database: Path) -> None:
    account = open_account(database)
    account.add_workteam("welders", WELDERS, {"owner": "Ada"})
    account.remove_workteam("welders")
    account.add_workteam("welders", WELDERS, {})
    assert account.tags("workteam/private-crowd/welders") == {}


def test_the_default_work_team_stays(database: Path) -> None:
    account = open_account(database)
    with pytest.raises(AwsError, match="can't be deleted"):
        account.remove_workteam(EVERYONE)
    assert account.workteam(EVERYONE)


@pytest.mark.parametrize("act", [WorkteamTable.workteam, WorkteamTable.remove_workteam])
def test_an_unknown_work_team_is_named(database: Path, act: object) -> None:
    assert callable(act)
    with pytest.raises(AwsError, match="ValidationException: There is no work team named 'weldres'"):
        act(open_account(database), "weldres")


def test_tags_are_added_changed_and_removed(database: Path) -> None:
    account = open_account(database)
    account.add_tags("labeling-job/welds", {"b": "1", "a": "2"})
    assert account.add_tags("labeling-job/welds", {"a": "3", "c": ""}) == {"a": "3", "b": "1", "c": ""}
    account.remove_tags("labeling-job/welds", ["b", "never there"])
    assert account.tags("labeling-job/welds") == {"a": "3", "c": ""}
    account.replace_tags("labeling-job/welds", {"d": "4"})
    assert account.tags("labeling-job/welds") == {"d": "4"}


def test_too_many_tags_change_nothing(database: Path) -> None:
    account = open_account(database)
    account.add_tags("labeling-job/welds", {str(number): "" for number in range(30)})
    with pytest.raises(AwsError, match="ResourceLimitExceeded: 'labeling-job/welds' would have 51 tags"):
        account.add_tags("labeling-job/welds", {f"more-{number}": "" for number in range(21)})
    assert len(account.tags("labeling-job/welds")) == 30


ACCOUNT_OF_BEFORE = """
CREATE TABLE workteams (
    name TEXT PRIMARY KEY, details BLOB NOT NULL, created REAL NOT NULL, updated REAL NOT NULL
) STRICT;
CREATE TABLE tags (resource TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (resource, key)) STRICT;
INSERT INTO workteams VALUES ('everyone', CAST('{"Description":"mine"}' AS BLOB), 1767225600.5, 1767225601);
INSERT INTO workteams VALUES ('welders', CAST('{"Description":"Welding experts"}' AS BLOB), 1767225600.5, 1767225601);
INSERT INTO tags VALUES ('workteam/private-crowd/welders', 'owner', 'Ada');
"""


def test_the_file_of_a_version_before_is_taken_over_once(database: Path, tmp_path: Path) -> None:
    file = tmp_path / "of-before.sqlite"
    with closing(sqlite3.connect(file)) as before:
        before.executescript(ACCOUNT_OF_BEFORE)
    account = open_account(database)
    for _ in range(2):
        account.take_over(file)
        welders = account.workteam("welders")
        assert welders["Description"] == "Welding experts"
        assert welders["CreateDate"] == datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC)
        assert account.tags("workteam/private-crowd/welders") == {"owner": "Ada"}
        assert {team["WorkteamName"] for team in account.workteams()} == {EVERYONE, "welders"}
    assert not file.exists()
