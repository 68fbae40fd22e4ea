"""The lines of a memory: verdicts, people's feedback on them, and how each case fared."""

from typing import Annotated, Any, Literal

from pydantic import Field

from promptci.documents.line_format import LineFormat
from promptci.files import canonical
from promptci.lazy_dataclass import dataclass

Label = Literal["correct", "incorrect"]
Count = Annotated[int, Field(ge=0, le=10**9)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictRecord:
    """The gate's verdict on one prompt in one check."""

    id: str
    """Names the result, not the time: the same commits with the same numbers have the same id in every run."""
    at: str
    """UTC, ISO 8601."""
    base: str | None
    """Commit; None for the working tree."""
    head: str | None
    repository: str | None = None
    pull_request: int | None = None
    prompt: str
    status: str
    """What the change did to the prompt."""
    fingerprints: tuple[str | None, str | None]
    """Of the prompt at base and head; None where it does not exist. Equal ones: only the goldens changed."""
    mode: str
    """`block` or `advise`."""
    verdict: str
    blocks: bool
    """Whether it blocked, or would have in mode `block`. An `error` says nothing about the prompt: False."""
    rules: tuple[str, ...] = ()
    """Rules that caused the verdict, such as `regression`, `critical`, `cost`."""
    p: Finite | None = None
    delta: Finite | None = None
    """Quality of head minus base; None if not measured."""
    pairs: Count = 0
    missing: Count = 0
    """Answers that did not come."""
    broken: Count = 0
    fixed: Count = 0
    measure: str | None = None
    """`pass rate` or `mean score`; None if nothing was measured."""
    quality: tuple[Finite, Finite] | None = None
    """Of base and head, over the pairs."""

    @property
    def quality_blocked(self) -> bool:
        """Whether a shown regression blocked, alone or together with a crossed limit."""
        return self.blocks and "regression" in self.rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Feedback:
    """A person's label for a verdict."""

    id: str
    """Of the verdict."""
    at: str
    label: Label
    why: str
    by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseRecord:
    """Results of one case under one version of a prompt in one run: new answers only, missing ones not counted."""

    run: str
    """Id of the run, so that its answers are counted once."""
    at: str
    prompt: str
    fingerprint: str
    """Of the prompt."""
    case: str
    """Case id."""
    digest: str
    """Of the case's text, and of the judge where one scores it."""
    model: str | None
    """As the endpoint names it; None if it names none."""
    passes: Count
    fails: Count
    chosen: bool = False
    """Whether it was asked again because the versions disagreed. Such cases flip more often; rates exclude them."""

    @property
    def answers(self) -> int:
        """Number of answers."""
        return self.passes + self.fails


Line = VerdictRecord | Feedback | CaseRecord
MEMORY_LINES: LineFormat[Line] = LineFormat(
    "promptci/memory/v1", {"verdict": VerdictRecord, "feedback": Feedback, "case": CaseRecord}
)
"""The format of a memory's files."""


def short_digest(value: Any, digits: int = 10) -> str:
    """Return a short id of a value; equal values have equal ids."""
    return canonical.digest(value)[:digits]
