"""What a run adds to the history, case by case, and what the history says of the same cases."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from promptci.config.policy import GatePolicy
from promptci.files import canonical
from promptci.goldens.model import Case
from promptci.history import flaky as flakiness
from promptci.report.build import case_views
from promptci.report.build.run_facts import RunFacts
from promptci.report.model import json_safe
from promptci.report.model.report import CaseView, FlakyCaseView, FlakyView, PastQualityView, TallyView, VerdictName
from promptci.runs.model import Arm
from promptci.scoring.comparison import Comparison
from promptci.scoring.paired_case import PairedCase
from promptci.stats import power

DIGITS = 16
"""Of a digest: enough to tell cases apart, and a history holds many."""

MOST_VERSIONS = 20
VERDICTS: dict[str, VerdictName] = {"pass": "pass", "inconclusive": "inconclusive", "fail": "fail"}
"""Verdicts that rest on what was measured."""


def details(comparison: Comparison, facts: RunFacts, known: FlakyView) -> Iterator[CaseView]:
    """Give the views of all cases, with what the history is to know of them."""
    flaky_ids = {one.id for one in known.cases}
    first = comparison.plan.first_repeats
    for paired in comparison.cases:
        yield case_views.view(paired).model_copy(
            update={
                "digest": digest(paired.case, facts.judge),
                "flaky": json_safe.text(paired.case.id) in flaky_ids,
                "tallies": _tallies(paired, first) if facts.asked_afresh else [],
            }
        )


def digest(case: Case, judge: str) -> str:
    """Name the question that a case is; one that a judge marks is another one with another judge."""
    judged = any(assertion.type == "judge" for assertion in case.assertions)
    return (canonical.digest([case.digest, judge]) if judged else case.digest)[:DIGITS]


def flaky(comparison: Comparison, policy: GatePolicy, facts: RunFacts) -> FlakyView:
    """Give the cases of a prompt that are known to flip, and how often two equal runs would disagree.

    Of the cases as they stand now only: with another text, they were other questions.
    """
    name = json_safe.text(comparison.plan.name)
    earlier = [one for one in facts.earlier if one.prompt == name]
    asked = comparison.cases if earlier else ()
    now = {(json_safe.text(paired.case.id), digest(paired.case, facts.judge)) for paired in asked}
    records = [one for one in earlier if (one.case, one.digest) in now]
    noise = flakiness.measure_discordance(records, name)
    needed = power.cases_needed(policy.max_drop, noise.rate, alpha=policy.alpha) if noise and noise.rate else None
    return FlakyView(
        cases=[
            FlakyCaseView(id=json_safe.text(one.case), passes=one.passes, fails=one.fails)
            for one in flakiness.find_flaky_cases(records, name)
        ],
        discordance=noise.rate if noise else None,
        measured=noise.cases if noise else 0,
        cases_needed=needed,
    )


def versions(comparison: Comparison, facts: RunFacts) -> list[PastQualityView]:
    """Give the versions of a prompt that earlier checks measured as this one does, each by its last check.

    The two versions of this run are left out: their numbers of today stand beside these.
    """
    plan = comparison.plan
    now = {_short(side.fingerprint) for side in (plan.base, plan.head) if side is not None}
    found: dict[str, PastQualityView] = {}
    for one in sorted(facts.verdicts, key=lambda record: record.at):
        fingerprint = _short(one.fingerprints[1] or "")
        alike = comparison.effect is not None and one.measure == comparison.effect.measure
        if one.prompt != json_safe.text(plan.name) or not alike or one.quality is None or fingerprint in {*now, ""}:
            continue
        if one.verdict in VERDICTS:
            found.pop(fingerprint, None)
            found[fingerprint] = PastQualityView(
                at=json_safe.text(one.at),
                commit=json_safe.optional(one.head),
                pull_request=one.pull_request,
                fingerprint=json_safe.text(fingerprint),
                verdict=VERDICTS[one.verdict],
                measure="mean score" if one.measure == "mean score" else "pass rate",
                quality=one.quality[1],
                pairs=one.pairs,
            )
    return list(found.values())[-MOST_VERSIONS:]


def _short(fingerprint: str) -> str:
    return fingerprint[:DIGITS]


def _tallies(paired: PairedCase, first_repeats: int | None) -> list[TallyView]:
    """Count the answers that a model gave in this run and that could be marked."""
    counts: Counter[tuple[Arm, str | None, bool, bool]] = Counter()
    for arm in Arm:
        for one in paired.answers(arm):
            if one.passed is not None and one.answer.completion is not None and not one.answer.cached:
                chosen = first_repeats is not None and one.replicate >= first_repeats
                counts[(arm, one.answer.completion.model, chosen, one.passed)] += 1
    return [
        _tally(arm, model, counts[(arm, model, chosen, True)], counts[(arm, model, chosen, False)], chosen=chosen)
        for arm, model, chosen in dict.fromkeys(key[:3] for key in counts)
    ]


@lru_cache(maxsize=4096)  # thousands of cases share a few
def _tally(arm: Arm, model: str | None, passes: int, fails: int, *, chosen: bool) -> TallyView:
    return TallyView(arm=arm.value, model=json_safe.optional(model), passes=passes, fails=fails, chosen=chosen)
