"""Explain the failed prompts of a run: ask their broken cases again with some of the edits undone."""

import tempfile
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from promptci.app.requests import RunRequest
from promptci.attribution.attribution import Attribution
from promptci.attribution.edits import PromptEdits, split_change
from promptci.attribution.search import MAX_GROUPS, AskedVersion, EditSearch, Marks
from promptci.errors import InputError, PromptciError, ProviderError
from promptci.gates.model import GateReport
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.ask import asking
from promptci.pipeline.ask.asking import Asked
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.plan import explain_estimate, planning
from promptci.pipeline.plan.explain_estimate import MIN_CALLS
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.runs.prompt_plan import PlannedCase, PromptChange, PromptPlan, Status, Task
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict

FIRST_REPLICATE = 1_000
"""Answers are numbered from here, and every stage has numbers of its own: an answer of the check, by which its case was
chosen, is never used again."""


def explain_failures(  # noqa: PLR0917 - in the order of the pipeline
    report: GateReport,
    asked: Asked,
    collected: CollectedRun,
    revisions: Revisions,
    request: RunRequest,
    env: Environment,
) -> tuple[GateReport, Asked]:
    """Return the report with an attribution for each failed prompt of several edits, and what all asking cost.

    Nothing that goes wrong here changes a verdict: it becomes the reason why a prompt is not explained.
    """
    failed = [run for run in report.prompts if is_explainable(run, collected)]
    can_ask = request.answers is None and request.joined is None
    limit = collected.config.explain_calls if request.explain_calls is None else request.explain_calls
    if not failed or not can_ask or not limit or asked.errors:
        return report, asked
    spent = _Spending(asked=asked, budget_usd=collected.config.run.budget_usd)
    calls = limit // len(failed)
    explained = []
    for run in report.prompts:
        if is_explainable(run, collected):
            asker = _Asker(run=run, collected=collected, revisions=revisions, request=request, env=env, spent=spent)
            run = copy(run)  # noqa: PLW2901 - what was measured is shared with the other
            run.attribution = _explain(run, calls, asker)
        explained.append(run)
    return replace(report, prompts=tuple(explained)), spent.asked


def is_explainable(run: PromptRun, collected: CollectedRun) -> bool:
    """Return whether a prompt failed with broken cases, both versions of it known, and can be asked as another one."""
    failed = run.verdict is Verdict.FAIL and bool(run.broken)
    return failed and explain_estimate.can_be_explained(run.plan.change, collected)


def _explain(run: PromptRun, calls: int, asker: "_Asker") -> Attribution | None:
    edits = asker.edits.edits
    if not edits:
        return None
    attribution = Attribution(edits=edits, broken=len(run.broken))
    if len(edits) == 1:  # it explains itself
        return attribution
    if calls < MIN_CALLS:
        return replace(attribution, failure=f"only {calls} calls are left for this prompt (explain.calls)")
    broken = sorted(run.broken, key=lambda case: (not case.case.critical, case.case.digest))
    search = EditSearch([edit.number for edit in edits], [case.case.id for case in broken], asker.ask, calls)
    asker.announce()
    try:
        return replace(attribution, result=search.run())
    except PromptciError as error:
        return replace(attribution, failure=str(error))


@dataclass(kw_only=True)
class _Spending:
    """What the run has cost so far."""

    asked: Asked
    budget_usd: Decimal | None

    @property
    def left_usd(self) -> Decimal | None:
        """What is left of the budget; None without one."""
        return None if self.budget_usd is None else max(self.budget_usd - (self.asked.usd or 0), Decimal(0))

    def add(self, added: Asked) -> None:
        """Add the cost of further answers."""
        known = [usd for usd in (self.asked.usd, added.usd) if usd is not None]
        self.asked = replace(
            self.asked,
            calls=self.asked.calls + added.calls,
            cached=self.asked.cached + added.cached,
            usd=sum(known, Decimal(0)) if known else None,
            usd_is_lower_bound=self.asked.usd_is_lower_bound or added.usd_is_lower_bound or len(known) == 1,
        )


@dataclass(kw_only=True)
class _Asker:
    """Asks versions of one prompt its broken cases."""

    run: PromptRun
    collected: CollectedRun
    revisions: Revisions
    request: RunRequest
    env: Environment
    spent: _Spending
    _stage: int = 0

    @cached_property
    def edits(self) -> PromptEdits:
        """What the change did to the prompt."""
        change = self.run.plan.change
        if change.base is None or change.head is None:
            raise ValueError("only a changed prompt has edits")
        return split_change(change.base, change.head)

    @cached_property
    def _cases(self) -> dict[str, PlannedCase]:
        return {planned.case.id: planned for planned in self.run.plan.task.cases}

    def announce(self) -> None:
        """Print what follows."""
        self.env.print(f"explaining {self.run.name}: which of its {len(self.edits.edits)} edits broke it")

    def ask(self, versions: Sequence[AskedVersion]) -> list[Marks | None]:
        """Ask all versions at once; None for those that cannot be asked.

        Raises
        ------
        ProviderError
            Where the answers do not come.
        """
        self._stage += 1
        if self.spent.left_usd == 0:
            raise ProviderError("the budget of the run is spent")
        planned = [self._plan(version, number) for number, version in enumerate(versions)]
        possible = tuple(run for run in planned if run is not None)
        with tempfile.TemporaryDirectory(prefix="promptci-explain-") as folder:
            options = RunOptions(
                root=self.request.root,
                config_path=self.request.config_path,
                out=Path(folder),
                ask_again=self.request.ask_again,
            )
            silent = replace(self.env, print=lambda _: None)
            asked = asking.ask(PlannedRun(prompts=possible), self._collected(1), self.revisions, options, silent)
        self.spent.add(asked)
        _require_answers(asked)
        return [None if run is None else _marks(run) for run in planned]

    def _plan(self, version: AskedVersion, number: int) -> PromptRun | None:
        """Plan the questions of a version; None where its template or its variables do not fit the cases."""
        name = self._name(number)
        change = PromptChange(
            name=name,
            path=self.run.plan.change.path,
            status=Status.ADDED,
            base=None,
            head=self.edits.build(version.edits),
        )
        task = Task(cases=tuple(self._cases[case] for case in version.cases))
        collected = self._collected(version.answers)
        try:
            (run,) = planning.plan_run(replace(collected, plans=(PromptPlan(change=change, task=task),))).prompts
        except InputError:
            return None
        first = FIRST_REPLICATE * self._stage
        run.questions = tuple(replace(asked, replicate=first + asked.replicate) for asked in run.questions)
        return run

    def _name(self, number: int) -> str:
        return f"{self.run.name} ({number})"

    def _collected(self, answers: int) -> CollectedRun:
        config = self.collected.config
        run = replace(
            config.run,
            repeats=answers,
            repeats_on_disagreement=None,
            auto_calls=None,
            early_stop=False,
            batch="never",
            budget_usd=self.spent.left_usd,
        )
        judge = replace(config.judge, pairwise=False, probes=0)
        judges = {self._name(number): self.collected.judge_of(self.run.name) for number in range(MAX_GROUPS + 1)}
        return replace(
            self.collected, config=replace(config, run=run, judge=judge), judges=judges, plans=(), problems=()
        )


def _require_answers(asked: Asked) -> None:
    """Raise ProviderError where a version has no answer for most of its questions: nothing follows from the rest."""
    if asked.errors:
        raise ProviderError(asked.errors[0].message)
    for run in asked.prompts:
        missing = [scored.error for scored in run.scored if scored.mark is None]
        if 2 * len(missing) >= len(run.scored):
            raise ProviderError(f"{len(missing)} of {len(run.scored)} answers did not come ({missing[0]})")


def _marks(run: PromptRun) -> Marks:
    marks: dict[str, list[float]] = {}
    for scored in run.scored:
        known = marks.setdefault(scored.case.id, [])
        if scored.mark is not None:
            known.append(scored.mark)
    return marks
