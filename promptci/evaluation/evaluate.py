"""Ask, mark, compare, decide, write: what `check`, `run` and `report` have in common."""

import dataclasses
from collections.abc import Iterable

from promptci.app.requests import CheckRequest, RunRequest, RunResult
from promptci.config.find import find_config
from promptci.config.policy import GateMode, GatePolicy, OnInconclusive
from promptci.errors import InputError, MissingKeyError, Problem, PromptciError
from promptci.evaluation import run_history
from promptci.evaluation.run_history import Memory
from promptci.findings import Finding, InterruptedRun, MessageFacts, NoSecrets
from promptci.gates import early_stopping
from promptci.gates.decide import decide
from promptci.gates.model import GateReport
from promptci.gates.repeat_rule import repeat_rule
from promptci.git.snapshot import Snapshot
from promptci.pipeline.ask import asking, judge_trust
from promptci.pipeline.ask.asking import Asked
from promptci.pipeline.ask.rounds import AskRules
from promptci.pipeline.collection import judge_labels, quarantine
from promptci.pipeline.collection.collect import CollectedRun
from promptci.pipeline.environment import Environment, UntrustedSource
from promptci.pipeline.plan import partition, planning
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.report import write
from promptci.report.build import view as views
from promptci.report.build.run_facts import RunFacts
from promptci.report.model.document import serialize
from promptci.report.model.report import ReportView, RevisionView, SpendView
from promptci.runs.model import AnswerError
from promptci.scoring.comparison import compare_versions
from promptci.shards import shard_run
from promptci.verdict import Verdict

MIN_AUTO_CALLS = 2
"""With so few calls, `repeats: auto` is one round."""


def evaluate(gathered: CollectedRun, revisions: Revisions, request: RunRequest, env: Environment) -> RunResult:
    """Carry out what was gathered, and write the report.

    Prompts whose files have mistakes are left out; the mistakes make the verdict `error`.

    Raises
    ------
    InputError
        With every mistake found before anything is asked, where no prompt can be tested.
    """
    if request.shard is not None or request.joined is not None:
        gathered = _asked_once(gathered)
    gathered = quarantine.exclude_quarantined_cases(gathered, revisions.base, revisions.head, env.now().date())
    gathered = judge_labels.attach_labels(gathered, _binding_base(revisions.base, request), revisions.head)
    gathered, planned = planning.plan_testable(gathered)
    return _add_problems(_evaluate(planned, gathered, revisions, request, env), gathered, request, env)


def _evaluate(
    planned: PlannedRun, gathered: CollectedRun, revisions: Revisions, request: RunRequest, env: Environment
) -> RunResult:
    began = _stamp(env)
    if request.shard is not None and not request.dry_run:
        return RunResult(exit_code=shard_run.ask(planned, gathered, revisions, request, env))
    if request.dry_run:
        planned = planned if request.shard is None else partition.select_part(planned, request.shard)
        for line in (*planning.describe(planned, gathered), *planning.describe_labels(gathered)):
            env.print(line)
        return RunResult(exit_code=0)
    memory = run_history.recall(gathered, revisions.head, request, env)
    try:
        asked = Asked(prompts=planned.prompts)
        if planned.questions:
            asked = asking.ask(planned, gathered, revisions, request, env, _ask_rules(planned, gathered))
    except MissingKeyError:
        if env.trigger.untrusted_source is None:
            raise
        finding = _no_secrets(gathered, env.trigger.untrusted_source)
        policy = dataclasses.replace(gathered.config.gate, mode=GateMode.BLOCK, on_inconclusive=OnInconclusive.BLOCK)
        facts = _facts(revisions, env, Asked(), notes=gathered.notes, gate_source=gathered.config_source)
        report = GateReport(decisions=(), policy=policy, problems=(finding,))
        return _written(_view(report, facts, env), request)
    notes = (*gathered.notes, *planned.notes, *asked.notes, *memory.notes)
    facts = _facts(
        revisions,
        env,
        asked,
        notes=notes,
        gate_source=gathered.config_source,
        requests_per_day=gathered.config.requests_per_day,
    )
    facts = dataclasses.replace(memory.told(facts), started_at=began)
    report = _decided(asked, gathered)
    view = _view(report, facts, env, gathered.config.provider.api_key_env)
    return _written(view, request, memory)


def _asked_once(gathered: CollectedRun) -> CollectedRun:
    """Return a split run's configuration: a shard knows only its own answers, so it can decide nothing on the way."""
    limits = gathered.config.run
    auto_calls = None if limits.auto_calls is None else MIN_AUTO_CALLS
    run = dataclasses.replace(limits, early_stop=False, auto_calls=auto_calls)
    return dataclasses.replace(gathered, config=dataclasses.replace(gathered.config, run=run))


def _binding_base(base: Snapshot | None, request: RunRequest) -> Snapshot | None:
    """Return base if its files decide; None where it has no configuration yet, so head's do, as for the gate."""
    return base if base is not None and find_config(base, request.config_path) else None


def _ask_rules(planned: PlannedRun, gathered: CollectedRun) -> AskRules:
    policy, limits = gathered.config.gate, gathered.config.run
    repeated = any(len(run.plan.task.rounds) > 1 for run in planned.prompts)
    # Rounds have a stopping rule of their own: what another round would show is not known in the first.
    stops_early = limits.early_stop and not repeated
    compared = sum(bool(run.plan.task.rounds) for run in planned.prompts)
    return AskRules(
        stop_rule=(lambda runs: early_stopping.stop_state(runs, policy)) if stops_early else None,
        repeat_rule=repeat_rule(policy, compared) if repeated else None,
    )


def _decided(asked: Asked, gathered: CollectedRun) -> GateReport:
    """Compare and decide; what an untrusted judge says has no weight."""
    policy = gathered.config.gate
    unusable = [_error("input", str(problem)) for problem in gathered.problems]
    comparisons = [
        dataclasses.replace(
            compare_versions(run.counted_plan, run.counted_scores, alpha=policy.alpha, margin=policy.max_drop),
            judging=judge_trust.summarize_judges(run),
        )
        for run in asked.prompts
    ]
    report = decide(comparisons, policy, [*unusable, *(_unfinished(error) for error in asked.errors)])
    if not asked.stopped_early:
        return report
    try:
        return early_stopping.report(report, asked.prompts)
    except ValueError as undecided:  # a judge fell silent after what it had said had decided the verdict
        return dataclasses.replace(report, problems=(_error("early-stop-undecided", str(undecided)),))


def _unfinished(error: AnswerError) -> Finding:
    facts = MessageFacts(message=error.message) if error.kind == "provider" else InterruptedRun(cause=error.message)
    return Finding(rule=error.kind, verdict=Verdict.ERROR, subject="", facts=facts)


def refused(error: InputError, revisions: Revisions, request: RunRequest, env: Environment) -> RunResult:
    """Report files that cannot be used: nothing was asked, and the verdict is `error`."""
    if request.dry_run or request.shard is not None:  # of a split run, the merge reports
        raise error
    findings = [_error("input", str(problem)) for problem in error.problems]
    report = GateReport(decisions=(), policy=GatePolicy(), problems=tuple(findings))
    outcome = _written(_view(report, _facts(revisions, env, Asked(), notes=()), env), request)
    return dataclasses.replace(outcome, exit_code=error.exit_code, problems=_redact(error.problems, env))


def _add_problems(result: RunResult, gathered: CollectedRun, request: RunRequest, env: Environment) -> RunResult:
    """Return the result with the mistakes in files of prompts that could not be tested, for annotations."""
    if not gathered.problems or request.shard is not None:  # of a split run, the merge reports
        return result
    if request.dry_run:
        raise InputError(gathered.problems)
    return dataclasses.replace(result, problems=_redact(gathered.problems, env))


def _redact(problems: Iterable[Problem], env: Environment) -> tuple[Problem, ...]:
    clean = env.redactor().redact
    return tuple(
        Problem(path=clean(p.path), line=p.line, message=clean(p.message), hint=clean(p.hint)) for p in problems
    )


def failed(error: PromptciError, request: RunRequest, env: Environment) -> RunResult:
    """Report an request that could not even begin, such as a commit that is not there."""
    facts = RunFacts(
        base=RevisionView(rev=request.base, sha=None) if isinstance(request, CheckRequest) and request.base else None,
        head=RevisionView(rev=request.head, sha=None),
        repository=env.trigger.repository,
        pull_request=env.trigger.pull_request,
        actor=env.trigger.actor,
        run_url=env.trigger.run_url,
        generated_at=_stamp(env),
        spend=SpendView(calls=0, cached=0, usd=None, usd_is_lower_bound=False),
    )
    report = GateReport(decisions=(), policy=GatePolicy(), problems=(_error("could-not-run", str(error)),))
    outcome = _written(_view(report, facts, env), request)
    return dataclasses.replace(outcome, exit_code=error.exit_code)


def _error(rule: str, message: str) -> Finding:
    return Finding(rule=rule, verdict=Verdict.ERROR, subject="", facts=MessageFacts(message=message))


def _no_secrets(gathered: CollectedRun, source: UntrustedSource) -> Finding:
    """Return that prompts could not be tested, because GitHub gives no secrets to commits from outside."""
    names = tuple(dict.fromkeys(plan.name for plan in gathered.plans))
    facts = NoSecrets(prompts=names, source=source.description, remedy=source.remedy)
    return Finding(rule="no-secrets", verdict=source.verdict, subject="", facts=facts)


def _stamp(env: Environment) -> str:
    return env.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _facts(
    revisions: Revisions,
    env: Environment,
    asked: Asked,
    *,
    notes: tuple[str, ...],
    gate_source: str = "defaults",
    requests_per_day: float | None = None,
) -> RunFacts:
    base = None if revisions.base is None else RevisionView(rev=revisions.base_name, sha=revisions.base.sha)
    return RunFacts(
        kind=revisions.kind,
        base=base,
        head=RevisionView(rev=revisions.head_name, sha=revisions.head.sha),
        repository=env.trigger.repository,
        pull_request=env.trigger.pull_request,
        actor=env.trigger.actor,
        run_url=env.trigger.run_url,
        generated_at=_stamp(env),
        provider=asked.provider,
        spend=SpendView(
            calls=asked.calls,
            cached=asked.cached,
            usd=None if asked.usd is None else float(asked.usd),
            usd_is_lower_bound=asked.usd_is_lower_bound,
        ),
        notes=notes,
        requests_per_day=requests_per_day,
        gate_source=gate_source,
        probes=asked.probes,
        position_bias=asked.position_bias,
    )


def _view(report: GateReport, facts: RunFacts, env: Environment, *names: str) -> ReportView:
    """Return what is shown; `names` are variables that hold secrets although they are not called so."""
    redactor = env.redactor(*names)
    return views.redact_view(views.build_view(report, facts=facts, redactor=redactor), redactor).view


def _written(view: ReportView, request: RunRequest, memory: Memory = run_history.NONE) -> RunResult:
    view = run_history.keep(view, memory)
    return RunResult(exit_code=view.exit_code, view=view, paths=write.write_all(serialize(view), request.out))
