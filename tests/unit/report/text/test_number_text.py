"""Numbers in words: intervals, cells, what to do next."""

import re
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given
from support.report_situations import SITUATIONS
from support.run_notation import Numbers, comparison, many, report

from promptci.report.html import class_table
from promptci.report.model.report import PromptView, QualityView
from promptci.report.text import metrics, next_steps, number_text, provenance
from promptci.runs.prompt_plan import Status


def test_report_of_somebody_else_with_any_number_of_findings_is_drawn_in_bounded_time() -> None:
    prompt = prompt_of("regressed")
    many_findings = prompt.model_copy(update={"findings": prompt.findings[:1] * 5_000})
    assert len(number_text.findings(many_findings)) == number_text.MAX_FINDINGS


def quality(lo: float, hi: float, delta: float = 0.0) -> QualityView:
    return QualityView(
        measure="pass rate",
        base=0.9,
        head=0.9 + delta,
        delta=delta,
        interval=(lo, hi),
        confidence=0.9,
        p=0.5,
        adjusted_p=0.5,
        detectable_drop=None,
        cases_needed=None,
        method="m",
        seed=None,
    )


@pytest.mark.parametrize(
    ("lo", "hi", "words"),
    [
        (-0.09, -0.01, "between 1 and 9 points worse (90% confidence)"),
        (0.01, 0.09, "between 1 and 9 points better (90% confidence)"),
        (-0.09, 0.01, "between 9 points worse and 1 point better (90% confidence)"),
        (0.0, 0.0, "one answer serves both versions"),
        (-0.0001, 0.0001, "less than 0.1 points either way (90% confidence)"),
        (-0.05, 0.0, "between 0 and 5 points worse (90% confidence)"),
    ],
)
def test_an_interval_is_said_in_words(lo: float, hi: float, words: str) -> None:
    assert number_text.interval_words(quality(lo, hi)) == words


def test_an_interval_that_cannot_be_estimated_is_said() -> None:
    unknown = quality(0, 0).model_copy(update={"interval": None})
    assert number_text.interval_words(unknown) == "the interval cannot be estimated"


@pytest.mark.parametrize(
    ("delta", "words"), [(-0.45, "45 points worse"), (0.017, "1.7 points better"), (0.00001, "no difference")]
)
def test_a_difference_is_said_in_words(delta: float, words: str) -> None:
    assert number_text.difference(quality(0, 0, delta)) == words


def prompt_of(situation: str) -> PromptView:
    return SITUATIONS[situation]().prompts[0]


def test_the_cells_of_a_comparison() -> None:
    prompt = prompt_of("regressed")
    assert number_text.before_after(prompt) == "96.7% → 51.7%"
    assert number_text.worse_better(prompt) == "27 / 0"
    assert number_text.cost_change(prompt) == "$168.00 → $196.50 (+17%)"
    assert number_text.p95(prompt) == "1.04 s → 1.22 s"


def test_the_cells_of_a_new_prompt() -> None:
    prompt = prompt_of("new_prompt")
    assert (number_text.before_after(prompt), number_text.worse_better(prompt)) == ("83.3%", "–")
    assert (number_text.cost_change(prompt), number_text.p95(prompt)) == ("$196.50", "≈ 1.22 s")


def test_the_cells_of_a_deleted_prompt_are_empty() -> None:
    prompt = prompt_of("deleted")
    cells = [number_text.before_after, number_text.worse_better, number_text.cost_change, number_text.p95]
    assert [cell(prompt) for cell in cells] == ["–"] * 4


def test_a_prompt_that_was_not_evaluated_shows_no_quality() -> None:
    assert number_text.before_after(prompt_of("budget_reached")) == "–"


def test_a_cost_without_traffic_is_per_request() -> None:
    report_view = report(comparison(many(right=60)), requests_per_day=None)
    assert number_text.cost_change(report_view.prompts[0]) == "$0.000112 → $0.000131 (+17%)"
    assert number_text.cost_title(report_view) == "Cost per request"


def test_an_unknown_cost_is_unknown() -> None:
    assert number_text.cost_change(prompt_of("cost_unknown")) == "unknown"
    half = report(comparison(many(right=60), numbers=Numbers(usd=(None, 0.1)))).prompts[0]
    assert number_text.cost_change(half) == "unknown"


def test_how_it_was_decided_names_every_number() -> None:
    view = SITUATIONS["graded_with_repeats"]()
    message = dict(provenance.decided(view.prompts[0], view))
    assert message["Answers"] == "96 of 96 answers evaluated, 24 pairs compared"
    assert "permutation" in message["Method"]
    assert "seed" in message["For inputs like these (does not decide)"]
    assert set(message) >= {"Cases", "Measure", "Difference", "p of “worse”", "Smallest detectable drop", "Rule"}


def test_how_many_cases_would_settle_it_is_said_where_undecided() -> None:
    view = SITUATIONS["inconclusive"]()
    assert dict(provenance.decided(view.prompts[0], view))["Cases needed"] == "about 373 pairs would settle the margin"


def test_without_a_comparison_the_rule_is_the_absolute_limits() -> None:
    view = SITUATIONS["new_prompt"]()
    assert "absolute limits" in dict(provenance.decided(view.prompts[0], view))["Rule"]


@pytest.mark.parametrize(
    ("situation", "word"),
    [
        ("regressed", "got worse"),
        ("critical_broken", "critical case"),
        ("cost_limit", "gate.max_cost_increase"),
        ("inconclusive", "It would take about 348 more cases for order-extractor to decide it"),
        ("goldens_missing", "golden set"),
        ("too_many_answers_failed", "run again"),
        ("all_answers_failed", "endpoint"),
    ],
)
def test_what_to_do_next_is_said(situation: str, word: str) -> None:
    assert word in " ".join(next_steps.next_steps(SITUATIONS[situation]()))


@pytest.mark.parametrize("situation", ["all_same", "improved", "no_prompts_changed", "fork"])
def test_where_all_is_well_there_is_nothing_to_do(situation: str) -> None:
    assert next_steps.next_steps(SITUATIONS[situation]()) == []


def test_whether_an_undecided_run_blocks_is_said() -> None:
    (free,) = next_steps.next_steps(SITUATIONS["inconclusive"]())
    (blocked,) = next_steps.next_steps(SITUATIONS["inconclusive_blocks"]())
    assert free.endswith("This does not block the merge.")
    assert blocked.endswith("Until then `gate.on_inconclusive` blocks.")


def test_an_undecided_prompt_beside_a_failing_one_says_nothing_about_blocking() -> None:
    result = next_steps.next_steps(SITUATIONS["several_prompts"]())
    assert any(step.endswith("would decide it).") for step in result)


def test_a_problem_of_the_run_alone_is_no_finding_about_the_change() -> None:
    assert next_steps.next_steps(SITUATIONS["our_own_error"]()) == [
        "Nothing was concluded, so this says nothing about your change. Fix the cause and run again.",
        "Until then the check fails: what could not be evaluated is never green.",
    ]


def test_missing_answers_of_a_spent_budget_call_for_a_larger_one() -> None:
    first, *others = next_steps.next_steps(SITUATIONS["budget_reached"]())
    assert first.startswith("Raise `run.budget_usd`")
    assert others == ["Until then the check fails: what could not be evaluated is never green."]


def test_a_long_headline_ends_with_a_clause_and_not_in_the_middle_of_one() -> None:
    view = SITUATIONS["advise_mode"]()
    first, rest = number_text.in_two(view.headline)
    assert first.endswith("order-extractor got worse: 58 of 60 before, 31 of 60 after (−45 points).")
    assert rest.startswith("Merging adds")
    listed = f"Error: {'x' * 60} ({'a, ' * 30}b)"
    assert number_text.in_two(listed)[0] == f"Error: {'x' * 60}."
    clause = "Would be blocked (advise mode): support-topic got worse on these goldens"
    short = f"{clause}: 8 of 8 cases passed before, 0 of 8 after"
    first, rest = number_text.in_two(f"{short} (−100 points); greeting fails too.")
    assert first.endswith("got worse on these goldens.")
    assert rest == "8 of 8 cases passed before, 0 of 8 after (−100 points); greeting fails too."


def test_what_was_spent_is_said_with_its_doubts() -> None:
    view = SITUATIONS["regressed"]()
    bound = view.model_copy(update={"spend": view.spend.model_copy(update={"usd_is_lower_bound": True, "cached": 0})})
    unknown = view.model_copy(update={"spend": view.spend.model_copy(update={"usd": None, "cached": 1, "calls": 1})})
    assert number_text.spend(view) == "118 calls, 2 answers taken from the cache or shared, $0.0312"
    assert number_text.spend(bound) == "118 calls, at least $0.0312"
    assert (
        number_text.spend(unknown)
        == "1 call, 1 answer taken from the cache or shared, cost unknown: set provider.prices"
    )


def test_a_time_is_short_and_anything_else_stays() -> None:
    results = [number_text.moment(text) for text in ("2026-03-02T09:30:00Z", "2026-03-02T09:30:00+02:00", "yesterday")]
    assert results == ["2026-03-02 09:30 UTC", "2026-03-02 09:30 +0200", "yesterday"]
    assert number_text.moment(datetime(2026, 3, 2, tzinfo=UTC).isoformat()) == "2026-03-02 00:00 UTC"


def names(situation: str) -> dict[str, metrics.Metric]:
    return {figure.name: figure for figure in metrics.build_metrics(prompt_of(situation))}


def test_the_table_of_numbers_says_where_there_are_too_few_answers() -> None:
    result = names("inconclusive")
    assert result["Latency p50"].note == ""
    assert result["Latency p95"].note == "too few answers for an upper bound (25)"
    assert names("regressed")["Latency p95"].note == ""
    assert names("regressed")["Latency p99"].note == "too few answers for an upper bound (60)"


def test_the_table_of_numbers_has_the_month_and_what_it_assumes() -> None:
    result = names("regressed")["Cost per month"]
    assert (result.before, result.after, result.change) == ("$168.00", "$196.50", "+$28.50")
    assert result.note == "50,000 requests a day, 30 days"


def test_quality_over_all_cases_stands_apart_where_it_is_not_the_comparison() -> None:
    assert "Quality over all cases" not in names("regressed")
    assert names("some_answers_failed")["Quality over all cases"].after == "100%"
    assert names("new_prompt")["Quality over all cases"].note == "95% interval after: 66.4% to 92.7%"


def test_an_unknown_price_is_said_in_the_table() -> None:
    result = names("cost_unknown")["Cost per request"]
    assert (result.after, result.note) == ("unknown", "no price is known for the model")


def test_nothing_is_said_of_a_prompt_that_was_not_asked() -> None:
    assert names("deleted") == {}


def test_a_large_set_of_labels_is_shown_in_part_and_the_rest_counted() -> None:
    rows = "\n".join(f"m-{i} | Say {i} | label-{i:02} | label-{i:02} | label-{i:02}" for i in range(30))
    prompt = report(comparison(rows, kind="one-of", status=Status.CHANGED)).prompts[0]
    before, now = class_table.confusion_matrices(prompt)
    assert (before.title, now.title) == ("Before", "After")
    assert (len(now.rows), len(now.answer_labels), now.left_out) == (25, 25, 5)


def test_marks_over_all_cases_have_no_interval_of_a_rate() -> None:
    rows = "a | Hi | yes | - | fine {0.8}\nb | Hi | yes | - | fine {0.8}"
    new = report(comparison(rows, kind="llm", status=Status.ADDED))
    result = {figure.name: figure for figure in metrics.build_metrics(new.prompts[0])}
    assert (result["Quality over all cases"].after, result["Quality over all cases"].note) == ("80%", "")


def test_tokens_are_said_per_request_and_per_month() -> None:
    result = names("regressed")
    request, month = result["Tokens per request"], result["Tokens per month"]
    assert (request.before, request.after, request.change, request.note) == (
        "170",
        "179",
        "+5%",
        "before: 170 in, 1 out; after: 170 in, 9.7 out",
    )
    assert (month.before, month.after, month.change) == ("256M", "269M", "+5%")


def test_a_percentile_of_too_few_answers_says_so() -> None:
    assert names("regressed")["Latency p99"].note == "too few answers for an upper bound (60)"
    assert names("regressed")["Latency p50"].note == ""


def test_a_long_headline_is_cut_behind_its_first_statement() -> None:
    first, rest = number_text.in_two(SITUATIONS["several_prompts"]().headline)
    assert first.endswith("(−45.9 points).")
    assert rest.startswith("It also broke 1 critical case")
    assert number_text.in_two("Pass: short; and whole.") == ("Pass: short; and whole.", "")
    assert number_text.in_two("word " * 40) == ("word " * 22 + "word…", "…" + ("word " * 17).strip())


@given(st.text(alphabet="ab ;.", max_size=400))
def test_the_first_line_of_a_headline_is_read_at_a_glance_and_nothing_is_lost(headline: str) -> None:
    first, rest = number_text.in_two(headline)
    assert len(first) <= number_text.MAX_FIRST_LINE
    kept, whole = (re.sub(r"[ .;…]", "", text.lower()) for text in (first + rest, headline))
    assert kept == whole


def test_the_command_that_does_the_same_again_names_both_commits() -> None:
    assert next_steps.reproduce(SITUATIONS["regressed"]()) == "promptci check --base 1a2b3c4 --head 5d6e7f8"
    assert next_steps.reproduce(SITUATIONS["one_revision"]()) == "promptci run --head 5d6e7f8"


def test_what_was_no_commit_cannot_be_done_again() -> None:
    view = SITUATIONS["regressed"]()
    for side in ("base", "head"):
        loose = getattr(view, side).model_copy(update={"sha": None})
        assert next_steps.reproduce(view.model_copy(update={side: loose})) is None


def test_a_cell_of_a_confusion_matrix_is_as_deep_as_its_share_of_the_row() -> None:
    rows = "\n".join(f"m-{i} | Hi | x | x | {'y' if i < 3 else 'x'}" for i in range(12)) + "\nz | Hi | y | y | y"
    _, now = class_table.confusion_matrices(report(comparison(rows, kind="one-of")).prompts[0])
    assert [(cell.count, cell.css_class) for cell in now.rows[0].cells] == [(9, "hit3"), (3, "miss1")]
    assert [(cell.count, cell.css_class) for cell in now.rows[1].cells] == [(0, ""), (1, "hit3")]


@pytest.mark.parametrize(
    ("text", "message", "remaining"),
    [
        (
            "Got worse: 1 of 2. The margin is 5 points.",
            "shop got worse: 1 of 2; it costs",
            "The margin is 5 points.",
        ),
        ("Broke 1 critical case (a).", "Got worse; it also broke 1 critical case (a).", ""),
        ("Was deleted.", "Was deleted.", ""),
        ("Costs 55% more. The limit is 25%.", "Got worse: 1 of 2.", "Costs 55% more. The limit is 25%."),
    ],
)
def test_a_finding_is_not_repeated_below_what_says_the_same(text: str, message: str, remaining: str) -> None:
    prompt = SITUATIONS["regressed"]().prompts[0]
    finding = prompt.findings[0].model_copy(update={"text": text})
    prompt = prompt.model_copy(update={"findings": [finding]})
    assert "".join(each.text for each in number_text.findings_beyond(prompt, message)) == remaining


@pytest.mark.parametrize(("p", "shown"), [(0.4, True), (0.0005, False)])
def test_p_and_interval_about_other_inputs_do_not_contradict_each_other(p: float, shown: bool) -> None:
    """A small p beside an interval that includes an improvement comes of another method, and is left out."""
    view = SITUATIONS["inconclusive"]()
    (tested,) = view.prompts
    assert tested.quality is not None
    quality = tested.quality.model_copy(update={"p": p, "interval": (-0.238, 0.129)})
    row = dict(provenance.decided(tested.model_copy(update={"quality": quality}), view))
    parts = row["For inputs like these (does not decide)"].split("; ")
    assert any(part.startswith("p ") for part in parts) is shown
