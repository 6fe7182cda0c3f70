"""S3 on this machine: moto's server with its objects kept as files, so that a restart finds them again."""

import base64
import io
import json
import logging
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
from moto.s3.models import FakeKey, s3_backends
from moto.s3.utils import _VersionedKeyStore
from werkzeug.serving import make_server

from ground_truth_server.loopback import listen
from ground_truth_server.s3.object_files import ObjectFacts, ObjectFiles, replace_file

_log = logging.getLogger(__name__)
_CHANGES = frozenset({"PUT", "POST", "DELETE"})
_REGION = "us-east-1"

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class EmbeddedS3:
    """An S3 endpoint, on the loopback interface unless it is told otherwise.

    Every accepted change is on disk before it is answered. Any region and any credentials are taken. Uploads
    in parts that were not completed are lost with the process, as is an object's access list. moto keeps its
    state in the process, so one is open at a time.

    Args:
        folder: Where the objects lie: ``FOLDER/BUCKET/KEY``.
        port: The port to listen on; 0 takes a free one.
        host: The address to listen on, such as that of Docker's bridge, where containers reach it. Whoever
            reaches it can read and change all objects.

    Raises:
        PortTaken: If another program listens there.

    Example:
        >>> with EmbeddedS3(Path("build/s3")) as s3:  # doctest: +SKIP
        ...     boto3.client("s3", endpoint_url=s3.endpoint_url, region_name="us-east-1")
    """

    _open: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, folder: Path, port: int = 0, host: str = "127.0.0.1") -> None:
        if not self._open.acquire(blocking=False):
            raise RuntimeError("an EmbeddedS3 is open in this process already; close it first")
        try:
            self._app = _FiledS3(ObjectFiles(folder))
            with listen(port, "the embedded S3", host) as listener:
                self._server = make_server(
                    host, port, self._app, threaded=True, request_handler=_Handler, fd=listener.fileno()
                )
        except BaseException:
            self._open.release()
            raise
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="embedded-s3", daemon=True
        )
        self._thread.start()

    @property
    def endpoint_url(self) -> str:
        """Where clients reach it, for ``AWS_ENDPOINT_URL_S3``."""
        return f"http://{self._server.host}:{self._server.port}"

    def close(self) -> None:
        """Stop answering; the files stay."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._open.release()

    def __enter__(self) -> "EmbeddedS3":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"  # so that clients keep their connections
    disable_nagle_algorithm = True  # else a kept connection waits 40 ms for each answer

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  (werkzeug's name)
        _log.log(logging.DEBUG if type == "info" else logging.WARNING, message, *args)


class _FiledS3:
    """moto's S3 application, with every change written to files before its answer leaves."""

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._app: WsgiApp = create_backend_app("s3")
        self._lock = threading.Lock()
        self._changed: set[tuple[str, str]] = set()
        s3_backends.reset()
        self._backend: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for bucket in files.buckets():
            self._load(bucket)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        _read_body(environ)  # before the lock: a slow client holds up nobody else
        with self._lock:
            status: list[str] = []

            def remember_status(line: str, *rest: object) -> object:
                status.append(line)
                return start_response(line, *rest)

            refusal = self._refusal(environ)
            if refusal is not None:
                start_response("400 Bad Request", [("Content-Type", "application/xml")])
                return [refusal]
            answer = self._app(environ, remember_status)
            if environ["REQUEST_METHOD"] in _CHANGES and status and status[0].startswith("2"):
                self._write_changes(environ)
            self._changed.clear()
            return answer

    def _refusal(self, environ: Environ) -> bytes | None:
        bucket = _bucket_and_key(environ)[0]
        if not bucket or ObjectFiles.is_bucket_name(bucket):
            return None
        message = b"<Message>The specified bucket is not valid.</Message>"
        return b"<Error><Code>InvalidBucketName</Code>" + message + b"</Error>"

    def _write_changes(self, environ: Environ) -> None:
        bucket, key = _bucket_and_key(environ)
        self._write_buckets()
        if bucket and not key and environ["QUERY_STRING"]:
            self._write_setting(bucket, environ)
        if key and "tagging" in environ["QUERY_STRING"]:
            self._changed.add((bucket, key))
        for changed_bucket, changed_key in sorted(self._changed):
            if changed_bucket in self._backend.buckets:
                self._write_object(changed_bucket, changed_key)

    def _write_buckets(self) -> None:
        on_disk = set(self._files.buckets())
        for name in set(self._backend.buckets) - on_disk:
            self._files.add_bucket(name)
            self._watch(name)
        for name in on_disk - set(self._backend.buckets):
            self._files.remove_bucket(name)

    def _watch(self, bucket: str) -> None:
        self._backend.buckets[bucket].keys = _WatchedKeys(lambda key: self._changed.add((bucket, key)))

    def _write_object(self, bucket: str, key: str) -> None:
        found: Any = self._backend.buckets[bucket].keys.get(key)
        if not isinstance(found, FakeKey):  # gone, or hidden by a delete marker
            self._files.remove(bucket, key)
            return
        headers = {str(name): str(value) for name, value in found.metadata.items()}
        tags = dict(self._backend.tagger.get_tag_dict_for_resource(found.arn))
        etag = found.etag.strip('"')
        facts = self._files.save(bucket, key, found.value, etag, headers=headers, tags=tags)
        _read_from_file(found, self._files.folder / facts.file)

    def _write_setting(self, bucket: str, environ: Environ) -> None:
        """Keep a bucket's setting (CORS, versioning, policy, ...) as the request that made it."""
        name = environ["QUERY_STRING"].split("=")[0].split("&")[0]
        path = self._files.folder / ".s3" / bucket / "settings" / f"{name}.json"
        if environ["REQUEST_METHOD"] == "DELETE":
            path.unlink(missing_ok=True)
        elif environ["REQUEST_METHOD"] == "PUT" and name.isalpha():
            request = {n: v for n, v in environ.items() if n.startswith("HTTP_") or n == "QUERY_STRING"}
            request = {n: v for n, v in request.items() if isinstance(v, str)}
            request["body"] = base64.b64encode(environ["wsgi.input"].getvalue()).decode()
            replace_file(path, json.dumps(request).encode())

    def _load(self, bucket: str) -> None:
        self._backend.create_bucket(bucket, _REGION)
        self._watch(bucket)
        for facts in self._files.objects(bucket):
            self._load_object(bucket, facts)
        self._changed.clear()
        for setting in sorted((self._files.folder / ".s3" / bucket / "settings").glob("*.json")):
            self._replay(bucket, json.loads(setting.read_bytes()))

    def _load_object(self, bucket: str, facts: ObjectFacts) -> None:
        key = self._backend.put_object(bucket, facts.key, b"", etag=facts.etag or None)
        _read_from_file(key, self._files.folder / facts.file)
        key.contentsize = facts.size
        modified = datetime.fromtimestamp(facts.modified_ns / 1e9, UTC)
        key.last_modified = modified.replace(tzinfo=None)
        key.set_metadata(dict(facts.headers))
        if facts.tags:
            self._backend.put_object_tagging(key, facts.tags)

    def _replay(self, bucket: str, request: dict[str, str]) -> None:
        body = base64.b64decode(request.pop("body"))
        environ: Environ = {
            **request,
            "REQUEST_METHOD": "PUT",
            "PATH_INFO": f"/{bucket}",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
        }
        list(self._app(environ, lambda *_: None))


class _WatchedKeys(_VersionedKeyStore):
    """The keys of a bucket, which tell of each change: put, copied, completed from parts, deleted."""

    def __init__(self, changed: Callable[[str], object]) -> None:
        super().__init__()
        self._tell = changed

    def __setitem__(self, key: str, value: object) -> None:
        self._tell(key)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self._tell(key)
        super().__delitem__(key)

    def setlist(self, key: str, list_: object) -> None:
        self._tell(key)
        super().setlist(key, list_)

    def pop(self, key: str) -> None:  # type: ignore[override]  # as in moto
        self._tell(key)
        super().pop(key)


class _FileContent:
    """An object's bytes for moto, read from the file when asked for, so that memory stays flat."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def seek(self, position: int) -> None:
        self._position = position

    def read(self, size: int = -1) -> bytes:
        with self._path.open("rb") as file:
            file.seek(self._position)
            content = file.read(size)
        self._position += len(content)
        return content

    def close(self) -> None:
        """Nothing stays open between reads."""


def _read_from_file(key: Any, path: Path) -> None:
    if key.multipart:  # the parts that it was completed from would stay in memory
        key.multipart.dispose()
        key.multipart = None
    # moto has no other way to give a FakeKey its bytes than its private buffer
    key._value_buffer.close()
    key._value_buffer = _FileContent(path)


def _bucket_and_key(environ: Environ) -> tuple[str, str]:
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def _read_body(environ: Environ) -> None:
    length = environ.get("CONTENT_LENGTH")
    if environ.get("wsgi.input_terminated"):
        body = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(length)) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    if environ["REQUEST_METHOD"] in _CHANGES:
        environ["CONTENT_LENGTH"] = str(len(body))
