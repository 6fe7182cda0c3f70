"""The handler library of mixed-source labeling jobs on SageMaker Ground Truth."""

__version__ = "0.1.0"
