"""Golden cases: bytes and a path in, a GoldenSet out."""
