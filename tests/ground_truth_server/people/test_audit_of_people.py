"""What the audit tells of people: who came, signed in, was changed, signed out, erased; by ids that tell nothing."""

import hashlib

from ground_truth_server.acting import acting
from ground_truth_server.people.access_keys import end_key, issue
from ground_truth_server.people.accounts import Accounts
from ground_truth_server.people.directory import Directory
from ground_truth_server.people.sessions import Sessions
from ground_truth_server.people.workforces import WorkforceTable
from ground_truth_server.records.records import Records


def test_each_change_of_people_is_written_down(records: Records) -> None:
    accounts, sessions, directory = Accounts(records), Sessions(records), Directory(records)
    with acting("command line"):
        token = accounts.invite("Ada Lovelace", "worker", ["welders"])
    person = accounts.accept(token, "three small seams")
    sessions.end(sessions.begin(person.id, "10.0.0.1"))
    person = directory.change(person, "owner", None)
    directory.set_active(person, active=False)
    directory.set_active(person, active=True)
    directory.end_sessions(person)
    key = issue(records, "owner", person=person)
    end_key(records, key.access_key)
    WorkforceTable(records).update("default", {"SourceIpConfig": {"Cidrs": ["10.0.0.0/8"]}})
    directory.erase(person)
    with records.transaction():
        records.audit.seal()
    entries = [entry.as_json() for entry in records.audit.sealed()]
    # The id of Ground Truth's files: a hash, here worked out by hand, of an id that is random.
    ada = f"private.eu-west-1.{hashlib.sha256(person.id.encode()).hexdigest()[:16]}"
    assert [(entry["actor"], entry["action"], entry["subject"]) for entry in entries] == [
        ("command line", "person.invited", ada),
        (ada, "invitation.accepted", ada),
        (ada, "session.begun", ada),
        (ada, "session.ended", ada),
        ("server", "person.changed", ada),
        ("server", "person.disabled", ada),
        ("server", "person.enabled", ada),
        ("server", "person.signed-out", ada),
        ("server", "access-key.added", key.access_key),
        ("server", "access-key.removed", key.access_key),
        ("server", "workforce.changed", "workforce/private-crowd/default"),
        ("server", "person.erased", ada),
    ]
    assert entries[2]["address"] == "10.0.0.1"
    assert entries[4]["detail"] == {"role": "owner", "groups": ["welders"]}
    assert "Ada" not in str(entries)
    assert key.secret_key not in str(entries)
    assert not records.audit.verify().problems
