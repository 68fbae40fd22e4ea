"""The environment of a run and the options that every command which asks a model shares."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from promptci.lazy_dataclass import dataclass
from promptci.redact import Redactor
from promptci.reviews import ChangeReviews
from promptci.verdict import Verdict

if TYPE_CHECKING:
    from promptci.pipeline.merged_answers import Joined
    from promptci.pipeline.shard import Shard
    from promptci.providers.base import Provider
    from promptci.providers.http.retry import ProviderClock
    from promptci.runs.model import Answer

DEFAULT_OUTPUT_FOLDER = Path("promptci-report")


class Progress(Protocol):
    """Shows how many of the requested answers have arrived."""

    def begin(self, total: int) -> None:
        """Start with the number of expected answers."""
        ...

    def extend(self, count: int) -> None:
        """Expect `count` additional answers."""
        ...

    def step(self, answer: Answer) -> None:
        """Count one answer."""
        ...

    def wait(self, reason: str) -> None:
        """Show why no answer arrives."""
        ...

    def end(self) -> None:
        """Stop; no further answers are expected."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class UntrustedSource:
    """Whose commits a run tests when GitHub withholds secrets from it."""

    description: str
    """In words, such as `pull requests from forks`."""
    remedy: str
    """What a maintainer can do, as a sentence."""
    verdict: Verdict = Verdict.ERROR
    """The verdict when there is no API key: `error` or `inconclusive`; both block."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """What started the run."""

    repository: str | None = None
    """`owner/name`, if known."""
    pull_request: int | None = None
    actor: str | None = None
    """Login of the person or app, if known."""
    run_url: str | None = None
    """Page of the workflow run."""
    scheduled: bool = False
    """Whether the run was started by a schedule, so that nobody waits for it."""
    untrusted_source: UntrustedSource | None = None
    """None if the run has access to secrets."""
    reviews: ChangeReviews | None = None
    """What people did about the pull request; None outside of one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """The outside world as a use case sees it: environment variables, console, clock, trigger."""

    environ: Mapping[str, str]
    progress: Progress
    print: Callable[[str], None]
    """Prints one plain line for the person who waits."""
    now: Callable[[], datetime]
    trigger: Trigger = field(default_factory=Trigger)
    clock: ProviderClock | None = None
    """Times the run's deadline and the wait for batches; None is the machine's clock."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic() if self.clock is None else self.clock.now()

    def timestamp(self) -> str:
        """Return the time in UTC, ISO 8601 to the second."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def redactor(self, *names: str) -> Redactor:
        """Return a redactor for this environment's secrets; `names` are further variables that hold one."""
        return Redactor.from_environ(self.environ, *names)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """How questions are asked and where the files of a run go."""

    root: Path
    """A folder of the git repository."""
    config_path: str = "promptci.yml"
    out: Path = DEFAULT_OUTPUT_FOLDER
    record: Path | None = None
    """File that gets a recording of all answers."""
    prompts: tuple[str, ...] = ()
    """Names of the only prompts to test; empty: all. A filtered run cannot pass."""
    cases: tuple[str, ...] = ()
    """Ids of the only cases to ask, or patterns of them; empty: all."""
    no_cache: bool = False
    """Read and store no cached answers: those of a night or a redrawn report are no run's of today."""
    ask_again: bool = False
    """Ask every question again; the new answers replace the cached ones."""
    dry_run: bool = False
    shard: Shard | None = None
    """The part of the run to ask; None asks all of it."""
    explain_calls: int | None = None
    """Calls that may find out which edit broke a failed prompt; None: as configured."""
    batch_scope: str = ""
    """Only batches of this scope are collected, such as those of one night; empty: any that asks the same."""
    answers: Provider | None = None
    """Replaces the configured provider, for example with the answers of a journal."""
    needs_view: bool = True
    """Whether the caller reads the result's view; without it, a run without changes is reported much faster."""
    joined: Joined | None = None
    """Answers of the shards of this run; None if it was not split."""
