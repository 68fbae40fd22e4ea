"""Texts of the quality rule: what became of the pass rate or the mean score."""

from promptci.gates.baseline_facts import (
    ComparedCases,
    MismatchFacts,
    NewPromptFacts,
    NoCommonCases,
    NothingToLose,
    SharedCause,
)
from promptci.gates.facts import PooledFacts, QualityFacts
from promptci.present.finding_text.text import FindingText
from promptci.present.formatting import bare_points, number_of_points, p_value, percent, points, signed_points
from promptci.wording import count, join_names

MAX_FILES = 5
"""Uncommitted files that are named."""
MAX_WRITTEN_CASES = 300
"""Further golden cases that a person may write for one verdict."""


def regression(facts: QualityFacts) -> FindingText:
    """Describe a drop that is shown and at least the margin."""
    return FindingText(
        f"got worse{_about(facts)}: {before_after(facts)} ({_size(facts)})",
        f"{_flips(facts)}, which is more than chance. The margin is {points(facts.margin)}."
        f"{_inputs(facts)}{_assumed(facts)}",
    )


def not_worse(facts: QualityFacts) -> FindingText:
    """Describe a difference that is shown to be smaller than the margin."""
    if facts.same_requests:
        return FindingText(f"sends the model the same requests as before: {before_after(facts)}")
    return FindingText(
        f"{'got better' if _is_better(facts) else 'shows no regression'}{_about(facts)}: {before_after(facts)}",
        f"{_flips(facts)}. The {facts.measure} did not fall by the margin of {points(facts.margin)}"
        f" ({percent(1 - facts.alpha)} confidence).{_assumed(facts)}",
    )


def brief_loss(facts: QualityFacts) -> str:
    """Return a drop in a few words: `got worse (30 of 30 → 0 of 30)`."""
    return f"got worse ({sides(facts)})"


def brief_hold(facts: QualityFacts) -> str:
    """Return quality that did not get worse in a few words: `got better (0 of 24 → 24 of 24)`."""
    return f"got better ({sides(facts)})" if _is_better(facts) else "shows no regression"


def sides(facts: QualityFacts) -> str:
    """Return quality at both revisions in a few words: `30 of 30 → 20 of 30`."""
    if facts.passed is None:
        return f"{percent(facts.base)} → {percent(facts.head)}"
    return " → ".join(f"{passed:,} of {facts.pairs:,}" for passed in facts.passed)


def _is_better(facts: QualityFacts) -> bool:
    return facts.interval is not None and facts.interval[0] > 0


def cannot_tell(facts: QualityFacts) -> FindingText:
    """Describe a difference that is neither shown nor ruled out, and what would settle it."""
    seen = "the drop may be chance" if facts.head < facts.base else "no regression was detected"
    run_again = ""
    if facts.missing_decides:
        gaps = count(facts.missing_decides, "case lacks", "cases lack")
        seen = f"{gaps} a result, which may hide a drop of {points(facts.margin)}; {seen}"
        run_again = " Run again: answers that are there already come from the cache."
    return FindingText(
        f"cannot be decided{_about(facts)}: {before_after(facts)}; {seen}, and {detectable(facts.detectable_drop)}",
        f"{_flips(facts)}; {_size(facts)}.{run_again}{_bounds(facts)}{_settle(facts)}{_assumed(facts)}",
    )


def instead_of_cases(drop: float, margin: float) -> str:
    """Return what to do where too many golden cases would be needed; a margin is no answer to a drop beyond it."""
    wider = (
        "" if drop >= margin else ". Where drops of this size never matter, `gate.max_drop` on the base can allow them"
    )
    return f"read the answers that changed and decide yourself{wider}"


def no_pairs(facts: NoCommonCases) -> FindingText:
    """Describe golden sets that have no case in common."""
    if facts.uncommitted:
        files = join_names([f"`{path}`" for path in facts.uncommitted], MAX_FILES)
        return FindingText(
            f"cannot be compared, because the base revision has no goldens for it; not committed: {files}",
            "Commit them to the base branch, then edit the prompt. `promptci run` tests the working tree as it is.",
        )
    if facts.is_first:
        return FindingText(
            "cannot be compared, because the base revision has no goldens for it",
            "Merge the goldens; by them, the next change of the prompt is compared.",
        )
    return FindingText(
        "cannot be compared, because no case is the same at both revisions",
        "Change goldens and prompt in separate pull requests to compare them.",
    )


def no_answered_pairs(facts: ComparedCases) -> FindingText:
    """Describe golden sets of which no case has a usable answer of both versions."""
    return FindingText(
        f"cannot be compared, because none of its {count(facts.compared, 'case')} has a scored answer of both versions",
        "The answers or their scores are missing; the report lists the errors by case.",
    )


def not_comparable(facts: MismatchFacts) -> FindingText:
    """Describe versions that differ in more than the change under test."""
    return FindingText(
        f"is not comparable: {'; '.join(facts.mismatches)}",
        "Any difference may come from that, so quality, cost and latency were not compared.",
    )


def new_prompt(facts: NewPromptFacts) -> FindingText:
    """Describe a prompt that has no earlier version."""
    passed = f": {facts.passed:,} of {count(facts.cases, 'case')} passed" if facts.cases else ""
    tested = f"{'is new' if facts.added else 'was tested without a comparison'}{passed}"
    if facts.crosses_limit:
        return FindingText(tested, "There is no earlier version to compare with.")
    if not facts.is_limited:
        return FindingText(
            tested,
            "There is no earlier version to compare with and no limit is set. It passes because every case did.",
        )
    quality = "" if facts.min_quality is None else f"a quality of {percent(facts.min_quality)} (`gate.min_quality`)"
    critical = count(facts.critical, "critical case") if facts.critical else ""
    keeps = "is not shown to cross the absolute limits" if facts.is_below else "keeps the absolute limits"
    return FindingText(
        f"{'is new and ' if facts.added else ''}{keeps}{passed}",
        "There is no earlier version to compare with. These limits were checked:"
        f" {' and '.join(filter(None, (quality, critical)))}.",
    )


def pooled(facts: PooledFacts) -> FindingText:
    """Describe what all prompts show together."""
    flips = f"{facts.worse:,} got worse and {facts.better:,} better of {count(facts.pairs, 'pair')}"
    together = f"the {len(facts.prompts)} compared prompts together"
    if facts.dropped:
        return FindingText(f"{together} got worse: the pass rate fell by {points(facts.delta)} ({flips})")
    return FindingText(f"{together} show no drop of the margin: {signed_points(facts.delta)} ({flips})")


def pooled_p(facts: PooledFacts) -> str:
    """Return how sure that is, for the part of a report that has the numbers."""
    return f"One-sided {p_value(facts.p)}."


def before_after(facts: QualityFacts) -> str:
    """Return quality at both revisions: `58 of 60 cases passed before, 31 of 60 after`."""
    if facts.passed is not None:
        base, head = facts.passed
        return f"{base:,} of {count(facts.pairs, 'case')} passed before, {head:,} of {facts.pairs:,} after"
    over = count(facts.pairs, "case")
    return f"{facts.measure} {percent(facts.base)} before, {percent(facts.head)} after, over {over}"


def detectable(drop: float | None) -> str:
    """Return what these goldens could have shown."""
    if drop is None:
        return "these goldens are too few to detect any drop"
    return f"these goldens may miss a drop smaller than {points(drop)}"


def nothing_to_lose(facts: NothingToLose) -> FindingText:
    """Describe a base version that is at or near zero, so that nothing could get worse."""
    cause = f" All of them fail alike: {_shared_cause(facts.shared_cause)}." if facts.shared_cause else ""
    return FindingText(
        f"has nothing to lose: {facts.passed:,} of {count(facts.cases, 'case')} passed before the change",
        f"A regression cannot show against that.{cause} Check the goldens, the evaluators and the prompt's variables.",
    )


def _shared_cause(cause: SharedCause) -> str:
    quoted = cause.text.replace("`", "'")
    match cause.kind:
        case "identical-requests":
            return "all requests are identical, so no variable reaches the prompt"
        case "equal-answers":
            return f"every answer is `{quoted}`" if quoted.strip() else "every answer is empty"
        case "same-tag":
            return f"every answer begins with `{quoted}`"


def nothing_required(facts: NewPromptFacts) -> FindingText:
    """Describe a prompt without an earlier version for which no limit decides."""
    limits = f"only {count(facts.critical, 'critical case is', 'critical cases are')} a limit"
    every = f"Without a limit on quality, {'a new prompt' if facts.added else 'it'} passes only where every case does."
    return FindingText(
        f"was not judged: {facts.passed:,} of {count(facts.cases, 'case')} passed, and"
        f" {limits if facts.critical else 'no limit is set'}",
        f"There is no earlier version to compare with. {every} Set `gate.min_quality`, so that this can pass or fail.",
    )


def _about(facts: QualityFacts) -> str:
    about = " on these goldens" if facts.about == "goldens" else " for inputs like these"
    return f"{about}, as scored by the judge" if facts.judged else about


def _bounds(facts: QualityFacts) -> str:
    """Return which drop is not excluded on these goldens, and for inputs like them.

    The first bound rests on an allowance for what a few answers cannot show, so that it may be the wider one.
    """
    if facts.max_drop is None or facts.max_drop >= 1:
        return _inputs(facts)
    confidence = percent(1 - facts.alpha)
    own = f" A drop of up to {points(facts.max_drop)} is not excluded"
    if facts.interval is not None and -facts.interval[0] <= facts.max_drop:
        return f"{own}, on these goldens or for inputs like these ({confidence} confidence)."
    return f"{own} on these goldens ({confidence} confidence).{_inputs(facts)}"


def _inputs(facts: QualityFacts) -> str:
    """Return what the goldens show about inputs like them, where the goldens themselves decide."""
    if facts.about != "goldens" or facts.interval is None:
        return ""
    lowest, highest = facts.interval
    if highest < 0:
        sure = percent(facts.confidence)
        return f" For inputs like these: a drop of {number_of_points(highest)} to {points(lowest)} ({sure} confidence)."
    confidence = percent(1 - (1 - facts.confidence) / 2)
    if lowest >= 0:
        return f" For inputs like these: no drop ({confidence} confidence)."
    return f" For inputs like these: a drop of up to {points(lowest)} is not excluded ({confidence} confidence)."


def _size(facts: QualityFacts) -> str:
    size = signed_points(facts.delta)
    if facts.about == "goldens":
        return size
    if facts.interval is None:
        return f"{size}; the interval cannot be estimated from these cases"
    lo, hi = map(bare_points, facts.interval)
    return f"{size}, {percent(facts.confidence)} interval {lo} to {hi}"


def _flips(facts: QualityFacts) -> str:
    return f"{facts.worse:,} got worse and {facts.better:,} better of {count(facts.pairs, 'pair')}"


def _settle(facts: QualityFacts) -> str:
    if facts.cases_needed is None:
        return ""
    repeats = (
        ""
        if facts.repeats_needed is None
        else f", or asking each of these {facts.repeats_needed} times (`run.repeats`) as far as the flips are chance"
    )
    missing = facts.cases_needed - facts.pairs
    further_cases = count(missing, "more case")
    if missing <= MAX_WRITTEN_CASES:
        return f" About {further_cases} would decide it{repeats}."
    instead = instead_of_cases(facts.base - facts.head, facts.margin)
    return f" It would take about {further_cases} to decide it{repeats}. More practical: {instead}."


def _assumed(facts: QualityFacts) -> str:
    if not facts.assumed_answers:
        return ""
    favored = {"base": "old", "head": "new"}[facts.assumed_for]
    answers = count(facts.assumed_answers, "answer was", "answers were")
    return f" It holds for any outcome of the rest: {answers} not requested and counted for the {favored} version."
