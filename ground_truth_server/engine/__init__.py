"""Plays Ground Truth: labeling jobs from manifest to labels, over S3, functions and workers."""
