"""The words of every situation: what is said, and above all what is not said."""

import pytest
from support.gold_files import Gold
from support.report_situations import SITUATIONS
from support.run_notation import OLD, Numbers, comparison, many, problem, prompt, report

from promptci.config.policy import About, GateMode, GatePolicy, OnInconclusive
from promptci.findings import FilteredRun, Finding, MessageFacts, remark
from promptci.gates.decide import decide
from promptci.gates.model import GateReport
from promptci.report.markdown import markdown_renderer
from promptci.report.model.report import ReportView
from promptci.report.text import next_steps, number_text, provenance, verdict_text
from promptci.report.text.headline import MAX_CHARS, lead
from promptci.report.text.headline import headline as headline_of
from promptci.runs.prompt_plan import Status
from promptci.scoring.comparison import compare_versions
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict


def test_the_headline_of_every_situation_is_as_kept(gold: Gold) -> None:
    lines = (f"{name}: {situation().headline}\n" for name, situation in SITUATIONS.items() if "too_long" not in name)
    gold.check("headlines.txt", "".join(lines))


def shown_not_worse(view: ReportView) -> bool:
    return any(finding.rule == "not-worse" for prompt in view.prompts for finding in prompt.findings)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_regression_is_claimed_only_where_it_was_shown(situation: str) -> None:
    view = SITUATIONS[situation]()
    claims = [view.headline, *(p.sentence for p in view.prompts)]
    if any(
        "no regression" in text.replace("no regression was detected", "").replace("no regression detected", "")
        for text in claims
    ):
        assert shown_not_worse(view)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_where_nothing_was_decided_the_detectable_drop_is_said(situation: str) -> None:
    for prompt_view in SITUATIONS[situation]().prompts:
        if any(r.rule == "cannot-tell" and r.verdict == prompt_view.verdict for r in prompt_view.findings):
            quality = prompt_view.quality
            fell = quality is not None and quality.head < quality.base
            seen = "the drop may be chance" if fell else "no regression was detected"
            assert f"{seen}, and these goldens" in prompt_view.sentence


def test_too_few_cases_to_detect_anything_is_said() -> None:
    view = report(comparison("one | Hi | hi | hi | hi"))
    assert "no regression was detected, and these goldens are too few to detect any drop" in view.headline


def sentence(*args: str, policy: GatePolicy | None = None, **facts: object) -> str:
    (result,) = decide([comparison(*args, **facts)], policy or GatePolicy()).prompts  # type: ignore[arg-type]  # any field
    return verdict_text.sentence(result)


def test_several_findings_of_one_prompt_are_joined_the_weightiest_first() -> None:
    words = sentence(many(right=40, broken=20), numbers=Numbers(usd=(0.0001, 0.0002), ms=(100.0, 400.0)))
    assert words == (
        "Got worse on these goldens: 60 of 60 cases passed before, 40 of 60 after"
        " (−33.3 points);"
        " it also costs 100% more per request, $0.000200 instead of $0.000100;"
        " it also is slower: p95 latency 200 ms before, 800 ms after (+300%)."
    )


def test_a_required_quality_that_is_not_reached_is_named() -> None:
    words = sentence(many(right=60, wrong=20), policy=GatePolicy(min_quality=0.9))
    assert words == "Has a quality of 75% over all cases, and `gate.min_quality` requires 90%."


def test_a_new_prompt_that_fails_a_critical_case_names_it() -> None:
    rows = "a | Hi | hi | - | hi\nvip* | Ho | ho | - | no"
    assert sentence(rows, status=Status.ADDED) == "Fails 1 critical case (vip)."


def test_the_same_requests_in_both_versions_are_named() -> None:
    same = prompt("order-extractor", OLD)
    words = sentence(many(right=10), base=same, head=same)
    assert words == ("Sends the model the same requests as before: 10 of 10 cases passed before, 10 of 10 after.")


def test_a_decision_without_findings_says_that_nothing_was_tested() -> None:
    decision = comparison("").with_decision(Verdict.NO_CHANGE, ())
    assert verdict_text.sentence(decision) == "Was not tested."


def headline(*decided: PromptRun, problems: tuple[Finding, ...] = (), kind: str = "check") -> str:
    return headline_of(GateReport(prompts=decided, policy=GatePolicy(), problems=problems), kind)


def test_the_headline_says_which_name_a_renamed_prompt_had() -> None:
    run = comparison(many(right=40, broken=20), name="tag", base=prompt("tone", OLD), status=Status.RENAMED)
    (decided,) = decide([run], GatePolicy()).prompts
    assert "tag (was tone) got worse" in headline(decided)


def test_several_passing_prompts_are_counted_and_the_new_ones_apart() -> None:
    runs = [comparison(many(right=80), name=name) for name in ("a", "b")]
    new = comparison("x | Hi | hi | - | hi", name="c", status=Status.ADDED)
    message = headline_of(decide([*runs, new], GatePolicy()))
    assert message == "Pass: no regression in 2 prompts (a and b); 1 prompt (c) is new, and all its cases passed."


def test_several_new_prompts_claim_nothing_about_regressions() -> None:
    runs = [comparison("x | Hi | hi | - | hi", name=name, status=Status.ADDED) for name in "ab"]
    assert headline_of(decide(runs, GatePolicy())) == "Pass: 2 prompts (a and b) are new, and all their cases passed."
    limited = decide(runs, GatePolicy(min_quality=0.5))
    assert headline_of(limited) == "Pass: 2 prompts (a and b) keep the absolute limits."


def test_a_prompt_that_was_not_tested_is_not_called_unchanged() -> None:
    decision = comparison("").with_decision(Verdict.NO_CHANGE, ())
    assert headline(decision) == "No change: order-extractor was not tested."


def test_several_undecided_prompts_claim_nothing() -> None:
    runs = [comparison(many(right=8), name=name) for name in "abcde"]
    assert headline_of(decide(runs, GatePolicy())) == (
        "Inconclusive: 5 prompts cannot be decided (no regression detected, but none ruled out): a, b, c and 2 more."
    )


def test_several_deleted_prompts_are_named() -> None:
    runs = [comparison("", name=name, status=Status.DELETED) for name in "ab"]
    assert headline_of(decide(runs, GatePolicy())) == (
        "Inconclusive: a and b were deleted, so nothing tests them any more."
    )


def test_several_problems_of_the_run_are_counted() -> None:
    problems = tuple(problem("input", f"file {n} is broken.") for n in "ab")
    assert headline(problems=problems) == "Error: file a is broken (and 1 more)."


def test_a_remark_about_the_run_does_not_make_the_headline() -> None:
    note = remark("input", "", MessageFacts(message="a remark"))
    assert headline(problems=(note,)) == "No change: nothing that can change an answer was touched."


def test_a_run_without_prompts_says_so() -> None:
    assert headline(kind="run") == "Nothing run: there is no prompt."


def test_a_failing_run_of_one_revision_does_not_speak_of_blocking() -> None:
    now = comparison("a | Hi | hi | - | no", base=None, status=Status.UNCHANGED)
    gate_report = decide([now], GatePolicy(min_quality=0.9))
    assert headline_of(gate_report, "run").startswith("Failed: order-extractor has a quality of")


def test_advise_never_says_blocked() -> None:
    gate_report = decide([comparison(many(right=8))], GatePolicy(mode=GateMode.ADVISE))
    assert lead(gate_report) == "Inconclusive"
    blocking = decide([comparison(many(right=8))], GatePolicy(on_inconclusive=OnInconclusive.BLOCK))
    assert (lead(blocking), lead(blocking, "run")) == ("Blocked, inconclusive", "Inconclusive")


def test_a_run_of_some_cases_never_says_blocked() -> None:
    facts = FilteredRun(filters=("--case a",), cases=1, all_cases=3)
    part = Finding(rule="filtered", verdict=Verdict.INCONCLUSIVE, subject="", facts=facts)
    strict = GatePolicy(on_inconclusive=OnInconclusive.BLOCK)
    assert lead(decide([comparison(many(right=31, broken=27))], strict, [part])) == "Failed"
    assert lead(decide([comparison(many(right=60))], strict, [part])) == "Inconclusive"


def test_a_headline_has_an_end_however_long_the_names() -> None:
    gate_report = decide([comparison(many(right=31, broken=27), name="n" * 100_000)], GatePolicy())
    assert len(headline_of(gate_report)) == MAX_CHARS


def test_the_worst_of_several_failing_prompts_leads_wherever_it_stands() -> None:
    runs = [
        comparison(many(right=60), name="dear", numbers=Numbers(usd=(0.0001, 0.0002))),
        comparison(many(right=40, broken=20), name="bad"),
        comparison(many(right=20, broken=40), name="worst"),
    ]
    message = headline_of(decide(runs, GatePolicy()))
    assert message.startswith(
        "Blocked: worst got worse on these goldens: 60 of 60 cases passed before, 20 of 60 after (−66.7 points); "
    )
    assert "; bad and dear fail too." in message


def test_the_interval_is_named_by_the_confidence_that_was_computed() -> None:
    runs = [compare_versions(comparison(many(right=31, broken=27)), alpha=alpha) for alpha in (0.05, 0.005)]
    headlines = [
        headline_of(decide([run], GatePolicy(alpha=alpha, about=About.INPUTS)))
        for run, alpha in zip(runs, (0.05, 0.005), strict=True)
    ]
    assert ["90% interval" in headlines[0], "99% interval" in headlines[1]] == [True, True]


def test_what_got_better_is_counted_too() -> None:
    assert "58 of 60 cases passed before, 30 of 60 after (" in headline_of(decide([comparison(MIXED)], GatePolicy()))


MIXED = many(right=28, broken=30, fixed=2)


@pytest.mark.parametrize(
    ("usd", "requests", "message"),
    [
        ((0.0002, 0.0001), 1000.0, ". Merging saves $3.00 a month at 1,000 requests a day."),
        ((0.0001, 0.0002), 1000.0, ". Merging adds $3.00 a month at 1,000 requests a day."),
        ((0.0001, 0.0001), 1000.0, " after."),
        ((0.0001, None), 1000.0, " after."),
        ((0.0001, 0.0002), None, " after."),
    ],
)
def test_the_cost_of_a_month_is_said_where_it_is_known_and_not_nothing(
    usd: tuple[float, float | None], requests: float | None, message: str
) -> None:
    policy = GatePolicy(max_cost_increase=None)
    gate_report = decide([comparison(many(right=60), numbers=Numbers(usd=usd))], policy)
    assert headline_of(gate_report, "check", requests).endswith(message)


def test_one_unknown_price_leaves_the_cost_of_all_unsaid() -> None:
    runs = [comparison(many(right=60)), comparison(many(right=60), name="b", numbers=Numbers(usd=(None, None)))]
    assert "month" not in headline_of(decide(runs, GatePolicy()), "check", 1000.0)


def test_a_headline_that_ends_with_a_question_has_no_full_stop_behind_it() -> None:
    facts = MessageFacts(message="unknown key `a`. Did you mean `b`?")
    asked = Finding(rule="input", verdict=Verdict.ERROR, subject="", facts=facts)
    assert headline_of(decide([], GatePolicy(), problems=[asked])).endswith("Did you mean `b`?")


def comment_of(situation: str) -> str:
    return markdown_renderer.render_comment(SITUATIONS[situation](), "<!-- m -->", "https://ci.example/1")


def test_a_judge_that_gives_no_score_is_no_missing_answer() -> None:
    comment = comment_of("judge_unreadable")
    for words in ("unanswered", "missing", "failed request", "a key, a model name", "lack of a version"):
        assert words not in comment
    assert "no answer of the new version could be scored" in comment
    assert "right → unscored" in comment
    assert "the judge gave no score that could be read" in comment


def test_more_cases_than_anyone_writes_are_not_the_only_advice() -> None:
    view = SITUATIONS["inconclusive"]()
    (step, *_) = next_steps.next_steps(view)
    assert step.startswith(
        "Read the answers that changed and decide yourself. Where drops of this size never matter, `gate.m"
    )
    assert "It would take about 348 more cases for order-extractor to decide it." in step
    (worse, *_) = next_steps.next_steps(SITUATIONS["judge_trusted"]())
    assert worse.startswith("Read the answers that changed and decide yourself. It would take about")
    few = report(comparison(many(right=12), name="small-talk"))
    assert "or add golden cases (about 40 more cases" in next_steps.next_steps(few)[0]


def test_what_a_merge_costs_a_month_names_the_requests_that_it_assumes() -> None:
    assert SITUATIONS["regressed"]().headline.endswith("a month at 50,000 requests a day.")
    assert SITUATIONS["several_prompts"]().headline.endswith("a month at 50,000 requests a day each.")


def test_an_adjusted_p_value_is_called_so_and_names_the_other_tests() -> None:
    view = SITUATIONS["regressed"]()
    (text,) = [f.text for f in view.prompts[0].findings if f.rule == "regression"]
    assert "more than chance" in text
    assert "p < " not in text
    rows = dict(provenance.decided(view.prompts[0], view))
    assert (
        "adjusted for the other tests of the run (cost, latency and critical cases) p < 0.001" in rows["p of “worse”"]
    )


def test_a_passing_result_has_one_bound_in_the_first_view() -> None:
    view = report(comparison(many(right=100)))
    (text,) = [f.text for f in view.prompts[0].findings if f.rule == "not-worse"]
    assert "did not fall by the margin" in text
    assert "not excluded" not in text
    assert "For inputs like these (does not decide)" in dict(provenance.decided(view.prompts[0], view))


def test_a_deleted_prompt_is_shown_as_deleted() -> None:
    comment = comment_of("deleted")
    assert "| ⚠️ Inconclusive (deleted) |" in comment
    assert "goldens of `order-extractor` changed" not in comment
    assert "Check that no application uses the deleted prompt any more." in comment
    several = SITUATIONS["several_prompts"]().headline
    assert "Other prompts: 2 inconclusive (small-talk and old-greeting, deleted), 1 passed" in several


def test_a_missing_answer_that_keeps_a_prompt_from_passing_is_the_reason_given() -> None:
    headline = SITUATIONS["some_answers_failed"]().headline
    assert "1 case lacks a result" in headline
    assert "which may hide a drop of 5 points" in headline
    assert next_steps.next_steps(SITUATIONS["some_answers_failed"]())[0].startswith("Run again, so that no result is")


def test_versions_that_different_models_answered_say_so_in_the_first_line() -> None:
    comment = comment_of("models_differ")
    assert "### ⚠️ Inconclusive: order-extractor is not comparable: different models answered.\n" in comment
    assert "| not comparable: different models |" in comment


def mixed(*others: PromptRun) -> ReportView:
    """Return a run in which one prompt has no goldens."""
    untested = comparison("", name="hello", missing_goldens=True)
    return report(untested, *others)


def test_a_prompt_that_cannot_be_tested_hides_none_that_failed() -> None:
    order = comparison(many(right=0, broken=30), name="order")
    view = mixed(order, comparison(many(right=4, broken=20), name="receipt"))
    assert view.verdict == "error"
    first, rest = number_text.in_two(view.headline)
    assert first == "Error: order got worse (30 of 30 → 0 of 30), receipt fails too; hello could not be tested."
    assert rest.startswith("It has no goldens")
    comment = markdown_renderer.render_comment(view)
    assert "**Worst case** of `order`" in comment
    assert comment.index("**Worst case** of `order`") < comment.index("<details>")


def test_an_error_of_the_whole_run_hides_none_that_failed() -> None:
    order = comparison(many(right=0, broken=30), name="order")
    spent = problem("provider", "the endpoint does not answer")
    assert "Error: order got worse (30 of 30 → 0 of 30); " in report(order, problems=[spent]).headline


def test_cost_that_blocks_alone_says_what_quality_did() -> None:
    dear = Numbers(usd=(0.0001, 0.0002))
    better = report(comparison(many(fixed=24), name="receipt", numbers=dear)).headline
    assert better.startswith("Blocked: receipt got better (0 of 24 → 24 of 24) but costs 100% more per request, ")
    same = report(comparison(many(right=200), name="receipt", numbers=dear)).headline
    assert same.startswith("Blocked: receipt shows no regression but costs 100% more per request, ")


def cost_finding(usd: tuple[float, float] = (0.0001, 0.0002)) -> str:
    view = report(comparison(many(right=200), name="receipt", numbers=Numbers(usd=usd)))
    (text,) = [f.text for f in view.prompts[0].findings if f.rule == "cost"]
    return text


def test_a_rise_of_cost_has_its_limit_and_its_cause() -> None:
    text = cost_finding()
    assert "Cost +100%, limit +25% (`gate.max_cost_increase`)." in text
    assert "Model and tokens are as before" in text


def test_without_an_answer_no_price_is_missing() -> None:
    comment = comment_of("all_answers_failed")
    assert "no answers, so no cost" in comment
    assert "no price is known" not in comment
    assert "max_cost_increase`, because" not in comment


def test_a_step_names_no_error_above() -> None:
    for situation in SITUATIONS:
        assert not any("above" in step for step in next_steps.next_steps(SITUATIONS[situation]()))
