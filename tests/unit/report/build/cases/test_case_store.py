"""Cases of large runs are held in a file: they are drawn as if they were in memory, and no secret gets there."""

import gc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.daily import first_daily
from support.report_outputs import render_output
from support.report_situations import SITUATIONS
from support.run_notation import comparison, many, report

from promptci.redact import Redactor
from promptci.report.build.cases.case_store import CASES_PER_READ, MAX_CASES_IN_MEMORY, CaseStore, CaseSubset, DiskCases
from promptci.report.build.view import redact_view
from promptci.report.model import document
from promptci.report.model.report import CaseView, ReportView
from promptci.report.write import OUTPUTS

SECRET = "canary-4f9a8b7c6d5e<&\"'"
ROWS = many(right=6, broken=3, fixed=2)
PLACES = st.none() | st.integers(-15, 15)


def in_a_file(view: ReportView, redactor: Redactor | None = None) -> ReportView:
    """Return a view whose cases are held as those of a large run."""
    holder = CaseStore(MAX_CASES_IN_MEMORY + 1, redactor or Redactor())
    held = [
        prompt.model_copy(update={"case_details": holder.add(iter(prompt.case_details))}) for prompt in view.prompts
    ]
    return view.model_copy(update={"prompts": held})


def both() -> tuple[Sequence[CaseView], Sequence[CaseView]]:
    """Return the same cases in memory and in a file."""
    report_view = report(comparison("earlier | Hi | yes | no | yes"), comparison(ROWS))
    place = max(range(2), key=lambda number: len(report_view.prompts[number].case_details))
    return report_view.prompts[place].case_details, in_a_file(report_view).prompts[place].case_details


PLAIN, FILED = both()


def test_few_cases_stay_in_memory_and_many_do_not() -> None:
    assert isinstance(CaseStore(MAX_CASES_IN_MEMORY, Redactor()).add(PLAIN), list)
    assert isinstance(CaseStore(MAX_CASES_IN_MEMORY + 1, Redactor()).add(PLAIN), DiskCases)


@given(start=PLACES, stop=PLACES, step=st.none() | st.integers(-3, 3).filter(bool))
def test_any_part_of_a_file_is_that_part_of_the_list(start: int | None, stop: int | None, step: int | None) -> None:
    part = slice(start, stop, step)
    assert list(FILED[part]) == PLAIN[part]
    assert FILED[part] == PLAIN[part]
    assert len(FILED[part]) == len(PLAIN[part])


@given(st.integers(-15, 15))
def test_any_case_of_a_file_is_that_case_of_the_list(place: int) -> None:
    if -len(PLAIN) <= place < len(PLAIN):
        assert FILED[place] == PLAIN[place]
    else:
        with pytest.raises(IndexError):
            FILED[place]


def test_a_file_is_read_some_cases_at_a_time_to_its_end() -> None:
    many_cases = [PLAIN[place % len(PLAIN)] for place in range(2 * CASES_PER_READ + 1)]
    held = CaseStore(MAX_CASES_IN_MEMORY + 1, Redactor()).add(many_cases)

    assert list(held) == many_cases
    assert held == many_cases
    assert held != many_cases[:-1]
    assert held != [*many_cases[:-1], PLAIN[1]]
    assert held.__eq__(7) is NotImplemented


@given(st.lists(st.integers(0, len(PLAIN) - 1)), PLACES, PLACES)
def test_chosen_cases_stand_in_the_order_of_their_choice(
    places: list[int], start: int | None, stop: int | None
) -> None:
    chosen = CaseSubset(FILED, places)

    assert list(chosen) == [PLAIN[place] for place in places]
    assert list(chosen[start:stop]) == [PLAIN[place] for place in places[start:stop]]


@pytest.mark.parametrize("situation", first_daily(SITUATIONS, 12))
def test_every_output_is_the_same_from_a_file(situation: str) -> None:
    report_view = SITUATIONS[situation]()
    held = in_a_file(report_view)

    assert document.serialize(held).digest == document.serialize(report_view).digest
    for name in OUTPUTS:
        assert render_output(name, held) == render_output(name, report_view), name


def test_a_secret_is_gone_before_a_case_is_written_to_a_file() -> None:
    report_view = report(comparison(f"leak | Hi | yes | yes | {SECRET}\n{ROWS}"))
    (held,) = (prompt.case_details for prompt in in_a_file(report_view, Redactor([SECRET])).prompts)

    assert isinstance(held, DiskCases)
    content = held._cases._file
    content.seek(0)
    written = content.read().decode()
    assert "[redacted]" in written
    assert "canary-4f9a8b7c6d5e" not in written
    assert list(held[1:]) == report_view.prompts[0].case_details[1:]


def test_a_secret_in_a_file_is_found_when_the_whole_view_is_redacted() -> None:
    report_view = in_a_file(report(comparison(f"leak | Hi | yes | yes | {SECRET}\n{ROWS}")))
    assert "canary-4f9a8b7c6d5e" in document.dump(report_view)
    assert "canary-4f9a8b7c6d5e" not in redact_view(report_view, Redactor([SECRET])).text


def test_a_file_is_closed_with_the_last_who_reads_it() -> None:
    held = CaseStore(MAX_CASES_IN_MEMORY + 1, Redactor()).add(PLAIN)
    assert isinstance(held, DiskCases)
    file, part = held._cases._file, held[2:]
    del held
    assert list(part) == PLAIN[2:]
    assert not file.closed

    del part
    gc.collect()
    assert file.closed
