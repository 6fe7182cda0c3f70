"""Runs a labeling job on one machine, through the same functions and the same files as Ground Truth."""
