"""A remark on a line of a file, for the runner's log and for a check run."""

from promptci.lazy_dataclass import dataclass
from promptci.publish.runner.workflow_commands import Level


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """A remark on a line of a file."""

    path: str
    """Relative to the repository's root."""
    line: int | None
    """Counted from 1; None for the whole file."""
    level: Level
    title: str
    message: str
