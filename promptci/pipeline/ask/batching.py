"""Ask a run's first questions through a Batch API: submit, wait, and collect now or in a later run."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from promptci.config.run_limits import RunLimits
from promptci.documents.document import Document
from promptci.errors import InputError
from promptci.files import write
from promptci.git.state_folder import find_folder_problem
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.providers import registry
from promptci.providers.base import CallError, CallKey, Completion, Provider, Request
from promptci.providers.http import batch
from promptci.providers.http.batch import BatchJob, BatchState
from promptci.providers.http.batch_http import BatchClient
from promptci.providers.replay import ReplayProvider
from promptci.runs.execute import RunContext
from promptci.runs.model import Answer, Question

STATE = "batches.json"
SHARE = 0.9
"""Of the run's deadline that is spent waiting; the rest is for judges and the report."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 60.0
_DEAR = "raise it, or ask fewer cases"


class PendingBatches(Document):
    """batches.json: the batches of one endpoint that a later run will collect."""

    schema_: Literal["promptci/batches/v1"] = Field(default="promptci/batches/v1", alias="schema")
    endpoint: str
    batches: dict[str, list[str]]
    """Ids of the requests, by the batch's id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ordered:
    """A submitted batch, and the questions of this run that it answers."""

    id: str
    order: BatchJob


@dataclass(frozen=True, kw_only=True, slots=True)
class Batched:
    """What the rest of the run uses after the batches."""

    provider: Provider
    """Answers the remaining questions."""
    run_context: RunContext
    """Holds the batches' answers."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Batching:
    """The batches of one run at one Batch API."""

    http: BatchClient
    endpoint: str
    limits: RunLimits
    file: Path
    """File that lists the submitted batches for a later run."""
    scope: str = ""
    errors: dict[CallKey, CallError] = field(default_factory=dict)

    async def ask(self, questions: Sequence[Question], provider: Provider, run_context: RunContext) -> "Batched":
        """Ask these questions by batch."""
        pending = _pending(questions, run_context)
        if not pending:
            return Batched(provider=provider, run_context=run_context)
        try:
            return await self._ask(questions, provider, run_context, pending)
        finally:
            await self.http.aclose()

    async def _ask(
        self,
        questions: Sequence[Question],
        provider: Provider,
        run_context: RunContext,
        pending: dict[CallKey, Request],
    ) -> Batched:
        states: dict[str, BatchState] = {}
        try:
            results = await self._results(questions, pending, run_context, states)
        except CallError as error:
            if error.kind == "not-found":
                none = "The endpoint has no Batch API, so everything was asked at its full price."
                return Batched(provider=provider, run_context=run_context, notes=(none,))
            results = dict.fromkeys(pending, error)
        self.errors.update((ask, result) for ask, result in results.items() if isinstance(result, CallError))
        answers = {ask: result for ask, result in results.items() if isinstance(result, Completion)}
        known = {**run_context.resumed, **_rows(questions, answers, run_context)}
        for state in states.values():
            if state.is_over:
                await batch.delete_results(self.http, state)
        note = f"{len(answers)} of {len(pending)} questions were answered by batch, at half the price."
        return Batched(
            provider=ReplayProvider(self.errors, provider),
            run_context=replace(run_context, resumed=known),
            notes=(note,),
        )

    async def _results(
        self,
        questions: Sequence[Question],
        pending: dict[CallKey, Request],
        run_context: RunContext,
        states: dict[str, BatchState],
    ) -> dict[CallKey, batch.BatchResult]:
        stored = self._stored()
        ordered, refused = await self._order(questions, pending, stored, run_context)
        results: dict[CallKey, batch.BatchResult] = dict(refused)
        await self._wait(ordered, run_context, states)
        for ordered_batch in ordered:
            state = states[ordered_batch.id]
            if state.is_over:
                results |= await batch.collect_results(self.http, state, ordered_batch.order)
            else:
                message = f"the batch {ordered_batch.id} is still at work; a later run will collect it"
                results |= dict.fromkeys(ordered_batch.order.requests, CallError("deadline", message))
        over = {name for name, state in states.items() if state.is_over}
        self._store({name: asks for name, asks in stored.items() if name not in over})
        return results

    async def _order(
        self,
        questions: Sequence[Question],
        pending: Mapping[CallKey, Request],
        stored: dict[str, list[str]],
        run_context: RunContext,
    ) -> tuple[list[_Ordered], dict[CallKey, CallError]]:
        """Return the batches that answer the questions: submitted ones, and new ones as far as the budget allows."""
        ordered: list[_Ordered] = []
        rest = dict(pending)
        for name, asks in stored.items():
            own = {ask: request for ask, request in rest.items() if batch.custom_id(ask) in set(asks)}
            if own:
                ordered.append(_Ordered(id=name, order=BatchJob(requests=own)))
                rest = {ask: request for ask, request in rest.items() if ask not in own}
        refused: dict[CallKey, CallError] = {}
        spent = Decimal(0)
        for order in batch.split_into_jobs(rest, self.http, self.scope):
            job_state = await batch.find_batch(self.http, order)
            if job_state is None:
                part, cost = _affordable(order, questions, run_context, spent)
                spent += cost
                job_state = await batch.submit_batch(self.http, part) if part.requests else None
            else:
                part = order
            if job_state is not None:
                ordered.append(_Ordered(id=job_state.id, order=part))
                stored[job_state.id] = [batch.custom_id(ask) for ask in part.requests]
                self._store(stored)  # at once: a run that is killed now must not order it again
            rest = {ask: request for ask, request in rest.items() if ask not in part.requests}
        refused |= dict.fromkeys(rest, CallError("budget", f"the batch could exceed run.budget_usd: {_DEAR}"))
        return ordered, refused

    async def _wait(self, ordered: Sequence[_Ordered], run_context: RunContext, states: dict[str, BatchState]) -> None:
        """Poll the batches until all are over or the time for waiting is used up."""
        clock, pause = self.http.clock, FIRST_PAUSE_S
        until = (
            run_context.clock() if run_context.started_at is None else run_context.started_at
        ) + SHARE * self.limits.deadline_s
        while True:
            for ordered_batch in ordered:
                if ordered_batch.id not in states or not states[ordered_batch.id].is_over:
                    states[ordered_batch.id] = await batch.fetch_batch(self.http, ordered_batch.id)
            remaining_s = until - run_context.clock()
            if remaining_s <= 0 or all(state.is_over for state in states.values()):
                return
            await clock.sleep(min(pause, remaining_s))
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _stored(self) -> dict[str, list[str]]:
        """Return the submitted batches of this endpoint; empty if the file is missing or invalid."""
        try:
            state = PendingBatches.load(self.file)
        except InputError:
            return {}
        return state.batches if state.endpoint == self.endpoint else {}

    def _store(self, batches: Mapping[str, Sequence[str]]) -> None:
        state = PendingBatches(endpoint=self.endpoint, batches={name: list(asks) for name, asks in batches.items()})
        if batches or self.file.exists():
            with suppress(OSError):  # then the batch is found again by its name
                write.write_text(self.file, state.dump())


async def ask_first_questions(
    questions: Sequence[Question], provider: Provider, run_context: RunContext, batching: Batching | None
) -> Batched:
    """Ask these questions by batch; without `batching`, return the provider and the context unchanged."""
    if batching is None:
        return Batched(provider=provider, run_context=run_context)
    return await batching.ask(questions, provider, run_context)


def create_batching(collected: CollectedRun, options: RunOptions, env: Environment) -> Batching | None:
    """Return the batches of a run; None if batches are not to be used, or the provider has no Batch API."""
    limits, provider_options = collected.config.run, collected.config.provider
    use_batches = limits.batch == "always" or (limits.batch == "auto" and env.trigger.scheduled)
    if not use_batches or options.answers is not None or options.joined is not None or options.record is not None:
        return None
    http = registry.create_batch_client(provider_options, env.environ, env.clock)
    folder = options.out
    cache = None if limits.cache is None or options.batch_scope else options.root / limits.cache
    if cache is not None and find_folder_problem(options.root, cache) is None:
        folder = cache
    endpoint = provider_options.base_url.rstrip("/")
    if http is None:
        return None
    return Batching(http=http, endpoint=endpoint, limits=limits, file=folder / STATE, scope=options.batch_scope)


def _pending(questions: Sequence[Question], run_context: RunContext) -> dict[CallKey, Request]:
    """Return the distinct questions without an answer, in the order of asking."""
    requests: dict[CallKey, Request] = {}
    for question in questions:
        ask = (question.request.key, question.replicate)
        known = run_context.resumed.get(question.key)
        has_answer = known is not None and known.completion is not None and known.request_key == ask[0]
        is_elsewhere = question.request.endpoint != "" or question.request.kind != "chat"
        if ask in requests or has_answer or is_elsewhere:
            continue
        if run_context.cache is None or run_context.cache.lookup(*_place(question)) is None:
            requests[ask] = question.request
    return requests


def _place(question: Question) -> tuple[Request, int]:
    return question.request, question.replicate


def _affordable(
    order: BatchJob, questions: Sequence[Question], run_context: RunContext, spent: Decimal
) -> tuple[BatchJob, Decimal]:
    """Return as much of the order as the budget allows, whole cases only, and what that could cost."""
    by_case: dict[tuple[str, str], list[CallKey]] = {}
    for question in questions:
        by_case.setdefault((question.prompt, question.case_id), []).append((question.request.key, question.replicate))
    taken: dict[CallKey, Request] = {}
    cost = Decimal(0)
    for asks in by_case.values():
        own = {ask: order.requests[ask] for ask in asks if ask in order.requests and ask not in taken}
        extra_cost = run_context.budget.affordable_batch_cost(list(own.values()), spent + cost)
        if extra_cost is None:
            break
        taken |= own
        cost += extra_cost
    return replace(order, requests=taken), cost


def _rows(
    questions: Sequence[Question], answers: Mapping[CallKey, Completion], run_context: RunContext
) -> dict[tuple[str, Any, str, int], Answer]:
    """Write the answers into the journal and the cache, as if they had just come."""
    rows = {}
    paid: set[CallKey] = set()
    for question in questions:
        ask = (question.request.key, question.replicate)
        completion = answers.get(ask)
        if completion is None or question.key in run_context.resumed:
            continue
        row = question.answer(
            completion=completion,
            cost_usd=run_context.budget.price_completion(question.request, completion),
            cached=ask in paid,
        )
        if run_context.cache is not None and ask not in paid:
            run_context.cache.store(question.request, question.replicate, completion)
        if run_context.journal is not None:
            run_context.journal.append(row)
        paid.add(ask)
        rows[question.key] = row
    return rows
