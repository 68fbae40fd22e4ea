"""Decompressing is bounded, and damaged files are refused."""

import gzip

import pytest

from promptci.files import gunzip


def test_what_was_compressed_comes_back() -> None:
    assert gunzip.decompress(gzip.compress(b"abc" * 1000)) == b"abc" * 1000


def test_a_bomb_is_refused_at_the_limit() -> None:
    with pytest.raises(ValueError, match="more than 1 MiB"):
        gunzip.decompress(gzip.compress(bytes(2**20 + 1)), max_bytes=2**20)
    assert len(gunzip.decompress(gzip.compress(bytes(2**20)), max_bytes=2**20)) == 2**20


@pytest.mark.parametrize("content", [b"", b"junk", gzip.compress(b"abc", mtime=0)[:-6]])
def test_damaged_files_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|cannot be decompressed"):
        gunzip.decompress(content)
