"""The findings about quality, fact by fact."""

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import GatePolicy, OnMissingGoldens
from promptci.findings import Finding
from promptci.gates.baseline_facts import MismatchFacts, MissingGoldens, NewPromptFacts, NoCommonCases
from promptci.gates.decide import decide
from promptci.gates.facts import EmptyGoldens, PooledFacts, QualityFacts
from promptci.gates.model import GateReport
from promptci.runs.prompt_plan import Status
from promptci.verdict import Verdict


def only(report: GateReport) -> Finding:
    (decision,) = report.prompts
    (finding,) = decision.findings
    assert finding.subject == "greeter"
    return finding


def first(rows: str, **policy: float) -> tuple[str, Verdict, QualityFacts]:
    finding = decide([comparison(rows)], GatePolicy(**policy)).prompts[0].findings[0]  # type: ignore[arg-type]
    assert isinstance(finding.facts, QualityFacts)
    return finding.rule, finding.verdict, finding.facts


def test_a_prompt_without_goldens() -> None:
    finding = only(decide([comparison("", missing_goldens=True)], GatePolicy(on_missing_goldens=OnMissingGoldens.WARN)))
    assert (finding.rule, finding.verdict, finding.facts) == ("missing-goldens", Verdict.INCONCLUSIVE, MissingGoldens())


def test_an_empty_golden_set() -> None:
    assert only(decide([comparison("")], GatePolicy())).facts == EmptyGoldens(removed=0)
    finding = only(decide([comparison("", removed_cases=("a", "b"))], GatePolicy()))
    assert (finding.rule, finding.verdict, finding.facts) == ("no-cases", Verdict.ERROR, EmptyGoldens(removed=2))


def test_a_new_prompt() -> None:
    policy = GatePolicy(max_error_rate=0.5, min_quality=0.5)
    finding = only(decide([comparison("a - 1\nb* - 1\nc - !", status=Status.ADDED)], policy))
    assert (finding.rule, finding.verdict) == ("new-prompt", Verdict.PASS)
    assert finding.facts == NewPromptFacts(passed=2, cases=2, added=True, min_quality=0.5, critical=1)


def test_versions_that_are_not_comparable() -> None:
    (decision,) = decide([comparison(quality_rows(right=100), models=("m-1", "m-2"))], GatePolicy()).prompts
    finding = decision.findings[0]
    assert (finding.rule, finding.verdict) == ("not-comparable", Verdict.INCONCLUSIVE)
    assert finding.facts == MismatchFacts(mismatches=decision.mismatches)
    assert decision.mismatches


@pytest.mark.parametrize(("broken", "verdict"), [(3, Verdict.FAIL), (2, Verdict.NO_CHANGE), (1, Verdict.NO_CHANGE)])
def test_a_drop_of_all_prompts_together_needs_the_margin_and_the_test(broken: int, verdict: Verdict) -> None:
    pooled = decide([comparison(quality_rows(right=50 - broken, broken=broken)) for _ in range(4)], GatePolicy()).pooled
    assert pooled is not None
    assert isinstance(pooled.facts, PooledFacts)
    assert (pooled.verdict, pooled.facts.dropped) == (verdict, verdict is Verdict.FAIL)
    assert (pooled.facts.worse, pooled.facts.pairs) == (4 * broken, 200)


def test_a_regression_fact_by_fact() -> None:
    rule, verdict, facts = first(quality_rows(right=40, broken=10))
    assert (rule, verdict) == ("regression", Verdict.FAIL)
    assert (facts.measure, facts.base, facts.head, facts.passed) == ("pass rate", 1.0, 0.8, (50, 40))
    assert (facts.pairs, facts.worse, facts.better, facts.margin, facts.alpha) == (50, 10, 0, 0.05, 0.05)
    assert facts.p is not None
    assert facts.p < 0.001
    assert facts.interval is not None
    assert facts.interval[0] < facts.delta < facts.interval[1] < 0
    assert not facts.same_requests


def test_no_regression_fact_by_fact() -> None:
    rule, verdict, facts = first(quality_rows(right=100))
    assert (rule, verdict) == ("not-worse", Verdict.PASS)
    assert (facts.worse, facts.better, facts.delta, facts.cases_needed) == (0, 0, 0.0, None)
    assert (facts.missing_decides, facts.assumed_answers, facts.assumed_for) == (0, 0, "")


def test_what_would_settle_an_open_question() -> None:
    rule, verdict, facts = first(quality_rows(right=90, broken=5, fixed=5))
    assert (rule, verdict) == ("cannot-tell", Verdict.INCONCLUSIVE)
    assert (facts.cases_needed, facts.repeats_needed, facts.passed) == (323, 4, (95, 95))


def test_counts_are_left_out_where_they_would_not_be_the_measured_quality() -> None:
    assert first("a 1,0,1 1,1,1\nb 1,1,1 1,1,1")[2].passed is None


def test_no_case_in_common() -> None:
    finding = decide([comparison("a~ 1 1")], GatePolicy()).prompts[0].findings[0]
    assert (finding.rule, finding.verdict, finding.facts) == ("no-pairs", Verdict.INCONCLUSIVE, NoCommonCases())
