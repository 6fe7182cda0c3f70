"""The ``labeling-job`` command: labeling jobs from the terminal, on AWS or on the local Ground Truth."""
