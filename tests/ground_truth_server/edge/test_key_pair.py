"""The workspace's key pair: made once, for its owner's eyes, in a form that AWS's clients read."""

import stat
from pathlib import Path

import boto3
import botocore.session
import pytest

from ground_truth_server.edge.key_pair import KeyPair


def test_the_first_start_makes_a_pair_and_later_ones_find_it(tmp_path: Path) -> None:
    first = KeyPair.of_workspace(tmp_path / "a")
    assert KeyPair.of_workspace(tmp_path / "a") == first
    assert KeyPair.of_workspace(tmp_path / "b").secret_key != first.secret_key
    assert first.file is not None
    assert stat.S_IMODE(first.file.stat().st_mode) == 0o600
    assert [path.name for path in first.file.parent.iterdir()] == ["credentials"]
    assert first.secret_key not in repr(first)


def test_aws_s_clients_read_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = KeyPair.of_workspace(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(made.file))
    found = boto3.Session(botocore_session=botocore.session.Session()).get_credentials()
    assert found is not None
    assert (found.access_key, found.secret_key) == (made.access_key, made.secret_key)


@pytest.mark.parametrize("text", ["", "no section", "[default]\naws_access_key_id = a\n", "[other]\na = b\n", "\xff"])
def test_a_file_that_holds_none_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / ".ground-truth" / "credentials"
    file.parent.mkdir()
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(RuntimeError, match=f"{file} holds no key pair .* Delete the file"):
        KeyPair.of_workspace(tmp_path)
