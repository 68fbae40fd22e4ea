"""Texts of what a reader must know and what decides nothing: goldens, models, judges."""

from promptci.gates.facts import (
    CaseIds,
    CutOffFacts,
    DistrustFacts,
    EarlyStopFacts,
    EditedGoldens,
    EndpointFacts,
    FailingNewCases,
    InjectionFacts,
    JudgeCandidates,
    OddAnswers,
    PositionBiasFacts,
    ReturnedModels,
    SuiteResult,
    WeakenedGoldens,
)
from promptci.present.finding_text.text import FindingText
from promptci.present.formatting import percent
from promptci.wording import count, join_names

MAX_NEW_CASES = 3
"""New cases that are named."""
BASE_GOLDENS_DECIDE = "The goldens of base decide."
GOLDENS_FIRST = "To change what the prompt must do, change its goldens in a pull request of their own first."
"""Findings, page, comment, terminal, selftest and docs/verdict.md use these words."""


def goldens_removed(facts: CaseIds) -> FindingText:
    """Describe golden cases that the change removes."""
    return FindingText(f"loses {count(len(facts.ids), 'golden case')} in this change: {join_names(facts.ids)}")


def goldens_weakened(facts: WeakenedGoldens) -> FindingText:
    """Describe golden cases of which the change replaces the expectation."""
    used = BASE_GOLDENS_DECIDE if facts.base_decides else "The new goldens are used."
    return FindingText(
        f"has {count(len(facts.ids), 'golden case')} with another expectation for the same input:"
        f" {join_names(facts.ids)}",
        f"{used} Check that the new expectations are not easier.",
    )


def new_cases_fail(facts: FailingNewCases) -> FindingText:
    """Describe golden cases that the change adds and fails."""
    shown = facts.ids[: facts.critical] or facts.ids
    critical = f", {facts.critical:,} of them critical" if facts.critical else ""
    critical = ", a critical one" if facts.critical == len(facts.ids) == 1 else critical
    return FindingText(
        f"fails {len(facts.ids):,} of the {count(facts.added, 'case')} that this change adds{critical}"
        f" ({join_names(shown, MAX_NEW_CASES)}); new cases do not decide"
    )


def goldens_compared(facts: EditedGoldens) -> FindingText:
    """Describe what both golden sets make of a change that edits prompt and goldens."""
    differ = facts.base_goldens.verdict != facts.head_goldens.verdict
    advice = f" {GOLDENS_FIRST}" if differ else ""
    return FindingText(
        f"changes its goldens; with the goldens of base: {suite_result(facts.base_goldens)};"
        f" with this change's: {suite_result(facts.head_goldens)}",
        f"{BASE_GOLDENS_DECIDE}{advice}",
    )


def suite_result(result: SuiteResult) -> str:
    """Return `fail, 100% before, 80% after, over 100 cases`."""
    if result.base is None or result.head is None:
        return f"{result.verdict}, nothing to compare"
    quality = f"{percent(result.base)} before, {percent(result.head)} after"
    return f"{result.verdict}, {quality}, over {count(result.cases, 'case')}"


def model_returned(facts: ReturnedModels) -> FindingText:
    """Describe answers of a model that was not requested."""
    versions = " and ".join({"base": "before", "head": "after"}[version] for version in facts.versions)
    return FindingText(
        f"requested {facts.requested}, and the endpoint answered with {join_names(facts.returned)} ({versions})"
    )


def odd_model(facts: OddAnswers) -> FindingText:
    """Describe few answers of another model that were left out."""
    left_out = "It was left out" if facts.answers == 1 else "They were left out"
    return FindingText(
        f"has {count(facts.answers, 'answer')} of {facts.requested:,} by another model: {join_names(facts.ids)}"
        f" ({facts.first})",
        f"{left_out} as missing, and the verdict rests on the others.",
    )


def endpoint_differs(facts: EndpointFacts) -> FindingText:
    """Describe an endpoint that was set up differently for the two versions."""
    return FindingText(
        f"was answered under system_fingerprint {join_names(facts.base, 3)} before"
        f" and {join_names(facts.head, 3)} after",
        "The endpoint was set up differently for the two versions, and a small difference may come from that.",
    )


def prompt_injection(facts: InjectionFacts) -> FindingText:
    """Describe answers that try to instruct the judge."""
    cases = (("before", facts.base_cases), ("after", facts.head_cases))
    sides = [f"{side}: {join_names(ids)}" for side, ids in cases if ids]
    return FindingText(
        f"has {count(facts.answers, 'answer')} that may try to instruct the judge"
        f" ({join_names(facts.patterns)}): {'; '.join(sides)}",
        f"Read {'it' if facts.answers == 1 else 'them'} yourself.",
    )


def cut_off(facts: CutOffFacts) -> FindingText:
    """Describe answers that ended too early, and what to do about them."""
    cause, fix = {
        "length": ("cut off by the limit of tokens", "Raise `maxTokens` of the prompt, or have it answer more briefly"),
        "content_filter": ("cut off by the content filter", "See what the endpoint's content filter objects to"),
    }[facts.reason]
    after = f"{facts.head:,} of {count(facts.head_answers, 'answer')} {cause}"
    before = "" if facts.base is None else f" ({facts.base:,} of {facts.base_answers:,} before the change)"
    concluded = " An assertion may pass on the beginning of an answer, so nothing was concluded." * facts.nearly_all
    return FindingText(f"has {after}{before}", f"{fix} (`finish_reason` is `{facts.reason}`).{concluded}")


def position_bias(facts: PositionBiasFacts) -> FindingText:
    """Describe a judge whose verdict depends on the order of the answers."""
    rate = percent(facts.flipped / facts.pairs)
    return FindingText(
        f"has a judge that contradicts itself on {facts.flipped:,} of {count(facts.pairs, 'pair')} of swapped answers"
        f" ({rate})",
        f"More than {percent(facts.max_rate)} is too often, so this judge cannot decide. These pairs are unscored.",
    )


def judge_not_trusted(facts: DistrustFacts) -> FindingText:
    """Describe a judge that may not block."""
    return FindingText(
        f"has a judge that is not trusted: {'; '.join(facts.reasons)}", "Its scores are advisory and do not block."
    )


def judge_not_calibrated(_: object) -> FindingText:
    """Describe a judge that nobody has compared with people."""
    return FindingText(
        "has a judge that is not calibrated", "No labels by people show how far its scores can be trusted."
    )


def judge_is_candidate(facts: JudgeCandidates) -> FindingText:
    """Describe a model that judges its own answers."""
    return FindingText(
        f"is judged by the model under test ({join_names(facts.models)})", "Models favor their own answers."
    )


def early_stop(facts: EarlyStopFacts) -> FindingText:
    """Describe a run that ended once its verdict was certain."""
    skipped = count(facts.skipped, "answer")
    verb = "was" if facts.skipped == 1 else "were"
    return FindingText(
        f"was stopped early: {skipped} {verb} not requested, because none could have changed the verdict"
    )
