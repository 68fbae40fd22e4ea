"""Lines between promptci and an application: cases out, answers in, and everything about them that does not fit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from promptci.files.json_codec import STRICT_CONFIG, JsonCodec
from promptci.files.lines import JsonError, parse_json
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import Completion, Request, Usage

MAX_TRACE_CHARS = 64_000
CASE_KEYS = frozenset(("prompt", "case", "vars", "repeat", "messages", "parameters"))
"""Keys of the line that asks a case, which an answer may repeat: `{**case, "text": …}` is how programs write one."""
MAX_NAMED = 5
"""Cases of one kind of fault that are named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplicationAnswer:
    """One line that an application writes."""

    __pydantic_config__: ClassVar = STRICT_CONFIG
    id: str
    text: str | None = None
    error: str | None = None
    """Why there is no answer to this case."""
    usage: Usage | None = None
    cost_usd: Annotated[float, Ge(0)] | None = None
    latency_ms: Annotated[float, Ge(0)] | None = None
    model: str | None = None
    finish_reason: str | None = None
    trace: Any = None
    """Whatever helps to understand the answer: steps, tool calls, documents that were found."""


_CODEC = JsonCodec(ApplicationAnswer)


@dataclass(slots=True)
class AnswerSet:
    """The answers of one run of the application, and what was wrong with its output."""

    by_id: dict[str, ApplicationAnswer] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    """Lines that are no answer, with the reason."""

    @property
    def faults(self) -> str:
        """Everything that is wrong, in words; empty where nothing is."""
        named = (
            (self.missing, "case without an answer", "cases without an answer"),
            (self.duplicate, "case answered more than once", "cases answered more than once"),
            (self.unknown, "answer to a case that was not asked", "answers to cases that were not asked"),
            (self.unreadable, "line that is no answer", "lines that are no answer"),
        )
        return "; ".join(
            f"{len(items)} {singular if len(items) == 1 else plural}: {', '.join(items[:MAX_NAMED])}"
            f"{', …' if len(items) > MAX_NAMED else ''}"
            for items, singular, plural in named
            if items
        )


def dump_case(line_id: str, request: Request, replicate: int, named: Mapping[str, Any] | None = None) -> str:
    """Return the line that asks an application one case; `named` says which, where the request does not."""
    case: Mapping[str, Any] = request.case or named or {}
    value = {
        "id": line_id, **case, "repeat": replicate, "messages": [dict(message) for message in request.messages],
        "model": request.model, "parameters": dict(request.parameters),
    }  # fmt: skip
    return json.dumps(value, ensure_ascii=False) + "\n"


def parse_answers(output: str, names_by_id: Mapping[str, str]) -> AnswerSet:
    """Return what an application wrote; `names_by_id` has the ids that were sent, and what to call each in a message.

    An id that is answered twice has no answer: which of them to take nobody can tell.
    """
    answers = AnswerSet()
    for number, line in enumerate(output.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            answer = _parse_line(line)
        except ValueError as error:
            answers.unreadable.append(f"line {number} ({error})")
            continue
        if answer.id not in names_by_id:
            answers.unknown.append(repr(answer.id[:60]))
        elif answer.id in answers.by_id:
            answers.duplicate.append(names_by_id[answer.id])
        else:
            answers.by_id[answer.id] = answer
    twice = set(answers.duplicate)
    answers.missing = [name for line_id, name in names_by_id.items() if line_id not in answers.by_id]
    answers.by_id = {line_id: a for line_id, a in answers.by_id.items() if names_by_id[line_id] not in twice}
    return answers


def _parse_line(line: str) -> ApplicationAnswer:
    try:
        value = parse_json(line)
    except JsonError as error:
        raise ValueError(error.message) from error
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if key not in CASE_KEYS}
    answer = _CODEC.from_json(value)
    if (answer.text is None) == (answer.error is None):
        raise ValueError("it needs either `text` or `error`")
    return answer


def to_completion(answer: ApplicationAnswer) -> Completion:
    """Return an answer as the completion that is scored."""
    trace = None if answer.trace is None else json.dumps(answer.trace, ensure_ascii=False)[:MAX_TRACE_CHARS]
    return Completion(
        text=answer.text or "",
        usage=answer.usage,
        latency_ms=answer.latency_ms,
        model=answer.model,
        finish_reason=answer.finish_reason,
        cost_usd=None if answer.cost_usd is None else Decimal(str(answer.cost_usd)),
        trace=trace,
    )


def name_cases(requests: Sequence[tuple[Request, int]]) -> list[str]:
    """Return what to call each case in a message: `order/c001`, with the repeat where there are several."""
    return [
        f"{(request.case or {}).get('prompt')}/{(request.case or {}).get('case')}" + (f" ({n + 1})" if n else "")
        for request, n in requests
    ]
