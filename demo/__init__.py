"""The demonstration: one whole labeling job on this machine."""
