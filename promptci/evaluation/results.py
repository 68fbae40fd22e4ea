"""Build, redact and write the report of a run, and return the result to the caller."""

import dataclasses
from collections.abc import Iterable, Sequence

from promptci.app.requests import CheckRequest, RunRequest, RunResult
from promptci.config.policy import GatePolicy
from promptci.errors import InputError, Problem, PromptciError
from promptci.evaluation.memory import run_memory
from promptci.evaluation.memory.run_memory import NO_MEMORY, MemoryContext
from promptci.findings import Finding, MessageFacts
from promptci.gates.model import GateReport
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment
from promptci.pipeline.revisions import Revisions
from promptci.report import write
from promptci.report.build import view as views
from promptci.report.build.run_facts import RunFacts
from promptci.report.model.document import serialize
from promptci.report.model.report import RevisionView, SpendView
from promptci.verdict import Verdict

NOTHING_SPENT = SpendView(calls=0, cached=0, usd=None, usd_is_lower_bound=False)


def write_report(
    report: GateReport,
    facts: RunFacts,
    request: RunRequest,
    env: Environment,
    memory: MemoryContext = NO_MEMORY,
    *,
    secret_names: Sequence[str] = (),
) -> RunResult:
    """Build the view of a run, redact it, record it in the memory and write every output.

    `secret_names` are variables that hold a secret although their names do not say so.
    """
    redactor = env.redactor(*secret_names)
    built = views.build_view(report, facts=memory.enrich(facts), redactor=redactor)
    # With the ids of its verdicts it is, as a rule, the report that is written: one serialization less.
    serialized = views.redact_view(run_memory.name_verdicts(built), redactor)
    view = run_memory.record(serialized.view, memory)
    if view is not serialized.view:
        serialized = serialize(view)
    return RunResult(exit_code=view.exit_code, view=view, paths=write.write_all(serialized, request.out))


def write_refusal(error: InputError, revisions: Revisions, request: RunRequest, env: Environment) -> RunResult:
    """Report files that cannot be used: nothing was asked, and the verdict is `error`."""
    if request.dry_run or request.shard is not None:  # of a split run, the merge reports
        raise error
    report = GateReport(prompts=(), policy=GatePolicy(), problems=input_findings(error.problems))
    result = write_report(report, build_facts(revisions, env, NOTHING_SPENT), request, env)
    return dataclasses.replace(result, exit_code=error.exit_code, problems=_redact(error.problems, env))


def write_failure(error: PromptciError, request: RunRequest, env: Environment) -> RunResult:
    """Report a run that could not start, for example because a commit does not exist."""
    base = RevisionView(rev=request.base, sha=None) if isinstance(request, CheckRequest) and request.base else None
    facts = _trigger_facts(env, NOTHING_SPENT, base=base, head=RevisionView(rev=request.head, sha=None))
    report = GateReport(prompts=(), policy=GatePolicy(), problems=(error_finding("could-not-run", str(error)),))
    return dataclasses.replace(write_report(report, facts, request, env), exit_code=error.exit_code)


def add_problems(result: RunResult, collected: CollectedRun, request: RunRequest, env: Environment) -> RunResult:
    """Return the result with the mistakes in files of prompts that could not be tested, for annotations."""
    if not collected.problems or request.shard is not None:  # of a split run, the merge reports
        return result
    if request.dry_run:
        raise InputError(collected.problems)
    return dataclasses.replace(result, problems=_redact(collected.problems, env))


def build_facts(revisions: Revisions, env: Environment, spend: SpendView) -> RunFacts:
    """Return the facts of a run besides its findings: revisions, time, provider and cost."""
    base = None if revisions.base is None else RevisionView(rev=revisions.base_name, sha=revisions.base.sha)
    head = RevisionView(rev=revisions.head_name, sha=revisions.head.sha)
    return dataclasses.replace(_trigger_facts(env, spend, base=base, head=head), kind=revisions.kind)


def input_findings(problems: Iterable[Problem]) -> tuple[Finding, ...]:
    """Return a finding for each mistake in a file of the repository."""
    return tuple(error_finding("input", str(problem)) for problem in problems)


def error_finding(rule: str, message: str) -> Finding:
    """Return the finding that something about the run as a whole could not be evaluated."""
    return Finding(rule=rule, verdict=Verdict.ERROR, subject="", facts=MessageFacts(message=message))


def _trigger_facts(env: Environment, spend: SpendView, *, base: RevisionView | None, head: RevisionView) -> RunFacts:
    return RunFacts(
        base=base,
        head=head,
        repository=env.trigger.repository,
        pull_request=env.trigger.pull_request,
        actor=env.trigger.actor,
        run_url=env.trigger.run_url,
        generated_at=env.timestamp(),
        spend=spend,
    )


def _redact(problems: Iterable[Problem], env: Environment) -> tuple[Problem, ...]:
    clean = env.redactor().redact
    return tuple(
        Problem(path=clean(p.path), line=p.line, message=clean(p.message), hint=clean(p.hint)) for p in problems
    )
