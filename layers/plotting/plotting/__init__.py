"""Recordings to pictures a person can judge."""

__version__ = "0.1.0"
