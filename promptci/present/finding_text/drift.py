"""Texts of drift: what a night says about a deployed prompt, and what may be the cause."""

from promptci.drift.facts import (
    AffectedAnswers,
    AskedAgain,
    ChangedTests,
    DriftOutage,
    EarlierVersion,
    MissedNights,
    PinnedModel,
    ProbedModel,
    ReadingFacts,
    ReferenceProgress,
    RefusedAnswers,
    RejudgedAnswers,
    SeenModels,
)
from promptci.drift.reference import COMPLETE_ANSWERS
from promptci.findings import MessageFacts
from promptci.present.finding_text.text import FindingText
from promptci.present.formatting import p_value, percent, points
from promptci.wording import count, join_names

FREEZE = "Run `promptci drift --freeze` on four nights, and commit the reference."


def steady(facts: ReadingFacts) -> FindingText:
    """Describe a night like the reference."""
    text = f"quality is {percent(facts.quality)}, and {percent(facts.expected)} in the reference of {facts.frozen}"
    detail = f"The sum of drops is {points(facts.total)}; its limit is {points(facts.limit)}."
    if facts.since is not None:
        detail += f" The drift since {facts.since} is still open."
    return FindingText(text, detail)


def learning(facts: ReadingFacts) -> FindingText:
    """Describe a night with a reference that is not whole."""
    return FindingText(
        f"the reference has {facts.reference_answers} of {COMPLETE_ANSWERS} answers to each case",
        f"Quality is {percent(facts.quality)}, and {percent(facts.expected)} in the reference. Until it is whole, only"
        f" a drop of {points(facts.cliff)} in one night is an alarm.",
    )


def summed(facts: ReadingFacts) -> FindingText:
    """Describe a drop that lasted."""
    detail = f"The sum of drops is {points(facts.total)}, and its limit is {points(facts.limit)}."
    return FindingText(_fell(facts), f"{detail}{_since(facts)}{_worst(facts)}")


def cliff(facts: ReadingFacts) -> FindingText:
    """Describe a drop of one night."""
    detail = f"In one night it fell by more than the {points(facts.cliff)} that chance explains."
    return FindingText(_fell(facts), f"{detail}{_since(facts)}{_worst(facts)}")


def confirmed(facts: AskedAgain) -> FindingText:
    """Describe an alarm that a second answer to each case bears out."""
    return FindingText(
        f"every case was asked again, and quality is {percent(facts.pooled)} over both answers",
        f"It was {percent(facts.first)} at first.",
    )


def not_confirmed(facts: AskedAgain) -> FindingText:
    """Describe an alarm that a second answer to each case takes back."""
    return FindingText(
        f"quality looked low at {percent(facts.first)}, so every case was asked again",
        f"Over both answers it is {percent(facts.pooled)}, which is no alarm.",
    )


def outage(facts: DriftOutage) -> FindingText:
    """Describe a night without usable answers."""
    return FindingText(
        f"{facts.missing} of {count(facts.asked, 'answer')} {'is' if facts.missing == 1 else 'are'} missing,"
        f" more than {percent(facts.limit)}",
        f"This night counts for nothing. The first reason: {facts.reason.rstrip('.')}.",
    )


def error(facts: MessageFacts | DriftOutage) -> FindingText:
    """Describe what prevents a comparison."""
    if isinstance(facts, DriftOutage):
        return outage(facts)
    return FindingText(f"it cannot be watched: {facts.message.rstrip('.')}")


def no_reference(_: object) -> FindingText:
    """Describe a prompt that nothing can be compared with."""
    return FindingText("there is no reference to compare with, so nothing was asked", FREEZE)


def not_comparable(facts: ChangedTests) -> FindingText:
    """Describe what changed since the reference was made."""
    changed = join_names([f"the {name}" for name in facts.changes])
    verb = "has" if facts.changes in {("prompt",), ("judge",)} else "have"
    detail = f"No drift can be told from that reference. {FREEZE}"
    return FindingText(f"{changed} {verb} changed since the reference of {facts.frozen}, so nothing was asked", detail)


def judge_moved(facts: RejudgedAnswers) -> FindingText:
    """Describe a judge that grades the same answers lower."""
    return FindingText(
        f"the judge moved: it graded {count(facts.answers, 'stored answer')} {percent(facts.before)} then and"
        f" {percent(facts.now)} now",
        f"{_flips(facts)} The answers of {facts.stored} and later are the same ones, so this is no drift of the model."
        " Pin the judge's model, or calibrate it again.",
    )


def judge_same(facts: RejudgedAnswers) -> FindingText:
    """Describe a judge that grades as before."""
    return FindingText(
        f"the judge grades {count(facts.answers, 'stored answer')} {percent(facts.now)} now, and"
        f" {percent(facts.before)} then",
        f"{_flips(facts)} So the judge is not the cause.",
    )


def pinned_holds(facts: PinnedModel) -> FindingText:
    """Describe a pinned model that answers better than its alias."""
    return FindingText(
        f"the model behind `{facts.alias}` moved: `{facts.pinned}` has {percent(facts.pinned_quality)} tonight, and the"
        f" alias {percent(facts.quality)}",
        f"The same cases, {p_value(facts.p)}. Deploy a version that names `{facts.pinned}`.",
    )


def pinned_too(facts: PinnedModel) -> FindingText:
    """Describe a pinned model that answers no better."""
    return FindingText(
        f"`{facts.pinned}` has {percent(facts.pinned_quality)} tonight, and `{facts.alias}` {percent(facts.quality)}",
        f"That is no difference ({p_value(facts.p)}), so the alias alone is not the cause.",
    )


def models(facts: SeenModels) -> FindingText:
    """Describe models that answered for the first time."""
    seen = join_names([f"`{model.name}` since {model.since}" for model in facts.seen])
    before = join_names([f"`{name}`" for name in facts.before])
    return FindingText(f"another {facts.kind} answers: {seen}", f"Before, it was {before}.")


def missed_nights(facts: MissedNights) -> FindingText:
    """Describe a gap in the watch."""
    return FindingText(
        f"{count(facts.nights, 'night')} were missed" if facts.nights != 1 else "1 night was missed",
        f"The last one with answers was {facts.last}. Check that the schedule still runs.",
    )


def refusals(facts: RefusedAnswers) -> FindingText:
    """Describe refused answers."""
    return FindingText(f"the model refused {facts.refusals} of {count(facts.answers, 'answer')}")


def probe(facts: ProbedModel) -> FindingText:
    """Describe a look at a model's fingerprint."""
    if facts.p is None:
        return FindingText(f"`{facts.model}` has no probe in the reference to compare with", FREEZE)
    named = f" `{'`, `'.join(facts.new_models)}` answers for the first time." if facts.new_models else ""
    detail = f"{count(facts.answers, 'answer')} of one token, {p_value(facts.p)}.{named}"
    return FindingText(f"`{facts.model}` does not answer the probes as in the reference", detail)


def probe_same(facts: ProbedModel) -> FindingText:
    """Describe a model that answers the probes as before."""
    detail = f"{count(facts.answers, 'answer')} of one token, {p_value(facts.p)}."
    return FindingText(f"`{facts.model}` answers the probes as in the reference", detail)


def no_earlier(_: object) -> FindingText:
    """Describe a prompt of which nothing ran before."""
    return FindingText("no other version ran there before, so there is nothing to go back to")


def earlier_silent(facts: EarlierVersion) -> FindingText:
    """Describe an earlier version without answers."""
    return FindingText(f"{facts.version}, which ran before, gave no answer", "Nothing was rolled back.", verbatim=True)


def earlier_better(facts: EarlierVersion) -> FindingText:
    """Describe an earlier version that is better tonight."""
    return FindingText(_versions(facts), f"The same cases, {p_value(facts.p)}, so it is gone back to.", verbatim=True)


def earlier_no_better(facts: EarlierVersion) -> FindingText:
    """Describe an earlier version that is no better tonight."""
    detail = f"It is not shown to be better ({p_value(facts.p)}): nothing was rolled back."
    return FindingText(_versions(facts), detail, verbatim=True)


def affected(facts: AffectedAnswers) -> FindingText:
    """Describe how many requests a drift touched."""
    if facts.requests is None:
        reason = facts.reason.rstrip(".")
        return FindingText(f"the number of affected requests is not known: {reason}")
    users = "" if facts.users is None else f" of {count(facts.users, 'user')}"
    return FindingText(
        f"affected: {count(facts.requests, 'request')}{users}, answered by {facts.version} since {facts.since}",
        "That was the last night without a drift, or the beginning of this one.",
    )


def frozen(facts: ReferenceProgress) -> FindingText:
    """Describe a reference that grew."""
    if facts.added == 0:
        return FindingText(f"{facts.path} already has this night's answers", "Come back tomorrow.", verbatim=True)
    rest = COMPLETE_ANSWERS - facts.answers
    detail = "Commit it." if rest <= 0 else f"{rest} are missing: run it again on other nights. Then commit it."
    return FindingText(f"{facts.path} has {facts.answers} answers to each case", detail, verbatim=True)


def frozen_whole(facts: ReferenceProgress) -> FindingText:
    """Describe a reference that needs nothing."""
    return FindingText(
        f"{facts.path} is whole, with {facts.answers} answers to each case",
        "Delete it to make another one.",
        verbatim=True,
    )


def _fell(facts: ReadingFacts) -> str:
    return (
        f"it answers worse: {percent(facts.quality)} of its goldens, and {percent(facts.expected)} in the reference of"
        f" {facts.frozen}"
    )


def _since(facts: ReadingFacts) -> str:
    return f" This began on {facts.since}." if facts.since else ""


def _worst(facts: ReadingFacts) -> str:
    return f" The cases that fell most: {join_names(list(facts.worse))}." if facts.worse else ""


def _flips(facts: RejudgedAnswers) -> str:
    return f"{count(facts.worse, 'is', 'are')} graded lower and {facts.better:,} higher ({p_value(facts.p)})."


def _versions(facts: EarlierVersion) -> str:
    before = f"{facts.version}, which ran before, has {percent(facts.quality)} tonight"
    return f"{before}, and this version {percent(facts.now)}"
