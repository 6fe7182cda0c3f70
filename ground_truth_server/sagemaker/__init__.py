"""SageMaker's labeling API, by its service model, so that AWS's clients work unchanged."""
