"""Seeds from content: the same data give the same resamples on every machine."""

import hashlib


def seed_from(text: str) -> int:
    """Return a seed of 63 bits, from the SHA-256 of `text`."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", errors="backslashreplace")).digest()[:8], "big") >> 1
