"""Evaluate what was collected: what `check`, `run` and `report` have in common."""

import dataclasses
from typing import TYPE_CHECKING

from promptci.app.requests import RunRequest, RunResult
from promptci.config.find import find_config
from promptci.evaluation import unchanged, while_asking
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.side_files import judge_labels, quarantine
from promptci.pipeline.environment import Environment
from promptci.pipeline.revisions import Revisions

if TYPE_CHECKING:
    from promptci import findings
    from promptci.evaluation import dry_run, prompt_evaluation, results, selection, sign_off
    from promptci.evaluation.memory import run_memory
    from promptci.gates import model as gates
else:
    findings = lazy_import("promptci.findings")
    dry_run = lazy_import("promptci.evaluation.dry_run")
    prompt_evaluation = lazy_import("promptci.evaluation.prompt_evaluation")
    results = lazy_import("promptci.evaluation.results")
    run_memory = lazy_import("promptci.evaluation.memory.run_memory")
    selection = lazy_import("promptci.evaluation.selection")
    sign_off = lazy_import("promptci.evaluation.sign_off")
    gates = lazy_import("promptci.gates.model")


def evaluate(collected: CollectedRun, revisions: Revisions, request: RunRequest, env: Environment) -> RunResult:
    """Test the collected prompts and write the report.

    Prompts whose files have mistakes are left out; the mistakes make the verdict `error`.

    Raises
    ------
    InputError
        With every mistake found before anything is asked, where no prompt can be tested.
    UsageError
        Where a requested prompt or case does not exist.
    """
    started_at = env.timestamp()
    collected = quarantine.exclude_quarantined_cases(collected, revisions.base, revisions.head, env.now().date())
    # Where base has no configuration yet, head's files bind, as for the gate.
    base = revisions.base if revisions.base is not None and find_config(revisions.base, request.config_path) else None
    collected = judge_labels.attach_labels(collected, base, revisions.head)
    if request.prompts or request.cases:
        collected = selection.select(collected, request)
    if collected.plans and not request.dry_run and request.answers is None:
        while_asking.prepare_asking(collected.config.provider.kind)
    if collected.plans or request.shard is not None:
        return prompt_evaluation.evaluate_prompts(collected, revisions, request, env, started_at)
    if request.dry_run:
        nothing = dry_run.describe_nothing(env, is_own_base=collected.is_own_base)
        return results.add_problems(nothing, collected, request, env)
    return unchanged.report_unchanged(collected, revisions, request, env, started_at) or _report_untested(
        collected, revisions, request, env, started_at
    )


def _report_untested(
    collected: CollectedRun, revisions: Revisions, request: RunRequest, env: Environment, started_at: str
) -> RunResult:
    """Report a run without a prompt to test."""
    memory = run_memory.load(collected, revisions.head, request, env)
    facts = dataclasses.replace(
        results.build_facts(revisions, env, results.NOTHING_SPENT),
        started_at=started_at,
        notes=(*collected.notes, *memory.notes),
        gate_source=collected.config_source,
        requests_per_day=collected.config.requests_per_day,
        site_url=collected.config.site_url or None,
    )
    problems = results.input_findings(collected.problems)
    if collected.is_own_base and not problems:
        problems = (findings.remark("nothing-compared", "", findings.NoFacts()),)
    report = gates.GateReport(prompts=(), policy=collected.config.gate, problems=problems)
    if report.exit_code:
        facts = sign_off.add_override(report, facts, collected, revisions, root=request.root, env=env)
    result = results.write_report(report, facts, request, env, memory, secret_names=collected.config.secret_names)
    return results.add_problems(result, collected, request, env)
