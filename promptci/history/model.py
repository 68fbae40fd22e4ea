"""The lines of a history: what the gate found of a prompt, what a person thinks of that, and how a case fared."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from promptci.files import canonical

SCHEMA = "promptci/history/v1"
Judgement = Literal["right", "wrong"]
Count = Annotated[int, Field(ge=0, le=10**9)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictRecord:
    """What the gate found of one prompt in one check."""

    id: str
    """Says what was found, not when: the same commits with the same numbers are one verdict, however often run."""
    at: str
    """UTC, ISO 8601."""
    base: str | None
    """Commit; None for a working tree."""
    head: str | None
    repository: str | None = None
    pull_request: int | None = None
    prompt: str
    status: str
    """What the change did to the prompt."""
    fingerprints: tuple[str | None, str | None]
    """Of the prompt at base and head; None where there is none. With equal ones, only the goldens changed."""
    mode: str
    """`block` or `advise`."""
    verdict: str
    blocks: bool
    """Whether it blocked, or would have in mode `block`. An `error` says nothing about the prompt, and does not."""
    rules: tuple[str, ...] = ()
    """Findings that made the verdict, such as `regression`, `critical`, `cost`."""
    p: Finite | None = None
    delta: Finite | None = None
    """Quality at head minus base; None where that could not be measured."""
    pairs: Count = 0
    broken: Count = 0
    fixed: Count = 0
    measure: str | None = None
    """`pass rate` or `mean score`; None where nothing was measured, and in lines written before this was kept."""
    quality: tuple[Finite, Finite] | None = None
    """At base and head, over the pairs."""

    @property
    def quality_blocked(self) -> bool:
        """A regression was shown, be it alone or beside a crossed limit."""
        return self.blocks and "regression" in self.rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A person's judgement of a verdict."""

    id: str
    """Of the verdict."""
    at: str
    judgement: Judgement
    why: str
    by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseRecord:
    """How one case fared under one version of a prompt in one run: fresh answers only, missing data left out."""

    run: str
    """Which run these were counted in, so that they are counted once."""
    at: str
    prompt: str
    fingerprint: str
    """Of the prompt."""
    case: str
    """Its id."""
    digest: str
    """Of the case's text, and of the judge where one marks it."""
    model: str | None
    """As the endpoint names it; None where it names none."""
    passes: Count
    fails: Count
    chosen: bool = False
    """Asked again because the versions disagreed: such cases flip more often than others, so rates leave them out."""

    @property
    def answers(self) -> int:
        """Answers in all."""
        return self.passes + self.fails


Line = VerdictRecord | Mark | CaseRecord
KINDS: dict[str, type[Line]] = {"verdict": VerdictRecord, "mark": Mark, "case": CaseRecord}
_READERS: dict[str, TypeAdapter[Line]] = {name: TypeAdapter(cls) for name, cls in KINDS.items()}
_NAMES = {cls: name for name, cls in KINDS.items()}


def kind(line: Line) -> str:
    """Give the name of a line's kind."""
    return _NAMES[type(line)]


def to_json(line: Line) -> dict[str, Any]:
    """Give a line as JSON values."""
    return {"schema": SCHEMA, "kind": kind(line), **asdict(line)}


def from_json(value: object) -> Line | None:
    """Give the line that `to_json` wrote; None for what another version of this program may have written.

    Raises
    ------
    ValueError
        For what says that it is such a line and is none.
    """
    if not isinstance(value, Mapping):
        raise ValueError("a line is no object")  # noqa: TRY004 - one kind of error for bad content
    reader = _READERS.get(str(value.get("kind")))
    if value.get("schema") != SCHEMA or reader is None:
        return None
    try:
        line = reader.validate_python(value)  # what it does not know it passes over
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"`{'.'.join(map(str, first['loc']))}`: {first['msg']}") from error
    return line


def short_digest(value: Any, digits: int = 10) -> str:
    """Give a short name for a value, the same for equal values."""
    return canonical.digest(value)[:digits]
