"""Ask the plan's questions and score the answers: one provider, one budget, one journal, judges included."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from promptci.config.model import Config
from promptci.errors import MissingKeyError, ProviderError
from promptci.git.snapshot import Snapshot
from promptci.git.state_folder import find_folder_problem, keep_out_of_git
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.ask import batching, judge_modes, judge_trust, open_provider, resume
from promptci.pipeline.ask.judge_client import JudgeClient
from promptci.pipeline.ask.rounds import AskContext, AskRules, Rounds
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.plan import planning
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.providers import registry
from promptci.providers.base import Provider
from promptci.providers.cache import AnswerCache, describe_use
from promptci.providers.prices import PriceList
from promptci.providers.recorded import RecordingProvider
from promptci.providers.routing import RoutedCache
from promptci.runs import journal
from promptci.runs.budget import Budget
from promptci.runs.execute import QuestionKey, RunContext
from promptci.runs.model import Answer, AnswerError
from promptci.scoring.judges import probes
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.probes import ProbeOutcome
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The result of asking."""

    prompts: tuple[PromptRun, ...] = ()
    """Each with its scored answers."""
    stopped_early: bool = False
    """Some questions were not asked, because no answer could have changed the verdict."""
    errors: tuple[AnswerError, ...] = ()
    """Why the run as a whole could not be finished."""
    notes: tuple[str, ...] = ()
    asking_notes: tuple[str, ...] = ()
    provider: str | None = None
    calls: int = 0
    """Calls made, judges' included."""
    cached: int = 0
    usd: Decimal | None = None
    usd_is_lower_bound: bool = False


def ask(  # noqa: PLR0917 - in the order of the pipeline
    planned: PlannedRun,
    collected: CollectedRun,
    revisions: Revisions,
    options: RunOptions,
    env: Environment,
    rules: AskRules | None = None,
) -> Asked:
    """Ask every question and score the answers; they are added to the runs of `planned`.

    `rules` decide when enough has been asked; None: every question is asked, as often as configured.
    What prevents asking (no key, no model, no endpoint) becomes an error in every row, so that the report is complete.

    Raises
    ------
    MissingKeyError
        If there is no key because the commits come from outside.
    """
    try:
        provider = open_provider.open_provider(planned, collected, revisions, options, env)
    except ProviderError as error:
        if isinstance(error, MissingKeyError) and env.trigger.untrusted_source is not None:
            raise
        return _ask_nobody(planned, error)
    if options.record is not None:
        provider = RecordingProvider(provider, options.record, redactor=env.redactor(*collected.config.secret_names))
    kept, known = _open_journal(planned, collected, revisions, options, env)
    if options.joined is not None:
        known = options.joined.known(planned.fingerprint)
        for answer in known.values():
            kept.append(answer)
    if planned.questions and options.answers is None and options.joined is None:
        env.print(planning.describe_estimate(planned, collected, 0 if options.shard else options.explain_calls))
    env.progress.begin(len(planned.questions) or sum(len(run.plan.task.labelled or ()) for run in planned.prompts))
    results: list[Asked] = []

    async def run() -> None:
        # Not returned: at its end asyncio spells out the task with its result, 3 kB for each answer (getsignal does).
        session = _Session(provider=provider, journal=kept, known=known, rules=rules or AskRules(), head=revisions.head)
        results.append(await _ask(planned, collected, session, options, env))

    try:
        with kept:
            asyncio.run(run())
    finally:
        env.progress.end()
    return results.pop()


def _open_journal(
    planned: PlannedRun, collected: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment
) -> tuple[journal.Journal, dict[QuestionKey, Answer]]:
    """Open the journal and print how many answers are reused."""
    provider = collected.config.provider
    redactor, endpoint = env.redactor(*collected.config.secret_names), f"{provider.kind} {provider.base_url}"
    opened, known = resume.open_journal(planned, revisions, options, redactor, endpoint)
    if known:
        env.print(f"resumed: {len(known)} answers of an interrupted run, from {options.out / resume.JOURNAL}")
    return opened, known


@dataclass(frozen=True, kw_only=True, slots=True)
class _Session:
    provider: Provider
    journal: journal.Journal
    known: dict[QuestionKey, Answer]
    rules: AskRules
    head: Snapshot


async def _ask(
    planned: PlannedRun, collected: CollectedRun, session: _Session, options: RunOptions, env: Environment
) -> Asked:
    config, provider = collected.config, session.provider
    budget = Budget(config.run.budget_usd, prices=PriceList(config.provider, collected.endpoints))
    count = _Count(env, session.rules.while_waiting, candidates=bool(planned.questions))
    notes = list[str]()
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(provider.aclose)
        if (cache := _cache(planned, collected, session.head, options, env, notes)) is not None:
            stack.callback(cache.close)
        run_context = RunContext(
            budget=budget,
            cache=cache,
            journal=session.journal,
            resumed=session.known,
            on_answer=count.candidate,
            on_long_wait=env.progress.wait,
            clock=env.monotonic,
            started_at=env.monotonic(),  # one deadline for candidates and judges together
        )
        batched = await batching.ask_first_questions(
            planned.questions, provider, run_context, batching.create_batching(collected, options, env)
        )
        provider, run_context = batched.provider, batched.run_context
        judges = JudgeClient(provider, config.run, replace(run_context, on_answer=count.judge))
        judge, graded = await _prepare_judge(planned, collected, judges)
        context = AskContext(
            provider=provider, run_context=run_context, judge=judge, config=_ask_together(config), rules=session.rules
        )
        asking = Rounds(planned.prompts, context)
        await asking.ask_all(env.progress.extend)
        scored = [scored for run in planned.prompts for scored in run.scored]
        probed = await probes.run_probes(scored, judge, config.judge.probes)
        if _apply_probes(planned.prompts, probed) and asking.stopped_early:
            await asking.ask_rest()  # what decided the verdict may not count any more
    judge_notes = (*graded, *judge_modes.probe_notes(scored, config.judge))
    return Asked(
        prompts=planned.prompts,
        stopped_early=asking.stopped_early,
        errors=asking.stopped,
        notes=(*notes, *_collect_notes(budget, cache, options), *batched.notes, *asking.notes, *judge_notes),
        asking_notes=tuple(filter(None, (*asking.asking_notes, budget.savings.describe()))),
        provider=provider.name,
        calls=count.calls,
        cached=count.cached,
        usd=budget.known_spend,
        usd_is_lower_bound=bool(budget.unpriced_models or budget.uncounted_calls),
    )


def _ask_together(config: Config) -> Config:
    """Return the configuration in which an application gets all cases of a round at once, in one run of it."""
    if config.provider.kind != "command":
        return config
    return replace(config, run=replace(config.run, concurrency=None))


def _apply_probes(runs: Sequence[PromptRun], outcomes: Sequence[ProbeOutcome]) -> bool:
    """Note how each prompt's judges did, and distrust those that failed; return whether any trust changed."""
    changed = False
    for run in runs:
        run.probes = tuple(outcome for outcome in outcomes if run.name in outcome.prompts)
        trust = judge_trust.distrust_probed(run)
        changed = changed or trust != run.trust
        run.trust = trust
    return changed


def _collect_notes(budget: Budget, cache: AnswerCache | RoutedCache | None, options: RunOptions) -> Sequence[str]:
    """Return the notes on budget, cache and shards."""
    return [
        *budget.notes,
        *(describe_use(cache.write_error, cache.oldest_used_s) if cache is not None else ()),
        *(options.joined.notes if options.joined is not None else ()),
    ]


async def _prepare_judge(
    planned: PlannedRun, collected: CollectedRun, judges: JudgeClient
) -> tuple[JudgeConfig, Sequence[str]]:
    """Return the judge, and notes on how it will judge; assess its trust, so that an early stop knows what counts."""
    named = collected.config.judge
    pairwise, notes = judge_modes.select_pairwise_prompts(planned.prompts, named)
    judge = JudgeConfig(
        ask=judges.ask,
        is_reused=judges.is_reused,
        can_ask=judges.can_ask,
        model=named.model,
        rubric=collected.rubric,
        embedding_model=named.embedding_model,
        by_prompt=collected.judges,
        pairwise=pairwise,
    )
    for run in planned.prompts:
        run.trust = await judge_trust.assess_judge(run, named.min_kappa, judge)
    return judge, notes


def _cache(  # noqa: PLR0917 - in the order of the pipeline
    planned: PlannedRun,
    collected: CollectedRun,
    head: Snapshot,
    options: RunOptions,
    env: Environment,
    notes: list[str],
) -> AnswerCache | RoutedCache | None:
    """Open the caches of the endpoints that are asked; none where a recording must hold every answer."""
    folder = collected.config.run.cache
    if not folder or options.no_cache or options.record is not None:
        return None
    place = options.root / folder
    if problem := find_folder_problem(options.root, place, head):
        notes.append(f"The cache in {folder} was not used: {problem}.")
        return None
    asked = open_provider.find_asked_endpoints(planned)
    opened = {
        name: registry.open_answer_cache(
            collected.endpoints.get(name, collected.config.provider), env.environ, place, reads=not options.ask_again
        )
        for name in asked
    }
    caches = {name: cache for name, cache in opened.items() if cache is not None}
    if not caches:
        return None
    keep_out_of_git(place)
    return caches[""] if asked == ("",) else RoutedCache(caches)


class _Count:
    """Counts calls as they are made, and reports progress."""

    def __init__(self, env: Environment, on_first: Callable[[], None] | None, *, candidates: bool) -> None:
        self.calls = self.cached = 0
        self._env = env
        self._on_first = on_first
        self._candidates = candidates

    def candidate(self, answer: Answer) -> None:
        self._add(answer)
        self._env.progress.step(answer)

    def judge(self, answer: Answer) -> None:
        self._add(answer)
        if not self._candidates:  # the judges are all there is to wait for
            self._env.progress.step(answer)

    def _add(self, answer: Answer) -> None:
        if self._on_first is not None:
            # Not earlier: until then, this thread imports what it needs for the call.
            threading.Thread(target=self._on_first, name="while-waiting").start()
            self._on_first = None
        self.cached += answer.cached
        self.calls += not answer.cached and answer.completion is not None


def _ask_nobody(planned: PlannedRun, error: ProviderError) -> Asked:
    """Answer every question with the same error; what to do about it is said once, of the run."""
    failed = AnswerError(kind="provider", message=error.message, sent=False)
    for run in planned.prompts:
        cases = run.cases_by_id
        run.scored += [
            ScoredCase(
                case=cases[question.case_id],
                arm=question.arm,
                replicate=question.replicate,
                answer=question.answer(error=failed),
            )
            for question in run.questions
        ]
    return Asked(prompts=planned.prompts, errors=(replace(failed, message=str(error)),))
