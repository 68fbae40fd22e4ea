"""Texts of the limits: missing answers, critical cases, absolute quality, cost and latency."""

import re

from promptci.findings import MessageFacts
from promptci.gates.facts import (
    CaseIds,
    CostFacts,
    CriticalFacts,
    ExcludedFacts,
    MinQualityFacts,
    MissingAnswers,
    P95Facts,
)
from promptci.present.finding_text.text import FindingText, capitalize
from promptci.present.formatting import change, duration, money, percent, tokens
from promptci.wording import count, join_names

MAX_CAUSE = 80
"""Characters of an error in a headline."""


def nothing_evaluated(facts: MissingAnswers) -> FindingText:
    """Describe a new version without a single usable answer."""
    return FindingText(f"could not be evaluated: {_describe_nothing(facts)}", _first_error(facts))


def _describe_nothing(facts: MissingAnswers) -> str:
    """Return why no answer can be used."""
    failures = _count_failures(facts)
    if facts.kind == "auth":
        return f"the endpoint refused the key{_status(facts)} ({failures})"
    if facts.kind == "no-key":
        return f"no key is set, and the endpoint requires one ({failures})"
    if facts.unscored:
        version = "either version" if facts.version == "both" else "the new version"
        return f"no answer of {version} could be scored (0 of {facts.requested:,})"
    if facts.missing and facts.unsent == facts.missing:
        return f"nothing was asked ({count(facts.missing, 'request')} not sent)"
    if facts.kind == "connection":
        return f"the endpoint could not be reached ({failures})"
    of_version = "" if facts.version == "both" else "the new version has no usable answer, "
    return f"{of_version}{failures}{_cause(facts)}"


def error_rate(facts: MissingAnswers) -> FindingText:
    """Describe missing answers beyond the limit."""
    version = {"base": " before the change", "head": " after the change"}.get(facts.version, "")
    share = f" ({percent(facts.missing / facts.requested)})" if facts.requested else ""
    lack = "has too many answers without a score" if facts.unscored else "has too many missing answers"
    return FindingText(
        f"{lack}{version}: {facts.missing:,} of {facts.requested:,}{share},"
        f" and `gate.max_error_rate` allows {percent(facts.max_error_rate)}",
        _first_error(facts),
    )


def all_excluded(facts: ExcludedFacts) -> FindingText:
    """Describe goldens of which no case counts."""
    summary = f"cannot be decided: none of its {count(facts.cases, 'case')} counts"
    if any(": " in reason for reason in facts.reasons):  # sentences of their own
        return FindingText(f"{summary}. {'; '.join(map(capitalize, facts.reasons))}")
    return FindingText(f"{summary} ({'; '.join(facts.reasons)})")


def excluded(facts: ExcludedFacts) -> FindingText:
    """Describe cases that were asked and do not count."""
    return FindingText(
        f"has {len(facts.ids):,} excluded of {count(facts.cases, 'case')} ({'; '.join(facts.reasons)}):"
        f" {join_names(facts.ids)}"
    )


def critical_unanswered(facts: CaseIds) -> FindingText:
    """Describe critical cases that base answered and head did not."""
    critical_cases, names = count(len(facts.ids), "critical case"), join_names(facts.ids)
    if facts.unscored:
        scored = "was" if len(facts.ids) == 1 else "were"
        return FindingText(
            f"leaves {critical_cases} without a score that {scored} scored for the old version ({names})"
        )
    return FindingText(f"leaves {critical_cases} unanswered that the old version answered ({names})")


def critical_never_answered(facts: CaseIds) -> FindingText:
    """Describe critical cases that base always passed and head, asked again and again, never answered."""
    if facts.unscored:
        return FindingText(
            f"never gets a score for {count(len(facts.ids), 'critical case')} ({join_names(facts.ids)})",
            "The old version passed every time; no answer of the new version could be scored.",
        )
    return FindingText(
        f"never answers {count(len(facts.ids), 'critical case')} ({join_names(facts.ids)})",
        "The old version passed every time; each request of the new version failed.",
    )


def critical_unconfirmed(facts: CaseIds) -> FindingText:
    """Describe critical cases that may have broken."""
    return FindingText(
        f"may have broken {count(len(facts.ids), 'critical case')} ({join_names(facts.ids)})",
        "The old version passed and the new one did not, but there are too few answers to confirm it. Run again.",
    )


def unanswered(facts: CaseIds) -> FindingText:
    """Describe a version that leaves more cases unanswered than the other."""
    if facts.unscored:
        return FindingText(
            f"leaves more cases without a score than the old version ({join_names(facts.ids)})",
            "The difference is more than chance, so the change may be why the answers could not be scored.",
        )
    return FindingText(
        f"leaves more cases unanswered than the old version ({join_names(facts.ids)})",
        "The difference is more than chance, so the missing answers may be the change's doing.",
    )


def unreachable(facts: MessageFacts) -> FindingText:
    """Describe a prompt file that exists and that no pattern reaches any more."""
    return FindingText(
        f"is no longer tested: {facts.message}",
        "Include the file again with `prompts.include`, or delete it.",
    )


def critical(facts: CriticalFacts) -> FindingText:
    """Describe critical cases that broke."""
    verb = "fails" if facts.added else "broke"
    return FindingText(f"{verb} {count(len(facts.ids), 'critical case')} ({join_names(facts.ids)})")


def min_quality(facts: MinQualityFacts) -> FindingText:
    """Describe quality below the absolute limit."""
    if facts.quality is None:
        return FindingText(
            "was not checked against `gate.min_quality`, because its quality is the share of comparisons won"
        )
    chance = (
        f"This may be chance, because the 95% interval ends at {percent(facts.upper_end)}; so it does not block."
        if facts.upper_end is not None
        else ""
    )
    return FindingText(
        f"has a quality of {percent(facts.quality)} over all cases, and `gate.min_quality` requires"
        f" {percent(facts.limit)}",
        chance,
    )


def cost(facts: CostFacts) -> FindingText:
    """Describe cost per request beyond the limit, or unknown."""
    if facts.rise is None:
        return _unknown_cost(facts)
    rise = (
        f"{'costs' if facts.shown else 'seems to cost'} {change(facts.rise).lstrip('+')} more per request,"
        f" {money(facts.head)} instead of {money(facts.base)}"
    )
    allowed = f"Cost {change(facts.rise)}, limit {change(facts.limit)} (`gate.max_cost_increase`).{_cost_cause(facts)}"
    if facts.shown:
        return FindingText(rise, allowed)
    if facts.p is None:
        reason = f"{count(facts.cases, 'case')} cannot show a rise, {facts.needed} could"
    else:
        reason = f"with {count(facts.cases, 'case')} a rise beyond it is not certain"
    return FindingText(rise, f"{allowed} It does not block: {reason}.")


def _cost_cause(facts: CostFacts) -> str:
    """Return what made it dearer, as a sentence."""
    if facts.cause == "model" and facts.models:
        return f" The model changed from `{facts.models[0]}` to `{facts.models[1]}`."
    if facts.base_tokens is None or facts.head_tokens is None or not facts.cause:
        return ""
    asked, answered = (
        f"{tokens(before)} → {tokens(after)} {side} tokens"
        for side, before, after in zip(("input", "output"), facts.base_tokens, facts.head_tokens, strict=True)
    )
    match facts.cause:
        case "answers":
            return f" The answers are longer: {answered}."
        case "prompt":
            return f" The requests are longer: {asked}."
        case "both":
            return f" Requests and answers are longer: {asked}, {answered}."
        case _:
            return f" Model and tokens are as before ({asked}, {answered}), so the price differs."


def _unknown_cost(facts: CostFacts) -> FindingText:
    cause, fix = "the answers have no token counts", "An endpoint that counts tokens is needed to check it"
    if facts.unpriced is not None:
        cause = f"`{facts.unpriced}` has no known price"
        fix = f"Set `provider.prices` for `{facts.unpriced}`"
    known = "is known only for the new version" if facts.base is None else "is unknown now"
    if facts.base is None and facts.head is None:
        known = "is unknown"
    return FindingText(
        f"was not checked against `gate.max_cost_increase`, because its cost {known}: {cause}",
        f"{fix}, or turn the limit off with `gate.max_cost_increase: null`.",
    )


def p95(facts: P95Facts) -> FindingText:
    """Describe latency beyond the limit."""
    rise = f"p95 latency {duration(facts.base)} before, {duration(facts.head)} after ({change(facts.rise)})"
    if facts.unequal_caching:
        return FindingText(
            "was not compared in latency, because one version's answers come from the cache", f"{capitalize(rise)}."
        )
    answers = count(facts.answers, "answer")
    allowed = f"p95 {change(facts.rise)}, limit {change(facts.limit)} (`gate.max_p95_increase`)"
    if not facts.certain:
        return FindingText(
            f"seems slower: {rise}",
            f"{allowed}. With {answers} this is not certain, so it does not block.",
        )
    return FindingText(f"is slower: {rise}", f"{allowed}.")


def _count_failures(facts: MissingAnswers) -> str:
    """Return how many requests failed, without those that were never sent: `3 requests failed, 57 not sent`."""
    if not facts.unsent:
        return f"{facts.missing:,} of {count(facts.requested, 'request')} failed"
    failed = facts.missing - facts.unsent
    word = "refused" if facts.kind in {"auth", "no-key"} else "failed"
    return f"{count(failed, 'request')} {word}, {facts.unsent:,} not sent"


def _status(facts: MissingAnswers) -> str:
    match = re.search(r"HTTP (\d{3})", facts.first_error or "")
    return f" with HTTP {match[1]}" if match else ""


def _cause(facts: MissingAnswers) -> str:
    """Return the first error within a bracket, without its kind: a reader of the headline must know why."""
    cause = (facts.first_error or "").partition(": ")[2].partition("\n")[0].strip().rstrip(".")
    return f" ({cause if len(cause) <= MAX_CAUSE else f'{cause[: MAX_CAUSE - 1]}…'})" if cause else ""


def _first_error(facts: MissingAnswers) -> str:
    return f"First error: {facts.first_error.removeprefix('unscored: ')}" if facts.first_error else ""
