"""Ask questions concurrently, each distinct one once, within deadline and budget. A failure becomes a row."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

from promptci.config.run_limits import RunLimits
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import CallError, CallHooks, Completion, Provider, Request
from promptci.runs.budget import Budget
from promptci.runs.journal import Journal
from promptci.runs.model import Answer, AnswerError, Question
from promptci.runs.prompt_plan import Arm

QuestionKey = tuple[str, Arm, str, int]
_SLOWER = "raise run.deadline or ask fewer cases"
_CHEAPER = "raise it or ask fewer cases"
_OF_ONE_MODEL = {"not-found", "rate-limit", "quota"}
"""Fatal errors of these kinds stop the questions to one model; all others stop every question to the endpoint."""
MAX_EQUAL_FAILURES = 10
"""So many calls in a row that fail alike, before any call succeeds, stop the calls to that model."""
_NUMBER = re.compile(r"\d+")


_Model = tuple[str, str]
"""An endpoint and a model of it."""


class AnswerStore(Protocol):
    """Keeps answers for the runs to come."""

    def lookup(self, request: Request, replicate: int) -> Completion | None:
        """Return the answer this request got before, or None."""
        ...

    def store(self, request: Request, replicate: int, completion: Completion) -> None:
        """Keep an answer."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RunContext:
    """State that all rounds of a run share, the judge's included."""

    budget: Budget
    cache: AnswerStore | None = None
    journal: Journal | None = None
    resumed: Mapping[QuestionKey, Answer] = field(default_factory=dict)
    """Answers in the journal of an interrupted run."""
    on_answer: Callable[[Answer], None] | None = None
    """Called with each answer as it arrives."""
    on_long_wait: Callable[[str], None] = lambda _: None
    """Called with the reason for a long wait."""
    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""
    started_at: float | None = None
    """Reading of `clock` at the start of the run; None means now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """Questions that one call answers."""

    request: Request
    key: str
    replicate: int
    places: list[int]
    """Indexes of the questions."""


async def ask_questions(
    questions: Sequence[Question], provider: Provider, *, limits: RunLimits, run_context: RunContext
) -> tuple[Answer, ...]:
    """Return one answer per question, in the order of the questions.

    Calls start in that order, so that both versions of a case are asked together. Questions with equal request and
    replicate share one call; the second answer is marked `cached`. When the deadline, the budget or a fatal error ends
    the round, the remaining questions become rows with that error. Each answer is in the journal as soon as it
    arrives, also when this coroutine is cancelled.

    Raises
    ------
    InputError
        If the journal cannot be written.
    """
    started = run_context.clock() if run_context.started_at is None else run_context.started_at
    remaining_s = started + limits.deadline_s - run_context.clock()
    round_ = _Round(questions, provider, run_context)
    try:
        async with asyncio.timeout(max(0.0, remaining_s)) as timer:
            await round_.run(limits.concurrency or provider.concurrency)
    except TimeoutError:
        if not timer.expired():
            raise
        message = f"the run's {limits.deadline_s:.0f} s are over: {_SLOWER}"
        round_.fill(AnswerError(kind="deadline", message=message, sent=False))
    return round_.answers()


class _Round:
    """One list of questions while it is asked."""

    def __init__(self, questions: Sequence[Question], provider: Provider, run_context: RunContext) -> None:
        self._questions = questions
        self._provider = provider
        self._run_context = run_context
        self._answers: list[Answer | None] = [None] * len(questions)
        self._stopped: AnswerError | None = None
        self._stopped_endpoints: dict[str, AnswerError] = {}
        self._stopped_models: dict[_Model, AnswerError] = {}
        self._answered_models: set[_Model] = set()
        self._failures: dict[_Model, Counter[str]] = {}

    def answers(self) -> tuple[Answer, ...]:
        """Return the answers; each question has one after `run` or `fill`."""
        return tuple(answer for answer in self._answers if answer is not None)

    async def run(self, workers: int) -> None:
        """Ask everything, at most `workers` calls at once."""
        groups = _groups(self._questions)
        waiting = iter(groups)
        tasks = [asyncio.create_task(self._work(waiting)) for _ in range(min(workers, len(groups)))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def fill(self, error: AnswerError) -> None:
        """Set `error` as the outcome of every question without an answer."""
        for group in _groups(self._questions):
            self._fail(group, error)

    async def _work(self, waiting: Iterator[_Group]) -> None:
        for group in waiting:
            if self._reuse_resumed(group):
                continue
            request = group.request
            cached = (
                self._run_context.cache.lookup(request, group.replicate)
                if self._run_context.cache is not None
                else None
            )
            if cached is not None:
                self._succeed(group, cached, self._run_context.budget.price_completion(request, cached), cached=True)
            elif stopped := self._stop_for(request):
                self._fail(group, stopped)
            else:
                await self._ask(group)

    async def _ask(self, group: _Group) -> None:
        budget, request = self._run_context.budget, group.request
        reserved = await budget.reserve(request)
        if reserved is None and self._stopped is None:
            self._stopped = AnswerError(kind="budget", message=f"this call could exceed run.budget_usd: {_CHEAPER}")
        if stopped := self._stop_for(request):  # may be set only now, after the wait for the budget
            budget.settle(reserved or Decimal(0), request, None)
            self._fail(group, stopped)
            return
        try:
            completion = await self._provider.complete(
                request,
                replicate=group.replicate,
                hooks=CallHooks(
                    before_attempt=partial(self._check_before_attempt, request),
                    on_billed_failure=partial(budget.charge_failed, request),
                    on_long_wait=self._run_context.on_long_wait,
                ),
            )
        except CallError as failed:
            budget.settle(reserved or Decimal(0), request, None)
            self._note_failure(group, failed)
            return
        cost = budget.settle(reserved or Decimal(0), request, completion)
        if self._run_context.cache is not None:
            self._run_context.cache.store(request, group.replicate, completion)
        self._answered_models.add(_name_model(request))
        self._succeed(group, completion, cost, cached=False)

    def _check_before_attempt(self, request: Request) -> None:
        """Prevent a call that waited for its turn while the round was stopped or the budget ran out."""
        if self._stopped is None and self._run_context.budget.is_overdrawn:
            self._stopped = AnswerError(
                kind="budget",
                message=f"calls cost more than estimated, which may exceed run.budget_usd: {_CHEAPER}",
            )
        if stopped := self._stop_for(request):
            raise CallError(stopped.kind, stopped.message, caused_by_request=stopped.caused_by_request, sent=False)

    def _stop_for(self, request: Request) -> AnswerError | None:
        """Return the error that forbids this request, or None."""
        stopped = self._stopped or self._stopped_endpoints.get(request.endpoint)
        stopped = stopped or self._stopped_models.get(_name_model(request))
        return None if stopped is None else replace(stopped, sent=False)

    def _note_failure(self, group: _Group, failed: CallError) -> None:
        error = AnswerError(
            kind=failed.kind,
            message=failed.message,
            caused_by_request=failed.caused_by_request,
            sent=failed.sent,
        )
        if failed.fatal and failed.kind in _OF_ONE_MODEL:
            self._stopped_models[_name_model(group.request)] = error
        elif failed.fatal:
            self._stopped_endpoints[group.request.endpoint] = error
        else:
            self._stop_after_equal_failures(_name_model(group.request), error)
        self._fail(group, error)

    def _stop_after_equal_failures(self, model: _Model, error: AnswerError) -> None:
        """Stop the calls to a model that has never answered and failed in the same way each time."""
        if model in self._answered_models:
            return
        failures = self._failures.setdefault(model, Counter())
        failures[_NUMBER.sub("#", f"{error.kind} {error.message}")] += 1
        if len(failures) == 1 and failures.total() >= MAX_EQUAL_FAILURES:
            message = (
                f"{error.message}. The first {MAX_EQUAL_FAILURES} calls failed like this, so the rest was not made"
            )
            self._stopped_models[model] = replace(error, message=message)

    def _reuse_resumed(self, group: _Group) -> bool:
        """Use the journal of an interrupted run; return whether no call is needed."""
        source: Answer | None = None
        for place in group.places:
            known = self._run_context.resumed.get(self._questions[place].key)
            if known is not None and known.request_key == group.key and known.completion is not None:
                self._answers[place] = known
                self._report(known)
                source = source or known
                if not known.cached:
                    self._run_context.budget.charge_resumed(group.request.model, known.completion, known.cost_usd)
        if source is None or source.completion is None:
            return False
        self._succeed(group, source.completion, source.cost_usd, cached=True)
        return True

    def _succeed(self, group: _Group, completion: Completion, cost: Decimal | None, *, cached: bool) -> None:
        for place in group.places:
            if self._answers[place] is None:
                self._keep(place, group, completion=completion, cost_usd=cost, cached=cached)
                if cached:
                    self._run_context.budget.savings.reused_usd += cost or 0
            cached = True  # one call is paid for once

    def _fail(self, group: _Group, error: AnswerError) -> None:
        for place in group.places:
            if self._answers[place] is None:
                self._keep(place, group, error=error)

    def _keep(self, place: int, group: _Group, **outcome: Any) -> None:
        question = self._questions[place]
        answer = question.answer(**outcome)
        self._answers[place] = answer
        if self._run_context.journal is not None:
            self._run_context.journal.append(answer)
        self._report(answer)

    def _report(self, answer: Answer) -> None:
        if self._run_context.on_answer is not None:
            self._run_context.on_answer(answer)


def _name_model(request: Request) -> _Model:
    return request.endpoint, request.model


def _groups(questions: Sequence[Question]) -> list[_Group]:
    """Group questions with equal request and replicate, in the order of the first of each group."""
    groups: dict[tuple[str, int], _Group] = {}
    for place, question in enumerate(questions):
        key = question.request.key
        group = groups.setdefault(
            (key, question.replicate),
            _Group(request=question.request, key=key, replicate=question.replicate, places=[]),
        )
        group.places.append(place)
    return list(groups.values())
