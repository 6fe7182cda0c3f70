"""``ground-truth audit``: check who did what, and take it along."""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from ground_truth_server.commands.places import add_places, records_at
from ground_truth_server.commands.saying import print_line
from ground_truth_server.records.audit import AuditRecords, Head, canonical

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
_DESCRIPTION = """\
verify checks every entry against its hash and the chain of hashes, tells what was changed, removed or put in and
where, and ends with status 1 then. It prints the last entry's number and hash: keep them elsewhere, and name them the
next time with --expect. export writes the entries as JSON Lines, in order. Both work beside servers that run.
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Say what it takes."""
    parser.description = _DESCRIPTION
    parser.add_argument("what", choices=("verify", "export"), help="what to do")
    add_places(parser)
    parser.add_argument(
        "--expect", type=_head, metavar="NUMBER:HASH", help="verify: an entry's number and hash that were told before"
    )
    parser.add_argument(
        "--after", type=_number, default=0, metavar="NUMBER", help="export: only entries after this one"
    )
    parser.add_argument(
        "--to", type=Path, metavar="FILE", help="export: a new file to write to (default: the terminal)"
    )


def run(given: Namespace) -> int:
    """Verify or export."""
    with records_at(given) as records:
        if given.what == "verify":
            return _verify(records.audit, given.expect)
        return _export(records.audit, given.after, given.to)


def _verify(audit: AuditRecords, expected: Head | None) -> int:
    verdict = audit.verify(expected)
    for problem in verdict.problems:
        print_line(problem, error=True)
    if verdict.unsealed:
        print_line(f"{verdict.unsealed} entries are not sealed yet: a server that runs does so within a second or two.")
    if verdict.problems:
        print_line("The audit is not as it was written.", error=True)
        return 1
    if verdict.head.number:
        print_line(f"All {verdict.head.number} sealed entries are as they were written.")
        print_line(f"The last one: {verdict.head.number}:{verdict.head.hash}")
    else:
        print_line("No entry has been sealed yet.")
    return 0


def _export(audit: AuditRecords, after: int, file: Path | None) -> int:
    with ExitStack() as opened:
        to: TextIO = sys.stdout if file is None else opened.enter_context(file.open("x", encoding="ascii"))
        to.writelines(f"{canonical(entry.as_json())}\n" for entry in audit.sealed(after))
    return 0


def _head(text: str) -> Head:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise ArgumentTypeError(f"{text!r}; expected NUMBER:HASH, as verify prints it")
    return Head(int(found[1]), found[2])


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ArgumentTypeError(f"{text!r} is no entry's number")
    return int(text)
