"""One request per use case that evaluates prompts, and the result of an evaluation."""

from collections.abc import Callable
from dataclasses import dataclass, field

from promptci.errors import Problem
from promptci.pipeline.environment import RunOptions
from promptci.report.model.report import ReportView
from promptci.report.write import OutputPaths


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest(RunOptions):
    """Test all prompts at one revision."""

    head: str = "HEAD"
    """`.` is the working tree."""
    head_name: str | None = None
    """Name of head in the report, such as a branch; default: the revision as requested."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRequest(RunRequest):
    """Test the prompts that changed between two revisions."""

    base: str | None = None
    """Default: the merge base of head with the default branch."""
    base_name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfTestRequest(RunRequest):
    """Measure how often the gate blocks a change that changes nothing."""

    head: str = "."
    prompts: tuple[str, ...] = ()
    """Names; empty: all."""
    answers_per_case: int | None = None
    """Default: as many as two versions need."""
    simulations: int | None = None
    confirm: Callable[[str], bool] = lambda _: False
    """Asks whether to pay the printed price."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerRequest(RunRequest):
    """Compute the smallest drop that the goldens can show."""

    head: str = "."
    prompts: tuple[str, ...] = ()
    """Names; empty: all."""
    drop: float | None = None
    """Drop to detect; default: `gate.max_drop`."""
    discordance: float | None = None
    """Share of cases that differ between two runs; default: measured from the history or the self-test."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CalibrationRequest(RunRequest):
    """Measure the judges against people's labels."""

    head: str = "."
    prompt: str | None = None
    """Name; None: all prompts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """The result of an evaluation."""

    exit_code: int
    view: ReportView | None = None
    """None after a dry run and for a shard."""
    paths: OutputPaths | None = None
    comment: str | None = None
    """Comment rendered with the repository's own template; None: the default comment."""
    problems: tuple[Problem, ...] = field(default=())
    """Mistakes in files of the repository, for annotations."""
