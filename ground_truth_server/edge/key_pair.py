"""The key pair of a workspace, with which AWS's clients sign what they ask of S3, Lambda and SageMaker here."""

import configparser
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import boto3
from botocore.credentials import Credentials

from ground_truth_server.edge.private_file import read_or_make, write_private

_LETTERS = string.ascii_uppercase + "234567"
_FILE = Path(".ground-truth") / "credentials"
_SECRET_LETTERS = string.ascii_letters + string.digits


class KnownKeys(Protocol):
    """The key pairs that requests may be signed with."""

    def find(self, access_key: str) -> "KeyPair | None":
        """Find a pair that is taken now, by its access key."""


@dataclass(frozen=True)
class KeyPair:
    """An access key and its secret.

    Attributes:
        access_key: Names the pair.
        secret_key: Signs; never sent.
        file: Where the pair stands, in the format of AWS's shared credentials file; ``None`` if it is in no file.
    """

    access_key: str
    secret_key: str = field(repr=False)
    file: Path | None = None

    @classmethod
    def new(cls) -> "KeyPair":
        """Make a pair of its own."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(16))
        return cls(f"GTSL{letters}", "".join(secrets.choice(_SECRET_LETTERS) for _ in range(40)))

    @classmethod
    def of_workspace(cls, workspace: Path) -> "KeyPair":
        """Read a workspace's pair, or make it at the first start; only the file's owner can read it.

        Args:
            workspace: Its folder; the pair stands in ``.ground-truth/credentials``.

        Raises:
            RuntimeError: If the file is there and holds none.
        """
        file = workspace / _FILE
        found = configparser.ConfigParser(interpolation=None)
        try:
            found.read_string(read_or_make(file, lambda: cls.new()._text), str(file))
            own = found["default"]
            return cls(own["aws_access_key_id"], own["aws_secret_access_key"], file.absolute())
        except (configparser.Error, KeyError, UnicodeDecodeError) as error:
            found_instead = " ".join(str(error).split())
            raise RuntimeError(
                f"{file} holds no key pair ({found_instead}); expected a credentials file of AWS with a profile "
                "[default]. Delete the file: the next start makes a new pair."
            ) from error

    def keep(self, workspace: Path) -> None:
        """Make this pair a workspace's own, in place of what it had."""
        write_private(workspace / _FILE, self._text)

    def find(self, access_key: str) -> "KeyPair | None":
        """Give the pair itself to who asks for it by its access key: it is all the keys that there are."""
        return self if access_key == self.access_key else None

    @property
    def _text(self) -> str:
        return f"[default]\naws_access_key_id = {self.access_key}\naws_secret_access_key = {self.secret_key}\n"

    @property
    def credentials(self) -> Credentials:
        """The pair as botocore signs with it."""
        return Credentials(self.access_key, self.secret_key)

    def session(self, region: str) -> boto3.Session:
        """Make a session of boto3 whose clients sign with the pair."""
        return boto3.Session(self.access_key, self.secret_key, region_name=region)

    def environment(self) -> dict[str, str]:
        """Give the variables with which AWS's clients sign; for a process, not for people's eyes."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
