"""Shard: one of several parts of a run that is split over several machines."""

import re

from promptci.errors import UsageError
from promptci.lazy_dataclass import dataclass

MAX_SHARDS = 256
"""Jobs of one matrix, as GitHub allows them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shard:
    """One of several parts of a run."""

    index: int
    """Counted from 1."""
    count: int

    def __str__(self) -> str:
        """Return `3/10`, as it is written."""
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Parse `3/10`; UsageError for anything else."""
        match = re.fullmatch(r"\s*([0-9]{1,4})\s*/\s*([0-9]{1,4})\s*", text)
        index, count = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= index <= count <= MAX_SHARDS:
            fix = f"Write it like 3/10: the third of ten, of at most {MAX_SHARDS}."
            raise UsageError(f"{text[:40]!r} is no part of a run", fix)
        return cls(index=index, count=count)
