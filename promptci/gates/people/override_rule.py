"""Whether somebody with the right overrode a blocked change, for this very head commit and with a reason."""

from collections.abc import Iterator
from datetime import datetime

from promptci.config.policy import OverridePolicy
from promptci.errors import PromptciError
from promptci.gates.model import GateReport
from promptci.gates.people.override_reason import (
    NO_REASON,
    OverrideReason,
    find_comment_reasons,
    find_text_reasons,
)
from promptci.lazy_dataclass import dataclass
from promptci.reviews import ChangeReviews, LabelEvent, Person, ReviewedChange, may
from promptci.verdict import Verdict

APPROVAL_RULES = frozenset({"missing-approval", "approval-unknown"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocked:
    """What there is to override."""

    head: str
    verdict: Verdict
    rules: tuple[str, ...]
    """Of the findings that block."""
    is_measured: bool
    trailer: str | None
    """`Promptci-override:` of the head commit's message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """Who let a blocked change through, why, and what."""

    by: Person
    """Who put the label on."""
    permission: str
    reason: OverrideReason
    at: datetime
    """When label and reason were both there, by GitHub's clock."""
    blocked: Blocked


class NotOverriddenError(Exception):
    """Why an override does not count, as the end of a sentence."""


def describe_blocked(report: GateReport, head: str, trailer: str | None) -> Blocked:
    """Return what of a report would have to be overridden."""
    findings = [finding for run in report.prompts for finding in run.findings] + [*report.problems]
    findings += [report.pooled] if report.pooled else []
    blocking = {Verdict.FAIL, Verdict.ERROR, report.verdict}
    return Blocked(
        head=head,
        verdict=report.verdict,
        rules=tuple(sorted({finding.rule for finding in findings if finding.verdict in blocking})),
        is_measured=bool(report.prompts) and report.verdict is not Verdict.ERROR,
        trailer=trailer,
    )


def find_override(blocked: Blocked, policy: OverridePolicy, reviews: ChangeReviews) -> Override | str:
    """Return the override that stands, or why none does, as a sentence.

    Where GitHub does not answer, there is none.
    """
    try:
        return _find_override(blocked, policy, reviews)
    except NotOverriddenError as refusal:
        return f"Not overridden: {refusal}."
    except PromptciError as error:
        return f"Not overridden: GitHub did not answer who has the right to. {error}"


def _find_override(blocked: Blocked, policy: OverridePolicy, reviews: ChangeReviews) -> Override | str:
    label, change = policy.label or "", reviews.change()
    if label.casefold() not in {name.casefold() for name in change.labels}:
        others = "" if policy.own_change else ", not the author,"
        return (
            f"To merge all the same: somebody{others} with the permission `{policy.permission}` puts on the label"
            f" `{label}` and comments `/promptci override REASON`. It counts until the next push."
        )
    if change.head_sha != blocked.head:
        raise NotOverriddenError("the pull request has a newer commit")
    _check_verdict(blocked, policy)
    event = _find_label_event(label, reviews)
    rights = _Rights(policy=policy, change=change, reviews=reviews)
    by = rights.require(event.by, f"the label `{label}`")
    pushed_at = reviews.pushed_at()
    reason = _choose_reason(blocked, by, rights, pushed_at)
    if not reason.names_head:
        _require_after_push(event.at, pushed_at, f"the label `{label}` was put on", "take it off and put it on again")
    return Override(
        by=by,
        permission=reviews.permission(by),
        reason=reason,
        at=max(event.at, reason.at or event.at),
        blocked=blocked,
    )


def _check_verdict(blocked: Blocked, policy: OverridePolicy) -> None:
    if not blocked.is_measured and not policy.errors:
        raise NotOverriddenError("nothing was measured, and `merge_override.errors` is not set")
    if not policy.approvals and APPROVAL_RULES.intersection(blocked.rules):
        raise NotOverriddenError("an approval is missing, and `merge_override.approvals` is not set")


def _find_label_event(label: str, reviews: ChangeReviews) -> LabelEvent:
    own = [event for event in reviews.label_events() if event.label.casefold() == label.casefold()]
    if not own or not own[-1].added:
        raise NotOverriddenError(f"GitHub does not say who put the label `{label}` on")
    return own[-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rights:
    """Who may override this pull request."""

    policy: OverridePolicy
    change: ReviewedChange
    reviews: ChangeReviews

    def require(self, person: Person | None, deed: str) -> Person:
        """Return the person; raise where she may not override."""
        if person is None:
            raise NotOverriddenError(f"the account behind {deed} is gone")
        if person.is_bot:
            raise NotOverriddenError(f"{deed} is by the app `{person.login}`, and only people may override")
        author = self.change.author
        if author is not None and person.id == author.id and not self.policy.own_change:
            raise NotOverriddenError(f"{deed} is by `{person.login}`, who is the author of the pull request")
        permission = self.reviews.permission(person)
        if not may(permission, self.policy.permission):
            raise NotOverriddenError(
                f"{deed} is by `{person.login}`, who has the permission `{permission}` and needs"
                f" `{self.policy.permission}`"
            )
        return person


def _choose_reason(blocked: Blocked, by: Person, rights: _Rights, pushed_at: datetime | None) -> OverrideReason:
    """Return the first reason that counts; where none does, raise with why the first one does not."""
    first_refusal = None
    for reason in _find_reasons(blocked, by, rights):
        try:
            _check_reason(reason, by, rights, pushed_at)
        except NotOverriddenError as refusal:
            first_refusal = first_refusal or refusal
        else:
            return reason
    raise first_refusal or NotOverriddenError(NO_REASON)


def _find_reasons(blocked: Blocked, by: Person, rights: _Rights) -> Iterator[OverrideReason]:
    yield from find_comment_reasons(rights.reviews.written_comments(), blocked.head, by)
    yield from find_text_reasons(blocked.trailer, rights.change.body, blocked.head)


def _check_reason(reason: OverrideReason, by: Person, rights: _Rights, pushed_at: datetime | None) -> None:
    if reason.refusal is not None:
        raise NotOverriddenError(reason.refusal)
    if reason.source == "comment" and reason.by != by:
        rights.require(reason.by, "the comment with the reason")
    if reason.at is not None and not reason.names_head:
        _require_after_push(reason.at, pushed_at, "the comment with the reason was written", "write a new one")


def _require_after_push(at: datetime, pushed_at: datetime | None, deed: str, remedy: str) -> None:
    if pushed_at is None:
        raise NotOverriddenError(
            "GitHub does not say when the head was pushed; name the whole commit: `/promptci override COMMIT REASON`"
        )
    if at <= pushed_at:
        raise NotOverriddenError(f"{deed} before the last push; {remedy}")
