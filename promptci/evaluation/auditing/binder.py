"""Build the binder's changes from the stories of versions."""

from collections.abc import Iterable

from promptci.evaluation.auditing.material import AuditMaterial, VersionMaterial, describe_actor
from promptci.evaluation.auditing.points import build_points
from promptci.evaluation.auditing.stories import LoggedEntry, VersionStory
from promptci.report.binder.document import BinderChange, BinderEntry

MAX_DIFF_LINES = 400
"""Lines of a change's diff; a prompt is rarely longer."""


def build_change(story: VersionStory, material: VersionMaterial) -> BinderChange:
    """Return the part of the binder about one version."""
    diff, note = material.diff()
    released = story.released
    first = next(iter(story.select("released") or story.logged))
    verdicts = [each.entry.verdict for each in story.select("checked", "blocked") if each.entry.verdict]
    verdict = verdicts[-1] if verdicts else released.verdict if released else None
    approvals = [
        approval.login for each in story.logged if each.entry.what != "overridden" for approval in each.entry.approved
    ]
    return BinderChange(
        prompt=story.prompt,
        version=story.version,
        outcome=story.outcome,
        approved_by=list(dict.fromkeys(approvals)),
        verdict=verdict.partition(";")[0] if verdict else None,
        at=first.at,
        points=build_points(story, material),
        diff=diff[:MAX_DIFF_LINES],
        diff_note=note,
        diff_left_out=max(0, len(diff) - MAX_DIFF_LINES),
        entries=list_entries(story.logged),
    )


def list_entries(logged: Iterable[LoggedEntry]) -> list[BinderEntry]:
    """Return entries as the binder shows them."""
    return [
        BinderEntry(
            n=each.entry.n,
            at=each.at,
            what=each.entry.what,
            by=describe_actor(each.entry),
            text=_describe(each),
            sha256=each.digest,
        )
        for each in logged
    ]


def _describe(each: LoggedEntry) -> str:
    entry = each.entry
    files = entry.change.files if entry.change else ()
    changed = ", ".join(map(str, files))
    pull_request = f"pull request {entry.change.pull_request}" if entry.change and entry.change.pull_request else ""
    parts = (entry.prompt, entry.environment, entry.versions_text, pull_request, changed, entry.why)
    return "; ".join(part for part in parts if part)


def choose_changes(
    material: AuditMaterial, *, prompt: str | None, since: str | None, until: str | None
) -> list[BinderChange]:
    """Return the versions of which the period has an entry, each with its whole story, oldest first."""
    stories = [
        story
        for story in material.stories
        if prompt in {None, story.prompt} and any(is_within(each, since, until) for each in story.logged)
    ]
    stories.sort(key=lambda story: (story.prompt, story.logged[0].at, story.logged[0].entry.n))
    return [build_change(story, material.collect(story)) for story in stories]


def is_within(each: LoggedEntry, since: str | None, until: str | None) -> bool:
    """Return whether an entry happened in a period; both days are included."""
    return (since is None or each.at >= since) and (until is None or each.at[: len(until)] <= until)
