"""Who marks the answers is named as far as it matters, and otherwise whenever the marks could differ."""

from typing import Any

import pytest
from support.fake_judges import EVALUATOR, JUDGE, LLM

from promptci.goldens.model import Assertion, Case
from promptci.scoring.judges import identity


def get_scorers(*assertions: Assertion, **changes: Any) -> dict[str, str]:
    cases = [Case(id=str(i), path="g", assertions=(assertion,)) for i, assertion in enumerate(assertions)]
    return identity.describe_scorers(cases, **{"model": "j", "rubric": "Be kind.", "embedding_model": "e", **changes})


def test_where_code_marks_alone_there_is_nobody() -> None:
    assert get_scorers(Assertion(type="equals", value="x")) == {}


def test_each_kind_is_named_by_its_model() -> None:
    result = get_scorers(LLM, JUDGE, Assertion(type="similar"), Assertion(type="similar", options={"model": "a"}))

    assert list(result) == ["judge", "evaluators", "embeddings"]
    assert result["judge"].startswith("j, rubric ")
    assert result["evaluators"].startswith("j, ")
    assert result["embeddings"] == "a, e"


@pytest.mark.parametrize(
    ("assertion", "other"),
    [
        (JUDGE, get_scorers(JUDGE, model="k")),
        (JUDGE, get_scorers(JUDGE, rubric="Be strict.")),
        (JUDGE, get_scorers(JUDGE, rubric=None)),
        (LLM, get_scorers(Assertion(type="llm", value={**EVALUATOR, "prompt": "{{completion}}?"}))),
        (LLM, get_scorers(Assertion(type="llm", value={**EVALUATOR, "model": "other"}))),
        (LLM, get_scorers(LLM, Assertion(type="llm", value={**EVALUATOR, "last_line": True}))),
        (Assertion(type="similar"), get_scorers(Assertion(type="similar"), embedding_model="f")),
    ],
)
def test_whatever_could_change_a_mark_changes_the_name(assertion: Assertion, other: dict[str, str]) -> None:
    assert get_scorers(assertion) != other


def test_the_order_and_the_number_of_assertions_do_not_matter() -> None:
    strict = Assertion(type="llm", value={**EVALUATOR, "last_line": True})
    assert get_scorers(LLM, strict, LLM) == get_scorers(strict, LLM)
