"""Labeling jobs that come from elsewhere: what they asked for, the labels that they have, and the job that goes on."""
