"""What the finding about quality says beside its zone: counts, what is missing, what would settle it."""

from dataclasses import replace

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.compare.case_power import Asking
from promptci.config.policy import About, GatePolicy
from promptci.gates import quality_rule
from promptci.gates.baseline_facts import ComparedCases
from promptci.gates.decide import decide
from promptci.gates.evidence import PromptEvidence
from promptci.gates.facts import QualityFacts
from promptci.gates.quality_rule import Needed, count_changes, estimate_needed, find_asking
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates.intervals import Interval
from promptci.verdict import Verdict

GOLDENS = GatePolicy()
INPUTS = GatePolicy(about=About.INPUTS)


def facts_of(run: PromptRun, policy: GatePolicy = GOLDENS) -> QualityFacts:
    facts = decide([run], policy).prompts[0].findings[0].facts
    assert isinstance(facts, QualityFacts)
    return facts


@pytest.mark.parametrize("graded", [False, True])
def test_cases_that_were_one_to_the_statistics_are_counted_each(graded: bool) -> None:
    run = comparison("a 1 0\nb 0 1\nc 1 0\nd 1 1\ne 0.5 0" if graded else "a 1 0\nb 0 1\nc 1 0\nd 1 1", graded=graded)
    assert run.effect is not None
    merged = replace(run.effect, worse=7, better=8, pairs=2)
    assert count_changes(run, merged) == ((3, 1) if graded else (2, 1))
    assert count_changes(run, replace(merged, pairs=len(run.pairs))) == (7, 8)


@pytest.mark.parametrize("policy", [GOLDENS, INPUTS])
def test_missing_results_are_named_where_they_alone_keep_a_drop_from_being_excluded(policy: GatePolicy) -> None:
    lost = "\n".join(f"lost{i} 1 !" for i in range(15))
    assert facts_of(comparison(f"{quality_rows(right=385)}\n{lost}"), policy).missing_decides == 15
    assert facts_of(comparison(f"{quality_rows(right=20)}\na 1 !"), policy).missing_decides == 0
    assert facts_of(comparison(quality_rows(right=20)), policy).missing_decides == 0


def test_missing_results_decide_by_what_the_verdict_is_about() -> None:
    """Sixty answers exclude the margin on their 30 cases, and 30 cases do not for inputs like them."""
    rows = "\n".join([f"c{i} 1,1 1,1" for i in range(30)] + [f"lost{i} 1,1 !,!" for i in range(3)])
    assert facts_of(comparison(rows), replace(GOLDENS, max_error_rate=0.5)).missing_decides == 3
    assert facts_of(comparison(rows), replace(INPUTS, max_error_rate=0.5)).missing_decides == 0


@pytest.mark.parametrize(("lowest", "counted"), [(-0.05, 0), (-0.0499, 1)])
def test_missing_results_decide_nothing_where_the_interval_ends_at_the_margin(lowest: float, counted: int) -> None:
    run = comparison(f"{quality_rows(right=20)}\na 1 !")
    assert run.effect is not None
    measured = replace(run.effect, interval=Interval(lo=lowest, hi=0.05))
    facts = quality_rule.quality(replace(run, effect=measured), INPUTS, PromptEvidence()).facts
    assert isinstance(facts, QualityFacts)
    assert facts.missing_decides == counted


def test_the_bound_of_the_drop_is_that_of_the_goldens() -> None:
    run = comparison(quality_rows(right=40))
    assert run.effect is not None
    assert run.effect.on_these_cases is not None
    assert facts_of(run).max_drop == run.effect.on_these_cases.max_drop
    assert facts_of(run, INPUTS).max_drop is None
    assert facts_of(comparison("a 1 0")).max_drop is None  # it excludes nothing


def test_passes_are_counted_where_each_case_passes_or_fails_and_counts_alike() -> None:
    assert facts_of(comparison("a 1 0\nb 1 1\nc 0 0")).passed == (2, 1)
    assert facts_of(comparison("a 1,1 0,0\nb 1,1 1,1")).passed == (2, 1)
    assert facts_of(comparison("a 1,0 0,0\nb 1,1 1,1")).passed is None
    assert facts_of(comparison("a 1 0\nb 1 1", graded=True)).passed is None


def test_cases_that_were_compared_and_not_answered_by_both() -> None:
    finding = quality_rule.quality(comparison("a ! 1\nb 1 !"), GOLDENS, PromptEvidence())
    assert (finding.rule, finding.verdict) == ("no-answered-pairs", Verdict.INCONCLUSIVE)
    assert finding.facts == ComparedCases(compared=2)


@pytest.mark.parametrize(
    ("rows", "needed"),
    [
        # Where nothing differs half a pair does: (1.645 + 0.842)^2 * 0.025 / 0.05^2 = 61.8, by 20 cases asked 4 times.
        (quality_rows(right=20), Needed(cases=62, more=42, repeats=4)),
        ("\n".join(f"c{i} 1,1 1,1" for i in range(20)), Needed(cases=62, more=42, repeats=None)),
        ("\n".join(f"c{i}@k{i // 2} 1 1" for i in range(20)), Needed(cases=62, more=42, repeats=None)),
        (quality_rows(right=16), Needed(cases=78, more=62, repeats=5)),
        (quality_rows(right=12), Needed(cases=104, more=92, repeats=None)),
        (quality_rows(right=35), Needed(cases=36, more=1, repeats=2)),
        (quality_rows(right=36), None),
    ],
)
def test_what_would_settle_the_margin_for_inputs(rows: str, needed: Needed | None) -> None:
    assert estimate_needed(comparison(rows), INPUTS) == needed


@pytest.mark.parametrize(
    ("rows", "needed"),
    [
        # 1.645^2 * 0.0475 / 0.05^2 = 51.4 answers of each version, however they are spread over cases.
        (quality_rows(right=20), Needed(cases=52, more=32, repeats=3)),
        ("\n".join(f"c{i} 1,1 1,1" for i in range(11)), Needed(cases=26, more=15, repeats=5)),
        (quality_rows(right=10), Needed(cases=52, more=42, repeats=None)),
        (quality_rows(right=51), Needed(cases=52, more=1, repeats=2)),
        (quality_rows(right=52), None),
    ],
)
def test_what_would_settle_the_margin_for_goldens(rows: str, needed: Needed | None) -> None:
    assert estimate_needed(comparison(rows), GOLDENS) == needed


def test_in_rounds_the_calls_of_the_last_round_are_what_can_be_asked() -> None:
    rows = "\n".join(f"c{i} 1 1" for i in range(10))
    for max_calls, expected in ((None, 80), (500, 500)):
        run = comparison(rows, plan={"first_repeats": 1, "rounds": (1, 2, 4), "max_calls": max_calls})
        assert run.effect is not None
        assert find_asking(run, run.effect) == Asking(max_calls=expected)
    once = comparison("a 1,1,1 1,1,1")
    assert once.effect is not None
    assert find_asking(once, once.effect) == Asking(repeats=3)
