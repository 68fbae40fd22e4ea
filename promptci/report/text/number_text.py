"""Words around the numbers of a view: intervals, how it was decided, what to do next. Pure."""

import re
from datetime import datetime, timedelta

from promptci.git.snapshot import WORK_TREE
from promptci.lazy_dataclass import dataclass
from promptci.present import formatting
from promptci.report.model.report import FindingView, PromptView, QualityView, ReportView, RevisionView


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """How a verdict looks: never colour alone."""

    word: str
    icon: str
    """For Markdown."""
    slug: str
    """Name of the icon and the colour on a page."""


MAX_FINDINGS = 100
"""Of one prompt; ours are a tenth of that, and a fork's report may hold any number."""
MAX_HEADLINE_CHARS = 2000
"""Of a headline that is searched: ours are shorter, and a fork's report may hold one of any length."""
MAX_FIRST_LINE = 116
"""Characters of a headline that are read at a glance; with the verdict's icon and `### ` they are 120 or fewer."""
DAYS_PER_MONTH = 30
MIN_FIRST_LINE = 40
"""Characters that the first line has at least where it ends with a clause."""
_STATEMENT_END = re.compile(r"[;.] ")
_LEADS = ("Blocked", "Failed", "Pass", "Error", "Inconclusive", "Blocked, inconclusive", "No change", "Nothing run")
_CLAUSE_END = re.compile(r": | \((?=[^()]{25}[^()]*(?:\([^()]*\)[^()]*)*\)(?:\.?$|[.;] ))")
"""A colon, or a bracket that ends the statement; a short one, such as `(−45 points)`, belongs to its clause."""
SIGNS = {
    "no-change": Sign(word="No change", icon="➖", slug="mute"),
    "pass": Sign(word="Pass", icon="✅", slug="good"),
    "inconclusive": Sign(word="Inconclusive", icon="⚠️", slug="warn"),
    "fail": Sign(word="Fail", icon="❌", slug="bad"),
    "error": Sign(word="Error", icon="⛔", slug="bad"),
}


def sign(verdict: str) -> Sign:
    """Return the sign of a verdict."""
    return SIGNS[verdict]


def is_work_tree(side: RevisionView) -> bool:
    """Return whether a side is the working tree, and not a revision that was not found."""
    return side.sha is None and side.rev == WORK_TREE


def verdict_word(prompt: PromptView) -> str:
    """Return a prompt's verdict for a table cell; of a deleted prompt, that it is deleted, too."""
    word = sign(prompt.verdict).word
    return f"{word} (deleted)" if prompt.status == "deleted" else word


def interval_words(quality: QualityView) -> str:
    """Return the interval of the difference: `between 1 and 9 points worse (90% confidence)`."""
    if quality.interval is None:
        return "the interval cannot be estimated"
    lo, hi = (round(100 * end, 1) + 0.0 for end in quality.interval)
    confidence = f"({formatting.percent(quality.confidence)} confidence)"
    small, large = sorted((abs(lo), abs(hi)))
    if quality.interval == (0.0, 0.0):
        return "one answer serves both versions"
    if lo == hi == 0:
        return f"less than 0.1 points either way {confidence}"
    if lo >= 0 or hi <= 0:
        which = "better" if lo >= 0 else "worse"
        return f"between {formatting.number(small)} and {formatting.points(large / 100)} {which} {confidence}"
    worse, better = formatting.points(lo / 100), formatting.points(hi / 100)
    return f"between {worse} worse and {better} better {confidence}"


def describe_bar(quality: QualityView) -> str:
    """Return what the bar of a chart stands for."""
    test = quality.on_goldens
    if test is not None and test.max_drop is not None:
        return f"on these goldens {bound_words(test.max_drop)}"
    return f"for inputs like these {interval_words(quality)}"


def difference(quality: QualityView) -> str:
    """Return the estimate: `45 points worse`, `1.7 points better`, `no difference`."""
    size = formatting.points(quality.delta)
    if formatting.signed_points(quality.delta) == size:  # rounds to nothing
        return "no difference"
    return f"{size} {'better' if quality.delta > 0 else 'worse'}"


def detectable_words(drop: float | None) -> str:
    """Return the smallest drop that could have been shown."""
    if drop is None:
        return "no drop at all (too few cases)"
    if drop == 0:
        return "any"
    return f"{formatting.points(drop)} (with 80% power)"


def is_measured(prompt: PromptView) -> bool:
    """Return whether numbers may be shown: not of an error, except of goldens that are missing after the change."""
    by_old = (finding.facts.get("by_old") for finding in prompt.findings if finding.rule == "missing-goldens")
    return prompt.verdict != "error" or any(by_old)


def before_after(prompt: PromptView) -> str:
    """Return quality before and now for a table cell; nothing of a prompt of which nothing could be concluded."""
    if not is_measured(prompt):
        return "–"
    if prompt.mismatches:
        return "not comparable"
    if prompt.quality is not None:
        return f"{formatting.percent(prompt.quality.base)} → {formatting.percent(prompt.quality.head)}"
    if prompt.head is not None and prompt.head.quality is not None:
        return formatting.percent(prompt.head.quality)
    return "–"


def worse_better(prompt: PromptView) -> str:
    """Return the number of pairs that got worse and of those that got better, for a table cell."""
    quality = prompt.quality
    if quality is None or not is_measured(prompt):
        return "–"
    if quality.worse is None or quality.better is None:  # a report.json that was written before these were counted
        return f"{len(prompt.regressions):,} / {len(prompt.fixes):,}"
    return f"{quality.worse:,} / {quality.better:,}"


def cost_title(view: ReportView) -> str:
    """Return the heading of the column of `cost_change`."""
    known = any(prompt.cost_usd.requests_per_day is not None for prompt in view.prompts)
    return "Cost per month" if known and view.kind == "check" else "Cost per request"


def cost_change(prompt: PromptView) -> str:
    """Return cost before and now, and the change, for a cell: per month where traffic is known, else per request."""
    cost = prompt.cost_usd
    if prompt.mismatches:
        return "not comparable"
    if cost.head_per_request is None and (prompt.head is None or not prompt.head.evaluated):
        return "no answers" if prompt.answers_requested else "–"
    if cost.base_per_request is None and cost.head_per_request is not None:
        if prompt.base is not None:
            return formatting.UNKNOWN
        if cost.requests_per_day is not None:
            return formatting.money(cost.head_per_request * cost.requests_per_day * DAYS_PER_MONTH)
        return f"{formatting.money(cost.head_per_request)} a request"
    if cost.base_per_request is None or cost.head_per_request is None:
        return formatting.UNKNOWN if prompt.head is not None else "–"
    requests = 1.0 if cost.delta_per_month is None else (cost.requests_per_day or 0) * DAYS_PER_MONTH
    before, after = cost.base_per_request * requests, cost.head_per_request * requests
    return f"{formatting.money(before)} → {formatting.money(after)}{relative(before, after)}"


def relative(before: float | None, after: float | None) -> str:
    """Return ` (+58%)`, or nothing where there is no base for it."""
    return f" ({formatting.change(after / before - 1)})" if before and after is not None else ""


def p95(prompt: PromptView) -> str:
    """Return p95 before and now for a table cell; `≈` where there are too few answers for an upper bound."""
    sides = [
        ("" if side.p95_certain else "≈ ") + formatting.duration(side.p95)
        for side in (prompt.latency_ms.base, prompt.latency_ms.head)
        if side is not None and side.p95 is not None
    ]
    return " → ".join(sides) or "–"


def evaluated(prompt: PromptView) -> str:
    """Return how many answers could be evaluated and how many pairs were compared."""
    answers = formatting.count(prompt.answers_requested, "answer")
    text = f"{prompt.answers_requested - prompt.errors:,} of {answers} evaluated"
    return f"{text}, {formatting.count(prompt.pairs, 'pair')} compared" if prompt.quality else text


def bound_words(max_drop: float) -> str:
    """Return which drop is not excluded."""
    return "no drop" if max_drop <= 0 else f"a drop of up to {formatting.points(max_drop)} is not excluded"


def policy(view: ReportView) -> list[tuple[str, str]]:
    """Return the policy, key by key as promptci.yml spells it."""
    gate = view.gate
    return [
        ("gate.mode", gate.mode),
        ("gate.max_drop", formatting.points(gate.max_drop)),
        ("gate.alpha", f"{gate.alpha:g}"),
        ("gate.on_inconclusive", gate.on_inconclusive),
        ("gate.min_quality", _limit(gate.min_quality)),
        ("gate.max_cost_increase", _limit(gate.max_cost_increase)),
        ("gate.max_p95_increase", _limit(gate.max_p95_increase)),
        ("gate.max_error_rate", formatting.percent(gate.max_error_rate)),
    ]


def _limit(value: float | None) -> str:
    return "no limit" if value is None else formatting.percent(value)


def spend(view: ReportView) -> str:
    """Return what the run asked and paid."""
    text = formatting.count(view.spend.calls, "call")
    if view.spend.cached:
        text += f", {formatting.count(view.spend.cached, 'answer')} taken from the cache or shared"
    if view.spend.usd is None:
        return f"{text}, cost unknown: set provider.prices"
    least = "at least " if view.spend.usd_is_lower_bound else ""
    return f"{text}, {least}{formatting.money(view.spend.usd)}"


def problems(view: ReportView) -> list[FindingView]:
    """Return the findings about the run, except the one that the headline is made of."""
    headline = view.headline[:MAX_HEADLINE_CHARS]  # a report of a fork may hold any
    return [problem for problem in view.problems if problem.text.partition(". ")[0].rstrip(".") not in headline]


def notes(view: ReportView) -> list[str]:
    """Return what a reader should know about the run and about each prompt, each thing once."""
    return list(dict.fromkeys([*view.notes, *(note for prompt in view.prompts for note in prompt.notes)]))


def findings(prompt: PromptView) -> list[FindingView]:
    """Return the findings, the weighty ones first, except those that have a box of their own."""
    apart = ("goldens-removed", "goldens-weakened", "goldens-compared", "judge-not-trusted")
    shown = [finding for finding in prompt.findings if finding.rule not in apart]
    return sorted(shown, key=lambda finding: -_WEIGHT[finding.verdict])[:MAX_FINDINGS]


def findings_beyond(prompt: PromptView, known_text: str) -> list[FindingView]:
    """Return the findings that `known_text` does not contain, without first sentences that it contains."""
    added = []
    for finding in findings(prompt):
        first, _, rest = finding.text.partition(". ")
        added.append(finding.model_copy(update={"text": rest}) if repeats(first, known_text) else finding)
    return [finding for finding in added if finding.text]


def repeats(sentence: str, known_text: str) -> bool:
    """Return whether a text contains a sentence, perhaps within a longer one."""
    return _lower_first(sentence.removesuffix(".")) in _lower_first(known_text)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


_WEIGHT = {name: weight for weight, name in enumerate(SIGNS)}


def in_two(headline: str) -> tuple[str, str]:
    """Split a headline into a line of at most `MAX_FIRST_LINE` characters, which is read at a glance, and the rest.

    The first line is as many whole statements as fit; where not even one fits, it ends with a clause, else between
    two words.
    """
    if len(headline) <= MAX_FIRST_LINE:
        return headline, ""
    ends = [match.start() for match in _STATEMENT_END.finditer(headline) if match.start() < MAX_FIRST_LINE]
    clauses = (match.start() for match in _CLAUSE_END.finditer(headline, MIN_FIRST_LINE))
    ends = ends or [end for end in clauses if end < MAX_FIRST_LINE and not _is_within_signs(headline[:end])]
    if not ends:
        first = headline[: MAX_FIRST_LINE - 1].rpartition(" ")[0] or headline[: MAX_FIRST_LINE - 1]
        return f"{first}…", f"…{headline[len(first) :].strip()}"
    first, rest = headline[: ends[-1]], headline[ends[-1] :].lstrip(".;:, ")
    return f"{first}.", rest[:1].upper() + rest[1:]


def _is_within_signs(text: str) -> bool:
    return text.count("`") % 2 == 1 or text.count("(") > text.count(")")


def split_lead(headline: str) -> tuple[str, str]:
    """Split a headline for a reader who sees the verdict beside it: first words that say the same, and the rest.

    `Would be blocked (advise mode)`, and who overrode a verdict, say more and stay.
    """
    first, _, rest = headline.partition(": ")
    return (first, rest) if rest and first in _LEADS else ("", headline)


def moment(written: str) -> str:
    """Return a time as `2026-03-02 09:30 UTC`; what is no ISO 8601 time stays as it is."""
    try:
        when = datetime.fromisoformat(written)
    except ValueError:
        return written
    zone = " UTC" if when.utcoffset() == timedelta(0) else f" {when:%z}".rstrip()
    return f"{when:%Y-%m-%d %H:%M}{zone}"
