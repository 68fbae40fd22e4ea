"""The revisions that a run tests."""

from typing import Literal

from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Revisions:
    """Head, and the base that it is compared with."""

    head: Snapshot
    head_name: str
    """Name of the revision in the report."""
    base: Snapshot | None = None
    """None for a run that tests one revision."""
    base_name: str = ""

    @property
    def base_sha(self) -> str | None:
        """Commit of base; None for a missing base or the working tree."""
        return None if self.base is None else self.base.sha

    @property
    def head_sha(self) -> str | None:
        """Commit of head; None for the working tree."""
        return self.head.sha

    @property
    def kind(self) -> Literal["check", "run"]:
        """`check` compares two revisions, `run` tests one."""
        return "run" if self.base is None else "check"
