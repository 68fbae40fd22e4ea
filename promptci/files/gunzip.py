"""Decompress gzip data up to a limit: a few bytes can unpack to any size."""

import zlib

MAX_BYTES = 256 * 2**20
"""Of one file."""


def decompress(content: bytes, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the content of a gzip file of one member.

    Raises
    ------
    ValueError
        If it is damaged, cut off, or unpacks to more than `max_bytes`.
    """
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = reader.decompress(content, max_bytes + 1)
    except zlib.error as error:
        raise ValueError(f"it cannot be decompressed ({error})") from None
    if len(unpacked) > max_bytes:
        raise ValueError(f"it has more than {max_bytes // 2**20} MiB when decompressed")
    if not reader.eof:
        raise ValueError("it is cut off")
    return unpacked
