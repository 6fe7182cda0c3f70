"""The command line of the demonstration; ``make demo`` calls it."""

import sys

from demo.command_line import parser_of, run
from demo.demonstration import Demonstration


def main() -> int:
    """Reads the command line, runs the job and shows its labels."""
    given = parser_of("demo", "Runs one labeling job on this machine, with simulated workers.").parse_args()
    return run("The demonstration", given, lambda console, workspace: Demonstration(console, workspace).run())


if __name__ == "__main__":
    sys.exit(main())
