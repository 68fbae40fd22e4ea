"""Early stop: on every prefix of a run, a verdict that is called settled is the verdict of the whole run."""

import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.comparison_notation import prompt
from support.plans import prompt_plan

from promptci.config.policy import GatePolicy
from promptci.config.run_limits import RunLimits
from promptci.gates import early_stopping
from promptci.gates.decide import decide
from promptci.gates.facts import EarlyStopFacts, QualityFacts
from promptci.gates.model import GateReport
from promptci.goldens.model import Assertion, Case
from promptci.pipeline.plan.planning import PlannedRun
from promptci.providers.base import Completion, Request
from promptci.runs import adaptive_repeats
from promptci.runs.model import AnswerError, Question
from promptci.runs.prompt_plan import Arm, PlannedCase, Status
from promptci.scoring.comparison import compare_versions
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import intervals
from promptci.stats.significance import within_case
from promptci.stats.significance.within_case import CaseAnswers
from promptci.verdict import Verdict

FREE = GatePolicy(max_cost_increase=None, max_p95_increase=None, max_drop=0.1)
Results = list[tuple[bool, bool]]


def make_runs(
    results: dict[str, Results],
    *,
    limits: RunLimits | None = None,
    critical: int = 0,
    weights: float = 1.0,
    kind: str = "equals",
) -> tuple[PlannedRun, list[ScoredCase]]:
    """A plan, and what its answers will be: (base right, head right) for each case, the same at each repeat."""
    limits = limits or RunLimits()
    prompts = [
        prompt_plan(
            name=name,
            path=f"prompts/{name}.prompt.yml",
            status=Status.CHANGED,
            base=prompt("old"),
            head=prompt("new"),
            cases=tuple(
                PlannedCase(
                    case=Case(
                        id=f"c{i}",
                        path="g.jsonl",
                        assertions=(Assertion(type=kind, value="x"),),
                        critical=i < critical,
                        weight=weights if i == 0 else 1.0,
                    )
                )
                for i in range(len(rows))
            ),
        )
        for name, rows in results.items()
    ]
    runs, scored = [], []
    for plan in (adaptive_repeats.prepare(made_plan, limits) for made_plan in prompts):
        questions = []
        for planned, row in zip(plan.task.cases, results[plan.name], strict=True):
            for replicate in range(adaptive_repeats.max_repeats(plan, planned, limits)):
                for arm, right in zip(Arm, row, strict=True):
                    request = Request(model="m", messages=({"role": "user", "content": f"{arm}: {planned.case.id}"},))
                    q = Question(
                        prompt=plan.name, arm=arm, case_id=planned.case.id, replicate=replicate, request=request
                    )
                    questions.append(q)
                    scored.append(answered(q, planned.case, right))
        runs.append(
            PromptRun(
                plan=plan,
                questions=tuple(q for q in questions if q.replicate < limits.repeats),
                follow_ups=tuple(q for q in questions if q.replicate >= limits.repeats),
            )
        )
    return PlannedRun(prompts=tuple(runs)), scored


def answered_so_far(plan: PlannedRun, scored: list[ScoredCase]) -> list[PromptRun]:
    """The runs of a plan with these answers."""
    return [
        replace(run, scored=[scored_case for scored_case in scored if scored_case.answer.prompt == run.name])
        for run in plan.prompts
    ]


def answered(question: Question, case: Case, right: bool | None) -> ScoredCase:
    failed = right is None
    answer = question.answer(
        completion=None if failed else Completion(text=""),
        error=AnswerError(kind="server", message="HTTP 500") if failed else None,
    )
    marks = (
        ()
        if failed
        else (AssertionResult(type="equals", name="equals", passed=right, score=float(bool(right)), reason=""),)
    )
    return ScoredCase(case=case, arm=question.arm, replicate=question.replicate, answer=answer, results=marks)


def whole(plan: PlannedRun, answers: list[ScoredCase]) -> list[ScoredCase]:
    """Every answer that a run without early stop gets."""
    known = {answer.answer.key: answer for answer in answers}
    first = [known[q.key] for q in plan.questions]
    follow_ups = [
        q
        for run in answered_so_far(plan, first)
        for q in adaptive_repeats.find_follow_ups(
            run.plan, run.follow_ups, {s.answer.key: s.passed for s in run.scored}
        )
    ]
    return first + [known[q.key] for q in follow_ups]


def gate(plan: PlannedRun, scored: list[ScoredCase], policy: GatePolicy) -> GateReport:
    runs = answered_so_far(plan, scored)
    return decide([compare_versions(run, alpha=policy.alpha, margin=policy.max_drop) for run in runs], policy)


def verdicts(report: GateReport) -> dict[str, Verdict]:
    return {d.name: d.verdict for d in report.prompts}


def decided(runs: list[PromptRun], policy: GatePolicy) -> list[PromptRun]:
    """The prompts whose verdict no answer can change."""
    results = [of_prompt.decided(policy) for of_prompt in early_stopping.bounds(runs, policy).prompts]
    return [run for run in results if run is not None]


def holds_on_every_prefix(plan: PlannedRun, answers: list[ScoredCase], policy: GatePolicy, step: int = 1) -> int:
    """Check every prefix, or every `step`-th; return how many answers of the first round the earliest stop saves."""
    full = verdicts(gate(plan, whole(plan, answers), policy))
    first = [answer for answer in answers if answer.answer.key in {q.key for q in plan.questions}]
    saved = 0
    for length in range(0, len(first) + 1, step):
        settled = decided(answered_so_far(plan, first[:length]), policy)
        for run in settled:
            assert run.verdict is full[run.name], (length, run.name)
        if len(settled) == len(plan.prompts) and not saved:
            saved = len(first) - length
            report = early_stopping.report(gate(plan, first[:length], policy))
            assert verdicts(report) == full
    return saved


pairs = st.lists(
    st.sampled_from([(True, True)] * 3 + [(True, False), (False, True), (False, False)]), min_size=1, max_size=22
)


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(pairs, st.integers(0, 2), st.sampled_from([0.1, 0.3]))
def test_a_settled_verdict_is_the_verdict_of_the_whole_run(rows: Results, critical: int, margin: float) -> None:
    holds_on_every_prefix(*make_runs({"p": rows}, critical=critical), replace(FREE, max_drop=margin))


@settings(max_examples=10, deadline=None)
@given(pairs, pairs)
def test_so_it_is_of_several_prompts_corrected_together(first: Results, other: Results) -> None:
    holds_on_every_prefix(*make_runs({"p": first[:9], "q": other[:9]}), replace(FREE, max_drop=0.3))


@settings(max_examples=10, deadline=None)
@given(pairs)
def test_so_it_is_where_cases_that_disagree_are_asked_on(rows: Results) -> None:
    holds_on_every_prefix(*make_runs({"p": rows}, limits=RunLimits(repeats_on_disagreement=3)), FREE)


@settings(max_examples=10, deadline=None)
@given(pairs)
def test_so_it_is_of_repeats_and_with_limits_on_cost(rows: Results) -> None:
    holds_on_every_prefix(*make_runs({"p": rows[:8]}, limits=RunLimits(repeats=2)), FREE)
    holds_on_every_prefix(*make_runs({"p": rows}), GatePolicy(max_drop=0.1))


@pytest.mark.long
@settings(max_examples=10, deadline=None)
@given(pairs)
def test_so_it_is_of_weights_and_of_a_floor_under_quality(rows: Results) -> None:
    holds_on_every_prefix(*make_runs({"p": rows}, weights=3.0), replace(FREE, min_quality=0.8))


def test_a_clear_regression_saves_most_of_the_calls() -> None:
    plan, answers = make_runs({"p": [(True, False)] * 30 + [(True, True)] * 20})
    assert holds_on_every_prefix(plan, answers, GatePolicy()) > 30


@pytest.mark.long
def test_a_clear_pass_saves_some_where_no_limit_is_open() -> None:
    plan, answers = make_runs({"p": [(True, True)] * 100})
    assert holds_on_every_prefix(plan, answers, FREE, step=2) > 0
    assert holds_on_every_prefix(plan, answers, GatePolicy(max_drop=0.1), step=10) == 0


def test_what_is_reported_names_what_was_assumed() -> None:
    plan, answers = make_runs({"p": [(True, False)] * 30 + [(True, True)] * 20})
    asked = answers[:70]
    (decision,) = early_stopping.report(gate(plan, asked, GatePolicy())).prompts
    facts = {finding.rule: finding.facts for finding in decision.findings}
    regression = facts["regression"]
    assert isinstance(regression, QualityFacts)
    assert (regression.assumed_answers, regression.assumed_for) == (30, "head")
    assert (regression.pairs, regression.passed) == (35, (35, 5))
    assert regression.delta == pytest.approx(-30 / 35)
    assert facts["early-stop"] == EarlyStopFacts(skipped=30)
    assert decision.answers_requested == 70


def test_a_pass_names_it_too() -> None:
    plan, answers = make_runs({"p": [(True, True)] * 100})
    asked = answers[:198]
    (decision,) = early_stopping.report(gate(plan, asked, FREE)).prompts
    facts = decision.findings[0].facts
    assert isinstance(facts, QualityFacts)
    assert (facts.assumed_answers, facts.assumed_for) == (2, "base")


def test_costs_that_were_measured_stay_in_the_report_of_a_failure() -> None:
    plan, answers = make_runs({"p": [(True, False)] * 30 + [(True, True)] * 20})
    (decision,) = early_stopping.report(gate(plan, answers[:70], GatePolicy())).prompts
    assert "cost" in {finding.rule for finding in decision.findings}


def test_a_run_that_is_not_settled_must_go_on() -> None:
    plan, answers = make_runs({"p": [(True, True)] * 20})
    with pytest.raises(ValueError, match="the verdict of p is not settled"):
        early_stopping.report(gate(plan, answers[:4], FREE))


def test_too_many_errors_are_settled_as_an_error() -> None:
    plan, answers = make_runs({"p": [(True, True)] * 20})
    failed = [answered(q, scored_case.case, None) for q, scored_case in zip(plan.questions[:10], answers, strict=False)]
    assert [run.verdict for run in decided(answered_so_far(plan, failed), FREE)] == [Verdict.ERROR]


def test_marks_settle_by_critical_cases_only() -> None:
    plan, answers = make_runs({"p": [(True, False)] * 24}, kind="judge", critical=1)
    first = [answer for answer in answers if answer.answer.key in {q.key for q in plan.questions}]
    assert decided(answered_so_far(plan, first), FREE)  # nothing is missing but confirmations
    assert not decided(answered_so_far(plan, first[:40]), FREE)
    confirmed = first[:40] + [answer for answer in answers if answer.case.critical and answer.replicate > 0]
    (run,) = decided(answered_so_far(plan, confirmed), FREE)
    assert {finding.rule for finding in run.findings} == {"critical"}


def test_the_bound_of_the_drop_rises_with_each_broken_pair_and_falls_with_each_fixed_one() -> None:
    """What settles a pass on these goldens: exhaustively for these sizes, wherever a pass is possible."""
    z = statistics.NormalDist().inv_cdf(0.95)
    for n, margin in ((20, 0.3), (60, 0.1), (60, 0.05)):
        bounds = {
            (b, f): within_case.drop_bound(single_answers(b, f, n), margin, z)
            for b in range(0, n + 1, 2)
            for f in range(0, n + 1 - b, 2)
        }
        for (b, f), value in bounds.items():
            assert bounds.get((b + 2, f), 1.0) >= value - 1e-12
            if z * math.sqrt(margin * (1 - margin) / n) < margin:
                assert bounds.get((b, f + 2), -1.0) <= value + 1e-12
            assert bounds.get((b + 2, f - 2), 1.0) >= value - 1e-12


def single_answers(broken: int, fixed: int, n: int) -> list[CaseAnswers]:
    outcomes = [(1.0, 0.0)] * broken + [(0.0, 1.0)] * fixed + [(1.0, 1.0)] * (n - broken - fixed)
    return [CaseAnswers(reference=(base,), candidate=(head,)) for base, head in outcomes]


def test_tango_s_interval_falls_with_each_broken_pair_and_rises_with_each_fixed_one() -> None:
    """What settles a pass of inputs like these: exhaustively for these sizes."""
    for n in (5, 20, 40):
        lo = {(b, f): intervals.paired_difference(b, f, n, 0.9).lo for b in range(n + 1) for f in range(n + 1 - b)}
        for (b, f), value in lo.items():
            assert lo.get((b + 1, f), -1.0) <= value + 1e-12
            assert lo.get((b, f + 1), 1.0) >= value - 1e-12
            assert lo.get((b + 1, f - 1), -1.0) <= value + 1e-12


def test_a_run_is_complete_when_every_verdict_stands_and_that_of_all_together_too() -> None:
    plan, answers = make_runs({"p": [(True, True)] * 100, "q": [(True, True)] * 100})
    start, end = (early_stopping.bounds(answered_so_far(plan, answers[:length]), FREE) for length in (120, 400))
    assert (start.all_decided(FREE), end.all_decided(FREE)) == (False, True)
    assert [of_prompt.decided(FREE) for of_prompt in start.prompts] == [None, None]
    failing, broken = make_runs({"p": [(True, False)] * 40, "q": [(True, True)] * 40})
    assert early_stopping.bounds(answered_so_far(failing, broken), FREE).all_decided(FREE)


def test_prompts_that_stand_are_not_enough_where_all_together_may_still_be_worse() -> None:
    """Each alone is undecided whatever comes; together they may or may not have got worse."""
    policy = replace(FREE, max_drop=0.05, alpha=0.05)
    rows = [(True, False)] * 3 + [(True, True)] * 17
    plan, answers = make_runs({"p": rows, "q": rows})
    last = {answers[-1].answer.key, answers[-2].answer.key}
    runs = answered_so_far(plan, [answer for answer in answers if answer.answer.key not in last])
    bounds = early_stopping.bounds(runs, policy)
    together = [pooled.verdict if pooled else None for pooled in (bounds.best_pooled, bounds.worst_pooled)]
    assert bounds.all_decided(policy) is (len(decided(runs, policy)) == 2 and together[0] is together[1])


def test_one_prompt_has_nothing_together() -> None:
    plan, answers = make_runs({"p": [(True, True)] * 100})
    assert early_stopping.bounds(answered_so_far(plan, answers), FREE).all_decided(FREE)
    assert early_stopping.bounds(answered_so_far(plan, answers), FREE).best_pooled is None
