"""The functions' logger and metrics, built once; see AWS Lambda Powertools for what they write."""

from aws_lambda_powertools import Logger, Metrics

SERVICE = "mixed-source-labeling"

logger = Logger(service=SERVICE)
metrics = Metrics(service=SERVICE, namespace="MixedSourceLabeling")
