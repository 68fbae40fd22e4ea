"""What production saw: the request log, read as data."""
