"""What an errand is told, and the world it works in: everything it needs comes in by this door."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from promptci.errors import Problem
from promptci.providers.base import Provider
from promptci.redact import Redactor
from promptci.report.model.report import ReportView
from promptci.report.write import Paths
from promptci.runs.model import Answer
from promptci.shards.merged_answers import Joined
from promptci.shards.partition import Shard
from promptci.verdict import Verdict

OUT = Path("promptci-report")
"""Folder of a run's outputs where none is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """What is to be done, as the command line or the Action says it."""

    root: Path
    """A folder of the git repository."""
    config_path: str = "promptci.yml"
    base: str | None = None
    """None: the merge base of head with the default branch."""
    head: str = "HEAD"
    """`.` is the working tree."""
    base_name: str | None = None
    """What to call base in the report, such as a branch; None: as it was asked for."""
    head_name: str | None = None
    out: Path = OUT
    record: Path | None = None
    no_cache: bool = False
    dry_run: bool = False
    shard: Shard | None = None
    """The part to ask, of a run that is split over several machines; None: all of it."""


class Progress(Protocol):
    """Tells the person who waits how far the asking is."""

    def begin(self, total: int) -> None:
        """So many answers are expected."""
        ...

    def more(self, count: int) -> None:
        """So many answers more than was said are expected."""
        ...

    def step(self, answer: Answer) -> None:
        """One more came."""
        ...

    def end(self) -> None:
        """No more will come."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Outsider:
    """Whose commits a run is over where GitHub gives it no secrets."""

    who: str
    """In words, as `a pull request from a fork`."""
    way_out: str
    """What a maintainer can do, as a sentence."""
    verdict: Verdict = Verdict.ERROR
    """What is concluded where there is no key to ask with: `error` or `inconclusive`; both block."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The collaborators of an errand."""

    environ: Mapping[str, str]
    progress: Progress
    say: Callable[[str], None]
    """Prints one plain line for the person who waits."""
    now: Callable[[], datetime]
    answers: Provider | None = None
    """Who answers in place of the configured provider, where the answers are there already."""
    joined: Joined | None = None
    """What the shards of this run have found; None: it was not split."""
    repository: str | None = None
    """`owner/name`, where known."""
    pull_request: int | None = None
    actor: str | None = None
    """Who set off the run, where known."""
    run_url: str | None = None
    """Where a person sees the workflow's run."""
    scheduled: bool = False
    """Whether nobody waits: a run by the clock."""
    outsider: Outsider | None = None
    """None where secrets are given."""

    def redactor(self, *names: str) -> Redactor:
        """Give what takes this world's secrets out of all that is written; `names`: further variables that hold one."""
        return Redactor.from_environ(self.environ, *names)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of an errand."""

    exit_code: int
    view: ReportView | None = None
    """None after a dry run."""
    paths: Paths | None = None
    comment: str | None = None
    """The comment by the repository's own template; None: the standard one."""
    problems: tuple[Problem, ...] = field(default=())
    """Mistakes in files of the repository, each with file and line, for annotations."""
