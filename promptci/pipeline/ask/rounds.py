"""Ask and score in rounds: every question once, then repeats; or until the verdict is decided."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import accumulate, groupby
from typing import Protocol

from promptci.config.model import Config
from promptci.lazy_dataclass import dataclass
from promptci.providers import routing
from promptci.providers.base import Provider
from promptci.runs import adaptive_repeats, execute
from promptci.runs.execute import RunContext
from promptci.runs.model import Answer, AnswerError, Question
from promptci.runs.prompt_plan import Arm
from promptci.scoring import score
from promptci.scoring.assertions.assertion_timer import AssertionTimer
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.wording import join_names

MIN_CHUNK, MAX_CHUNK = 10, 64
"""Questions asked between two looks at whether the verdict is decided: at least, and at most where the user sets no
concurrency."""
MAX_NAMED_CASES = 5


class StopDecision(Protocol):
    """What is decided whatever the answers still missing would be."""

    @property
    def complete(self) -> bool:
        """Whether no answer can change any verdict."""
        ...

    @property
    def decided(self) -> tuple[bool, ...]:
        """Of each prompt, in the order of the run: whether no answer can change its verdict."""
        ...


StopRule = Callable[[Sequence[PromptRun]], StopDecision]
"""Looks at the answers so far. The gate provides it, so that asking knows nothing about deciding."""
RepeatRule = Callable[[PromptRun], int | None]
"""Returns how many answers per case and version a prompt needs next; None where its verdict is decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskRules:
    """When enough has been asked. The gate provides the rules."""

    stop_rule: StopRule | None = None
    """With `run.early_stop`; None: every question is asked."""
    repeat_rule: RepeatRule | None = None
    """With `repeats: auto`; None: every case is asked as often as configured."""
    while_waiting: Callable[[], None] | None = None
    """Called once, in a thread, when the first answer has come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskContext:
    """The provider, the judge and the rules of a run."""

    provider: Provider
    run_context: RunContext
    judge: JudgeConfig
    config: Config
    rules: AskRules = AskRules()


class Rounds:
    """Asking and scoring of all prompts of a run; the answers are added to each prompt's run."""

    def __init__(self, runs: Sequence[PromptRun], context: AskContext) -> None:
        """Keep the runs that answers are added to."""
        self.stopped: tuple[AnswerError, ...] = ()
        """Why the run could not be finished: deadline, budget, or the time that assertions may take."""
        self.notes: tuple[str, ...] = ()
        self.asking_notes: tuple[str, ...] = ()
        """How often cases were asked, and what was not asked."""
        self._runs = runs
        self._context = context
        self._timer = AssertionTimer(context.config.run.assertion_time_s)

    @property
    def stopped_early(self) -> bool:
        """Whether questions were left out because the verdict was decided."""
        return (
            self._context.rules.stop_rule is not None and not self.stopped and any(run.unanswered for run in self._runs)
        )

    async def ask_all(self, expect: Callable[[int], None]) -> None:
        """Ask everything that is to be asked; `expect` is called with the number of answers not announced before."""
        await self.ask_first()
        while round_ := self._next_round():
            expect(sum(map(len, round_)))
            await self._ask(round_)
        self.asking_notes += tuple(_round_notes(self._runs))
        if follow_ups := self._follow_ups():
            expect(sum(map(len, follow_ups)))
            await self._ask_again(follow_ups)

    async def ask_first(self) -> None:
        """Ask what every run asks; with a stop rule only until no answer can change a verdict."""
        if self._context.rules.stop_rule is None:
            await self._ask([run.questions for run in self._runs])
            return
        while (open_questions := [run.unanswered for run in self._runs]) and any(open_questions) and not self.stopped:
            state = self._context.rules.stop_rule(self._runs)
            if state.complete:
                break
            undecided = [
                () if decided else questions for decided, questions in zip(state.decided, open_questions, strict=True)
            ]
            # Where only decided prompts have questions left, these matter for Holm's correction of the others.
            await self._ask(self._chunk(undecided if any(undecided) else open_questions))
        if self.stopped_early:
            unanswered, total = (
                sum(map(len, questions))
                for questions in ([run.unanswered for run in self._runs], [run.questions for run in self._runs])
            )
            self.asking_notes += (_early_stop_note(unanswered, total),)

    def _next_round(self) -> list[tuple[Question, ...]]:
        """Return every undecided prompt's questions of the next round; empty where nothing is asked again."""
        rule = self._context.rules.repeat_rule
        if rule is None or self.stopped:
            return []
        questions = [self._if_recorded(_round_of(run, rule(run))) for run in self._runs]
        requests = [question.request for of_prompt in questions for question in of_prompt]
        if requests and not self._context.run_context.budget.can_afford(requests):
            self.notes += ("The budget did not allow another round of answers (`run.budget_usd`).",)
            return []
        for run, of_prompt in zip(self._runs, questions, strict=True):
            if of_prompt:
                run.answers_per_case = max(question.replicate for question in of_prompt) + 1
        return questions if any(questions) else []

    def _if_recorded(self, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        """Return the questions of one prompt's round; none, with a note, where a recording lacks some answers."""
        provider = self._context.provider
        if all(routing.can_answer(provider, question.request, question.replicate) for question in questions):
            return questions
        note = f"{questions[0].prompt}: the recording holds no further answers, so no further round was asked"
        note += " (`run.repeats: auto`)."
        if note not in self.notes:
            self.notes += (note,)
        return ()

    async def ask_rest(self) -> None:
        """Ask what an early stop left out."""
        await self._ask([run.unanswered for run in self._runs])
        self.notes += ("The remaining questions were asked after all: a judge lost its trust.",)
        if follow_ups := self._follow_ups():
            await self._ask_again(follow_ups)

    def _follow_ups(self) -> list[tuple[Question, ...]]:
        """Return what is to be asked again for each prompt, because the versions disagree; empty if stopped."""
        if self.stopped or self.stopped_early:
            return []
        follow_ups = [
            adaptive_repeats.find_follow_ups(
                run.counted_plan, run.follow_ups, {scored.answer.key: scored.passed for scored in run.scored}
            )
            for run in self._runs
        ]
        if not any(follow_ups):
            return []
        rule = self._context.rules.stop_rule
        return [] if rule is not None and rule(self._runs).complete else follow_ups

    async def _ask_again(self, follow_ups: Sequence[tuple[Question, ...]]) -> None:
        answered_before = [len(run.scored) for run in self._runs]
        await self._ask(follow_ups)
        missing: list[ScoredCase] = []
        for run, before in zip(self._runs, answered_before, strict=True):
            if not run.plan.task.adaptive:
                # A confirmation without an answer is no evidence, neither on the case nor on the run.
                # Only where head never answers a case, that is just what was to be confirmed.
                answered = {scored.case.id for scored in run.scored if scored.arm is Arm.HEAD and not scored.error}
                further, run.scored[before:] = run.scored[before:], []
                for scored in further:
                    confirms = not scored.error or (scored.arm is Arm.HEAD and scored.case.id not in answered)
                    (run.scored if confirms else missing).append(scored)
        self.asking_notes += tuple(_follow_up_notes(self._runs, follow_ups, missing))

    def _chunk(self, questions: Sequence[tuple[Question, ...]]) -> list[tuple[Question, ...]]:
        """Take as many questions as are asked at once, whole cases, in order."""
        context = self._context
        size = max(MIN_CHUNK, context.config.run.concurrency or min(context.provider.concurrency, MAX_CHUNK))
        chunk: list[tuple[Question, ...]] = []
        taken = 0
        for of_prompt in questions:
            own: list[Question] = []
            for _, of_case in groupby(of_prompt, key=lambda question: question.case_id):
                if taken + len(own) >= size:
                    break
                own += of_case
            taken += len(own)
            chunk.append(tuple(own))
        return chunk

    async def _ask(self, questions: Sequence[Sequence[Question]]) -> None:
        """Ask questions of all prompts at once, and add the scored answers to each prompt's run."""
        context = self._context
        flat = [question for of_prompt in questions for question in of_prompt]
        answers = await execute.ask_questions(
            flat, context.provider, limits=context.config.run, run_context=context.run_context
        )
        ends = list(accumulate(map(len, questions)))
        own_answers = [answers[end - len(of_prompt) : end] for end, of_prompt in zip(ends, questions, strict=True)]
        scored = await asyncio.gather(
            *(
                score.score_answers(own, run.cases_by_id, context.judge, self._timer)
                for run, own in zip(self._runs, own_answers, strict=True)
            )
        )
        for run, own_scored in zip(self._runs, scored, strict=True):
            run.scored += own_scored
        too_slow = self._timer.error
        self.stopped = (*_find_stop_errors(answers), *([too_slow] if too_slow is not None else []))


def _round_of(run: PromptRun, answers: int | None) -> tuple[Question, ...]:
    """Return the questions that bring each compared case to this many answers of each version."""
    if answers is None:
        return ()
    compared = {planned.case.id for planned in run.plan.task.cases if adaptive_repeats.is_compared(planned)}
    before = run.answers_per_case or 1
    return tuple(q for q in run.follow_ups if before <= q.replicate < answers and q.case_id in compared)


def _round_notes(runs: Sequence[PromptRun]) -> Sequence[str]:
    """Return how often the cases were asked with `repeats: auto`."""
    names_by_number: dict[int, list[str]] = {}
    for run in runs:
        if run.answers_per_case is not None and run.answers_per_case > 1:
            names_by_number.setdefault(run.answers_per_case, []).append(run.name)
    if not names_by_number:
        return []
    times = [f"{number} times ({join_names(names)})" for number, names in sorted(names_by_number.items())]
    reason = "because fewer answers left the verdict undecided (`run.repeats: auto`)"
    return [f"Each version answered each case {join_names(times)}, {reason}."]


def _early_stop_note(unanswered: int, total: int) -> str:
    return (
        f"Stopped early: the verdict was decided after {total - unanswered:,} of {total:,} answers,"
        f" which saved {unanswered:,} calls (`run.early_stop`)."
    )


def _follow_up_notes(
    runs: Sequence[PromptRun], follow_ups: Sequence[Sequence[Question]], missing: Sequence[ScoredCase]
) -> Sequence[str]:
    """Return notes on repeated questions, and what the choice saved."""
    notes = []
    pairs = list(zip(runs, follow_ups, strict=True))
    possible = [q for run in runs if run.plan.task.adaptive for q in run.follow_ups]
    asked = [q for run, questions in pairs if run.plan.task.adaptive for q in questions]
    if possible:
        cases, most = (len({(q.prompt, q.case_id) for q in questions}) for questions in (asked, possible))
        saved = f"{len(asked)} answers instead of the {len(possible)} of repeating every case"
        notes.append(f"Cases on which the first answers disagreed were asked again: {cases} of {most}, {saved}.")
    critical = list(
        dict.fromkeys(q.case_id for run, questions in pairs if not run.plan.task.adaptive for q in questions)
    )
    if critical:
        names = join_names(critical, MAX_NAMED_CASES)
        notes.append(f"Critical cases that broke were asked again to rule out chance: {names}.")
    if missing:
        notes.append(f"{len(missing)} of these answers are missing, so the first ones stand ({missing[0].error}).")
    return notes


def _find_stop_errors(answers: Sequence[Answer]) -> tuple[AnswerError, ...]:
    """Return why the run was not finished: deadline, budget, or an application whose output cannot be used."""
    errors = {answer.error.kind: answer.error for answer in answers if answer.error is not None}
    return tuple(errors[kind] for kind in ("deadline", "budget", "application") if kind in errors)
