"""What is not comparable: the reason is said everywhere, and no number that would compare anyway."""

from typing import Any

import pytest
from support.report_situations import REFUND, SITUATIONS, page
from support.run_notation import Numbers, comparison, many, report

from promptci.report.markdown import markdown_renderer
from promptci.report.model.report import PromptView, ReportView
from promptci.report.text import metrics, next_steps, number_text, provenance

SWAPPED = Numbers(models=("m-1", "m-2"), usd=(0.0001, 0.0004))
WHY = "different models answered: before m-1, after m-2, though both ask for gpt-4o-mini"


def unlike(rows: str, **plan: Any) -> PromptView:
    (result,) = report(comparison(rows, numbers=SWAPPED, **plan)).prompts
    return result


def test_the_view_holds_the_reason_and_no_difference() -> None:
    prompt = unlike(many(right=31, broken=27, wrong=2))

    assert prompt.verdict == "inconclusive"
    assert prompt.sentence == f"Is not comparable: {WHY}."
    assert (prompt.quality, prompt.cost_usd.delta_per_month) == (None, None)
    assert prompt.mismatches == [WHY]
    assert prompt.base is not None
    assert prompt.base.quality is not None  # each version's own figures stand


def test_no_figure_and_no_cell_compares() -> None:
    prompt = unlike(many(right=31, broken=27, wrong=2))

    assert {(figure.change, figure.note) for figure in metrics.build_metrics(prompt)} == {
        ("–", "not comparable: different models")
    }
    assert number_text.before_after(prompt) == number_text.cost_change(prompt) == "not comparable"
    assert number_text.worse_better(prompt) == "–"


def test_a_broken_critical_case_is_said_without_the_counts_of_both_versions() -> None:
    prompt = unlike(f"{many(right=60)}\n{REFUND}", first_repeats=1)

    assert (prompt.verdict, prompt.sentence) == ("fail", "Broke 1 critical case (refund-policy).")


def test_what_to_do_is_said() -> None:
    (step,) = next_steps.next_steps(SITUATIONS["models_differ"]())
    assert "--no-cache" in step


def rule(view: ReportView) -> str:
    return dict(provenance.decided(view.prompts[0], view))["Rule"]


def test_the_rule_says_what_still_decides() -> None:
    assert "not comparable" in rule(SITUATIONS["models_differ"]())
    assert "fail where a drop is shown" in rule(SITUATIONS["regressed"]())
    assert "for lack of a version" in rule(SITUATIONS["new_prompt"]())


def test_several_undecided_prompts_claim_nothing_of_what_is_not_comparable() -> None:
    small = comparison(many(right=12), name="small")
    other = comparison(many(right=12), name="other", numbers=SWAPPED)

    assert report(small, other).headline == "Inconclusive: 2 prompts cannot be decided: small and other."
    assert "none ruled out" in report(small, small).headline


def test_the_fold_of_the_page_says_what_the_comparison_rests_on() -> None:
    (result,) = SITUATIONS["regressed"]().prompts
    assert result.comparability is not None
    rows = dict(provenance.comparability_rows(result))

    assert (rows["Comparable"], rows["Model asked"]) == ("yes", "gpt-4o-mini")
    assert rows["Models returned"] == "gpt-4o-mini-2024-07-18"
    assert rows["Fingerprint"] == result.comparability.fingerprint[:12]
    assert result.comparability.parts["goldens"].startswith(rows["Goldens"])
    assert len(rows["Goldens"]) < 30
    for name, value in rows.items():
        assert f"<dt>{name}</dt><dd>{value}</dd>" in page("regressed")
    assert "<dt>Comparable</dt><dd>no: different models answered" in page("models_differ")


@pytest.mark.parametrize(
    "situation", ["new_prompt", "deleted", "goldens_missing", "all_answers_failed", "one_revision"]
)
def test_where_nothing_is_compared_there_are_no_rows(situation: str) -> None:
    (result,) = SITUATIONS[situation]().prompts
    assert (result.comparability, provenance.comparability_rows(result), result.mismatches) == (None, [], [])


def test_the_comment_says_it_and_shows_no_change_in_quality() -> None:
    text = markdown_renderer.render_comment(SITUATIONS["models_differ"]())
    assert "| not comparable |" in text
    assert "points" not in text.replace("`gate.max_drop` 5 points", "")
