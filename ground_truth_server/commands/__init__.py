"""What the command ``ground-truth`` does, each command in the module of its name."""
