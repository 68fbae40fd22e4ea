"""Ask the plan's questions and mark the answers: one provider, one budget, one journal, judges included."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from promptci.errors import InputError, MissingKeyError, ProviderError
from promptci.files import write
from promptci.gates.model import Reason
from promptci.pipeline import batching, judge_modes, judge_trust, planning, rounds
from promptci.pipeline.collect import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.judge_client import Judges
from promptci.pipeline.revisions import Revisions
from promptci.pipeline.rounds import Rounds
from promptci.providers import registry
from promptci.providers.base import Provider
from promptci.providers.cache import AnswerCache
from promptci.providers.local import model_file
from promptci.providers.prices import PriceList
from promptci.providers.recorded import RecordingProvider
from promptci.redact import REPLACEMENT, Redactor
from promptci.runs import journal, partition
from promptci.runs.budget import Budget
from promptci.runs.execute import QuestionKey, RunContext
from promptci.runs.model import Answer, AnswerError, Plan
from promptci.scoring.judges import probes
from promptci.scoring.judges.discount_untrusted import inform
from promptci.scoring.judges.judge import JudgeDesk
from promptci.scoring.judges.pairwise import SwapOutcome, swaps
from promptci.scoring.judges.probes import CanaryOutcome
from promptci.scoring.judges.trust import Trust
from promptci.scoring.model import ScoredCase
from promptci.verdict import Verdict

JOURNAL = "journal.jsonl"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What came of the asking."""

    scored: tuple[ScoredCase, ...] = ()
    curtailed: bool = False
    """Some questions were not asked, because no answer could have changed the verdict."""
    findings: tuple[Reason, ...] = ()
    """Why the run as a whole could not be finished."""
    notes: tuple[str, ...] = ()
    provider: str | None = None
    calls: int = 0
    """Calls really made, judges' included."""
    cached: int = 0
    usd: Decimal | None = None
    usd_is_lower_bound: bool = False
    canaries: tuple[CanaryOutcome, ...] = ()
    """What the judges of this run made of useless answers."""
    swaps: tuple[SwapOutcome, ...] = ()
    """How often judges changed their verdict with the order of the answers."""
    trusts: Mapping[str, Trust] = field(default_factory=dict)
    """What the judges may do, by prompt's name."""


def ask(plan: Plan, gathered: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment) -> Asked:
    """Ask everything and mark it; `revisions` go into the header of the journal.

    What stops the asking (no key, no model, no endpoint) becomes an error in every row, so that the report is whole.

    Raises
    ------
    MissingKeyError
        Where there is no key because the commits come from outside.
    """
    provider_options = gathered.config.provider
    try:
        provider = _provider(gathered, options, env)
    except ProviderError as error:
        if isinstance(error, MissingKeyError) and env.trigger.untrusted_source is not None:
            raise
        return _nobody(plan, error)
    if options.record is not None:
        provider = RecordingProvider(provider, options.record, redactor=env.redactor(provider_options.api_key_env))
    kept, known = _journal(plan, revisions, options, env.redactor(provider_options.api_key_env))
    if options.joined is not None:
        known = options.joined.known(partition.fingerprint(plan))
        for answer in known.values():
            kept.append(answer)
    if plan.questions and options.answers is None and options.joined is None:
        env.print(planning.expected(plan, gathered))
    env.progress.begin(len(plan.questions) or sum(map(len, gathered.labelled_answers.values())))
    found: list[Asked] = []

    async def run() -> None:
        # Not returned: at its end asyncio spells out the task with its result, 3 kB for each answer (getsignal does).
        found.append(await _ask(plan, gathered, options, env, (provider, kept, known)))

    try:
        with kept:
            asyncio.run(run())
    finally:
        env.progress.end()
    return found.pop()


def _provider(gathered: CollectedRun, options: RunOptions, env: Environment) -> Provider:
    """Give who answers; raises ProviderError."""
    if options.answers is not None:
        return options.answers
    try:
        home, calls = model_file.cache_home(env.environ), gathered.config.run.concurrency
        made = registry.create_provider(gathered.config.provider, env.environ, options.root, home, concurrency=calls)
    except ProviderError as error:
        if options.joined is None:
            raise
        return options.joined.over(error)
    return made if options.joined is None else options.joined.over(made)


async def _ask(
    plan: Plan,
    gathered: CollectedRun,
    options: RunOptions,
    env: Environment,
    sources: tuple[Provider, journal.Journal, dict[QuestionKey, Answer]],
) -> Asked:
    provider, journal_file, resumed = sources
    budget = Budget(gathered.config.run.budget_usd, prices=PriceList(gathered.config.provider))
    count = _Count(env, candidates=bool(plan.questions))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(provider.aclose)
        if (cache := _cache(gathered, options, env)) is not None:
            stack.callback(cache.close)
        run_context = RunContext(
            budget=budget,
            cache=cache,
            journal=journal_file,
            resumed=resumed,
            on_answer=count.candidate,
            started_at=time.monotonic(),  # one deadline for candidates and judges together
        )
        batched = await batching.first(plan.questions, (provider, run_context), batching.of(gathered, options, env))
        provider, run_context = batched.provider, batched.run_context
        judges = Judges(provider, gathered.config.run, replace(run_context, on_answer=count.judge))
        judge, graded = _judge(plan, gathered, judges)
        trusts = await judge_trust.assess(plan.prompts, gathered, judge)
        # Before the first answer, so that an early stop knows what counts.
        _, counted = inform((), plan.prompts, trusts)
        asking = Rounds(replace(plan, prompts=counted), provider, run_context, judge, gathered.config)
        await asking.all(env.progress.more)
        found = await probes.ask(asking.scored, judge, gathered.config.judge.probes)
        before, trusts = trusts, judge_trust.after(found, asking.scored, trusts)
        if asking.curtailed and before != trusts:
            await asking.rest()  # what settled the verdict may not count any more
    judge_notes = judge_modes.notes(asking.scored, gathered.config.judge)
    return Asked(
        scored=asking.scored,
        curtailed=asking.curtailed,
        findings=asking.stopped,
        notes=(*_beside(budget, cache, options), *batched.notes, *asking.notes, *graded, *judge_notes),
        provider=provider.name,
        calls=count.calls,
        cached=count.cached,
        usd=budget.known_spend,
        usd_is_lower_bound=bool(budget.unpriced_models),
        canaries=found,
        swaps=swaps(asking.scored),
        trusts=trusts,
    )


def _beside(budget: Budget, cache: AnswerCache | None, options: RunOptions) -> Sequence[str]:
    """Say what a reader should know of money, cache and shards."""
    trouble = [cache.write_error] if cache is not None and cache.write_error else []
    return [*budget.notes, *trouble, *(options.joined.notes if options.joined is not None else ())]


def _judge(plan: Plan, gathered: CollectedRun, judges: Judges) -> tuple[JudgeDesk, Sequence[str]]:
    """Give who marks what code cannot, and what to say of how it will."""
    named = gathered.config.judge
    pairwise, notes = judge_modes.in_pairs(plan, named)
    desk = JudgeDesk(
        ask=judges.ask,
        model=named.model,
        rubric=gathered.rubric,
        embedding_model=named.embedding_model,
        pairwise=pairwise,
    )
    return desk, notes


def _cache(gathered: CollectedRun, options: RunOptions, env: Environment) -> AnswerCache | None:
    """Open the cache, if this run has one. A recording must hold every answer; a cached one would pass it by."""
    folder = gathered.config.run.cache
    if not folder or options.no_cache or options.record is not None:
        return None
    cache = registry.open_answer_cache(gathered.config.provider, env.environ, options.root / folder)
    if cache is not None:
        keep_out_of_git(options.root / folder)
    return cache


def keep_out_of_git(folder: Path) -> None:
    """Put a .gitignore into the cache's folder, so that `git add --all` does not commit answers."""
    mark = folder / ".gitignore"
    if not mark.exists():
        with contextlib.suppress(OSError):  # a cache that cannot be written is no error
            write.write_text(mark, "*\n")


class _Count:
    """Counts calls as they are made, and passes the candidates' on to the person who waits."""

    def __init__(self, env: Environment, *, candidates: bool) -> None:
        self.calls = self.cached = 0
        self._env = env
        self._candidates = candidates

    def candidate(self, answer: Answer) -> None:
        self._add(answer)
        self._env.progress.step(answer)

    def judge(self, answer: Answer) -> None:
        self._add(answer)
        if not self._candidates:  # the judges are all there is to wait for
            self._env.progress.step(answer)

    def _add(self, answer: Answer) -> None:
        self.cached += answer.cached
        self.calls += not answer.cached and answer.completion is not None


def _journal(
    plan: Plan, revisions: Revisions, options: RunOptions, redactor: Redactor
) -> tuple[journal.Journal, dict[QuestionKey, Answer]]:
    """Open the run's journal; where an interrupted run of the very same plan left one, go on with its answers."""
    path = options.out / JOURNAL
    run = {
        "base": revisions.base_sha,
        "head": revisions.head_sha,
        "config": options.config_path,
        "plan": partition.fingerprint(plan),
        **({"shard": str(options.shard)} if options.shard is not None else {}),
    }
    known: dict[QuestionKey, Answer] = {}
    finished = (options.out / "report.json").exists()
    if path.exists():
        with contextlib.suppress(InputError):  # a journal that cannot be read is begun anew
            header, answers = journal.load_journal(path)
            if header == redactor.redact_value(run) and not finished:
                known = {answer.key: answer for answer in answers if _is_whole(answer)}
        if not known:
            path.unlink()
    (options.out / "report.json").unlink(missing_ok=True)
    return journal.Journal.open(path, run=run, redactor=redactor), known


def _is_whole(answer: Answer) -> bool:
    """Tell whether a journal's answer is as the model gave it; one that held a secret is asked for again."""
    return answer.completion is not None and REPLACEMENT not in answer.completion.text


def _nobody(plan: Plan, error: ProviderError) -> Asked:
    """Give every question the same error."""
    cases = rounds.cases_of(plan)
    failed = AnswerError(kind="provider", message=str(error))
    return Asked(
        scored=tuple(
            ScoredCase(
                case=cases[(q.prompt, q.case_id)],
                arm=q.arm,
                replicate=q.replicate,
                answer=Answer(
                    prompt=q.prompt,
                    arm=q.arm,
                    case_id=q.case_id,
                    replicate=q.replicate,
                    request_key=q.request.key,
                    error=failed,
                ),
            )
            for q in plan.questions
        ),
        findings=(Reason(rule="provider", verdict=Verdict.ERROR, text=str(error)),),
    )
