"""The answers about the test of one version: criteria, test data, results, exceptions."""

from promptci.audit.report_record import RecordedPrompt, RecordedQuality, RecordedReport
from promptci.evaluation.auditing.material import FoundReport, VersionMaterial, describe_actor
from promptci.evaluation.auditing.stories import LoggedEntry, VersionStory
from promptci.present import formatting
from promptci.report.binder.document import BinderFact
from promptci.report.text.number_text import moment
from promptci.wording import count, join_names, short_sha

MAX_NAMED_CASES = 1000
CHECKS = ("checked", "blocked")
NO_EXCEPTION = "none in the log"


def _fact(label: str, *values: str | None) -> BinderFact:
    return BinderFact(label=label, values=[value for value in values if value])


def describe_criteria(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    """Return by what rules the version was judged, and that they were fixed before."""
    checks = story.select(*CHECKS)
    policies = dict.fromkeys(each.entry.policy for each in checks or story.select("released") if each.entry.policy)
    report = material.report.report if material.report else None
    source = report.gate.get("source") if report else None
    return [
        _fact("Digest of promptci.yml", *policies),
        _fact("Read from", str(source) if source else None),
        _fact("Fixed before the test", _describe_fixing(report, checks)),
        _fact("Limits", *_describe_limits(report)),
    ]


def _describe_fixing(report: RecordedReport | None, checks: list[LoggedEntry]) -> str | None:
    if report is not None and report.base is not None and report.base.sha:
        return f"yes: the base commit {short_sha(report.base.sha)} decided, the change could not alter it"
    if any(each.entry.policy for each in checks):
        return "yes: the policy is that of the base commit"
    return None


def _describe_limits(report: RecordedReport | None) -> list[str]:
    gate = report.gate if report else {}
    return [f"{name}: {'no limit' if value is None else value}" for name, value in gate.items() if name != "source"]


def describe_test_data(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    """Return which golden cases tested the version, and how they were chosen."""
    report, prompt = _parts(material.report)
    digests = dict.fromkeys(each.entry.goldens for each in story.select(*CHECKS) if each.entry.goldens)
    chosen = None
    if report and report.base and report.base.sha:
        chosen = (
            f"the cases of the base commit {short_sha(report.base.sha)}: the change could add cases, and not remove, "
            "weaken or reweight those that it was tested by"
        )
    changed = material.goldens_change
    return [
        _fact("Digest of the golden cases", *digests, prompt.goldens if prompt and not digests else None),
        _fact("Cases", count(prompt.cases, "case") if prompt else None),
        _fact("How chosen", chosen),
        _fact("Added, changed, removed or weakened by the change", _describe_changed(prompt) if prompt else None),
        _fact("Last change of the cases before", _describe_goldens_change(changed) if changed else None),
    ]


def _parts(report: FoundReport | None) -> tuple[RecordedReport | None, RecordedPrompt | None]:
    return (report.report, report.prompt) if report else (None, None)


def _describe_changed(prompt: RecordedPrompt) -> str:
    kinds = {
        "added": prompt.new_cases,
        "changed": prompt.changed_cases,
        "removed": prompt.removed_cases,
        "weakened": prompt.weakened_cases,
    }
    named = [f"{name}: {join_names(cases, MAX_NAMED_CASES)}" for name, cases in kinds.items() if cases]
    return "; ".join(named) or "none"


def _describe_goldens_change(each: LoggedEntry) -> str:
    change = each.entry.change
    files = ", ".join(map(str, change.files if change else ()))
    commit = f", commit {short_sha(change.commit)}" if change and change.commit else ""
    return f"{moment(each.at)}{commit}: {files}"


def describe_results(story: VersionStory, material: VersionMaterial) -> list[BinderFact]:
    """Return what the test showed, with its uncertainty, and which cases failed."""
    report, prompt = _parts(material.report)
    verdicts = dict.fromkeys(each.entry.verdict for each in story.select("released", *CHECKS) if each.entry.verdict)
    longer = [verdict for verdict in verdicts if not any(other.startswith(f"{verdict};") for other in verdicts)]
    sentences = dict.fromkeys(each.entry.why for each in story.select(*CHECKS) if each.entry.why)
    quality = prompt.quality if prompt else None
    known = material.report.digest if material.report else None
    at_hand = f"{known} (at hand)" if known else None
    others = [digest for digest in material.named_reports if digest != known]
    return [
        _fact("Verdict", *longer),
        _fact("In one sentence", *sentences),
        _fact("Quality, with its uncertainty", _describe_quality(quality) if quality else None),
        _fact("On these very cases", _describe_on_goldens(quality) if quality and quality.on_goldens else None),
        _fact("Method", quality.method if quality else None),
        _fact("Cases compared", _describe_counts(prompt) if prompt else None),
        _fact("Failed: right before, wrong now", _or_none(prompt.regressions) if prompt else None),
        _fact("Failed before and now, or no answer", _or_none(_list_other_failures(prompt)) if prompt else None),
        _fact("Dated", moment(report.generated_at) if report and report.generated_at else None),
        _fact("SHA-256 of report.json", at_hand, *(f"{digest} (not at hand)" for digest in others)),
    ]


def _describe_quality(quality: RecordedQuality) -> str:
    shown = f"{formatting.percent(quality.base)} → {formatting.percent(quality.head)}"
    text = f"{shown}, difference {formatting.signed_points(quality.delta)}"
    if quality.interval:
        low, high = (formatting.signed_points(end) for end in quality.interval)
        text += f", {formatting.percent(quality.confidence)} interval {low} to {high} for inputs like these"
    return f"{text}, {formatting.p_value(quality.p)}" if quality.p is not None else text


def _describe_on_goldens(quality: RecordedQuality) -> str:
    test = quality.on_goldens
    if test is None:
        return ""
    bound = "" if test.max_drop is None else f", a drop of more than {formatting.points(test.max_drop)} is excluded"
    return f"drop {formatting.points(test.drop)}{bound}, {formatting.p_value(test.p)}"


def _describe_counts(prompt: RecordedPrompt) -> str:
    return f"{prompt.pairs:,} compared of {count(prompt.cases, 'case')}, {prompt.errors:,} answers missing"


def _list_other_failures(prompt: RecordedPrompt) -> list[str]:
    broken = set(prompt.regressions)
    return [
        case.id
        for case in prompt.case_details
        if case.excluded_reason is None and case.id not in broken and not (case.head and case.head.passed)
    ]


def _or_none(cases: list[str]) -> str:
    return join_names(cases, MAX_NAMED_CASES) or "none"


def describe_exceptions(story: VersionStory, _: VersionMaterial) -> list[BinderFact]:
    """Return who accepted that a rule was not kept, and why."""
    overrides = [_describe_override(each) for each in story.select("overridden")]
    released = story.released
    unproven = None
    if released is not None:
        is_proven = (released.verdict or "").partition(";")[0].strip() in {"pass", "no-change"}
        unproven = "no" if is_proven else f"yes, verdict {released.verdict or 'none'}: {released.why or 'no reason'}"
    return [
        _fact("Blocked, by these rules", *(_list_blocks(story) or [NO_EXCEPTION])),
        _fact("Overridden: who, in which role, what, why", *(overrides or [NO_EXCEPTION])),
        _fact("Released without a pass", unproven),
    ]


def _list_blocks(story: VersionStory) -> list[str]:
    return [
        f"{moment(each.at)}: {', '.join(each.entry.rules) or each.entry.verdict or 'rule not recorded'}"
        for each in story.select("blocked")
    ]


def _describe_override(each: LoggedEntry) -> str:
    entry = each.entry
    roles = ", ".join(approval.role for approval in entry.approved if approval.role) or "role not recorded"
    commits = ", ".join(short_sha(approval.commit) for approval in entry.approved if approval.commit)
    bound = f", bound to commit {commits}" if commits else ""
    rules = ", ".join(entry.rules) or "rule not recorded"
    reason = entry.why or "no reason recorded"
    return f"{moment(each.at)}: {describe_actor(entry)}, {roles}, overrode {rules}{bound}: {reason}"
