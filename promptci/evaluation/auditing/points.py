"""The answers to an auditor's questions about one version; what is not known has no answer, and stays in the binder."""

from collections.abc import Callable, Iterable

from promptci.audit.entry import Approval, AuditEntry
from promptci.evaluation.auditing import result_points
from promptci.evaluation.auditing.material import VersionMaterial, describe_actor
from promptci.evaluation.auditing.stories import LoggedEntry, VersionStory
from promptci.prompts.model import Prompt
from promptci.report.binder.document import TITLES, BinderFact, BinderPoint, PointKey
from promptci.report.text.number_text import moment
from promptci.wording import short_sha

NOTHING = "none in the log"
"""The log has every one of them, so that none is an answer."""
Answers = Callable[[VersionStory, VersionMaterial], list[BinderFact]]


def build_points(story: VersionStory, material: VersionMaterial) -> list[BinderPoint]:
    """Return every question with its answers."""
    return [BinderPoint(key=key, facts=ANSWERS[key](story, material)) for key in TITLES]


def fact(label: str, *values: str | None) -> BinderFact:
    """Return an answer; without a value it stands as not recorded."""
    return BinderFact(label=label, values=[value for value in values if value])


def _entries(label: str, logged: Iterable[LoggedEntry]) -> BinderFact:
    return fact(label, *([describe(each) for each in logged] or [NOTHING]))


def describe(each: LoggedEntry) -> str:
    """Return an entry as a sentence: when, what, where, how much, by whom, why."""
    entry = each.entry
    place = f" in {entry.environment}" if entry.environment else ""
    share = f" at {entry.to.share:g}%" if entry.to and entry.to.share else ""
    before = f", before: {entry.from_.version}" if entry.from_ else ""
    target = f" to {entry.to.version}" if entry.to and entry.what == "rolled-back" else ""
    author = entry.change.author if entry.change else None
    reason = f": {entry.why}" if entry.why else ""
    decision = "taken out of use" if entry.takes_out else entry.what
    return f"{moment(each.at)} {decision}{target}{place}{share}{before}, by {author or describe_actor(entry)}{reason}"


def _describe_content(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    released = story.released
    before = story.before
    replaced = f"{before.version}, fingerprint {before.fingerprint or 'not recorded'}" if before else None
    if before is None and released is not None:
        replaced = "nothing: it is the first release"
    return [
        fact("Version", f"{story.prompt} {story.version}"),
        fact("Fingerprint of the content", story.fingerprint),
        fact("Replaces", replaced),
        fact("Model", _sides(material, lambda prompt: prompt.model or "")),
        fact("Parameters", _sides(material, _parameters)),
        fact("Commit", *_distinct(each.entry.change.commit for each in story.logged if each.entry.change)[:1]),
        fact("Pull request", *_distinct(_pull_request(each.entry) for each in story.logged)),
    ]


def _sides(material: VersionMaterial, read: Callable[[Prompt], str]) -> str | None:
    if material.after is None:
        return None
    after = read(material.after) or "none"
    before = (read(material.before) or "none") if material.before else None
    return after if before is None else f"{after} (unchanged)" if before == after else f"{before} → {after}"


def _parameters(prompt: Prompt) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(prompt.parameters.items()))


def _pull_request(entry: AuditEntry) -> str | None:
    return f"#{entry.change.pull_request}" if entry.change and entry.change.pull_request else None


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _trailer(material: VersionMaterial, name: str) -> str | None:
    return material.release.trailers.get(name) or None if material.release else None


def _describe_reason(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    released = story.released
    return [
        fact("Reason of the release", _trailer(material, "Reason") or (released.why if released else None)),
        fact("Kind of change", _trailer(material, "Bump")),
        fact("Pull request, with its discussion", *_distinct(_pull_request(each.entry) for each in story.logged)),
        fact("Subject of the tag", material.release.subject if material.release else None),
    ]


def _list_people(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    proposers = _distinct(each.entry.change.proposed_by for each in story.logged if each.entry.change)
    approvals = [
        approval
        for each in story.select("released", "checked", "blocked", "deployed", "promoted")
        for approval in each.entry.approved
    ]
    with_role = {each.login for each in approvals if each.role}
    shown = [_describe_approval(each) for each in approvals if each.role or each.login not in with_role]
    logins = {each.login for each in approvals}
    authors = {name.partition(" (")[0] for name in proposers}
    independent = None
    if logins and authors:
        others = sorted(logins - authors)
        independent = f"yes: {', '.join(others)}" if others else "no: only the proposer approved it"
    return [
        fact("Proposed by", *proposers),
        fact("Approved by, in which role", *_distinct(shown)),
        fact("Approved by somebody else than the proposer", independent),
        fact("Released by", (material.release.tagged_by if material.release else None)),
        fact("Signature of the tag", _signature(material)),
    ]


def _describe_approval(approval: Approval) -> str:
    parts = (
        f"{approval.login} (id {approval.id})" if approval.id else approval.login,
        f"role {approval.role}" if approval.role else "role not recorded",
        moment(approval.at) if approval.at else None,
        f"commit {short_sha(approval.commit)}" if approval.commit else None,
    )
    return ", ".join(filter(None, parts))


def _signature(material: VersionMaterial) -> str | None:
    if material.release is None:
        return None
    return "there is one; `promptci audit verify` checks it" if material.release.signed else "unsigned"


def _list_times(story: VersionStory, _: VersionMaterial) -> list[BinderFact]:
    def at(*kinds: str) -> list[str]:
        return [moment(each.at) for each in story.select(*kinds)]

    return [
        fact("Checked", *at("checked", "blocked")),
        fact("Overridden", *(at("overridden") or [NOTHING])),
        fact("Released", *at("released")),
        fact("First deployed", *(at("deployed", "promoted")[:1] or [NOTHING])),
        fact("Rolled back", *([moment(each.at) for each in story.rollbacks] or [NOTHING])),
    ]


def _describe_risk(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    classes = _distinct(name for each in story.logged if each.entry.change for name in each.entry.change.classes)
    cases = material.report.prompt.case_details if material.report else []
    critical = sum(case.critical for case in cases)
    return [
        fact("Class of the change", _trailer(material, "Bump"), *classes),
        fact("Risk class of the prompt", _trailer(material, "Risk")),
        fact("Critical cases among the goldens", str(critical) if cases else None),
    ]


def _list_deployments(story: VersionStory, _: VersionMaterial) -> list[BinderFact]:
    kinds = ("deployed", "promoted", "held", "rolled-back")
    running = story.select(*kinds)
    environments = _distinct(each.entry.environment for each in running)
    return [
        fact("Environments", *(environments or [NOTHING])),
        _entries("Share of the requests over time", running),
    ]


def _describe_monitoring(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    nights = material.nights
    verdicts = _distinct(night.verdict.value for night in nights)
    counts = ", ".join(f"{sum(night.verdict.value == name for night in nights)} {name}" for name in verdicts)
    watched = f"{len(nights)} nights, {nights[0].day} to {nights[-1].day}: {counts}" if nights else None
    limits = [f"{night.h:g} for the summed drop" for night in nights[-1:] if night.h is not None]
    limits += _distinct(
        f"{line.rule}: {line.metric} {line.limit:g}" for line in material.alerts if line.limit is not None
    )
    return [
        fact("Nightly runs of the golden cases", watched),
        fact("Thresholds", *limits),
        _entries("Drift", story.select("drift-opened", "drift-closed", "reference-reset")),
        _entries("Alerts", story.select("alert-opened", "alert-closed")),
        _entries("Canaries held", story.select("held")),
        _entries("What was done", story.rollbacks),
    ]


def _describe_rollback(story: VersionStory, _: VersionMaterial) -> list[BinderFact]:
    before = story.before
    plan = f"`promptci rollback {story.prompt} --to {before.version}`" if before else None
    first = "none: it is the first release" if story.released else None
    return [
        fact("Version to return to", before.version if before else first),
        fact("Command", plan),
        _entries("Used", story.rollbacks),
    ]


def _list_tools(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    uses: dict[str, list[str]] = {}
    for each in story.logged:
        uses.setdefault(each.entry.tool.promptci, []).append(each.entry.what)
    tools = [f"{version}: {', '.join(_distinct(kinds))}" for version, kinds in uses.items()]
    report = material.report
    models = report.prompt.head.models if report and report.prompt.head else []
    parts = report.prompt.comparability.parts if report and report.prompt.comparability else {}
    judges = [f"{name}: {part}" for name, part in parts.items() if name in {"judge", "evaluators", "embeddings"}]
    return [
        fact("promptci", *tools),
        fact("Action", *_distinct(each.entry.tool.action for each in story.logged)),
        fact("Model that answered the test", *models),
        fact("Judge", *(judges or (["none: code decided"] if parts else []))),
        fact("Endpoint", report.report.provider if report else None),
    ]


def _describe_retention(_: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    named, at_hand = len(material.named_reports), int(material.report is not None)
    return [
        fact("Entries of the log and tag", "kept for ever: `promptci history prune` never deletes them"),
        fact(
            "Report",
            f"{at_hand} of {named} at hand; promptci does not keep it: store it as long as your rules ask"
            if named
            else None,
        ),
    ]


ANSWERS: dict[PointKey, Answers] = {
    "what": _describe_content,
    "why": _describe_reason,
    "who": _list_people,
    "when": _list_times,
    "risk": _describe_risk,
    "criteria": result_points.describe_criteria,
    "test-data": result_points.describe_test_data,
    "results": result_points.describe_results,
    "exceptions": result_points.describe_exceptions,
    "deployments": _list_deployments,
    "monitoring": _describe_monitoring,
    "rollback": _describe_rollback,
    "tools": _list_tools,
    "retention": _describe_retention,
}
"""Question to the function that answers it."""
