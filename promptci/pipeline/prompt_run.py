"""PromptRun: everything about one prompt in one run. Planning builds it, and every stage adds to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from promptci.goldens.model import Case
from promptci.runs.model import Question
from promptci.runs.prompt_plan import PromptPlan
from promptci.scoring import odd_models
from promptci.scoring.judges import discount_untrusted
from promptci.scoring.judges.trust import JudgeTrust
from promptci.scoring.model import ScoredCase


@dataclass(kw_only=True, slots=True)
class PromptRun:
    """One prompt on its way through the pipeline: planned, asked, scored. A run is a tuple of these.

    The order of `questions` is the order of asking; `scored` is in the order in which answers were asked for. What
    belongs to a prompt is held here, so that no stage has to join answers to prompts by name.
    """

    plan: PromptPlan
    questions: tuple[Question, ...] = ()
    """Asked in every case."""
    follow_ups: tuple[Question, ...] = ()
    """Asked only where the first answers call for it: the versions disagree, or a critical case flipped."""
    scored: list[ScoredCase] = field(default_factory=list)
    answers_per_case: int | None = None
    """With `repeats: auto`, the answers per case and version that have been asked for so far; None: no rounds."""
    trust: JudgeTrust | None = None
    """What the judge may do; None: no judge scores this prompt."""

    @property
    def name(self) -> str:
        """Name of the prompt."""
        return self.plan.name

    @property
    def counted_plan(self) -> PromptPlan:
        """The plan by which the verdict is reached: what an untrusted judge scores has no weight in it."""
        plan = self.plan
        if self.answers_per_case is not None:
            plan = plan.with_estimate(self.answers_per_case)
        return discount_untrusted.discount_plan(plan, self.trust)

    @property
    def counted_scores(self) -> tuple[ScoredCase, ...]:
        """The scored answers by which the verdict is reached, likewise, and without those of an odd model."""
        return odd_models.leave_out(self.plan, discount_untrusted.discount_scores(self.scored, self.trust))

    @property
    def cases(self) -> Mapping[str, Case]:
        """Cases by id, with the assertions that count."""
        return {planned.case.id: planned.case for planned in self.counted_plan.task.cases}

    @property
    def unanswered(self) -> tuple[Question, ...]:
        """Questions of the first round that have no answer yet."""
        answered = {scored.answer.key for scored in self.scored}
        return tuple(question for question in self.questions if question.key not in answered)


def all_questions(runs: Sequence[PromptRun]) -> tuple[Question, ...]:
    """Return the first round's questions of all prompts, in the order of asking."""
    return tuple(question for run in runs for question in run.questions)


def all_scored(runs: Sequence[PromptRun]) -> tuple[ScoredCase, ...]:
    """Return every scored answer of a run, prompt by prompt."""
    return tuple(scored for run in runs for scored in run.scored)
