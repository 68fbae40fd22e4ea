"""Where a report and its verdicts come from, row by row, so that an auditor can match them to the log. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.present import formatting, site_links
from promptci.report.model.numbers import GoldensTestView, QualityView
from promptci.report.model.report import OverrideView, PromptView, ReportView, RevisionView, VersionView
from promptci.report.text import goldens_text, memory_text, number_text
from promptci.wording import join_names, short_digest, short_sha

_SOURCES = {
    "comment": "in a comment",
    "trailer": "in the commit's message",
    "body": "in the pull request's text",
}
_SHA256 = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvenanceRow:
    """One fact about the run."""

    name: str
    value: str
    code: bool = False
    """Whether to show the value as code."""


def run_rows(view: ReportView, digest: str) -> list[ProvenanceRow]:
    """Return the known facts about the run."""
    return list(_run_rows(view, digest))


def _run_rows(view: ReportView, digest: str) -> Iterator[ProvenanceRow]:
    if view.repository:
        yield ProvenanceRow(name="Repository", value=view.repository)
    if view.pull_request is not None:
        yield ProvenanceRow(name="Pull request", value=f"{view.pull_request}")
    if view.actor:
        yield ProvenanceRow(name="Triggered by", value=view.actor)
    if view.run_url:
        yield ProvenanceRow(name="Workflow run", value=view.run_url)
    if view.base is not None:
        yield _revision("Before", view.base)
    yield _revision("After" if view.base else "Revision", view.head)
    if view.started_at:
        yield ProvenanceRow(name="Started", value=number_text.moment(view.started_at))
    if view.generated_at:
        yield ProvenanceRow(name="Finished", value=number_text.moment(view.generated_at))
    if view.provider:
        yield ProvenanceRow(name="Answered by", value=view.provider)
    yield ProvenanceRow(name="Calls and cost", value=number_text.spend(view))
    yield ProvenanceRow(name="Policy from", value=view.gate.source)
    yield ProvenanceRow(name="promptci", value=view.promptci_version)
    yield ProvenanceRow(name="SHA-256 of report.json", value=digest, code=True)


def describe_override(override: OverrideView) -> str:
    """Return who let a blocked change through, what and why; the reason is text of somebody else's."""
    rules = f" ({join_names([f'`{rule}`' for rule in override.rules])})" if override.rules else ""
    by = f"`{override.by}` (account {override.id}, permission `{override.permission}`)"
    wrote = f" by `{override.reason_by}`" if override.reason_by and override.reason_by != override.by else ""
    where = f"{_SOURCES[override.source]}{wrote}"
    reason = override.reason.replace("`", "'")
    return (
        f"Overridden by {by} on {number_text.moment(override.at)}, for commit `{short_sha(override.head)}` alone: the"
        f" verdict stays `{override.verdict}`{rules}, and the merge is not blocked. The reason, {where}: “{reason}”"
    )


def summarize_override(override: OverrideView) -> str:
    """Return the same in the few words of a commit status."""
    rules = f": {', '.join(override.rules)}" if override.rules else ""
    return f"Passed by override of {override.by} ({override.verdict}{rules}): {override.reason}"


def _revision(name: str, side: RevisionView) -> ProvenanceRow:
    return ProvenanceRow(name=name, value=f"{side.rev}, {side.sha or 'working tree'}", code=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptProvenance:
    """Prompt, goldens, model and judge of one prompt."""

    prompt: str
    fingerprints: tuple[str, ...]
    """Fingerprints of the prompt before and after; one if they are equal."""
    goldens: str
    models: str
    judge: str


def prompt_rows(view: ReportView) -> list[PromptProvenance]:
    """Return the known digests and models of each prompt."""
    return [
        PromptProvenance(
            prompt=prompt.name,
            fingerprints=tuple(
                dict.fromkeys(map(short_digest, filter(None, (prompt.base_fingerprint, prompt.head_fingerprint))))
            ),
            goldens=_describe_goldens(prompt),
            models=_models(prompt),
            judge=", ".join(prompt.judge.identities) if prompt.judge else "–",
        )
        for prompt in view.prompts
    ]


def site_page(prompt: PromptView, view: ReportView) -> str:
    """Return the address of a prompt's page on the site; empty where there is no site."""
    return f"{view.site_url.rstrip('/')}/{site_links.prompt_page(prompt.name)}" if view.site_url else ""


def _describe_goldens(prompt: PromptView) -> str:
    return f"{goldens_text.count_cases(prompt)}, {short_digest(prompt.goldens)}" if prompt.goldens else "–"


def _models(prompt: PromptView) -> str:
    """Return the requested and the answering model: once if both versions have the same."""
    versions = (("before", prompt.base), ("after", prompt.head))
    models = [(word, _model(version)) for word, version in versions if version is not None]
    if len({model for _, model in models}) == 1:
        return models[0][1]
    return "; ".join(f"{word} {model}" for word, model in models) or "–"


def describe_models(view: ReportView, mark: str = "`") -> str:
    """Return the models that were asked, as the prompts name them; where the change replaces one, which came before."""
    before = _requested(prompt.base for prompt in view.prompts)
    after = _requested(prompt.head for prompt in view.prompts)
    if not before or not after or set(before) == set(after):
        return _join_models(list(dict.fromkeys([*before, *after])), mark)
    return f"{_join_models(before, mark)} before and {_join_models(after, mark)} after"


def _requested(versions: Iterable[VersionView | None]) -> list[str]:
    return list(dict.fromkeys(v.model_requested for v in versions if v is not None and v.model_requested))


def _join_models(names: Sequence[str], mark: str) -> str:
    return join_names([f"{mark}{name.replace('`', chr(39))}{mark}" for name in names], 3)


def describe_source(view: ReportView) -> str:
    """Return which models answered at which endpoint; empty where none was asked."""
    models = describe_models(view, "")
    return f"{models} at {view.provider}" if models and view.provider else view.provider or ""


def _model(version: VersionView) -> str:
    fingerprints = f" [{', '.join(version.fingerprints)}]" if version.fingerprints else ""
    answered = ", ".join(version.models) or formatting.UNKNOWN
    return f"{version.model_requested or formatting.UNKNOWN} → {answered}{fingerprints}"


def comparability_rows(prompt: PromptView) -> list[tuple[str, str]]:
    """Return whether the versions are comparable and under which conditions; empty if nothing is compared."""
    comparability = prompt.comparability
    if comparability is None:
        return []
    answer = f"no: {'; '.join(comparability.mismatches)}" if comparability.mismatches else "yes"
    parts = [(name[:1].upper() + name[1:], shorten_digests(part)) for name, part in comparability.parts.items()]
    return [("Comparable", answer), *parts, ("Fingerprint", short_digest(comparability.fingerprint))]


def shorten_digests(text: str) -> str:
    """Return a text with its SHA-256 digests cut to 12 digits."""
    return _SHA256.sub(r"\1", text)


def decided(prompt: PromptView, view: ReportView) -> list[tuple[str, str]]:
    """Return how the verdict came about: what was looked at and the number found, in the order of reading."""
    rows = [("Answers", number_text.evaluated(prompt)), ("Cases", goldens_text.list_cases(prompt))]
    quality = prompt.quality
    if quality is not None:
        rows += [
            (
                "Measure",
                f"{quality.measure}, {formatting.percent(quality.base)} before, {formatting.percent(quality.head)} now",
            ),
            ("Difference", _difference(quality, view)),
            *_asked(quality),
            *(
                _test_of_inputs(quality, view)
                if quality.on_goldens is None
                else _test_of_goldens(quality, quality.on_goldens, view)
            ),
            *memory_text.noise_row(prompt, (prompt.gate or view.gate).max_drop),
        ]
        if quality.cases_needed is not None:
            rows.append(("Cases needed", _settling(quality)))
    if prompt.judge_checks is not None:
        rows += [("Useless answers", sentence) for sentence in prompt.judge_checks.probes]
        rows += (
            [("Order of the answers", prompt.judge_checks.position_bias)] if prompt.judge_checks.position_bias else []
        )
    return [*rows, ("Rule", _rule(prompt, view))]


def _difference(quality: QualityView, view: ReportView) -> str:
    test = quality.on_goldens
    if test is None:
        return f"{number_text.difference(quality)}; for inputs like these {number_text.interval_words(quality)}"
    if test.max_drop is None:
        return number_text.difference(quality)
    confidence = formatting.percent(1 - view.gate.alpha)
    bound = number_text.bound_words(test.max_drop)
    return f"{number_text.difference(quality)}; on these goldens {bound} ({confidence} confidence)"


def _test_of_inputs(quality: QualityView, view: ReportView) -> list[tuple[str, str]]:
    return [
        ("Method", _method_for_inputs(quality)),
        ("p of “worse”", _p_values(quality.p, quality.adjusted_p, view)),
        ("Smallest detectable drop", number_text.detectable_words(quality.detectable_drop)),
    ]


def _test_of_goldens(quality: QualityView, test: GoldensTestView, view: ReportView) -> list[tuple[str, str]]:
    """Return the test of these very cases, which decides, and beside it what they show about inputs like them."""
    parts = [
        number_text.interval_words(quality),
        *([formatting.p_value(quality.p)] if _agrees_with_interval(quality) else []),
        f"smallest detectable drop {number_text.detectable_words(quality.detectable_drop)}",
        _method_for_inputs(quality),
    ]
    inputs_text = "; ".join(parts)
    return [
        ("Method", test.method),
        ("p of “worse”", _p_values(test.p, quality.adjusted_p, view)),
        ("Smallest detectable drop", number_text.detectable_words(test.detectable_drop)),
        ("For inputs like these (does not decide)", inputs_text),
    ]


def _agrees_with_interval(quality: QualityView) -> bool:
    """Return whether p and interval call the drop chance, or both do not.

    Over a few cases with many answers the test of all answers can be sure where the interval, which counts cases,
    cannot exclude an improvement: side by side they would contradict each other.
    """
    if quality.interval is None or quality.p is None:
        return True
    return (quality.p <= (1 - quality.confidence) / 2) == (quality.interval[1] < 0)


def _method_for_inputs(quality: QualityView) -> str:
    return quality.method + (f"; seed {quality.seed}" if quality.seed is not None else "")


def _p_values(p: float | None, adjusted: float | None, view: ReportView) -> str:
    others = "cost, latency and critical cases" + ("; Holm over the prompts" if len(view.prompts) > 1 else "")
    return f"{formatting.p_value(p)}; adjusted for the other tests of the run ({others}) {formatting.p_value(adjusted)}"


def _asked(quality: QualityView) -> list[tuple[str, str]]:
    """Return how often each case was asked, and in how many rounds; empty where that is not known."""
    if quality.answers_per_case is None:
        return []
    text = f"{formatting.count(quality.answers_per_case, 'answer')} of each version to each case"
    if quality.rounds is None:
        return [("Asked", text)]
    return [("Asked", f"{text}, in {quality.rounds} of at most {formatting.count(quality.max_rounds or 0, 'round')}")]


def _settling(quality: QualityView) -> str:
    text = f"about {quality.cases_needed:,} pairs would settle the margin"
    repeats = quality.repeats_needed
    return text if repeats is None else f"{text}, or each of these cases asked {repeats} times"


def _rule(prompt: PromptView, view: ReportView) -> str:
    gate = prompt.gate or view.gate
    if prompt.mismatches:
        return "critical cases and absolute limits alone decide, because the versions are not comparable"
    if prompt.quality is None and prompt.case_details and all(case.excluded_reason for case in prompt.case_details):
        return "inconclusive where no case counts"
    if any(finding.rule == "missing-goldens" for finding in prompt.findings):
        return "nothing decides, because the prompt has no goldens after the change"
    if prompt.verdict == "error":
        return "error where too few answers can be evaluated"
    if prompt.quality is None:
        lack = "a version to compare with" if prompt.base is None else "a case that was scored for both versions"
        return f"only the absolute limits decide, for lack of {lack}"
    return (
        f"fail where a drop is shown (adjusted p ≤ {gate.alpha:g}) and is {formatting.points(gate.max_drop)} or more as"
        f" measured; pass where a drop of {formatting.points(gate.max_drop)} or more is ruled out; else inconclusive"
    )
