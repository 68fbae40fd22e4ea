"""Every finding of the gate, word by word, and the numbers that foresight promises."""

import math

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.compare.stratified import StratifiedEffect
from promptci.config.policy import GatePolicy, OnMissingGoldens
from promptci.gates import limits, quality_rule
from promptci.gates.decide import decide
from promptci.gates.model import Reason
from promptci.gates.power_analysis import PowerAnalysis, analyze_power, smallest_drop
from promptci.goldens.model import Case
from promptci.runs.model import Status
from promptci.stats import power
from promptci.verdict import Verdict


def only(report: object) -> Reason:
    (decision,) = report.decisions  # type: ignore[attr-defined]
    (reason,) = decision.reasons
    assert isinstance(reason, Reason)
    return reason


def test_a_prompt_without_goldens() -> None:
    assert only(
        decide([comparison("", missing_goldens=True)], GatePolicy(on_missing_goldens=OnMissingGoldens.WARN))
    ) == Reason(
        rule="missing-goldens",
        verdict=Verdict.INCONCLUSIVE,
        text="No golden set matches this prompt, so nothing was tested. Add one under the name that"
        " `prompts.goldens` gives, or testData in the prompt file.",
    )


def test_an_empty_golden_set() -> None:
    said = "The golden set is empty, so nothing was tested.{} Add at least one case."
    assert only(decide([comparison("")], GatePolicy())).text == said.format("")
    gone = only(decide([comparison("", removed_cases=("a", "b"))], GatePolicy()))
    assert gone == Reason(
        rule="no-cases", verdict=Verdict.ERROR, text=said.format(" All 2 cases of the base revision were removed.")
    )


def test_a_new_prompt() -> None:
    assert only(decide([comparison("a - 1", status=Status.ADDED)], GatePolicy())) == Reason(
        rule="new-prompt",
        verdict=Verdict.PASS,
        text="There is no earlier version to compare with, so only the absolute limits decide.",
    )


def test_versions_that_are_not_comparable() -> None:
    found = comparison(quality_rows(right=100), models=("m-1", "m-2"))
    (decision,) = decide([found], GatePolicy()).decisions
    reason = decision.reasons[0]
    assert (reason.rule, reason.verdict) == ("not-comparable", Verdict.INCONCLUSIVE)
    assert reason.text.startswith("The versions are not comparable: ")
    assert reason.text.endswith(
        ". Whatever differs between them may come from that, so quality, cost and latency were not compared."
    )


def test_prompts_together_word_by_word() -> None:
    policy = GatePolicy(alpha=0.05, max_drop=0.05)
    worse = StratifiedEffect(strata=("p", "q"), pairs=100, worse=8, better=3, delta=-0.05, p=0.05)
    assert quality_rule.together(worse, policy) == Reason(
        rule="pooled",
        verdict=Verdict.INCONCLUSIVE,
        text="The 2 prompts together got worse: their pass rate fell by 5 points (8 broken, 3 fixed of 100 pairs;"
        " p = 0.050).",
    )
    less = StratifiedEffect(strata=("p", "q"), pairs=100, worse=8, better=4, delta=-0.04, p=0.05)
    assert quality_rule.together(less, policy) == Reason(
        rule="pooled",
        verdict=Verdict.NO_CHANGE,
        text="The 2 prompts together show no drop of the margin: −4.0 points (8 broken, 4 fixed of 100 pairs;"
        " p = 0.050).",
    )
    unsure = StratifiedEffect(strata=("p", "q"), pairs=100, worse=8, better=3, delta=-0.05, p=0.051)
    assert quality_rule.together(unsure, policy).verdict is Verdict.NO_CHANGE


def test_the_zones_word_by_word() -> None:
    def first(rows: str, **policy: float) -> Reason:
        return decide([comparison(rows)], GatePolicy(**policy)).decisions[0].reasons[0]  # type: ignore[arg-type]

    assert first(quality_rows(right=40, broken=10)) == Reason(
        rule="regression",
        verdict=Verdict.FAIL,
        text="Regression shown: pass rate fell by 20 points (10 broken, 0 fixed of 50 pairs; p < 0.001),"
        " and the margin is 5 points.",
    )
    assert first(quality_rows(right=100)) == Reason(
        rule="not-worse",
        verdict=Verdict.PASS,
        text="No regression: pass rate did not fall by the margin of 5 points (95% confidence; 0 broken, 0 fixed of"
        " 100 pairs).",
    )
    assert first(quality_rows(right=90, broken=5, fixed=5)) == Reason(
        rule="cannot-tell",
        verdict=Verdict.INCONCLUSIVE,
        text="These goldens cannot tell. The change in pass rate lies between −5.7 and +5.7 points (90% interval;"
        " 5 broken, 5 fixed of 100 pairs); the smallest drop they could show is 7.5 points. About 148 more cases"
        " (248 in all) would settle it, or asking each of these 3 times (`run.repeats`) as far as the differences are"
        " chance.",
    )
    assert first("a~ 1 1").text == (
        "No case has the same text at both revisions, so the versions cannot be compared."
        " Change goldens and prompt in separate pull requests to compare them."
    )


@pytest.mark.parametrize(("count", "said"), [(10, "c9"), (11, "c9 and 1 more")])
def test_a_list_is_cut_after_ten(count: int, said: str) -> None:
    (reason,) = limits.goldens_changed(comparison("", removed_cases=tuple(f"c{i}" for i in range(count))))
    assert reason.text.endswith(f"{said}.")


def cases(count: int, cluster: int = 0) -> list[Case]:
    return [Case(id=f"c{i}", path="g", cluster=f"k{i // cluster}" if cluster else None) for i in range(count)]


@pytest.mark.parametrize("graded", [False, True])
def test_every_number_of_a_foresight(graded: bool) -> None:
    found = analyze_power(cases(300, 5), 0.2, drop=0.06, repeats=2, graded=graded, alpha=0.1)
    wanted = power.cases_needed(0.06, 0.1, alpha=0.1) if graded else power.cases_to_show(0.06, 0.1, alpha=0.1)
    able = [k for k in (2, 3, 4, 5) if (smallest_drop(100, 0.2, repeats=k, graded=graded, alpha=0.1) or 1) <= 0.06]
    assert found == PowerAnalysis(
        cases=300,
        effective=100,
        variance=0.2,
        smallest_drop=smallest_drop(100, 0.2, repeats=2, graded=graded, alpha=0.1),
        cases_for_drop=3 * wanted,
        cases_for_pass=3 * power.cases_needed(0.06, 0.1, alpha=0.1),
        repeats_for_drop=able[0] if able else None,
    )


def test_a_foresight_of_a_set_without_noise_or_without_cases() -> None:
    quiet = analyze_power(cases(40), 0.0, drop=0.1, repeats=1, graded=False, alpha=0.05)
    assert quiet.cases_for_pass == power.cases_needed(0.1, 0.5 / 40)
    none = analyze_power([], 0.1, drop=0.1, repeats=1, graded=False, alpha=0.05)
    assert none.cases_for_drop == power.cases_to_show(0.1, 0.1)
    assert none.cases_for_pass == power.cases_needed(0.1, 0.5)
    assert smallest_drop(100, 0.2, repeats=5, graded=True, alpha=0.05) == pytest.approx(
        power.detectable_drop_scores(100, math.sqrt(0.04))
    )


def test_five_repeats_are_the_most_that_is_advised() -> None:
    at_five = smallest_drop(100, 0.2, repeats=5, graded=False, alpha=0.05)
    assert at_five is not None
    advised = analyze_power(cases(100), 0.2, drop=at_five, repeats=1, graded=False, alpha=0.05)
    assert advised.repeats_for_drop == 5
    at_six = smallest_drop(100, 0.2, repeats=6, graded=False, alpha=0.05)
    assert at_six is not None
    assert analyze_power(cases(100), 0.2, drop=at_six, repeats=1, graded=False, alpha=0.05).repeats_for_drop is None
