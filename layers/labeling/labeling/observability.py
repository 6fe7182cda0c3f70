"""The functions' logger and metrics, built once; see AWS Lambda Powertools for what they write."""

import os

from aws_lambda_powertools import Logger, Metrics

# The template names the stack, so that two stacks' logs and metrics can be told apart.
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "mixed-source-labeling")

logger = Logger(service=SERVICE)
metrics = Metrics(service=SERVICE, namespace="MixedSourceLabeling")
