"""What people have to say about a decided run: the approvals that it takes, and an override of what blocks it."""

import dataclasses
from pathlib import Path

from promptci.gates.model import GateReport
from promptci.gates.people.approval_rule import check_approvals
from promptci.gates.people.override_rule import Override, describe_blocked, find_override
from promptci.git.repo import Repo
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment
from promptci.pipeline.revisions import Revisions
from promptci.registry.tag_message import parse_trailers
from promptci.report.build.run_facts import RunFacts

TRAILER = "Promptci-override"


def add_approvals(report: GateReport, collected: CollectedRun, revisions: Revisions, env: Environment) -> GateReport:
    """Return the report with a finding about the run for each approval that the changed prompts take.

    The rules are base's. Those of a configuration that only the change has bind nobody yet.
    """
    rules = () if collected.unmerged_config or revisions.kind == "run" else collected.config.approvals
    findings = check_approvals(rules, collected.plans, env.trigger.reviews, revisions.head.sha)
    return dataclasses.replace(report, problems=(*report.problems, *findings)) if findings else report


def add_override(
    report: GateReport,
    facts: RunFacts,
    collected: CollectedRun,
    revisions: Revisions,
    *,
    root: Path,
    env: Environment,
) -> RunFacts:
    """Return the facts of a run with the override that stands, or with a note on why none does."""
    policy, reviews, head = collected.config.merge_override, env.trigger.reviews, revisions.head.sha
    is_open = policy.label is not None and not collected.unmerged_config and revisions.kind == "check"
    if report.exit_code == 0 or reviews is None or head is None or not is_open:
        return facts
    trailers = parse_trailers(Repo.discover(root).commit_message(head))
    answer = find_override(describe_blocked(report, head, trailers.get(TRAILER)), policy, reviews)
    if isinstance(answer, Override):
        return dataclasses.replace(facts, override=answer)
    return dataclasses.replace(facts, notes=(*facts.notes, answer))
