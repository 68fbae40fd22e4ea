"""`similar`: the answer's embedding is near that of a text: cosine at least `at_least` (0.8).

A model turns both texts into vectors, through the run's own endpoint. The mark is right or wrong, not a grade. What
is not known (a failed call, a vector that has no direction) is *unscored*: missing data, never a failure.
"""

import asyncio
import math
from collections.abc import Iterable
from decimal import Decimal

from promptci.errors import Problem
from promptci.files import lines
from promptci.goldens.model import Assertion, Case
from promptci.providers import base as providers
from promptci.runs.model import Answer
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject
from promptci.scoring.case_mistakes import CaseMistake, summarize_mistakes
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.model import AssertionResult

ASSERTION_TYPE = "similar"
OPTIONS = frozenset({"to", "at_least", "model"})
DEFAULT_AT_LEAST = 0.8
COSINE_TOLERANCE = 1e-9
"""Of the arithmetic: four of five words shared must count as 0.8."""
FREE = Decimal(0)


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a text to compare with, and a cosine that not every answer reaches."""
    if assertion.value is not None:
        return "`value` is not used here: write the text under `to`"
    expected = _resolve_operand(assertion, case)
    if expected is None:
        return "there is no `to`, and the case has no `expected`"
    if isinstance(expected, dict | list):
        return f"`to` must be a text, not {'a list' if isinstance(expected, list) else 'a map'}"
    if not base.to_text(expected).strip():
        return "the text to compare with is empty"
    least = base.to_finite_float(assertion.options.get("at_least", DEFAULT_AT_LEAST))
    if least is None or not 0 < least <= 1:
        return "`at_least` must be a number above 0 and at most 1"
    model = assertion.options.get("model")
    if model is not None and not (isinstance(model, str) and model.strip()):
        return "`model` must be the name of an embedding model"
    return None


def find_missing_models(cases: Iterable[Case], default: str | None) -> list[Problem]:
    """Return the problems of assertions without a model: neither they nor `judge.embedding_model` name one."""
    return summarize_mistakes(
        CaseMistake(
            case=case,
            line=assertion.line or case.line,
            text=f", assertion `{ASSERTION_TYPE}`: no embedding model is set",
            hint="Set `judge.embedding_model` in promptci.yml, or give the assertion its `model`.",
        )
        for case in cases
        for assertion in case.assertions
        if assertion.type == ASSERTION_TYPE and not embedding_model(assertion, default)
    )


def embedding_model(assertion: Assertion, default: str | None) -> str | None:
    """Return the embedding model that an assertion asks."""
    return assertion.options.get("model") or default


async def check(assertion: Assertion, subject: Subject, judge_config: JudgeConfig | None) -> AssertionResult:
    """Compare the answer with the text; texts that are equal, and an answer without text, need no model."""
    least = float(assertion.options.get("at_least", DEFAULT_AT_LEAST))
    expected = base.to_text(_resolve_operand(assertion, subject.case)).strip()
    text = subject.text.strip()
    if text == expected:
        return base.make_result(assertion, CheckOutcome(passed=True, reason="is the very text that was wanted"), FREE)
    if not text:
        empty = CheckOutcome(passed=False, reason=f"the answer is empty; wanted {base.quote(expected)}")
        return base.make_result(assertion, empty, FREE)
    model = embedding_model(assertion, None if judge_config is None else judge_config.embedding_model)
    if judge_config is None or model is None:
        return base.make_result(assertion, _make_unscored("no embedding model"), FREE)
    requests = [providers.make_embedding_request(model, compared) for compared in (text, expected)]
    answers = await asyncio.gather(*(judge_config.ask(request, 0) for request in requests))
    costs = [answer.cost_usd for answer in answers]
    total = None if None in costs else sum(filter(None, costs), FREE)
    return base.make_result(assertion, _compare_embeddings(answers, least, expected), total)


def cosine_similarity(first: list[float], second: list[float]) -> float | None:
    """Return the cosine of the angle between two vectors of one length; None where one of them has no direction."""
    # Scaled first: squares of very large or small numbers leave the range of a float.
    sizes = [max(map(abs, vector)) for vector in (first, second)]
    if not all(sizes):
        return None
    a, b = ([number / size for number in vector] for vector, size in zip((first, second), sizes, strict=True))
    product = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return max(-1.0, min(1.0, product / (math.hypot(*a) * math.hypot(*b))))


def _resolve_operand(assertion: Assertion, case: Case) -> object:
    operand = assertion.options.get("to")
    return base.fill_variables(case.expected if operand is None else operand, case)


def _compare_embeddings(answers: list[Answer], least: float, expected: str) -> CheckOutcome:
    vectors = []
    for answer in answers:
        if answer.completion is None:
            return _make_unscored(f"the embedding's call failed: {answer.error and answer.error.message}")
        vector = _parse_vector(answer.completion.text)
        if vector is None:
            return _make_unscored(f"{answer.completion.model or 'the model'} gave no vector")
        vectors.append(vector)
    first, second = vectors
    if len(first) != len(second):
        return _make_unscored(f"the embeddings have {len(first)} and {len(second)} dimensions")
    similarity = cosine_similarity(first, second)
    if similarity is None:
        return _make_unscored("an embedding is zero in all dimensions")
    passed = similarity >= least - COSINE_TOLERANCE
    shown = f"similarity {_format_similarity(similarity, least, passed=passed)}, at least {_format_limit(least)} wanted"
    return CheckOutcome(passed=passed, reason=shown if passed else f"{shown}: {base.quote(expected)}")


def _parse_vector(text: str) -> list[float] | None:
    """Read an embedding's answer; None where it holds anything else, as an edited recording may."""
    try:
        parsed = lines.parse_json(text)
    except lines.JsonError:
        return None
    numbers = [base.to_finite_float(item) for item in parsed] if isinstance(parsed, list) else []
    known = [number for number in numbers if number is not None]
    return known if known and len(known) == len(numbers) else None


def _format_similarity(similarity: float, least: float, *, passed: bool) -> str:
    """Round to two digits, and to more where that would show it on the other side of the limit."""
    rounded = (f"{similarity:.{digits}f}" for digits in range(2, 17))
    return next((text for text in rounded if (float(text) >= least) == passed), repr(similarity))


def _format_limit(least: float) -> str:
    return max(f"{least:.2f}", f"{least:g}", key=len)


def _make_unscored(reason: str) -> CheckOutcome:
    return CheckOutcome(passed=None, reason=f"unscored: {reason}")
