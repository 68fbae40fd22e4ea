"""Base's goldens decide; what the change's own goldens say stands beside it."""

from pathlib import Path

import pytest
from support.report_situations import SITUATIONS
from support.run_notation import OLD, comparison, many, problem, prompt, report

from promptci.config.policy import GatePolicy
from promptci.findings import Finding
from promptci.gates.decide import decide
from promptci.gates.facts import EditedGoldens, SuiteResult
from promptci.present.finding_text.remarks import BASE_GOLDENS_DECIDE, GOLDENS_FIRST
from promptci.report.html import html_renderer
from promptci.report.markdown import markdown_renderer
from promptci.report.terminal import terminal_text
from promptci.report.terminal.styled_text import render_plain
from promptci.verdict import Verdict

RIGHT = many(right=80)


def edits(*, kept: str, edited: str = "") -> str:
    """Return twenty cases that break, as the change leaves them."""
    rows = [f"b{i}{kept} | Is it {i}? | {i} | {i} | Yes, {i}." for i in range(20)]
    rows += [edited.format(i=i) for i in range(20)] if edited else []
    return "\n".join([RIGHT, *rows])


def side_by_side(rows: str) -> tuple[Verdict, list[Finding]]:
    (decision,) = decide([comparison(rows)], GatePolicy()).prompts
    return decision.verdict, [finding for finding in decision.findings if finding.rule == "goldens-compared"]


BASE = SuiteResult(verdict="fail", cases=100, base=1.0, head=0.8)


@pytest.mark.parametrize(
    ("rows", "head_goldens"),
    [
        (edits(kept="-"), SuiteResult(verdict="pass", cases=80, base=1.0, head=1.0)),
        (
            edits(kept="-", edited="b{i}-edited~ | Is it {i}? | Yes, {i}. | {i} | Yes, {i}."),
            SuiteResult(verdict="pass", cases=100, base=0.8, head=1.0),
        ),
        (
            edits(kept="", edited="new{i}+ | Is it {i}, really? | {i} | {i} | {i}"),
            SuiteResult(verdict="fail", cases=120, base=1.0, head=100 / 120),
        ),
    ],
    ids=["removed", "edited", "added"],
)
def test_both_golden_sets_are_judged_and_base_s_decides(rows: str, head_goldens: SuiteResult) -> None:
    verdict, (finding,) = side_by_side(rows)
    assert verdict is Verdict.FAIL
    assert finding.verdict is Verdict.NO_CHANGE
    facts = finding.facts
    assert isinstance(facts, EditedGoldens)
    assert facts.base_goldens == BASE
    assert facts.head_goldens._replace(head=0) == head_goldens._replace(head=0)
    assert facts.head_goldens.head == pytest.approx(head_goldens.head)


def test_a_harmful_change_that_the_own_goldens_see_is_still_undecided_by_base_s() -> None:
    rows = "\n".join([RIGHT, *(f"n{i}+ | Is it {i}? | {i} | {i} | Yes, {i}." for i in range(20))])
    verdict, (finding,) = side_by_side(rows)
    assert verdict is Verdict.PASS
    assert isinstance(finding.facts, EditedGoldens)
    assert finding.facts.head_goldens.verdict == "fail"


def test_goldens_without_an_edit_are_judged_once() -> None:
    assert side_by_side(edits(kept="")) == (Verdict.FAIL, [])


def test_all_cases_removed_leaves_nothing_to_compare() -> None:
    rows = "\n".join(f"b{i}- | Is it {i}? | {i} | {i} | Yes, {i}." for i in range(100))
    _, (finding,) = side_by_side(rows)
    assert isinstance(finding.facts, EditedGoldens)
    assert finding.facts.head_goldens == SuiteResult(verdict="error", cases=0, base=None, head=None)


def test_a_prompt_that_is_the_same_is_judged_by_its_new_goldens_alone() -> None:
    same = prompt("order-extractor", OLD)
    run = comparison(f"{RIGHT}\nnew+ | Hi | x | x | x", base=same, head=same)
    (decision,) = decide([run], GatePolicy()).prompts
    assert "goldens-compared" not in {finding.rule for finding in decision.findings}


def test_page_and_comment_show_both_results_and_what_to_do() -> None:
    view = SITUATIONS["edited_goldens"]()
    comment = markdown_renderer.render_comment(view)
    page = html_renderer.render_page(view)
    assert "> | base's (these decide) | ❌ Fail | 100% → 80% | 100 |\n" in comment
    assert "> | this change's | ✅ Pass | 80% → 100% | 100 |\n" in comment
    terminal = "\n".join(render_plain(terminal_text.describe_run(view, terminal_text.Detail())))
    finding = next(f.text for f in view.prompts[0].findings if f.rule == "goldens-compared")
    docs = " ".join((Path(__file__).parents[3] / "docs" / "verdict.md").read_text().replace("**", "").split())
    for text in (comment, page, terminal, finding, docs):
        assert BASE_GOLDENS_DECIDE in text
        assert GOLDENS_FIRST in text
    for text in (comment, page):
        assert "not compared" not in text
    assert page.count("100% → 80%") >= 1
    assert "this change&#39;s</th>" in page or "this change's</th>" in page


def test_new_cases_that_fail_and_eased_ones_are_named_in_the_headline_and_no_number_mixes_both_sets() -> None:
    shrunk = SITUATIONS["shrunk_and_loosened_goldens"]()
    assert "It fails 1 of the 2 cases that this change adds, a critical one (mail-152); new cases do" in shrunk.headline
    assert "goldens changed too: 1 loosened, 1 no longer critical, 2 removed (1 critical)" in shrunk.headline
    comment = markdown_renderer.render_comment(shrunk)
    assert "Loosened: `mail-151`, such as `mail-151: equals 77 → contains 77`." in comment
    assert "No longer critical: `mail-151`." in comment
    assert "- Cases: base 63 (all compared), this change 63, " in comment
    assert "over all cases" not in comment


def test_a_prompt_that_left_its_goldens_shows_what_they_make_of_it_and_decides_nothing() -> None:
    run = comparison(many(right=20, broken=10), missing_goldens=True, leaves_goldens=True)
    view = report(run, problems=[problem("input", "goldens/a.jsonl: these belong to no prompt. Rename the file.")])
    comment = markdown_renderer.render_comment(view)
    assert "By the old goldens order-extractor got worse (30 of 30 → 20 of 30)." in view.headline
    assert "| 100% → 66.7% | 10 / 0 |" in comment
    assert "**Worst case** of `order-extractor`" in comment
    assert "- Rename the goldens to match the prompt's name" in comment
    for wrong in ("Removed", "Add a golden set", "nothing was tested", "too few answers can", "without a score"):
        assert wrong not in comment
