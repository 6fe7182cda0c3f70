"""Workers as Ground Truth's files name them."""

import hashlib
import uuid
from typing import Any


def worker_id(worker: str, region: str) -> str:
    """Make the ``workerId`` of a worker of a private work team: the same for the same name, always."""
    digest = hashlib.sha256(worker.encode("utf-8", "surrogatepass")).hexdigest()
    return f"private.{region}.{digest[:16]}"


def worker_metadata(worker: str, region: str) -> dict[str, Any]:
    """Make the ``workerMetadata`` of a worker response."""
    digest = hashlib.sha256(worker.encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "identityData": {
            "identityProviderType": "Cognito",
            "issuer": f"https://cognito-idp.{region}.amazonaws.com/{region}_local",
            "sub": str(uuid.UUID(digest[:32])),
        }
    }
