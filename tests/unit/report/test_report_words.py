"""The words of every situation: what is said, and above all what is not said."""

import pytest
from notation import OLD, Numbers, comparison, many, prompt, report
from reports import SITUATIONS

from promptci.gates.decide import decide
from promptci.gates.model import Decision, GateReport, Reason
from promptci.gates.policy import Mode, Policy
from promptci.report import words
from promptci.report.model import ReportView
from promptci.runs.model import Status
from promptci.verdict import Verdict

HEADLINES = {
    "no_prompts_changed": "No change: nothing that can change an answer was touched.",
    "all_same": "Pass: no regression: order-extractor: 60 of 60 cases passed before, 60 of 60 now.",
    "improved": "Pass: no regression: order-extractor: 90 of 100 cases passed before, 99 of 100 now.",
    "regressed": "Blocked: order-extractor got worse: 58 of 60 cases passed before, 31 of 60 now.",
    "advise_mode": "Would be blocked (advise mode): order-extractor got worse:"
    " 58 of 60 cases passed before, 31 of 60 now.",
    "models_differ": "Undecided: order-extractor is not comparable: the endpoint answered base with"
    " gpt-4o-mini-2024-07-18 and head with gpt-4o-mini-2025-02-01, though both ask for gpt-4o-mini.",
    "inconclusive": "Undecided: order-extractor: 24 of 25 cases passed before, 23 of 25 now; no regression detected"
    " (these goldens could detect a drop of 21 points or more).",
    "new_prompt": "Pass: order-extractor is new and keeps the absolute limits: 25 of 30 cases pass.",
    "deleted": "No change: order-extractor was deleted, so there is nothing to test.",
    "goldens_missing": "Could not evaluate: order-extractor has no goldens, so nothing was tested.",
    "too_many_answers_failed": "Could not evaluate: order-extractor: too many answers are missing (9 of 98).",
    "all_answers_failed": "Could not evaluate: order-extractor: no answer could be evaluated (16 of 16 failed).",
    "budget_reached": "Could not evaluate: The budget of $0.05 (`run.budget_usd`) is spent after 30 of 120 answers,"
    " so nothing was concluded.",
    "critical_broken": "Blocked: order-extractor broke 1 critical case (refund-policy);"
    " 61 of 61 cases passed before, 60 of 61 now.",
    "cost_limit": "Blocked: order-extractor costs 55% more per request; 60 of 60 cases passed before, 60 of 60 now.",
    "several_prompts": "Blocked: 2 prompts got worse or crossed a limit: order-extractor and review-sentiment."
    " Other prompts: 1 undecided, 1 passed.",
    "graded_with_repeats": "Blocked: order-extractor got worse: mean score 80% before, 62.5% now, over 24 cases.",
    "one_revision": "Pass: order-extractor keeps the absolute limits: 25 of 30 cases pass.",
}


@pytest.mark.parametrize("situation", HEADLINES)
def test_the_headline_says_it_in_one_sentence(situation: str) -> None:
    assert SITUATIONS[situation]().headline == HEADLINES[situation]


def shown_not_worse(view: ReportView) -> bool:
    passed = [p for p in view.prompts if p.verdict == "pass"]
    return bool(passed) and any(r.rule == "not-worse" for p in passed for r in p.reasons)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_regression_is_claimed_only_where_it_was_shown(situation: str) -> None:
    view = SITUATIONS[situation]()
    claims = [view.headline, *(p.sentence for p in view.prompts)]
    if any("no regression" in text.replace("no regression detected", "") for text in claims):
        assert shown_not_worse(view)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_where_nothing_was_decided_the_detectable_drop_is_said(situation: str) -> None:
    for prompt_view in SITUATIONS[situation]().prompts:
        if any(r.rule == "cannot-tell" and r.verdict == prompt_view.verdict for r in prompt_view.reasons):
            assert "no regression detected (these goldens" in prompt_view.sentence


def test_too_few_cases_to_detect_anything_is_said() -> None:
    view = report(comparison("one | Hi | hi | hi | hi"))
    assert "no regression detected (these goldens are too few to detect any drop)" in view.headline


def sentence(*args: str, policy: Policy | None = None, **facts: object) -> str:
    (found,) = decide([comparison(*args, **facts)], policy or Policy()).decisions  # type: ignore[arg-type]  # any field
    return words.sentence(found)


def test_several_findings_of_one_prompt_are_joined_the_weightiest_first() -> None:
    said = sentence(many(right=40, broken=20), numbers=Numbers(usd=(0.0001, 0.0002), ms=(100.0, 200.0)))
    assert said == (
        "Got worse: 60 of 60 cases passed before, 40 of 60 now; it also costs 100% more per request;"
        " it also is slower (p95 200 ms before, 400 ms now)."
    )


def test_a_required_quality_that_is_not_reached_is_said() -> None:
    said = sentence(many(right=60, wrong=20), policy=Policy(min_quality=0.9))
    assert said == "Is below the quality that the gate asks for (75%)."


def test_a_new_prompt_that_fails_a_critical_case_names_it() -> None:
    rows = "a | Hi | hi | - | hi\nvip* | Ho | ho | - | no"
    assert sentence(rows, status=Status.ADDED) == "Fails 1 critical case (vip); 1 of 2 cases pass."


def test_no_comparable_case_is_said() -> None:
    rows = "a~ | Hi | hi | hi | hi"
    assert sentence(rows) == "Cannot be compared, because no case has the same text at both revisions."


def test_an_empty_golden_set_is_said() -> None:
    assert sentence("") == "Has an empty golden set, so nothing was tested."


def test_the_same_question_in_both_versions_is_said() -> None:
    same = prompt("order-extractor", OLD)
    said = sentence(many(right=10), base=same, head=same)
    assert said == "Asks the model the same as before: 10 of 10 cases passed before, 10 of 10 now."


def test_a_finding_that_these_words_do_not_know_speaks_for_itself() -> None:
    made = comparison(many(right=60))
    decision = Decision(
        comparison=made,
        verdict=Verdict.FAIL,
        reasons=(Reason(rule="new", verdict=Verdict.FAIL, text="leaks a secret."),),
    )
    assert words.sentence(decision) == "Leaks a secret."


def test_a_decision_without_findings_says_that_nothing_was_tested() -> None:
    decision = Decision(comparison=comparison(""), verdict=Verdict.NO_CHANGE, reasons=())
    assert words.sentence(decision) == "Was not tested."


def headline(*decided: Decision, problems: tuple[Reason, ...] = (), kind: str = "check") -> str:
    return words.headline(GateReport(decisions=decided, policy=Policy(), problems=problems), kind)


def test_several_passing_prompts_are_counted_and_the_new_ones_apart() -> None:
    made = [comparison(many(right=80), name=name) for name in ("a", "b")]
    new = comparison("x | Hi | hi | - | hi", name="c", status=Status.ADDED)
    said = words.headline(decide([*made, new], Policy()))
    assert said == "Pass: no regression in 2 prompts (a and b); 1 prompt (c) keeps the absolute limits."


def test_several_new_prompts_claim_nothing_about_regressions() -> None:
    made = [comparison("x | Hi | hi | - | hi", name=name, status=Status.ADDED) for name in "ab"]
    assert words.headline(decide(made, Policy())) == "Pass: 2 prompts (a and b) keep the absolute limits."


def test_a_prompt_that_was_not_tested_is_not_called_unchanged() -> None:
    decision = Decision(comparison=comparison(""), verdict=Verdict.NO_CHANGE, reasons=())
    assert headline(decision) == "No change: order-extractor was not tested."


def test_several_undecided_prompts_claim_nothing() -> None:
    made = [comparison(many(right=8), name=name) for name in "abcde"]
    assert words.headline(decide(made, Policy())) == (
        "Undecided: 5 prompts cannot be decided (no regression detected, but none ruled out): a, b, c and 2 more."
    )


def test_several_deleted_prompts_are_named() -> None:
    made = [comparison("", name=name, status=Status.DELETED) for name in "ab"]
    assert words.headline(decide(made, Policy())) == "No change: a and b were deleted, so there is nothing to test."


def test_several_problems_of_the_run_are_counted() -> None:
    problems = tuple(Reason(rule="file", verdict=Verdict.ERROR, text=f"file {n} is broken.") for n in "ab")
    assert headline(problems=problems) == "Could not evaluate: file a is broken (and 1 more)."


def test_a_remark_about_the_run_does_not_make_the_headline() -> None:
    remark = Reason(rule="note", verdict=Verdict.NO_CHANGE, text="a remark")
    assert headline(problems=(remark,)) == "No change: nothing that can change an answer was touched."


def test_a_run_without_prompts_says_so() -> None:
    assert headline(kind="run") == "Nothing run: there is no prompt."


def test_a_failing_run_of_one_revision_does_not_speak_of_blocking() -> None:
    now = comparison("a | Hi | hi | - | no", base=None, status=Status.UNCHANGED)
    found = decide([now], Policy(min_quality=0.9))
    assert words.headline(found, "run").startswith("Failed: order-extractor is below the quality")


def test_advise_never_says_blocked() -> None:
    found = decide([comparison(many(right=8))], Policy(mode=Mode.ADVISE))
    assert words.lead(found) == "Undecided"


def test_a_headline_has_an_end_however_long_the_names() -> None:
    found = decide([comparison(many(right=31, broken=27), name="n" * 100_000)], Policy())
    assert len(words.headline(found)) == words.LIMIT


def test_names_are_listed_as_people_do() -> None:
    said = [words.listed(list("abcde")[:n]) for n in range(6)]
    assert said == ["", "a", "a and b", "a, b and c", "a, b, c and 1 more", "a, b, c and 2 more"]
