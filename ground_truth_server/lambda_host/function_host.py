"""Runs the functions of a SAM template in processes of this machine, as Lambda would.

Logs have Lambda's START, END and REPORT lines. Initialising has 10 seconds, or the function's timeout if that
is longer, and doesn't count for it; a function that fails to initialise is started anew the next time.

``python -m ground_truth_server.lambda_host.function_host template.yaml NAME --event event.json`` runs one invocation.
"""

import argparse
import json
import os
import platform
import shlex
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from ground_truth_server.lambda_host.cloudformation import LOCAL_ACCOUNT, SamTemplateError
from ground_truth_server.lambda_host.function_pool import FunctionPool, Outcome
from ground_truth_server.lambda_host.invocation import (
    FunctionNotFoundError,
    FunctionNotLocalError,
    InvalidRequestContentError,
    Invocation,
    InvokeRefusedError,
    JsonValue,
    check_event_size,
    parse_reference,
)
from ground_truth_server.lambda_host.sam_template import LambdaFunction, SamTemplate, read_template
from ground_truth_server.lambda_host.source_watch import SourceWatch
from ground_truth_server.lambda_host.warm_process import Request

OnLog = Callable[[str, str, str], None]
_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class FunctionHost:
    """A template's functions, ready to be invoked. Safe to use from several threads; close it in the end.

    The template is read again when it changes, and a function's processes start anew when its code, a layer,
    or a file that its environment names by absolute path changes.

    Args:
        template: The SAM or CloudFormation template.
        environment: Variables laid over those of every function, such as ``AWS_ENDPOINT_URL_S3``.
        events_folder: Where events of failed invocations are saved, to repeat them with.
        on_log: Takes each line of the log as it is written: function's logical name, request id, line. It is
            called from the thread that invokes.
        parameters: Values for the template's parameters, over their defaults.
        processes: How many processes of one function run at a time; by default 2 to 4, as the machine has
            processors. Further invocations wait.

    Raises:
        SamTemplateError: The template can't be read or lacks what its functions need to run.
    """

    def __init__(  # noqa: PLR0913 - each is a fact about the template or the machine, with its own default
        self,
        template: Path,
        environment: Mapping[str, str],
        events_folder: Path,
        on_log: OnLog | None = None,
        *,
        parameters: Mapping[str, str] | None = None,
        processes: int | None = None,
    ) -> None:
        self._path = template
        self._environment = dict(environment)
        self._events_folder = events_folder
        self._on_log = on_log
        self._parameters = parameters
        self._processes = processes or min(4, max(2, os.cpu_count() or 2))
        self._region = self._environment.get("AWS_REGION") or "us-east-1"
        self._lock = threading.Lock()
        self._closed = False
        self._pools: dict[str, FunctionPool] = {}
        self._watch = SourceWatch([template])
        self._read_version = 0
        self._template = self._read()

    @property
    def functions(self) -> Mapping[str, LambdaFunction]:
        """The functions that can be invoked, by logical name."""
        return self._current_template().functions

    def find(self, name: str) -> LambdaFunction:
        """Gives the function of a name: logical name, ``FunctionName`` or ARN, with or without alias.

        Raises:
            FunctionNotFoundError: The template has none of this name.
            FunctionNotLocalError: It has, but it can't run here.
            InvalidParameterError: It isn't a function's name or ARN.
        """
        template = self._current_template()
        wanted, _ = parse_reference(name)
        for function in template.functions.values():
            if wanted in (function.logical_name, function.name):
                return function
        if wanted in template.not_local:
            raise FunctionNotLocalError(f"{wanted} can't run here: {template.not_local[wanted]}")
        known = ", ".join(template.functions) or "none that can run here"
        raise FunctionNotFoundError(
            f"Function not found: {self._arn(wanted, '')}; {self._path} has: {known}",
        )

    def invoke(
        self, name: str, event: JsonValue, *, client_context: Mapping[str, JsonValue] | None = None
    ) -> Invocation:
        """Invokes a function and waits for its end, well or not.

        Args:
            name: As for `find`.
            event: Any JSON value.
            client_context: What the handler finds as its context's ``client_context``.

        Raises:
            InvokeRefusedError: Lambda would not run it at all: no such function, an event too large or not
                JSON, reserved concurrency used up.
        """
        function = self.find(name)
        try:
            check_event_size(len(json.dumps(event, ensure_ascii=False).encode()))
        except (TypeError, ValueError) as error:
            raise InvalidRequestContentError(f"The event of {name} is not JSON: {error}") from error
        called, qualifier = parse_reference(name)
        arn = name if name.startswith("arn:") else self._arn(called, qualifier)
        request = Request(str(uuid.uuid4()), arn, event, client_context)
        return self._run(function, request)

    def close(self) -> None:
        """Ends all processes; invocations that still run fail."""
        with self._lock:
            self._closed = True
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _run(self, function: LambdaFunction, request: Request) -> Invocation:
        lines: list[str] = []

        def log(text: str) -> None:
            for line in text.splitlines():
                lines.append(line)
                if self._on_log:
                    self._on_log(function.logical_name, request.request_id, line)

        log(f"START RequestId: {request.request_id} Version: $LATEST")
        outcome = self._pool(function).invoke(request, log)
        event_file = None
        if outcome.failed:
            event_file = self._save_event(function, request)
            log(_failure_report(outcome))
            log(self._how_to_repeat(function, event_file))
        log(f"END RequestId: {request.request_id}")
        log(_report(function, request, outcome))
        return Invocation(
            function=function.logical_name,
            request_id=request.request_id,
            payload=outcome.payload,
            failed=outcome.failed,
            log="\n".join(lines) + "\n",
            duration_ms=outcome.duration_ms,
            init_ms=outcome.init_ms,
            peak_mb=outcome.peak_mb,
            event_file=event_file,
        )

    def _pool(self, function: LambdaFunction) -> FunctionPool:
        with self._lock:
            if self._closed:
                raise InvokeRefusedError("The functions' host is closed")
            pool = self._pools.get(function.logical_name)
            if pool is None or pool.function != function:
                if pool is not None:
                    pool.retire()
                pool = self._pools[function.logical_name] = FunctionPool(function, self._processes)
            return pool

    def _current_template(self) -> SamTemplate:
        with self._lock:
            version = self._watch.version()
            if version != self._read_version:
                try:
                    self._template = self._read()
                except SamTemplateError as error:
                    raise InvokeRefusedError(str(error)) from error
                self._read_version = version
            return self._template

    def _read(self) -> SamTemplate:
        return read_template(
            self._path, parameters=self._parameters, environment=self._environment, region=self._region
        )

    def _arn(self, name: str, qualifier: str) -> str:
        arn = f"arn:aws:lambda:{self._region}:{LOCAL_ACCOUNT}:function:{name}"
        return f"{arn}:{qualifier}" if qualifier else arn

    def _save_event(self, function: LambdaFunction, request: Request) -> Path:
        self._events_folder.mkdir(parents=True, exist_ok=True)
        path = self._events_folder / f"{function.logical_name}-{request.request_id}.json"
        path.write_text(json.dumps(request.event, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    def _how_to_repeat(self, function: LambdaFunction, event_file: Path) -> str:
        """Saves the function's environment beside the event and gives the commands that run it once more."""
        variables = {key: item for key, item in function.environment.items() if key not in _SECRETS}
        environment_file = self._events_folder / f"{function.logical_name}.environment.json"
        environment_file.write_text(json.dumps({function.logical_name: variables}, indent=2) + "\n", "utf-8")
        event, template, environment = map(_shown_path, (event_file, self._path, environment_file))
        files = f"--event {event} --env-vars {environment}"
        loopback = any("://127.0.0.1" in value or "://localhost" in value for value in variables.values())
        network = " --docker-network host" if loopback else ""
        lines = [
            f"The event is saved in {event}. To repeat the invocation with it:",
            f"  sam local invoke {function.logical_name} --template-file {template} {files}{network}",
        ]
        if function.undeclared:
            left_out = ", ".join(function.undeclared)
            lines.append(f"  (sam passes on variables of the template only, so not {left_out})")
        own = f"{_shown_path(Path(sys.executable))} -m ground_truth_server.lambda_host.function_host"
        return "\n".join([*lines, "or, without Docker:", f"  {own} {template} {function.logical_name} {files}"])


def _failure_report(outcome: Outcome) -> str:
    error = json.loads(outcome.payload)
    return f"[ERROR] {error['errorType']}: {error['errorMessage']}\n{outcome.traceback}"


def _report(function: LambdaFunction, request: Request, outcome: Outcome) -> str:
    parts = [
        f"REPORT RequestId: {request.request_id}",
        f"Duration: {outcome.duration_ms:.2f} ms",
        f"Memory Size: {function.memory_mb} MB",
        f"Max Memory Used: {outcome.peak_mb} MB",
    ]
    if outcome.init_ms is not None:
        parts.append(f"Init Duration: {outcome.init_ms:.2f} ms")
        parts.append(f"Python: {platform.python_version()} (template: {function.runtime})")
        parts += [f"Not loaded, in AWS only: {layer}" for layer in function.remote_layers]
    return "\t".join(parts)


def _shown_path(path: Path) -> str:
    absolute = path.absolute()
    here = Path.cwd()
    return shlex.quote(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def main(arguments: list[str] | None = None) -> int:
    """Invokes a function of a template once: log on standard error, answer on standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m ground_truth_server.lambda_host.function_host", description=main.__doc__
    )
    parser.add_argument("template", type=Path)
    parser.add_argument("function", help="logical name, FunctionName or ARN")
    parser.add_argument("--event", type=Path, required=True, help="a JSON file")
    parser.add_argument("--env-vars", type=Path, help='a JSON file: {"FUNCTION": {"VARIABLE": "value"}}')
    given = parser.parse_args(arguments)
    try:
        event = json.loads(given.event.read_text(encoding="utf-8"))
        variables = json.loads(given.env_vars.read_text(encoding="utf-8")) if given.env_vars else {}
        environment = variables.get(given.function, {})
        host = FunctionHost(given.template, environment, given.event.parent, _log_to_stderr)
        try:
            invocation = host.invoke(given.function, event)
        finally:
            host.close()
    except (InvokeRefusedError, OSError, ValueError) as error:
        parser.error(str(error))
    sys.stdout.write(invocation.payload + "\n")
    return 1 if invocation.failed else 0


def _log_to_stderr(_function: str, _request_id: str, line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
