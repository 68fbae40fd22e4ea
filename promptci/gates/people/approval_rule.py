"""Approvals: whether the people that `approvals` names have approved the change of a prompt, as it is now."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from promptci.config.policy import ApprovalRule
from promptci.errors import PromptciError
from promptci.findings import Finding, remark
from promptci.git import globs
from promptci.reviews import ChangeReviews, current_reviews, may
from promptci.runs.prompt_plan import PromptPlan
from promptci.verdict import Verdict

LEAST_PERMISSION = "write"
"""As GitHub counts reviews. It also keeps out a stranger who took the login that an approver gave up."""


class Approver(NamedTuple):
    """A person who approved."""

    login: str
    id: int
    at: datetime | None


class ApprovalFacts(NamedTuple):
    """Whose review a change takes, and who gave it."""

    role: str
    pattern: str
    prompts: tuple[str, ...]
    needed: int
    by: tuple[str, ...]
    """Who may approve, as the configuration says."""
    approvers: tuple[Approver, ...] = ()
    stale: tuple[str, ...] = ()
    """Logins of those who approved an earlier commit only."""
    reason: str = ""
    """Why the reviews could not be read; empty where they could."""


def check_approvals(
    rules: Sequence[ApprovalRule], plans: Sequence[PromptPlan], reviews: ChangeReviews | None, head: str | None
) -> tuple[Finding, ...]:
    """Return a finding for each rule that the changed prompts fall under.

    `reviews` is None outside of a pull request, where nothing can be checked.
    """
    findings = []
    for rule in rules:
        prompts = tuple(dict.fromkeys(plan.name for plan in plans if _is_under(rule, plan)))
        if prompts:
            facts = ApprovalFacts(role=rule.role, pattern=rule.prompts, prompts=prompts, needed=rule.count, by=rule.by)
            findings.append(_check_rule(rule, facts, reviews, head))
    return tuple(findings)


def _is_under(rule: ApprovalRule, plan: PromptPlan) -> bool:
    """Return whether the prompt's path matches, at base or at head: a move must not escape the rule."""
    change = plan.change
    paths = {change.path, *(version.path for version in (change.base, change.head) if version is not None)}
    return any(globs.matches(rule.prompts, path) for path in paths)


def _check_rule(rule: ApprovalRule, facts: ApprovalFacts, reviews: ChangeReviews | None, head: str | None) -> Finding:
    if reviews is None:
        return remark("approval-not-checked", "", facts)
    try:
        facts = _find_approvers(rule, facts, reviews, head)
    except PromptciError as error:
        unknown = facts._replace(reason=str(error))
        return Finding(rule="approval-unknown", verdict=Verdict.ERROR, subject="", facts=unknown)
    if len(facts.approvers) >= rule.count:
        return remark("approved", "", facts)
    return Finding(rule="missing-approval", verdict=Verdict.FAIL, subject="", facts=facts)


def _find_approvers(
    rule: ApprovalRule, facts: ApprovalFacts, reviews: ChangeReviews, head: str | None
) -> ApprovalFacts:
    change = reviews.change()
    people = [
        (person, review)
        for review in current_reviews(reviews.reviews())
        if review.state == "APPROVED" and (person := review.by) is not None and not person.is_bot
        if change.author is None or person.id != change.author.id
    ]
    logins = {name.casefold() for name in rule.by if "/" not in name}
    teams = [name.removeprefix("@") for name in rule.by if "/" in name]
    approvers: list[Approver] = []
    stale: list[str] = []
    # Logins first: a token that may not look into teams is then no hindrance where their members are not needed.
    for is_login in (True, False):
        for person, review in people:
            if (person.login.casefold() in logins) is not is_login or len(approvers) >= rule.count:
                continue
            if not is_login and not any(reviews.is_member(person, team) for team in teams):
                continue
            if not may(reviews.permission(person), LEAST_PERMISSION):
                continue
            if review.commit == head:
                approvers.append(Approver(login=person.login, id=person.id, at=review.at))
            else:
                stale.append(person.login)
    return facts._replace(approvers=tuple(approvers), stale=tuple(stale))


def list_risk_classes(rules: Sequence[ApprovalRule], path: str) -> str:
    """Return the risk classes that `approvals.rules` name for a prompt; empty where none does."""
    return ", ".join(dict.fromkeys(rule.risk for rule in rules if rule.risk and globs.matches(rule.prompts, path)))
