"""Marks that a model gives: `llm` (scoring/judges/evaluator.py) and `judge` (scoring/judges/rubric.py).

A judge whose answer cannot be read is asked again once; then the mark is *unscored*: missing data, never a failure.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from promptci.files import canonical
from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer
from promptci.scoring.assertions.base import Subject, Validator
from promptci.scoring.judges import evaluator
from promptci.scoring.judges import rubric as rubrics
from promptci.scoring.judges.reply_parser import Reading
from promptci.scoring.model import JudgeIdentity, Mark

MAX_TOKENS = 512
PARAMETERS = {"temperature": 0, "max_tokens": MAX_TOKENS}
CUT = "it was cut at max_tokens"
NO_JUDGE = "unscored: no judge"
NOT_SET = "unscored: `judge.model` and `judge.rubric` are not both set in promptci.yml"

Ask = Callable[[Request, int], Awaitable[Answer]]
"""Asks one request; the second argument counts attempts from 0. Equal requests are asked once."""
Read = Callable[[str], Reading]
"""Takes out of an answer what it says."""

CHECKERS: dict[str, Validator] = {"llm": evaluator, "judge": rubrics}
"""For the check of assertions before anything is asked."""


def counting(case: Case) -> tuple[int, ...]:
    """Give the places of the assertions by which a judge has a say about this case."""
    return tuple(i for i, one in enumerate(case.assertions) if one.type in CHECKERS and one.weight > 0)


def identity(assertion: Assertion, *, model: str | None, rubric: str | None) -> JudgeIdentity | None:
    """Say who marks this assertion and by what; None where nobody does (`judge` without model or rubric)."""
    if assertion.type == "llm":
        how = {key: value for key, value in assertion.value.items() if key != "model"}
        model = assertion.value["model"]
    elif model and rubric:
        how = {"rubric": rubric, **assertion.options}
    else:
        return None
    fingerprint = canonical.digest([assertion.type, how])
    return JudgeIdentity(model=model, fingerprint=fingerprint, parameters=tuple(PARAMETERS.items()))


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeDesk:
    """Who marks what code cannot."""

    ask: Ask
    model: str | None = None
    """Model of `judge` assertions."""
    rubric: str | None = None
    """Text of the rubric of `judge` assertions."""
    embedding_model: str | None = None
    """Model of `similar` assertions (scoring/embedding_similarity.py) that name none."""
    pairwise: frozenset[str] = frozenset()
    """Prompts whose `judge` assertions compare the answers of both versions (scoring/judges/pairwise.py)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a judge said in the end, and what it cost to hear it."""

    score: float | None
    """None: nothing usable, for the reason that `said` gives."""
    said: str
    cost_usd: Decimal | None = Decimal(0)


async def mark(assertion: Assertion, subject: Subject, desk: JudgeDesk | None) -> Mark:
    """Have a model mark one answer."""
    if desk is None:
        return _mark(assertion, Heard(score=None, said=NO_JUDGE))
    who = identity(assertion, model=desk.model, rubric=desk.rubric)
    request = first_request(assertion, subject, model=desk.model, rubric=desk.rubric)
    if request is None:
        return _mark(assertion, Heard(score=None, said=NOT_SET))
    read = evaluator.read if assertion.type == "llm" else rubrics.read
    return replace(_mark(assertion, await hear(desk, request, lambda text: read(assertion, text))), judge=who)


def first_request(assertion: Assertion, subject: Subject, *, model: str | None, rubric: str | None) -> Request | None:
    """Give what the judge is asked first; None where `judge` lacks its model or its rubric."""
    if assertion.type == "llm":
        return replace(evaluator.request(assertion, subject), parameters=PARAMETERS)
    if not model or not rubric:
        return None
    return replace(rubrics.request(subject, model=model, rubric=rubric), parameters=PARAMETERS)


async def hear(desk: JudgeDesk, request: Request, read: Read) -> Heard:
    """Ask a judge: once more when its answer cannot be read, with more room when it was cut."""
    request = replace(request, parameters=PARAMETERS)
    cost: Decimal | None = Decimal(0)
    said = ""
    for attempt in (0, 1):
        answer, request = await _ask(desk, request, attempt)
        cost = None if cost is None or answer.cost_usd is None else cost + answer.cost_usd
        if answer.completion is None:
            failed = f"the judge's call failed: {answer.error and answer.error.message}"
            return Heard(score=None, said=failed, cost_usd=cost)
        found = _read(read, answer.completion)
        if found.score is not None:
            return Heard(score=found.score, said=found.said, cost_usd=cost)
        said = found.said
        request = _with_more_room(request, answer.completion)
    return Heard(score=None, said=f"the judge's answer could not be read, twice: {said}", cost_usd=cost)


async def _ask(desk: JudgeDesk, request: Request, attempt: int) -> tuple[Answer, Request]:
    """Ask, and ask more plainly where the endpoint refuses a form or a parameter that it does not know."""
    answer = await desk.ask(request, attempt)
    for plainer in _plainer(request):
        if answer.error is None or answer.error.kind != "bad-request":
            break
        request = plainer
        answer = await desk.ask(request, attempt)
    return answer, request


def _plainer(request: Request) -> Iterator[Request]:
    if request.response_format is not None:
        yield replace(request, response_format=None)
    yield replace(request, response_format=None, parameters={})


def _read(read: Read, completion: Completion) -> Reading:
    # Half an answer may hold what only was quoted, or the opposite of where it was going.
    return Reading(score=None, said=CUT) if completion.finish_reason == "length" else read(completion.text)


def _with_more_room(request: Request, completion: Completion) -> Request:
    if completion.finish_reason != "length":
        return request
    return replace(request, parameters={**request.parameters, "max_tokens": 2 * MAX_TOKENS})


def _mark(assertion: Assertion, heard: Heard) -> Mark:
    passes = evaluator.passed if assertion.type == "llm" else rubrics.passed
    return Mark(
        type=assertion.type,
        name=assertion.name or assertion.type,
        passed=None if heard.score is None else passes(assertion, heard.score),
        score=heard.score,
        reason=heard.said,
        weight=assertion.weight,
        cost_usd=heard.cost_usd,
    )
