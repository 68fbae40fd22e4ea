"""One request per use case that evaluates prompts, and the result of an evaluation."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.pipeline.environment import RunOptions

if TYPE_CHECKING:
    from promptci.documents.run_plan import RunPlan
    from promptci.errors import Problem
    from promptci.report.model.report import ReportView
    from promptci.report.output_paths import OutputPaths


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest(RunOptions):
    """Test all prompts at one revision."""

    head: str = "HEAD"
    """`.` is the working tree."""
    head_name: str | None = None
    """Name of head in the report, such as a branch; default: the revision as requested."""
    full_texts: bool = False
    """Keep all texts in the report of a large run, as with `report.full_texts`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRequest(RunRequest):
    """Test the prompts that changed between two revisions."""

    base: str | None = None
    """Default: the merge base of head with the default branch."""
    base_name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """The result of an evaluation."""

    exit_code: int
    view: ReportView | None = None
    """None after a dry run, for a shard, and for a run without changes whose view nobody needs."""
    unchanged: str | None = None
    """Headline of a run without changes that has no view; None: any other run."""
    plan: RunPlan | None = None
    """What would be asked, after a dry run."""
    paths: OutputPaths | None = None
    comment: str | None = None
    """Comment rendered with the repository's own template; None: the default comment."""
    problems: tuple[Problem, ...] = field(default=())
    """Mistakes in files of the repository, for annotations."""
