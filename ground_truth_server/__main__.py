"""``python -m ground_truth_server`` is ``ground-truth``, and without a command ``ground-truth serve``."""

import sys

from ground_truth_server.commands.main import COMMANDS, main
from ground_truth_server.shutdown import leave

if __name__ == "__main__":
    arguments = sys.argv[1:]
    leave(main(arguments if arguments and arguments[0] in COMMANDS else ["serve", *arguments]))
