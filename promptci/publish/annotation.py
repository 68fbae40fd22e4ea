"""A remark beside a line of a file, for the runner's log and for a check run."""

from dataclasses import dataclass

from promptci.publish.runner.workflow_commands import Level


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """A remark beside a line of a file."""

    path: str
    """Relative to the repository's root."""
    line: int | None
    """Counted from 1; None where the whole file is meant."""
    level: Level
    title: str
    message: str
