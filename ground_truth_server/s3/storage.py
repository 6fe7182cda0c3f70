"""S3 on this machine: moto's server with its objects kept as files, so that a restart finds them again."""

import base64
import io
import json
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server import werkzeug_app
from moto.s3.models import FakeKey, s3_backends
from moto.s3.utils import _VersionedKeyStore

from ground_truth_server.edge.guard import MEGABYTE, Guard, Policy, Signing, hosts_of, in_xml
from ground_truth_server.edge.key_pair import KeyPair, KnownKeys
from ground_truth_server.edge.loopback import HOST, listen, serving
from ground_truth_server.s3 import cors
from ground_truth_server.s3.object_files import ObjectFacts, ObjectFiles, replace_file
from ground_truth_server.s3.wsgi import Environ, WsgiApp, as_asgi
from ground_truth_server.workspace_lock import lock_folder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_log = logging.getLogger(__name__)
_LONGEST_BODY = 320 * MEGABYTE  # moto holds a body in memory; larger files are put into the bucket's folder by hand
_LONGEST_KEY = 1024  # bytes
_CHANGES = frozenset({"PUT", "POST", "DELETE"})
_REGION = "us-east-1"
_OF_SIGNATURES = frozenset({"awsaccesskeyid", "signature", "expires", "x-id"})


class EmbeddedS3:
    """An S3 endpoint, on the loopback interface unless it is told otherwise.

    Every accepted change is on disk before it is answered. Files that people put into a bucket's folder are objects.
    Any region is taken; requests must be signed with the workspace's key pair, or be links that it signed. Uploads in
    parts that were not completed are lost with the process, as is an object's access list. moto keeps its state in the
    process, so one is open at a time.

    Args:
        folder: Where the objects lie: ``FOLDER/BUCKET/KEY``.
        port: The port to listen on; 0 takes a free one.
        host: The address to listen on, such as that of Docker's bridge, where containers reach it.
        aliases: Further names by which it may be asked for, at its port.
        origins: Origins by which it is reached through a proxy.
        keys: The key pairs that requests may be signed with; the workspace's alone if not given.
        listener: The socket to listen on, where it is open already.

    Attributes:
        keys: The key pair that requests are signed with.
        endpoint_url: Where clients reach it, for ``AWS_ENDPOINT_URL_S3``.

    Raises:
        PortTaken: If another program listens there.
        RuntimeError: If another one works in the folder or is open in this process, or the key pair can't be read.

    Example:
        >>> with EmbeddedS3(Path("build/s3")) as s3:  # doctest: +SKIP
        ...     s3.client()
    """

    _open: ClassVar[threading.Lock] = threading.Lock()

    def __init__(  # noqa: PLR0913  (all have a default but the first)
        self,
        folder: Path,
        port: int = 0,
        host: str = HOST,
        aliases: Sequence[str] = (),
        *,
        origins: Sequence[str] = (),
        keys: KnownKeys | None = None,
        listener: socket | None = None,
    ) -> None:
        if not self._open.acquire(blocking=False):
            raise RuntimeError("an EmbeddedS3 is open in this process already; close it first")
        with ExitStack() as parts:
            parts.callback(self._open.release)
            parts.enter_context(lock_folder(folder / ".s3"))
            self.keys = KeyPair.of_workspace(folder)
            listener = listener or listen(port, "the embedded S3", host)
            parts.callback(listener.close)
            port = listener.getsockname()[1]
            self.endpoint_url = endpoint_of(host, port)
            policy = Policy(
                hosts=[
                    *hosts_of(_reached_at(host), port),
                    *(f"{name}:{port}" for name in aliases),
                    *(urlsplit(origin).netloc.lower() for origin in origins),
                ],
                longest_body=_LONGEST_BODY,
                wording=in_xml,
                # OPTIONS is what browsers send before, and never sign.
                signing=Signing(keys or self.keys, "s3", free=("OPTIONS",)),
            )
            self._filed = _FiledS3(ObjectFiles(folder))
            parts.enter_context(serving(Guard(as_asgi(self._filed), policy), listener))
            self._parts = parts.pop_all()

    def put(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Put an object without a request; it is on the disk when this returns.

        Raises:
            ValueError: If the bucket isn't there, or its settings have a say in what is put into it.
            OSError: If it can't be written; what was there before is there still.
        """
        self._filed.put(bucket, key, body, content_type)

    def client(self, region: str = "eu-west-1") -> "S3Client":
        """Make a client that signs with the workspace's key pair."""
        config = Config(signature_version="s3v4", proxies={})
        return self.keys.session(region).client("s3", endpoint_url=self.endpoint_url, config=config)

    def close(self) -> None:
        """Stop answering; the files stay."""
        self._parts.close()

    def __enter__(self) -> "EmbeddedS3":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def endpoint_of(host: str, port: int) -> str:
    """Tell where clients on this machine reach what listens on an address."""
    return f"http://{_reached_at(host)}:{port}"


def _reached_at(host: str) -> str:
    return HOST if host in ("0.0.0.0", "::") else host  # noqa: S104  (all addresses: loopback among them)


class _FiledS3:
    """moto's S3 application, whose objects are what is on the disk.

    Every change is written to files before its answer leaves; one that can't be written is taken back, so that memory
    and disk never tell two things. What people change in the folder is seen when an object is asked for.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        vars(werkzeug_app)["DISABLE_GLOBAL_CORS"] = True  # else every origin may read; the buckets' own rules count
        self._app: WsgiApp = werkzeug_app.create_backend_app("s3")
        self._lock = threading.Lock()
        self._changed: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str], ObjectFacts] = {}
        s3_backends.reset()
        self._backend: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for bucket in files.buckets():
            self._load(bucket)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        answers: list[tuple[str, list[tuple[str, str]]]] = []
        # The guard has checked the host. Of s3.example.com moto would make a bucket s3: here paths alone name buckets.
        environ = {**environ, "HTTP_HOST": HOST}

        def keep_head(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            answers.append((status, headers))

        with self._lock:
            try:
                content = self._answer(environ, keep_head)
            except _Refused as refused:
                content = refused.answer(keep_head)
            status, headers = answers[-1]
            start_response(status, self._with_cors(environ, headers))
            return content

    def put(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Put an object without a request; see :meth:`EmbeddedS3.put`."""
        with self._lock:
            found = self._backend.buckets.get(bucket)
            if found is None or found.encryption or found.object_lock_enabled or found.notification_configuration:
                raise ValueError(f"the bucket {bucket} isn't there, or has a say in what is put into it")
            try:
                made = self._backend.put_object(bucket, key, body)
                made.set_metadata({"Content-Type": content_type})
                self._write_object(bucket, key)
            except Exception:
                self._take_back("")
                raise
            finally:
                self._changed.clear()

    def _answer(self, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:
        """Answer a request; what of it can't be kept is taken back."""
        _check(environ)
        bucket, key = _bucket_and_key(environ)
        if environ["REQUEST_METHOD"] == "OPTIONS":
            raise _preflight_answer(environ, self._rules(bucket))
        try:
            self._look_at_the_disk(bucket, key)
            self._look_at_the_disk(*_copy_source(environ))
            if not key and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
                self._look_at_the_folder(bucket, _prefix(environ))
            status: list[str] = []

            def remember_status(line: str, *rest: object) -> object:
                status.append(line)
                return start_response(line, *rest)

            content = self._part_of_file(environ, bucket, key, remember_status)
            if content is None:
                content = list(self._app(environ, remember_status))
            if environ["REQUEST_METHOD"] in _CHANGES and status and status[0].startswith("2"):
                self._write_changes(environ)
        except Exception as error:
            self._take_back(bucket if environ["REQUEST_METHOD"] in _CHANGES and not key else "")
            _log.exception("%s /%s/%s could not be done", environ["REQUEST_METHOD"], bucket, key)
            again = [("Retry-After", "1")]
            raise _Refused("503 Service Unavailable", "ServiceUnavailable", _unavailable(error), again) from error
        finally:
            self._changed.clear()
        return content

    def _part_of_file(
        self, environ: Environ, bucket: str, key: str, start_response: Callable[..., Any]
    ) -> list[bytes] | None:
        """Answer a part of an object by reading only that of its file; ``None`` where moto must answer.

        moto would read the whole object for each part. Asked with HEAD it says which bytes are meant, and the rest.
        """
        known = self._known.get((bucket, key))
        if known is None or not _asks_for_a_part(environ):
            return None
        heads: list[tuple[str, list[tuple[str, str]]]] = []
        list(self._app({**environ, "REQUEST_METHOD": "HEAD"}, lambda line, headers, *_: heads.append((line, headers))))
        status, headers = heads[-1]
        named = {name.lower(): value for name, value in headers}
        # What else there is to say has a body of its own; and what lies in an archive can be asked about, not read.
        if not status.startswith("206") or "x-amz-storage-class" in named:
            return None
        part = named["content-range"].removeprefix("bytes ").partition("/")[0]
        first, last = (int(number) for number in part.split("-"))
        with (self._files.folder / known.file).open("rb") as file:
            file.seek(first)
            content = file.read(last + 1 - first)
        if len(content) != last + 1 - first:
            raise OSError(None, "its file was changed while it was read")
        start_response(status, headers)
        return [content]

    def _take_back(self, changed_bucket: str) -> None:
        """Make memory tell again what is on the disk, of all that a failed request touched.

        Args:
            changed_bucket: The bucket whose settings it changed, if it did.
        """
        for name, bucket in list(self._backend.buckets.items()):
            if not isinstance(bucket.keys, _WatchedKeys):  # it was about to be made
                self._backend.delete_bucket(name)
                with suppress(OSError):
                    self._files.remove_bucket(name)
        on_disk = set(self._files.buckets())
        if changed_bucket in on_disk and changed_bucket in self._backend.buckets:
            self._forget(changed_bucket)
        for name in on_disk - set(self._backend.buckets):
            self._load(name)
        for bucket, key in list(self._changed):
            if bucket in self._backend.buckets:
                self._known.pop((bucket, key), None)
                self._look_at_the_disk(bucket, key, always=True)

    def _forget(self, bucket: str) -> None:
        """Take a bucket out of memory, to be read from the disk again."""
        del self._backend.buckets[bucket]
        s3_backends.bucket_accounts.pop(bucket, None)
        self._known = {place: facts for place, facts in self._known.items() if place[0] != bucket}

    def _look_at_the_disk(self, bucket: str, key: str, *, always: bool = False) -> None:
        """See what somebody changed in the folder by hand since an object was written or read."""
        if not key or bucket not in self._backend.buckets:
            return
        known = self._known.get((bucket, key))
        if not always and known is not None and self._files.is_as_known(known):
            return
        found = self._files.find(bucket, key)
        keys = self._backend.buckets[bucket].keys
        if found is not None:
            self._load_object(bucket, found)
        elif key in keys:
            keys.pop(key)
            self._known.pop((bucket, key), None)
        self._changed.discard((bucket, key))

    def _look_at_the_folder(self, bucket: str, prefix: str) -> None:
        """See, before a bucket is listed, what somebody put into its folder or took out of it by hand."""
        if bucket not in self._backend.buckets:
            return
        folder = prefix[: prefix.rfind("/") + 1]
        there = self._files.keys_of_files(bucket, prefix)
        known = {key for place, key in self._known if place == bucket and key.startswith(folder)}
        elsewhere = {key for key in known - there if self._files.is_as_known(self._known[bucket, key])}
        for key in there.symmetric_difference(known) - elsewhere:
            self._look_at_the_disk(bucket, key)

    def _with_cors(self, environ: Environ, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Say to a page of another origin what the bucket's own rules say, and nothing else."""
        kept = [(name, value) for name, value in headers if name.lower() not in cors.HEADERS]
        if environ["REQUEST_METHOD"] == "OPTIONS" or "HTTP_ORIGIN" not in environ:
            return headers if environ["REQUEST_METHOD"] == "OPTIONS" else kept
        rules = self._rules(_bucket_and_key(environ)[0])
        return kept + (cors.allowed(rules, environ["HTTP_ORIGIN"], environ["REQUEST_METHOD"], ()) or [])

    def _rules(self, bucket: str) -> list[Any]:
        found = self._backend.buckets.get(bucket)
        return list(found.cors) if found is not None else []

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
            self._known.pop((bucket, key), None)
            return
        headers = {str(name): str(value) for name, value in found.metadata.items()}
        tags = dict(self._backend.tagger.get_tag_dict_for_resource(found.arn))
        etag = found.etag.strip('"')
        facts = self._files.save(bucket, key, found.value, etag, headers=headers, tags=tags)
        self._known[bucket, key] = facts
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
            self._load_setting(bucket, setting)

    def _load_setting(self, bucket: str, file: Path) -> None:
        if file.stem == "versioning":  # kept by earlier versions of this program, which lost the older versions
            _log.warning("The bucket %s no longer keeps versions; %s is ignored", bucket, file)
            return
        try:
            self._replay(bucket, json.loads(file.read_bytes()))
        except Exception:
            _log.exception("%s, a setting of the bucket %s, can't be read and is left out", file, bucket)

    def _load_object(self, bucket: str, facts: ObjectFacts) -> None:
        key = self._backend.put_object(bucket, facts.key, b"", etag=facts.etag or None)
        _read_from_file(key, self._files.folder / facts.file)
        key.contentsize = facts.size
        modified = datetime.fromtimestamp(facts.modified_ns / 1e9, UTC)
        key.last_modified = modified.replace(tzinfo=None)
        key.set_metadata(dict(facts.headers))
        self._backend.tagger.delete_all_tags_for_resource(key.arn)
        if facts.tags:
            self._backend.put_object_tagging(key, facts.tags)
        self._known[bucket, facts.key] = facts

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


class _Refused(Exception):
    """A request that moto never sees."""

    def __init__(self, status: str, code: str, message: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self._status = status
        self._headers = list(headers)
        self._xml = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>" if code else ""

    def answer(self, start_response: Callable[..., Any]) -> list[bytes]:
        """Answer as S3 does."""
        kind = [("Content-Type", "application/xml")] if self._xml else []
        start_response(self._status, [*kind, *self._headers])
        return [self._xml.encode()]


def _check(environ: Environ) -> None:
    """Refuse what S3 refuses, and what no file can hold."""
    raw = environ["PATH_INFO"].encode("latin-1")
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise _Refused("400 Bad Request", "InvalidURI", "Couldn't parse the specified URI: it isn't UTF-8.") from None
    bucket, key = _bucket_and_key(environ)
    if bucket and not ObjectFiles.is_bucket_name(bucket):
        raise _Refused("400 Bad Request", "InvalidBucketName", "The specified bucket is not valid.")
    if len(key.encode()) > _LONGEST_KEY:
        message = f"Your key is too long: it has {len(key.encode())} bytes; at most {_LONGEST_KEY} are allowed."
        raise _Refused("400 Bad Request", "KeyTooLongError", message)
    setting = environ["QUERY_STRING"].split("=")[0].split("&")[0]
    if environ["REQUEST_METHOD"] == "PUT" and not key and setting == "versioning":
        message = "This S3 keeps an object's latest version only, so versioning can't be switched on or off here."
        raise _Refused("501 Not Implemented", "NotImplemented", message)


def _asks_for_a_part(environ: Environ) -> bool:
    """Whether a part of an object is asked for, and nothing about it; a link's query says only who signed it."""
    names = [pair.partition("=")[0].lower() for pair in environ["QUERY_STRING"].split("&") if pair]
    signed = all(name.startswith("x-amz-") or name in _OF_SIGNATURES for name in names)
    return environ["REQUEST_METHOD"] == "GET" and "HTTP_RANGE" in environ and signed


def _preflight_answer(environ: Environ, rules: Sequence[Any]) -> _Refused:
    origin, method = environ.get("HTTP_ORIGIN", ""), environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD", "")
    asked = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").lower()
    headers = cors.allowed(rules, origin, method, [one.strip() for one in asked.split(",") if one.strip()])
    if headers is None:
        message = "CORSResponse: This CORS request is not allowed: no rule of the bucket's CORS lets this origin."
        return _Refused("403 Forbidden", "AccessForbidden", message)
    return _Refused("200 OK", "", "", headers)


def _copy_source(environ: Environ) -> tuple[str, str]:
    source = unquote(environ.get("HTTP_X_AMZ_COPY_SOURCE", "").partition("?")[0]).lstrip("/")
    bucket, _, key = source.partition("/")
    return bucket, key


def _unavailable(error: Exception) -> str:
    """Say what the machine lacks, where it says so, and nothing of the inside where it doesn't."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "see the server's log"
    return f"The object can't be stored or read now ({reason}). Nothing was changed; try again."


def _prefix(environ: Environ) -> str:
    """The prefix that a list is asked for; all of the bucket where it can't be told."""
    asked = parse_qs(environ["QUERY_STRING"], errors="replace").get("prefix", [""])
    return asked[0] if len(asked) == 1 else ""


def _bucket_and_key(environ: Environ) -> tuple[str, str]:
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key
