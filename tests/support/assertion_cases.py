"""Cases with one assertion, and answers to them, in one line each."""

from decimal import Decimal
from typing import Any

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm
from promptci.scoring import check_assertions
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.assertions.table import ASSERTIONS

VARS = ("customer", "empty")


def case(kind: str, value: Any = None, expected: Any = None, **options: Any) -> Case:
    """Return a case with one assertion; `customer` and `empty` are variables, the rest are options."""
    variables = {"customer": "Ann", **{name: options.pop(name) for name in VARS if name in options}}
    assertion = Assertion(type=kind, value=value, options=options, line=3)
    return Case(id="c", vars=variables, expected=expected, assertions=(assertion,), path="g.jsonl", line=3)


def answer(text: str, *, latency: float | None = None, cost: Decimal | None = None) -> Answer:
    """Return an answer to the case."""
    completion = Completion(text=text, latency_ms=latency)
    return Answer(
        prompt="p", arm=Arm.HEAD, case_id="c", replicate=0, request_key="k", completion=completion, cost_usd=cost
    )


def mark(golden_case: Case, text: str, **facts: Any) -> CheckOutcome:
    """Mark a text by the case's assertion, without checking the assertion first."""
    subject = Subject(text=text, case=golden_case, answer=answer(text, **facts))
    return ASSERTIONS[golden_case.assertions[0].type].check(golden_case.assertions[0], subject)


def passes(golden_case: Case, text: str) -> bool | None:
    """Mark a text by an assertion that makes sense."""
    assert check_assertions.find_problems([golden_case]) == []
    return mark(golden_case, text).passed
