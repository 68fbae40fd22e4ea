"""Of a large run, long texts of cases that nobody has to look at are cut, and all others are kept."""

import hashlib
from typing import Any

import pytest
from support.run_notation import comparison, report

from promptci.redact import Redactor
from promptci.report.build.cases.settled_cases import CUT_NOTE, KEPT_CHARS, MAX_TEXT_CHARS, shorten_case
from promptci.report.model import document
from promptci.report.model.report import CaseView, ReportView

LONG = "word " * 40 + "end"
QUESTION = "ask " * 50 + "please"


def case(row: str) -> CaseView:
    (view,) = report(comparison(row)).prompts[0].case_details
    return view


def shortened(row: str, redactor: Redactor | None = None) -> CaseView:
    return shorten_case(case(row), redactor or Redactor())


def cut(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{text[:KEPT_CHARS]}… (cut: {len(text):,} characters, sha256 {digest})"


def test_long_texts_of_a_case_that_passed_are_cut_with_length_and_digest() -> None:
    view = shortened(f"a | {QUESTION} | {LONG} | {LONG} | {LONG}")
    assert view.base is not None
    assert view.head is not None
    assert (view.input, view.expected, view.base.text, view.head.text) == (cut(QUESTION), *[cut(LONG)] * 3)


def test_equal_texts_stay_equal_and_different_ones_differ() -> None:
    changed = LONG.replace("end", "END")
    first, second = shortened(f"a | {LONG} | {LONG} | {LONG} | {LONG}"), shortened(f"b | {changed} | x | x | x")
    assert first.input == first.expected
    assert first.input != second.input
    assert first.input[:KEPT_CHARS] == second.input[:KEPT_CHARS]


def test_short_texts_and_everything_but_texts_are_kept() -> None:
    original = case(f"a | Hi | {LONG} | {LONG} | {LONG}")
    view = shorten_case(original, Redactor())
    assert view.input == "Hi"
    texts = {"expected": "", "base": None, "head": None}
    assert view.model_copy(update=texts) == original.model_copy(update=texts)


def test_a_text_that_would_not_become_shorter_is_kept() -> None:
    just_kept = "k" * (KEPT_CHARS + 54)
    assert shortened(f"a | {just_kept} | x | x | x").input == just_kept
    assert len(shortened(f"a | {just_kept}kkkkkkkkkk | x | x | x").input) < len(just_kept)


@pytest.mark.parametrize(
    "row",
    [
        f"a | {LONG} | yes | yes | no",  # broke
        f"a | {LONG} | yes | no | yes",  # was fixed
        f"a | {LONG} | yes | no | no",
        f"a | {LONG} | yes | yes | !timeout",
        f"a | {LONG} | yes | yes / no / yes | yes / yes / yes",  # one of several answers is wrong
        f"a* | {LONG} | yes | yes | yes",  # critical
        f"a? | {LONG} | yes | yes | yes",  # set aside
        f"a | {LONG} | yes | yes{{0.9}} | yes{{0.8}}",  # marked by a judge: people label these
    ],
)
def test_a_case_that_calls_for_a_look_is_kept_as_it_is(row: str) -> None:
    original = case(row)
    assert shorten_case(original, Redactor()) == original


def test_a_case_that_was_flaky_or_whose_answer_is_suspicious_is_kept_as_it_is() -> None:
    original = case(f"a | {LONG} | yes | yes | yes")
    assert shorten_case(original, Redactor()) != original
    flaky = original.model_copy(update={"flaky": True})
    assert original.head is not None
    suspicious = original.model_copy(update={"head": original.head.model_copy(update={"flags": ["read this"]})})
    assert [shorten_case(view, Redactor()) for view in (flaky, suspicious)] == [flaky, suspicious]


@pytest.mark.parametrize("place", range(KEPT_CHARS - 30, KEPT_CHARS + 1, 5))
def test_a_secret_is_replaced_before_the_text_is_cut_within_it(place: int) -> None:
    secret = "correct-horse-battery-staple-42"
    text = "." * place + secret + "." * 100
    view = shortened(f"a | {text} | x | x | x", Redactor([secret]))
    assert all(secret[:length] not in view.input for length in range(4, len(secret)))
    assert view.input == cut(text.replace(secret, "[redacted]"))


def large(**facts: Any) -> ReportView:
    text = "x" * (MAX_TEXT_CHARS // 10)
    rows = [f"case {number} | {text}{number} | yes | yes | yes" for number in range(10)]
    return report(comparison("\n".join([*rows, f"broken | {LONG} | yes | yes | no"])), **facts)


def test_a_large_run_says_that_texts_are_cut_and_where_they_are() -> None:
    view = large(notes=("another",))
    assert view.notes == ["another", CUT_NOTE]
    inputs = {shown.id: len(shown.input) for shown in view.prompts[0].case_details}
    assert max(inputs.values()) == inputs["broken"] == len(LONG)


def test_no_text_is_cut_where_the_run_is_not_large_or_its_texts_are_wanted() -> None:
    kept = large(full_texts=True)
    assert kept.notes == []
    assert len(kept.prompts[0].case_details[0].input) > MAX_TEXT_CHARS // 10
    assert case(f"a | {LONG} | {LONG} | {LONG} | {LONG}").input == LONG


def test_a_report_of_cut_texts_is_read_back_as_it_was_written() -> None:
    view = large()
    assert ReportView.model_validate_json(document.dump(view)) == view
