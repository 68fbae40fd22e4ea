"""Nothing right, nothing required and nothing to lose are never green."""

from dataclasses import replace
from typing import Any

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import GateMode, GatePolicy
from promptci.gates.baseline_facts import NewPromptFacts, NothingToLose, SharedCause
from promptci.gates.baseline_rule import find_shared_cause, without_baseline
from promptci.gates.decide import decide
from promptci.present.finding_text.describe import describe
from promptci.providers.base import Completion
from promptci.report.text.headline import lead
from promptci.runs.prompt_plan import Status
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict


def first(result: PromptRun, policy: GatePolicy | None = None) -> tuple[str, Verdict]:
    finding = decide([result], policy or GatePolicy()).prompts[0].findings[0]
    return finding.rule, finding.verdict


@pytest.mark.parametrize("right", [0, 2])
def test_a_base_at_or_near_zero_has_nothing_to_lose(right: int) -> None:
    run = comparison(quality_rows(right=right, wrong=60 - right))
    (decision,) = decide([run], GatePolicy()).prompts
    assert (decision.findings[0].rule, decision.verdict) == ("nothing-to-lose", Verdict.INCONCLUSIVE)
    assert isinstance(decision.findings[0].facts, NothingToLose)
    assert (decision.findings[0].facts.passed, decision.findings[0].facts.cases) == (right, 60)


def test_a_base_that_can_lose_the_margin_is_compared() -> None:
    assert first(comparison(quality_rows(right=3, wrong=57)))[0] != "nothing-to-lose"


def test_a_prompt_that_is_repaired_passes() -> None:
    assert first(comparison(quality_rows(fixed=60))) == ("not-worse", Verdict.PASS)


def test_run_without_any_limit_decides_nothing_unless_every_case_passes() -> None:
    run = comparison("a - 1\nb - 0", status=Status.UNCHANGED, plan={"base": None})
    assert first(run) == ("nothing-required", Verdict.INCONCLUSIVE)


def test_run_tells_of_a_test_without_a_comparison_and_not_of_a_new_prompt() -> None:
    run = comparison("a - 1\nb - 1", status=Status.UNCHANGED, plan={"base": None})
    assert first(run) == ("new-prompt", Verdict.PASS)
    finding_text = describe(decide([run], GatePolicy()).prompts[0].findings[0])
    assert finding_text.summary == "was tested without a comparison: 2 of 2 cases passed"


def test_a_run_with_a_limit_is_decided_by_it() -> None:
    run = comparison("a - 1\nb - 1", status=Status.UNCHANGED, plan={"base": None})
    assert first(run, GatePolicy(min_quality=0.5)) == ("new-prompt", Verdict.PASS)
    critical = comparison("a* - 1\nb - 1", status=Status.UNCHANGED, plan={"base": None})
    assert first(critical) == ("new-prompt", Verdict.PASS)


@pytest.mark.parametrize("rows", ["a - 0\nb - 0", "a - 0\nb - 1", "a - 1\nb - !", "a* - 1\nb - 0"])
def test_a_new_prompt_without_a_limit_is_not_green_unless_every_case_passes(rows: str) -> None:
    run = comparison(rows, status=Status.ADDED)
    assert first(run, GatePolicy(max_error_rate=0.5)) == ("nothing-required", Verdict.INCONCLUSIVE)


def test_a_critical_case_decides_about_itself_and_not_about_the_others() -> None:
    rows = "a* - 1\n" + "\n".join(f"b{i} - 0" for i in range(11))
    run = comparison(rows, status=Status.UNCHANGED, plan={"base": None})
    decided = decide([run], GatePolicy()).prompts[0]
    assert decided.verdict is Verdict.INCONCLUSIVE
    finding_text = describe(decided.findings[0])
    assert finding_text.summary == "was not judged: 1 of 12 cases passed, and only 1 critical case is a limit"
    assert first(run, GatePolicy(min_quality=0.05)) == ("new-prompt", Verdict.PASS)


@pytest.mark.parametrize(("rows", "min_quality"), [("a* - 0\nb - 0\nc - 0", None), ("a - 0\nb - 0\nc - 0", 0.9)])
def test_a_prompt_that_crosses_a_limit_is_not_said_to_keep_it(rows: str, min_quality: float | None) -> None:
    run = comparison(rows, status=Status.UNCHANGED, plan={"base": None})
    decided = decide([run], GatePolicy(min_quality=min_quality)).prompts[0]
    assert decided.verdict is Verdict.FAIL
    finding_text = describe(decided.findings[0])
    assert finding_text.summary == "was tested without a comparison: 0 of 3 cases passed"
    assert "no limit" not in finding_text.detail


def test_a_new_prompt_of_which_every_case_passes_is_green_and_claims_no_limit() -> None:
    run = comparison("a - 1\nb - 1", status=Status.ADDED)
    assert first(run) == ("new-prompt", Verdict.PASS)
    finding_text = describe(decide([run], GatePolicy()).prompts[0].findings[0])
    assert finding_text.summary == "is new: 2 of 2 cases passed"
    assert finding_text.detail.startswith("There is no earlier version to compare with and no limit is set.")


def test_a_new_prompt_below_a_limit_by_chance_does_not_claim_to_keep_it() -> None:
    run = comparison("a - 1\nb - 0", status=Status.ADDED)
    finding_text = describe(decide([run], GatePolicy(min_quality=0.6)).prompts[0].findings[0])
    assert finding_text.summary == "is new and is not shown to cross the absolute limits: 1 of 2 cases passed"
    assert "a quality of 60% (`gate.min_quality`)" in finding_text.detail


@pytest.mark.parametrize(("limit", "below"), [(0.5, False), (0.51, True), (None, False)])
def test_a_new_prompt_at_its_limit_is_not_below_it(limit: float | None, below: bool) -> None:
    run = comparison("a - 1\nb - 0", status=Status.ADDED)
    facts = without_baseline(run, GatePolicy(min_quality=limit), crosses_limit=False).facts
    assert isinstance(facts, NewPromptFacts)
    assert facts.is_below is below


def test_a_deleted_prompt_is_inconclusive() -> None:
    assert first(comparison("", status=Status.DELETED, removed_cases=("a", "b"))) == ("deleted", Verdict.INCONCLUSIVE)


def cause(rows: str) -> SharedCause | None:
    (decision,) = decide([comparison(rows)], GatePolicy(max_drop=0.9)).prompts
    facts = decision.findings[0].facts
    assert isinstance(facts, NothingToLose)
    return facts.shared_cause


def test_answers_that_are_all_wrong_and_equal_share_a_cause() -> None:
    shared = cause("a 0 0\nb 0 0")
    assert shared is not None
    assert (shared.kind, bool(shared.text)) == ("equal-answers", True)


def answers_with(rows: str, **changes: Any) -> list[ScoredCase]:
    answers = [answer for case in comparison(rows).cases for answer in (*case.base, *case.head)]
    return [replace(answer, answer=replace(answer.answer, **changes)) for answer in answers]


def test_requests_that_are_all_identical_share_a_cause() -> None:
    same = answers_with("a 0 0\nb 0 1", request_key="k")
    assert find_shared_cause(same) == SharedCause("identical-requests")


@pytest.mark.parametrize(("texts", "shared"), [("<think>{}", "<think>"), ("{} <think>", None), ("<b>{}", "<b>")])
def test_answers_that_begin_with_the_same_tag_share_a_cause(texts: str, shared: str | None) -> None:
    answers = [
        replace(answer, answer=replace(answer.answer, completion=Completion(text=texts.format(index))))
        for index, answer in enumerate(answers_with("a 0 0\nb 0 0"))
    ]
    assert find_shared_cause(answers) == (shared and SharedCause("same-tag", shared))


def test_of_equal_answers_forty_characters_are_quoted() -> None:
    text = "ab" * 40
    answers = answers_with("a 0 0\nb 0 0", completion=Completion(text=text))
    assert find_shared_cause(answers) == SharedCause("equal-answers", text[:40])


def test_where_an_answer_is_right_equal_answers_are_no_cause() -> None:
    assert cause("a 0 1\nb 0 0") is None


def test_a_single_case_shares_no_cause_with_itself() -> None:
    (case,) = comparison("a 0 0").cases
    assert find_shared_cause([*case.base, *case.head]) is None


def test_a_failed_run_that_blocks_nothing_says_so() -> None:
    run = comparison("a* - 0\nb - 0", status=Status.UNCHANGED, plan={"base": None})
    report = decide([run], GatePolicy(mode=GateMode.ADVISE))
    assert report.exit_code == 0
    assert lead(report, "run") == "Failed (advise mode, which blocks nothing)"
    assert lead(decide([run], GatePolicy()), "run") == "Failed"
