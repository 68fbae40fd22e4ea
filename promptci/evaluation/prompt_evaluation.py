"""Evaluate prompts: plan the questions, ask, score, compare, decide, report."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from promptci.app.requests import RunRequest, RunResult
from promptci.config.policy import GateMode, GatePolicy, OnInconclusive
from promptci.errors import MissingKeyError
from promptci.evaluation import while_asking
from promptci.evaluation.memory import run_memory
from promptci.findings import Finding, InterruptedRun, MessageFacts, NoSecrets, PromptNames, UntestedSettings
from promptci.gates.model import GateReport
from promptci.lazy_import import lazy_import
from promptci.pipeline.ask import asking, judge_trust, resume
from promptci.pipeline.ask.asking import Asked
from promptci.pipeline.ask.rounds import AskRules
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, UntrustedSource
from promptci.pipeline.plan import planning
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.runs import journal
from promptci.runs.model import AnswerError
from promptci.scoring.judges.pairwise import measure_position_bias
from promptci.scoring.prompt_run import PromptRun, release_questions
from promptci.verdict import Verdict

# Imported while the first answers are awaited; while_asking.py lists them.
if TYPE_CHECKING:
    from promptci.evaluation import dry_run, explanation, results, sign_off
    from promptci.gates import decide, early_stopping, repeat_rule
    from promptci.report.model import report as report_model
    from promptci.report.model.report import SpendView
    from promptci.scoring import comparison
    from promptci.shards import shard_run
else:
    dry_run = lazy_import("promptci.evaluation.dry_run")
    explanation = lazy_import("promptci.evaluation.explanation")
    results = lazy_import("promptci.evaluation.results")
    sign_off = lazy_import("promptci.evaluation.sign_off")
    decide = lazy_import("promptci.gates.decide")
    early_stopping = lazy_import("promptci.gates.early_stopping")
    repeat_rule = lazy_import("promptci.gates.repeat_rule")
    report_model = lazy_import("promptci.report.model.report")
    comparison = lazy_import("promptci.scoring.comparison")
    shard_run = lazy_import("promptci.shards.shard_run")

MIN_AUTO_CALLS = 2
"""With so few calls, `repeats: auto` is one round."""


def evaluate_prompts(
    collected: CollectedRun, revisions: Revisions, request: RunRequest, env: Environment, started_at: str
) -> RunResult:
    """Ask the collected prompts their cases, decide and write the report.

    A dry run only prints the plan; a shard asks its part and decides nothing. `started_at` is the time of the start, as
    the report has it.

    Raises
    ------
    InputError
        With every mistake found before anything is asked.
    """
    if request.shard is not None or request.joined is not None:
        collected = _asked_once(collected)
    collected, planned = planning.plan_testable(collected)
    result = _evaluate(planned, collected, revisions, request, env, started_at)
    return results.add_problems(result, collected, request, env)


def _evaluate(  # noqa: PLR0917 - in the order of the pipeline
    planned: PlannedRun,
    collected: CollectedRun,
    revisions: Revisions,
    request: RunRequest,
    env: Environment,
    started_at: str,
) -> RunResult:
    if request.dry_run:
        return dry_run.describe_plan(planned, collected, request, env)
    if request.shard is not None:
        return RunResult(exit_code=shard_run.ask(planned, collected, revisions, request, env))
    memory = run_memory.load(collected, revisions.head, request, env)
    if collected.filtered is not None:  # what a part of the cases shows is no verdict to remember
        memory = dataclasses.replace(memory, folder=None)
    try:
        asked = Asked(prompts=planned.prompts)
        if planned.questions:
            asked = asking.ask(planned, collected, revisions, request, env, _ask_rules(planned, collected))
    except MissingKeyError:
        if env.trigger.untrusted_source is None:
            raise
        return _report_no_secrets(collected, env.trigger.untrusted_source, revisions, request, env)
    report = _decide(asked, collected)
    report, asked = explanation.explain_failures(report, asked, collected, revisions, request, env)
    release_questions((*asked.prompts, *report.prompts))
    facts = dataclasses.replace(
        results.build_facts(revisions, env, _spend(asked)),
        started_at=started_at,
        provider=asked.provider if asked.calls or asked.cached else None,
        notes=(*collected.notes, *planned.notes, *asked.notes, *memory.notes),
        asking_notes=asked.asking_notes,
        gate_source=collected.config_source,
        requests_per_day=collected.config.requests_per_day,
        own_prices=collected.config.priced_models,
        site_url=collected.config.site_url or None,
        full_texts=request.full_texts or collected.config.full_texts,
    )
    report = sign_off.add_approvals(report, collected, revisions, env)
    facts = sign_off.add_override(report, facts, collected, revisions, root=request.root, env=env)
    with journal.compressing(request.out / resume.JOURNAL):
        return results.write_report(report, facts, request, env, memory, secret_names=collected.config.secret_names)


def _asked_once(collected: CollectedRun) -> CollectedRun:
    """Return a split run's configuration: a shard knows only its own answers, so it can decide nothing on the way."""
    limits = collected.config.run
    auto_calls = None if limits.auto_calls is None else MIN_AUTO_CALLS
    run = dataclasses.replace(limits, early_stop=False, auto_calls=auto_calls)
    return dataclasses.replace(collected, config=dataclasses.replace(collected.config, run=run))


def _ask_rules(planned: PlannedRun, collected: CollectedRun) -> AskRules:
    policy, limits = collected.config.gate, collected.config.run
    repeated = any(len(run.plan.task.rounds) > 1 for run in planned.prompts)
    # Rounds have a stopping rule of their own: what another round would show is not known in the first.
    stops_early = limits.early_stop and not repeated
    compared = sum(bool(run.plan.task.rounds) for run in planned.prompts)
    return AskRules(
        stop_rule=(lambda runs: early_stopping.stop_state(runs, policy)) if stops_early else None,
        repeat_rule=partial(_next_answers, policy, compared) if repeated else None,
        while_waiting=while_asking.prepare_report,
    )


def _next_answers(policy: GatePolicy, prompts: int, run: PromptRun) -> int | None:
    """Apply the rule of `repeats: auto`, which is imported with the first round's answers."""
    return repeat_rule.next_answers(run.counted(), policy.for_prompt(run.name), prompts)


def _decide(asked: Asked, collected: CollectedRun) -> GateReport:
    """Compare and decide; an untrusted judge's results have no weight."""
    policy = collected.config.gate
    unusable = results.input_findings(collected.problems)
    for run in asked.prompts:
        run.judging = judge_trust.summarize_judges(run)
        run.position_bias = measure_position_bias(run.scored)
    runs = [
        comparison.compare_versions(run.counted(), alpha=policy.alpha, margin=policy.for_prompt(run.name).max_drop)
        for run in asked.prompts
    ]
    problems = [
        *unusable,
        *map(_unfinished, asked.errors),
        *_unmerged_config(runs, collected),
        *_untested_settings(runs, collected),
    ]
    if collected.filtered is not None:
        problems.append(Finding(rule="filtered", verdict=Verdict.INCONCLUSIVE, subject="", facts=collected.filtered))
        policy = _blocking(policy)
    report = decide.decide(runs, policy, problems)
    if not asked.stopped_early:
        return report
    try:
        return early_stopping.report(report)
    except ValueError as undecided:  # a judge fell silent after what it had said had decided the verdict
        problem = results.error_finding("early-stop-undecided", str(undecided))
        return dataclasses.replace(report, problems=(problem,))


def _unmerged_config(runs: Sequence[PromptRun], collected: CollectedRun) -> list[Finding]:
    """Return a finding where prompts were compared by a configuration that only the change has."""
    compared = tuple(run.name for run in runs if run.samples is not None and not run.plan.same_fingerprint)
    if not collected.unmerged_config or not compared:
        return []
    facts = PromptNames(names=compared)
    return [Finding(rule="unmerged-configuration", verdict=Verdict.INCONCLUSIVE, subject="", facts=facts)]


def _untested_settings(runs: Sequence[PromptRun], collected: CollectedRun) -> list[Finding]:
    """Return a finding where the change edits who answers: both versions were asked at base's endpoint."""
    compared = any(run.samples is not None for run in runs)
    if not collected.untested_settings or not compared:
        return []
    facts = UntestedSettings(names=collected.untested_settings)
    return [Finding(rule="provider-not-tested", verdict=Verdict.INCONCLUSIVE, subject="", facts=facts)]


def _blocking(policy: GatePolicy) -> GatePolicy:
    """Return the policy for a run without evidence enough to be green, whatever the gate is set to."""
    return dataclasses.replace(policy, mode=GateMode.BLOCK, on_inconclusive=OnInconclusive.BLOCK)


def _unfinished(error: AnswerError) -> Finding:
    is_whole = error.kind in {"provider", "application"}
    facts = MessageFacts(message=error.message) if is_whole else InterruptedRun(cause=error.message)
    return Finding(rule=error.kind, verdict=Verdict.ERROR, subject="", facts=facts)


def _report_no_secrets(
    collected: CollectedRun, source: UntrustedSource, revisions: Revisions, request: RunRequest, env: Environment
) -> RunResult:
    """Report that prompts could not be tested, because GitHub gives no secrets to commits from outside."""
    names = tuple(dict.fromkeys(plan.name for plan in collected.plans))
    facts = NoSecrets(prompts=names, source=source.description, remedy=source.remedy)
    finding = Finding(rule="no-secrets", verdict=source.verdict, subject="", facts=facts)
    policy = _blocking(collected.config.gate)
    run_facts = dataclasses.replace(
        results.build_facts(revisions, env, results.NOTHING_SPENT),
        notes=collected.notes,
        gate_source=collected.config_source,
    )
    report = GateReport(prompts=(), policy=policy, problems=(finding,))
    run_facts = sign_off.add_override(report, run_facts, collected, revisions, root=request.root, env=env)
    return results.write_report(report, run_facts, request, env)


def _spend(asked: Asked) -> "SpendView":
    return report_model.SpendView(
        calls=asked.calls,
        cached=asked.cached,
        usd=None if asked.usd is None else float(asked.usd),
        usd_is_lower_bound=asked.usd_is_lower_bound,
    )
