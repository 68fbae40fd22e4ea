"""cases.csv holds every case, reads back as written, and no cell of it is a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_payloads import XSS, planted, rich
from support.report_situations import SITUATIONS
from support.run_notation import comparison, report

from promptci.present.escape import visible
from promptci.report.export import cases_csv
from promptci.report.model.report import ReportView

LEADS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r@x", "＝1+1", "＋1", "－1", "＠x", " =1", "\n=1", "\xa0=1"]


def rows(view: ReportView) -> list[dict[str, str]]:
    text = cases_csv.render(view)
    assert text.startswith(cases_csv.BYTE_ORDER_MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(cases_csv.BYTE_ORDER_MARK), newline="")))


@pytest.mark.parametrize("lead", LEADS)
def test_out_csv_formula_leads(lead: str) -> None:
    result = cases_csv.escape_formula(lead + '|cmd|"/c calc"!A0')
    assert result[0] == "'" or lead[0] == "\r"  # a carriage return is shown as one: `\r`
    assert result[0] not in "=+-@\t\r"


def test_every_text_of_a_row_is_guarded() -> None:
    for lead in LEADS:
        for row in rows(planted(rich(), lead)):
            for name, cell in row.items():
                assert cell[:1] not in {*"=+@\t\r\n＝＋－＠"}, name
                assert cell[:1] != "-" or float(cell), name


@given(st.text())
def test_reading_back_gives_the_text_or_the_text_behind_an_apostrophe(text: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_NONNUMERIC).writerow([cases_csv.escape_formula(text)])
    (cells,) = csv.reader(io.StringIO(file.getvalue(), newline=""))
    shown = cells[0]
    assert shown in (visible(text), "'" + visible(text))
    assert shown[:1] not in {*"=+-@\t\r\n"}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_there_is_a_row_for_every_case(situation: str) -> None:
    view = SITUATIONS[situation]()
    assert [(row["prompt"], row["outcome"]) for row in rows(view)] == [
        (cases_csv.escape_formula(prompt.name), case.outcome) for prompt in view.prompts for case in prompt.case_details
    ]


def test_a_row_says_what_happened() -> None:
    row = rows(report(comparison("a* | Where is 1? | 4711 | 4711 | 12")))[0]
    assert (row["case"], row["outcome"], row["critical"], row["expected"]) == ("a", "broken", "yes", "4711")
    assert (row["base_answer"], row["head_answer"]) == ("4711", "12")
    assert (float(row["base_result"]), float(row["head_result"])) == (1.0, 0.0)
    assert row["head_failed"] == "equals: expected `4711`"
    assert (row["base_failed"], row["base_error"]) == ("", "")


def test_what_is_unknown_is_empty_and_not_nought() -> None:
    row = rows(report(comparison("lost | Hi | yes | yes | !HTTP 503")))[0]
    assert (row["head_result"], row["head_answer"], row["head_error"]) == ("", "", "server: HTTP 503")


def test_numbers_are_numbers_and_texts_that_look_like_them_are_not() -> None:
    text = cases_csv.render(report(comparison("7 | 1 | 2 | 2 | 3")))
    line = text.splitlines()[1]
    assert line.split(",")[1] == '"7"'
    assert ",1.0," in line
    assert text.count("\r\n") == 2


def test_a_long_answer_is_cut_to_what_a_cell_takes() -> None:
    row = rows(report(comparison(f"a | Hi | yes | yes | {'x' * 40_000}")))[0]
    assert len(row["head_answer"]) < 32_767
    assert row["head_answer"].endswith("(cut: 40,000 characters in all)")


def test_hostile_text_stays_in_its_cell() -> None:
    count = sum(len(prompt.case_details) for prompt in rich().prompts)
    for payload in (*XSS, 'a","b', "x\r\ny", "\x00"):
        assert len(rows(planted(rich(), payload))) == count


@pytest.mark.parametrize("text", ["", "  "])
def test_a_cell_without_a_sign_gets_no_apostrophe(text: str) -> None:
    assert cases_csv.escape_formula(text) == text
