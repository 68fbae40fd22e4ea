"""Marks that a model gives: `llm` (scoring/judges/evaluator.py) and `judge` (scoring/judges/rubric.py).

A judge whose answer cannot be read is asked again once; then the mark is *unscored*: missing data, never a failure.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from decimal import Decimal
from enum import IntEnum

from promptci.files import canonical
from promptci.goldens.model import Assertion, Case
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer
from promptci.scoring.assertions.base import Subject, Validator
from promptci.scoring.judges import evaluator
from promptci.scoring.judges import rubric as rubrics
from promptci.scoring.judges.reply_parser import ParsedReply
from promptci.scoring.model import AssertionResult, JudgeIdentity

MAX_TOKENS = 512
JUDGE_PARAMETERS = {"temperature": 0, "max_tokens": MAX_TOKENS}
TRUNCATED_REPLY = "it was cut at max_tokens"
FRESH_ATTEMPTS, MAX_ATTEMPTS = 2, 12
"""Attempts of a run to get a reply that can be read, and of all runs whose replies are reused."""
NO_JUDGE_REASON = "unscored: no judge"
NOT_CONFIGURED_REASON = "unscored: `judge.model` and `judge.rubric` are not both set in promptci.yml"

AskFunction = Callable[[Request, int], Awaitable[Answer]]
"""Asks one request; the second argument counts attempts from 0. Equal requests are asked once."""
ParseFunction = Callable[[str], ParsedReply]
"""Takes out of an answer what it says."""

JUDGE_ASSERTIONS: dict[str, Validator] = {"llm": evaluator, "judge": rubrics}
"""For the check of assertions before anything is asked."""


def judged_positions(case: Case) -> tuple[int, ...]:
    """Return the places of the assertions by which a judge has a say about this case."""
    return tuple(
        i for i, assertion in enumerate(case.assertions) if assertion.type in JUDGE_ASSERTIONS and assertion.weight > 0
    )


def identify_judge(assertion: Assertion, *, model: str | None, rubric: str | None) -> JudgeIdentity | None:
    """Return who judges this assertion and by what; None where nobody does (`judge` without model or rubric)."""
    if assertion.type == "llm":
        criteria = {key: value for key, value in assertion.value.items() if key != "model"}
        model = evaluator.model_name(assertion, model)
    elif model and (rubric or assertion.options.get("rubric")):
        criteria = {"rubric": rubric, **assertion.options}
    else:
        return None
    fingerprint = canonical.digest([assertion.type, criteria])
    return JudgeIdentity(model=model, fingerprint=fingerprint, parameters=tuple(JUDGE_PARAMETERS.items()))


def list_judge_models(cases: Iterable[Case], *, model: str | None, rubric: str | None) -> list[str]:
    """Return the models that judge these cases, in the order of their first case."""
    assertions = (case.assertions[place] for case in cases for place in judged_positions(case))
    judges = (identify_judge(assertion, model=model, rubric=rubric) for assertion in assertions)
    return list(dict.fromkeys(identity.model for identity in judges if identity is not None))


class RequestForm(IntEnum):
    """How much a judge's request asks of the endpoint, the most first."""

    FULL = 0
    WITHOUT_FORMAT = 1
    WITHOUT_PARAMETERS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeConfig:
    """Who marks what code cannot."""

    ask: AskFunction
    is_reused: Callable[[Request, int], bool] = lambda *_: False
    """Whether an attempt was answered in an earlier run, apart from the cache's answers, which say so themselves."""
    can_ask: Callable[[Request, int], bool] = lambda *_: True
    """Whether an attempt can be made; a recording answers those that it holds."""
    model: str | None = None
    """Model of `judge` assertions."""
    rubric: str | None = None
    """Text of the rubric of `judge` assertions."""
    embedding_model: str | None = None
    """Model of `similar` assertions (scoring/embedding_similarity.py) that name none."""
    by_prompt: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Model and text of the rubric of prompts that have their own, by the prompt's name."""
    pairwise: frozenset[str] = frozenset()
    """Prompts whose `judge` assertions compare the answers of both versions (scoring/judges/pairwise.py)."""
    accepted_forms: dict[str, RequestForm] = field(default_factory=dict, compare=False)
    """By model: the form of request that it took after it had refused a fuller one, learned while asking."""

    def for_prompt(self, name: str) -> "JudgeConfig":
        """Return the judge of one prompt."""
        if name not in self.by_prompt:
            return self
        model, rubric = self.by_prompt[name]
        return replace(self, model=model, rubric=rubric)


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeReply:
    """What a judge said in the end, and what it cost to hear it."""

    score: float | None
    """None: nothing usable, for the reason that `summary` gives."""
    summary: str
    cost_usd: Decimal | None = Decimal(0)


async def judge_answer(assertion: Assertion, subject: Subject, judge_config: JudgeConfig | None) -> AssertionResult:
    """Have a model mark one answer."""
    if judge_config is None:
        return _mark(assertion, JudgeReply(score=None, summary=NO_JUDGE_REASON))
    identity = identify_judge(assertion, model=judge_config.model, rubric=judge_config.rubric)
    request = build_request(assertion, subject, model=judge_config.model, rubric=judge_config.rubric)
    if request is None:
        return _mark(assertion, JudgeReply(score=None, summary=NOT_CONFIGURED_REASON))
    read = evaluator.parse_reply if assertion.type == "llm" else rubrics.parse_reply
    return replace(
        _mark(assertion, await ask_judge(judge_config, request, lambda text: read(assertion, text))), judge=identity
    )


def build_request(assertion: Assertion, subject: Subject, *, model: str | None, rubric: str | None) -> Request | None:
    """Return what the judge is asked first; None where `judge` lacks its model or its rubric."""
    if assertion.type == "llm":
        return replace(evaluator.build_request(assertion, subject, model), parameters=JUDGE_PARAMETERS)
    rubric = rubrics.choose_rubric(assertion, subject.case, rubric)
    if not model or not rubric:
        return None
    return replace(rubrics.build_request(subject, model=model, rubric=rubric), parameters=JUDGE_PARAMETERS)


async def ask_judge(judge_config: JudgeConfig, request: Request, read: ParseFunction) -> JudgeReply:
    """Ask a judge: once more when its answer cannot be read, with more room when it was cut.

    What an earlier run could not read does not count, so that a judge that was mended is heard.
    """
    request = replace(request, parameters=JUDGE_PARAMETERS)
    cost: Decimal | None = Decimal(0)
    summary, fresh = "", 0
    for attempt in range(MAX_ATTEMPTS):
        answer, request = await _ask(judge_config, request, attempt)
        cost = None if cost is None or answer.cost_usd is None else cost + answer.cost_usd
        if answer.completion is None:
            failed = f"the judge's call failed: {answer.error and answer.error.message}"
            return JudgeReply(score=None, summary=failed, cost_usd=cost)
        reply = _read(read, answer.completion)
        if reply.score is not None:
            return JudgeReply(score=reply.score, summary=reply.summary, cost_usd=cost)
        summary = reply.summary
        fresh += not (answer.cached or judge_config.is_reused(request, attempt))
        request = _with_more_room(request, answer.completion)
        is_over = attempt + 1 >= FRESH_ATTEMPTS and not judge_config.can_ask(request, attempt + 1)
        if is_over or fresh == FRESH_ATTEMPTS:
            break
    return JudgeReply(score=None, summary=f"the judge's answer could not be read, twice: {summary}", cost_usd=cost)


async def _ask(judge_config: JudgeConfig, request: Request, attempt: int) -> tuple[Answer, Request]:
    """Ask, and ask more plainly where the endpoint refuses a form or a parameter that it does not know.

    What a model refused is remembered, so that each further request is sent once.
    """
    least = judge_config.accepted_forms.get(request.model, RequestForm.FULL)
    first, *plainer = [(form, sent) for form, sent in _forms(request) if form >= least]
    form, sent = first
    answer = await judge_config.ask(sent, attempt)
    while plainer and _is_form_refused(answer):
        form, sent = plainer.pop(0)
        answer = await judge_config.ask(sent, attempt)
    if answer.completion is not None and form > first[0]:
        judge_config.accepted_forms[request.model] = form
    return answer, sent


def _is_form_refused(answer: Answer) -> bool:
    """Return whether a plainer form may be answered: a journal or shard holds only the form that was sent."""
    return answer.error is not None and answer.error.kind in {"bad-request", "not-recorded"}


def _forms(request: Request) -> Sequence[tuple[RequestForm, Request]]:
    """Return the forms in which a request can be sent, the fullest first."""
    plain = replace(request, response_format=None)
    full = [] if request.response_format is None else [(RequestForm.FULL, request)]
    bare = (RequestForm.WITHOUT_PARAMETERS, replace(plain, parameters={}))
    return [*full, (RequestForm.WITHOUT_FORMAT, plain), bare]


def _read(read: ParseFunction, completion: Completion) -> ParsedReply:
    # Half an answer may hold what only was quoted, or the opposite of where it was going.
    return (
        ParsedReply(score=None, summary=TRUNCATED_REPLY)
        if completion.finish_reason == "length"
        else read(completion.text)
    )


def _with_more_room(request: Request, completion: Completion) -> Request:
    if completion.finish_reason != "length":
        return request
    return replace(request, parameters={**request.parameters, "max_tokens": 2 * MAX_TOKENS})


def _mark(assertion: Assertion, heard: JudgeReply) -> AssertionResult:
    passes = evaluator.is_passing if assertion.type == "llm" else rubrics.is_passing
    return AssertionResult(
        type=assertion.type,
        name=assertion.name or assertion.type,
        passed=None if heard.score is None else passes(assertion, heard.score),
        score=heard.score,
        reason=heard.summary,
        weight=assertion.weight,
        cost_usd=heard.cost_usd,
    )
