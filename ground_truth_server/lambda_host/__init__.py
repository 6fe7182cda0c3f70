"""Runs the functions of a SAM template in worker processes, behind Lambda's Invoke API."""
