"""S3 URIs: ``s3://BUCKET/KEY``."""

from dataclasses import dataclass


class NotAnS3Uri(ValueError):
    """Text that should be an S3 URI and is not."""


@dataclass(frozen=True)
class S3Location:
    """Where an object lies, or the prefix under which objects lie.

    Attributes:
        bucket: The bucket.
        key: The object's key or the prefix; empty for the whole bucket.
    """

    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> "S3Location":
        """Read ``s3://BUCKET/KEY``.

        Raises:
            NotAnS3Uri: If it is not of this form.
        """
        scheme, found, rest = text.partition("://")
        bucket, _, key = rest.partition("/")
        if scheme != "s3" or not found or not bucket:
            raise NotAnS3Uri(f"found {text!r}, expected s3://BUCKET/KEY")
        return cls(bucket, key)

    def below(self, path: str) -> "S3Location":
        """Name what lies at a path under this prefix."""
        folder = self.key.rstrip("/")
        return S3Location(self.bucket, f"{folder}/{path}" if folder else path)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"
