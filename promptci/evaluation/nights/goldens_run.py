"""Ask watched prompts their goldens, and sum up what came back."""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import fmean

from promptci.evaluation.nights.watched import Watch, WatchedPrompt
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.ask import asking
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.plan import planning
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.providers.base import Provider
from promptci.runs.budget import discount_batch
from promptci.runs.model import Answer
from promptci.scoring.model import ScoredCase
from promptci.stats.estimates.percentiles import percentiles

ACCOUNT_ERRORS = frozenset(
    {"auth", "no-key", "not-found", "quota", "budget", "bad-request", "deadline", "not-recorded"}
)
"""Kinds of errors that are ours to fix, and no outage of the provider."""
PROVIDER_ERROR = "provider"


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedPrompt:
    """The answers of one prompt in one night."""

    scored: tuple[ScoredCase, ...]
    stopped: str | None = None
    """Why nothing, or not everything, could be asked."""

    @property
    def marks(self) -> dict[str, list[float]]:
        """Marks by case; a missing answer has none."""
        marks: dict[str, list[float]] = defaultdict(list)
        for scored in self.scored:
            mark = mark_of(scored)
            if mark is not None:
                marks[scored.case.id].append(mark)
        return dict(marks)

    @property
    def means(self) -> dict[str, float]:
        """Mean mark by case."""
        return {case: fmean(marks) for case, marks in self.marks.items()}

    @property
    def missing(self) -> list[ScoredCase]:
        """Answers that are missing data."""
        return [scored for scored in self.scored if mark_of(scored) is None]

    @property
    def is_our_fault(self) -> bool:
        """Whether what is missing is missing for a reason that is ours to fix."""
        kinds = {scored.answer.error.kind for scored in self.missing if scored.answer.error is not None}
        return bool(kinds) and kinds <= ACCOUNT_ERRORS | {PROVIDER_ERROR}

    @property
    def reason(self) -> str:
        """What is wrong with the missing answers, in the words of the first."""
        return self.stopped or next((scored.error for scored in self.missing if scored.error), "no answer")

    @property
    def answers(self) -> list[Answer]:
        """Answers that came."""
        return [scored.answer for scored in self.scored if scored.answer.completion is not None]

    @property
    def refusals(self) -> int:
        """Answers that the model or a filter refused."""
        completions = [answer.completion for answer in self.answers]
        return sum(bool(c and (c.refusal or c.finish_reason == "content_filter")) for c in completions)

    def seen(self, field: str) -> tuple[str, ...]:
        """Return the values of a completion's field: `model`, `fingerprint`."""
        values = {getattr(answer.completion, field) for answer in self.answers}
        return tuple(sorted(value for value in values if value))

    def numbers(self) -> dict[str, object]:
        """Return latency, length and price, as a night line has them."""
        completions = [answer.completion for answer in self.answers if answer.completion is not None]
        latency = percentiles([c.latency_ms for c in completions if c.latency_ms is not None])
        tokens = [c.usage.output_tokens for c in completions if c.usage is not None]
        prices = [
            answer.cost_usd if answer.completion is None else discount_batch(answer.cost_usd, answer.completion)
            for answer in self.answers
        ]
        total = None if not prices or None in prices else sum(filter(None, prices), Decimal(0))
        return {
            "p50_ms": None if latency.p50 is None else round(latency.p50, 1),
            "p95_ms": None if latency.p95 is None else round(latency.p95, 1),
            "output_tokens": round(fmean(tokens), 1) if tokens else None,
            "usd": None if total is None else str(total),
        }


def mark_of(scored: ScoredCase) -> float | None:
    """Return the mark of an answer from 0 to 1: its score where the case is graded, else whether it passed."""
    if scored.case.is_graded:
        return scored.score
    return None if scored.passed is None else float(scored.passed)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """Asks prompts of one watch."""

    root: Path
    config_path: str
    watch: Watch
    head: Snapshot
    env: Environment

    def plan(self, prompts: Sequence[WatchedPrompt], answers: int) -> PlannedRun:
        """Plan so many answers to each case."""
        config = self.watch.config
        run = replace(config.run, repeats=answers)
        plans = tuple(prompt.plan for prompt in prompts)
        collected = replace(self.watch.collected, config=replace(config, run=run), plans=plans)
        return planning.plan_run(collected)

    def ask(
        self,
        prompts: Sequence[WatchedPrompt],
        answers: int = 1,
        provider: Provider | None = None,
        batch_scope: str | None = None,
    ) -> dict[str, AskedPrompt]:
        """Ask each prompt its cases, and return the answers by prompt; a `provider` replaces the configured one.

        Nothing is taken from a cache or from an earlier night. With a `batch_scope`, `run.batch` decides whether the
        Batch API is used; without, everything is asked at once.

        Raises
        ------
        InputError
            For assertions that cannot be used, and variables that a case lacks.
        """
        planned = self.plan(prompts, answers)
        limits = self.watch.config.run
        run = replace(limits, repeats=answers, batch="never" if batch_scope is None else limits.batch)
        collected = replace(self.watch.collected, config=replace(self.watch.config, run=run))
        with tempfile.TemporaryDirectory(prefix="promptci-drift-") as folder:
            options = RunOptions(
                root=self.root,
                config_path=self.config_path,
                out=Path(folder),
                no_cache=True,
                answers=provider,
                batch_scope=batch_scope or "",
            )
            revisions = Revisions(head=self.head, head_name=self.head.label)
            asked = asking.ask(planned, collected, revisions, options, self.env)
        stopped = "; ".join(error.message for error in asked.errors) or None
        return {run.name: AskedPrompt(scored=tuple(run.scored), stopped=stopped) for run in asked.prompts}
