"""S3 on this machine, kept as files."""
