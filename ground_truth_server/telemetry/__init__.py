"""What those who operate a server see of it: metrics for Prometheus, and lines of JSON for each request."""
