"""Question and Answer: what is asked of which version, and what came back."""

from decimal import Decimal
from typing import Annotated, ClassVar

from annotated_types import Ge

from promptci.files.json_codec import STRICT_CONFIG, JsonCodec
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import Completion, Request
from promptci.runs.prompt_plan import Arm


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One call to make."""

    prompt: str
    """Prompt's name."""
    arm: Arm
    case_id: str
    replicate: int
    request: Request

    @property
    def key(self) -> tuple[str, Arm, str, int]:
        """Names the question within a run."""
        return (self.prompt, self.arm, self.case_id, self.replicate)

    def answer(
        self,
        *,
        completion: Completion | None = None,
        error: "AnswerError | None" = None,
        cost_usd: Decimal | None = None,
        cached: bool = False,
    ) -> "Answer":
        """Return the answer to this question with what came back."""
        return Answer(
            prompt=self.prompt,
            arm=self.arm,
            case_id=self.case_id,
            replicate=self.replicate,
            request_key=self.request.key,
            completion=completion,
            error=error,
            cost_usd=cost_usd,
            cached=cached,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerError:
    """Why there is no answer."""

    __pydantic_config__: ClassVar = STRICT_CONFIG
    kind: str
    message: str
    caused_by_request: bool = False
    """The request itself makes the call fail: it counts as a wrong answer of its version, not as a missing one."""
    sent: bool = True
    """False: the call was never made, because the error of an earlier one, a deadline or a budget forbade it."""


def _journal_key(name: str) -> str:
    """Return the journal's shorter name of a field of Answer."""
    return {"case_id": "case", "request_key": "request"}.get(name, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back for one question: a completion or an error, never both."""

    __pydantic_config__: ClassVar = {**STRICT_CONFIG, "alias_generator": _journal_key}
    prompt: str
    arm: Arm
    case_id: str
    replicate: Annotated[int, Ge(0)]
    request_key: str
    completion: Completion | None = None
    error: AnswerError | None = None
    cost_usd: Annotated[Decimal, Ge(0)] | None = None
    """Price of this call when it was made; None where the model's price is unknown."""
    cached: bool = False
    """Taken from the cache or shared with the other arm: cost nothing now."""

    @property
    def key(self) -> tuple[str, Arm, str, int]:
        """Names the question within a run."""
        return (self.prompt, self.arm, self.case_id, self.replicate)


ANSWER_CODEC = JsonCodec(Answer)
"""Answers in the journal."""
