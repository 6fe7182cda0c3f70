"""A workspace and its database in one file, and back."""
