"""The command line of the demonstration; ``make demo`` calls it."""

import argparse
import sys
from pathlib import Path

from labeling.data_folder import DataFolder, DataFolderError
from labeling.errors import JobConfigurationError
from labeling.job import load
from rich.console import Console

from demo.demonstration import ROOT, Demonstration, DemonstrationError


def main() -> int:
    """Reads the command line, runs the job and shows its labels."""
    parser = argparse.ArgumentParser(prog="make demo", description="Runs one labeling job on this machine.")
    parser.add_argument("--job", type=Path, default=ROOT / "labeling_job" / "job.toml", help="the job configuration")
    parser.add_argument("--data", type=Path, default=ROOT / "labeling_job" / "sample", help="the folder of the items")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo", help="where the bucket is left")
    given = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
    try:
        job = load(given.job)
        Demonstration(console, given.job.resolve(), job, DataFolder(given.data, job), given.folder.resolve()).run()
    except (JobConfigurationError, DataFolderError, DemonstrationError) as error:
        console.print("[bold red]The demonstration stopped.[/bold red]", str(error), markup=True, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
