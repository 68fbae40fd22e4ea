"""The binder as page and table: every text of others is escaped in every field, and nothing is left out."""

import csv
import io
import re
from html import unescape

import pytest
from support.hostile_payloads import XSS

from promptci.present.escape import one_line
from promptci.report.binder import page, table
from promptci.report.binder.document import (
    TITLES,
    AuditBinder,
    BinderChange,
    BinderEntry,
    BinderFact,
    BinderPoint,
)
from promptci.report.model.report import DiffLineView


def binder_of(text: str) -> AuditBinder:
    """A binder with one text in every field that others can fill."""
    entry = BinderEntry(n=1, at=text, what="released", by=text, text=text, sha256="a" * 64)
    facts = [BinderFact(label="known", values=[text]), BinderFact(label="unknown", values=[])]
    points = [BinderPoint(key=key, facts=facts) for key in TITLES]
    change = BinderChange(
        prompt=text,
        version=text,
        outcome=text,
        approved_by=[text],
        verdict=text,
        at=text,
        points=points,
        diff=[DiffLineView(kind="added", text=text), DiffLineView(kind="hunk", text=text)],
        diff_note=text,
        diff_left_out=3,
        entries=[entry],
    )
    return AuditBinder(
        made_at="2026-03-01T14:00:00Z",
        promptci_version="1.0.0",
        repository=text,
        since=text,
        until=text,
        prompt=text,
        head=text,
        entries=1,
        is_whole=False,
        verification=[text],
        changes=[change],
        other=[entry],
        retention=[text],
    )


FRAME = page.render_page(binder_of("harmless"))
TAG = re.compile(r"<[a-zA-Z/][^>]*>")


@pytest.mark.parametrize("text", XSS)
def test_no_text_becomes_markup_in_any_field(text: str) -> None:
    rendered = page.render_page(binder_of(text))
    assert set(TAG.findall(rendered)) - {"<code>", "</code>"} == set(TAG.findall(FRAME)) - {"<code>", "</code>"}
    assert one_line(text).strip()[:10] in unescape(rendered)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", "|calc", "%0A"])
def test_no_text_becomes_a_formula_in_any_cell(text: str) -> None:
    rows = list(csv.reader(io.StringIO(table.render_csv(binder_of(text)).removeprefix("\ufeff"))))
    assert len({len(row) for row in rows}) == 1
    assert [cell for row in rows for cell in row if cell.startswith(text)] == []


def test_what_is_not_known_is_said_once_for_each_question() -> None:
    assert FRAME.count('class="unknown">not recorded<') == len(TITLES)
    assert "The log does not verify" in FRAME
    rows = csv.DictReader(io.StringIO(table.render_csv(binder_of("x")).removeprefix("\ufeff")))
    assert [row["question"] for row in rows if row["recorded"] == "no"] == list(TITLES.values())
