"""docs/audit.md answers each question of an auditor with a section of the binder, and names every decision."""

import re
from pathlib import Path
from typing import get_args

from promptci.audit.entry import Decision
from promptci.report.binder.document import TITLES

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
BINDER = PAGE.partition("## The binder for an auditor")[2].partition("\n## ")[0]


def test_each_section_of_the_binder_answers_a_question() -> None:
    rows = [row.split("|")[2] for row in BINDER.splitlines() if row.startswith("| ") and "question" not in row]
    named = [re.findall(r"\*([^*]+)\*", cell)[0] for cell in rows]
    assert named == list(TITLES.values())


def test_every_decision_is_named() -> None:
    assert [name for name in get_args(Decision) if name != "log-began" and f"`{name}`" not in PAGE] == []


def test_evidence_is_never_called_compliance() -> None:
    folder = Path(__file__).parents[2]
    files = [*(folder / "promptci").rglob("*.py"), *(folder / "templates").rglob("*.j2"), folder / "docs" / "audit.md"]
    claims = re.compile(r"\b(?:compliant|compliance)\b", re.IGNORECASE)
    assert [str(file) for file in files if claims.search(file.read_text(encoding="utf-8"))] == []
