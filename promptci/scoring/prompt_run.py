"""PromptRun: everything about one prompt in one run. Each stage of a run adds its part."""

from __future__ import annotations

from copy import copy
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.scoring import odd_models
from promptci.scoring.judges import discount_untrusted
from promptci.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from promptci.attribution.attribution import Attribution
    from promptci.compare.effect import Effect
    from promptci.compare.sample import SamplePair
    from promptci.findings import Finding
    from promptci.goldens.model import Case
    from promptci.runs.model import Question
    from promptci.runs.prompt_plan import PromptPlan
    from promptci.scoring.comparability import Comparability
    from promptci.scoring.judges.pairwise import PositionBias
    from promptci.scoring.judges.probes import ProbeOutcome
    from promptci.scoring.judges.trust import JudgeSummary, JudgeTrust
    from promptci.scoring.model import ScoredCase
    from promptci.scoring.paired_case import PairedCase
    from promptci.scoring.version_summary import VersionSummary


@dataclass(kw_only=True, eq=False)
class PromptRun:
    """One prompt on its way through a run: planned, asked, scored, compared, decided. A run is a tuple of these.

    What belongs to a prompt is held here, so that no stage has to join data to prompts by name. Asking adds to a run in
    place; `compare_versions` and the gate return a new one, whose `plan` and `scored` are those that count.
    """

    plan: PromptPlan
    questions: tuple[Question, ...] = ()
    """Asked in every case, in the order of asking."""
    follow_ups: tuple[Question, ...] = ()
    """Asked only where the first answers call for it: the versions disagree, or a critical case flipped."""
    scored: list[ScoredCase] = field(default_factory=list)
    answers_per_case: int | None = None
    """With `repeats: auto`, the answers per case and version that have been asked for so far; None: no rounds."""
    trust: JudgeTrust | None = None
    """What the judge may do; None: no judge scores this prompt."""
    judging: JudgeSummary | None = None
    """How the judge scored both versions, and what that is worth; None: no judge was involved."""
    probes: tuple[ProbeOutcome, ...] = ()
    """How the judges of this prompt scored useless answers."""
    position_bias: PositionBias | None = None
    """How often the judge changed its verdict with the order of the answers; None where none were judged in pairs."""
    cases: tuple[PairedCase, ...] = ()
    """Every case with the answers of both versions; empty until the versions are compared."""
    samples: SamplePair | None = None
    """What was compared: the complete pairs. None where there are none (a new prompt has none)."""
    worst_case: SamplePair | None = None
    """With each missing answer right at base and wrong at head; None where none is missing."""
    effect: Effect | None = None
    base: VersionSummary | None = None
    head: VersionSummary | None = None
    comparability: Comparability | None = None
    """What the comparison rests on; None where nothing is compared."""
    verdict: Verdict = Verdict.ERROR
    """An error until the gate has decided: no verdict is green by default."""
    findings: tuple[Finding, ...] = ()
    attribution: Attribution | None = None
    """Which edit broke it; None where that was not asked."""
    adjusted_p: float | None = None
    """After Holm's correction over the prompts of this run; None where the versions are not compared."""

    @property
    def name(self) -> str:
        """Name of the prompt."""
        return self.plan.name

    @property
    def counted_plan(self) -> PromptPlan:
        """The plan by which the verdict is reached: what an untrusted judge scores has no weight in it."""
        answers = self.answers_per_case
        plan = self.plan if answers is None else self.plan.with_estimate(answers)
        return discount_untrusted.discount_plan(plan, self.trust)

    @property
    def cases_by_id(self) -> Mapping[str, Case]:
        """The planned cases, with the assertions that count."""
        return {planned.case.id: planned.case for planned in self.counted_plan.task.cases}

    @property
    def unanswered(self) -> tuple[Question, ...]:
        """Questions of the first round that have no answer yet."""
        answered = {scored.answer.key for scored in self.scored}
        return tuple(question for question in self.questions if question.key not in answered)

    def counted(self) -> PromptRun:
        """Return the run with the plan and the answers that count: without those of an untrusted judge or an odd model.

        Doing it twice changes nothing.
        """
        scores = odd_models.leave_out(self.plan, discount_untrusted.discount_scores(self.scored, self.trust))
        return replace(self, plan=self.counted_plan, scored=list(scores))

    def with_decision(
        self, verdict: Verdict, findings: Sequence[Finding], adjusted_p: float | None = None
    ) -> PromptRun:
        """Return the run with what the gate decided; what was measured is shared with this one."""
        decided = copy(self)
        decided.verdict, decided.findings, decided.adjusted_p = verdict, tuple(findings), adjusted_p
        return decided

    @cached_property
    def compared(self) -> tuple[PairedCase, ...]:
        """Cases whose text is the same at both revisions, without excluded ones."""
        return tuple(case for case in self.cases if case.change == "same" and case.excluded_reason is None)

    @cached_property
    def excluded(self) -> tuple[PairedCase, ...]:
        """Cases that were asked and decide nothing."""
        return tuple(case for case in self.cases if case.excluded_reason is not None)

    @cached_property
    def pairs(self) -> tuple[PairedCase, ...]:
        """Compared cases that both versions answered."""
        return tuple(case for case in self.compared if case.complete)

    @cached_property
    def broken(self) -> tuple[PairedCase, ...]:
        """Pairs that were right and are wrong."""
        return tuple(case for case in self.pairs if case.outcome == "broken")

    @cached_property
    def fixed(self) -> tuple[PairedCase, ...]:
        """Pairs that were wrong and are right."""
        return tuple(case for case in self.pairs if case.outcome == "fixed")

    @cached_property
    def answers_requested(self) -> int:
        """Answers asked for, both versions."""
        return sum(len(case.base) + len(case.head) for case in self.cases)

    @cached_property
    def errors(self) -> int:
        """Answers that are missing data, both versions."""
        return sum(answer.error is not None for case in self.cases for answer in (*case.base, *case.head))

    @property
    def mismatches(self) -> tuple[str, ...]:
        """Why the versions cannot be compared; empty if they can."""
        return self.comparability.mismatches if self.comparability else ()


def release_questions(runs: Iterable[PromptRun]) -> None:
    """Forget what was asked, once nothing more will be: the requests of 100,000 cases take 30 MB beside a report."""
    for run in runs:
        run.questions = run.follow_ups = ()
