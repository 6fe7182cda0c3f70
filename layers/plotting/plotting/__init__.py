"""Recordings to pictures a person can judge.

``recording.read`` turns the bytes of a delimited text file into a `Recording`; ``panels.draw`` turns that
into one picture a channel, with a text for people who can't see it. Nothing here knows of S3 or Ground Truth.
"""

from plotting import font_list

__version__ = "0.1.0"

# Before any module of this package imports matplotlib.
font_list.bring()
