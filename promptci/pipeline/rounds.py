"""Ask and mark in rounds: every question once, then what is worth asking again; or only until the verdict stands."""

from collections.abc import Callable, Sequence
from itertools import groupby

from promptci.config.model import Config
from promptci.gates import early_stopping
from promptci.gates.model import Reason
from promptci.goldens.model import Case
from promptci.providers.base import Provider
from promptci.runs import adaptive_repeats, execute
from promptci.runs.execute import RunContext
from promptci.runs.model import Answer, Plan, Question
from promptci.scoring import score
from promptci.scoring.judges.judge import JudgeDesk
from promptci.scoring.model import ScoredCase
from promptci.verdict import Verdict

SMALLEST, LARGEST = 10, 64
"""Questions asked before it is looked whether the verdict stands: at least, and at most where the user names no number
of calls at once."""


def cases_of(plan: Plan) -> dict[tuple[str, str], Case]:
    """Give the cases by prompt's name and case's id."""
    return {(prompt.name, planned.case.id): planned.case for prompt in plan.prompts for planned in prompt.cases}


class Rounds:
    """The asking and marking of one plan."""

    def __init__(
        self, plan: Plan, provider: Provider, run_context: RunContext, judge: JudgeDesk, config: Config
    ) -> None:
        """Hold who is asked and by which rules."""
        self.scored: tuple[ScoredCase, ...] = ()
        self.stopped: tuple[Reason, ...] = ()
        self.notes: tuple[str, ...] = ()
        self._plan = plan
        self._provider = provider
        self._desk = run_context
        self._judge = judge
        self._config = config
        self._cases = cases_of(plan)

    @property
    def curtailed(self) -> bool:
        """Whether the asking ended early because the verdict stood."""
        early = self._config.run.early_stop and not self.stopped
        return early and bool(early_stopping.unasked(self._plan, self.scored))

    async def all(self, more: Callable[[int], None]) -> None:
        """Ask what is to be asked; `more` is told of answers that were not expected."""
        await self.first()
        if again := self.again():
            more(len(again))
            await self.ask_again(again)

    async def first(self) -> None:
        """Ask what every run asks; with `run.early_stop` only until no answer can change a verdict."""
        remaining: Sequence[Question] = self._plan.questions
        if not self._config.run.early_stop:
            await self._ask(remaining)
            return
        while remaining and not self.stopped:
            bounds = early_stopping.bounds(self._plan, self.scored, self._config.gate)
            if bounds.all_decided(self._config.gate):
                break
            settled = bounds.decided(self._config.gate)
            # Where only settled prompts have questions left, these matter for Holm's correction of the others.
            open_ones = [q for q in remaining if q.prompt not in settled] or list(remaining)
            chunk = self._chunk(open_ones)
            await self._ask(chunk)
            asked = {question.key for question in chunk}
            remaining = [question for question in remaining if question.key not in asked]
        if self.curtailed:
            self.notes += (_saved(len(remaining), len(self._plan.questions)),)

    async def rest(self) -> None:
        """Ask what an early stop left out."""
        await self._ask(early_stopping.unasked(self._plan, self.scored))
        self.notes += ("The rest was asked after all: a judge lost its trust.",)
        if again := self.again():
            await self.ask_again(again)

    def again(self) -> tuple[Question, ...]:
        """Give what is to be asked now, because the versions disagree; nothing where the run was stopped."""
        if self.stopped or self.curtailed:
            return ()
        found = adaptive_repeats.find_follow_ups(self._plan, {s.answer.key: s.passed for s in self.scored})
        policy, early = self._config.gate, self._config.run.early_stop
        return (
            ()
            if found and early and early_stopping.bounds(self._plan, self.scored, policy).all_decided(policy)
            else found
        )

    async def ask_again(self, questions: Sequence[Question]) -> None:
        """Ask and mark these, and say what came of it."""
        before = self.scored
        await self._ask(questions)
        adaptive = {prompt.name for prompt in self._plan.prompts if prompt.adaptive}
        # A confirmation that could not be had says nothing, neither of the case nor of how well the run went.
        later = self.scored[len(before) :]
        lost = [one for one in later if one.error is not None and one.answer.prompt not in adaptive]
        self.scored = (*before, *(one for one in later if one not in lost))
        self.notes += tuple(_repeated(self._plan, questions, adaptive, lost))

    def _chunk(self, questions: Sequence[Question]) -> list[Question]:
        """Take as many as are asked at once, whole cases, in order."""
        size = max(SMALLEST, self._config.run.concurrency or min(self._provider.concurrency, LARGEST))
        chunk: list[Question] = []
        for _, of_case in groupby(questions, key=lambda question: (question.prompt, question.case_id)):
            if len(chunk) >= size:
                break
            chunk += of_case
        return chunk

    async def _ask(self, questions: Sequence[Question]) -> None:
        answers = await execute.ask_questions(
            questions, self._provider, limits=self._config.run, run_context=self._desk
        )
        self.scored += await score.mark_all(answers, self._cases, self._judge)
        self.stopped = _stopped(answers)


def _saved(left: int, total: int) -> str:
    return (
        f"Stopped early: the verdict stood after {total - left:,} of {total:,} answers, so {left:,} calls were saved"
        " (`run.early_stop`)."
    )


def _repeated(plan: Plan, again: Sequence[Question], adaptive: set[str], lost: Sequence[ScoredCase]) -> Sequence[str]:
    """Say how often was asked again, and what that saved."""
    said = []
    further = [q for q in plan.further if q.prompt in adaptive]
    asked = [q for q in again if q.prompt in adaptive]
    if further:
        cases, most = len({(q.prompt, q.case_id) for q in asked}), len({(q.prompt, q.case_id) for q in further})
        saved = f"{len(asked)} answers in place of the {len(further)} of repeating every case"
        said.append(
            f"Cases on which the first answers of the versions disagreed were asked again: {cases} of {most}, {saved}."
        )
    critical = list(dict.fromkeys(q.case_id for q in again if q.prompt not in adaptive))
    if critical:
        said.append(f"Critical cases that flipped were asked again to see whether that was chance: {_few(critical)}.")
    if lost:
        said.append(f"{len(lost)} of these answers could not be had, so the first ones stand ({lost[0].error}).")
    return said


def _few(ids: Sequence[str], most: int = 5) -> str:
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")


def _stopped(answers: Sequence[Answer]) -> tuple[Reason, ...]:
    """Say why the run was not finished: time or money ran out."""
    stops = {answer.error.kind: answer.error.message for answer in answers if answer.error is not None}
    return tuple(
        Reason(rule=kind, verdict=Verdict.ERROR, text=f"The run was not finished: {stops[kind]}.")
        for kind in ("deadline", "budget")
        if kind in stops
    )
