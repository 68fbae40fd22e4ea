"""Case and GoldenSet: what is asked, and what a right answer looks like."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from promptci.files import canonical
from promptci.files.image_file import ImageFile
from promptci.lazy_dataclass import dataclass

GRADED_ASSERTIONS = frozenset({"llm", "judge"})
"""Assertions that give scores between 0 and 1; with one of them quality is the mean score, else the pass rate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertion:
    """One requirement that an answer must satisfy."""

    type: str
    """Key of the table of assertions, such as `contains`."""
    value: Any = None
    """Operand; None where the type needs none. A string is a template over the case's variables."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the assertion, such as `tolerance`."""
    weight: float = 1.0
    """Share in the case's score; 0 makes the assertion advisory: it cannot fail the case."""
    name: str = ""
    """Label in the report; empty: the type."""
    line: int | None = None
    """Line in the file, for errors; None: the case's line."""
    evaluator: str = ""
    """Evaluator of the prompt file that this follows from, as written there: `github/relevance`. Empty: none."""

    @property
    def content(self) -> list[Any]:
        """Everything that makes two assertions equal."""
        # As an integer where it is one: canonical JSON would have to look for it in all of the case.
        whole = int(self.weight)
        return [self.type, self.value, dict(self.options), whole if whole == self.weight else self.weight]


@dataclass(frozen=True, slots=True)
class CaseImage:
    """One image that a case names."""

    written: str
    """Its path as the case has it."""
    place: Literal["images", "messages"]
    """Under which key: after the text of the last user message, or within the conversation."""
    file: ImageFile | None = None
    """None: it is not read yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One golden case."""

    id: str
    """As written, else derived from the variables."""
    has_written_id: bool = True
    """False where the file gives no id."""
    vars: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = None
    """None: nothing is expected; JSON's null cannot be expected of a text."""
    assertions: tuple[Assertion, ...] = ()
    """As written; planning adds what follows from `expected` and the prompt's evaluators."""
    tags: tuple[str, ...] = ()
    critical: bool = False
    """A case that turns from right to wrong blocks, whatever the statistics say."""
    cluster: str | None = None
    """Cases of one cluster (paraphrases of one question) count as less than so many independent ones."""
    weight: float = 1.0
    question: str | None = None
    """Template of the prompt's last user message: the `{{input}}` of evaluators where the case has no such variable."""
    images: tuple[CaseImage, ...] = ()
    path: str
    line: int | None = None
    _digest: str | None = field(default=None, init=False, repr=False, compare=False)
    """Cached value of `digest`."""

    @property
    def image_files(self) -> dict[str, ImageFile]:
        """What is sent of its images, by their paths as written."""
        return {image.written: image.file for image in self.images if image.file is not None}

    @property
    def is_graded(self) -> bool:
        """Whether an assertion that counts gives a score. Decided by the case's text, never by an answer."""
        return any(a.type in GRADED_ASSERTIONS and a.weight > 0 for a in self.assertions)

    @property
    def digest(self) -> str:
        """SHA-256 of the case's content: variables, expectation, assertions, images."""
        if self._digest is None:
            images = [[file.digest for file in self.image_files.values()]] if self.images else []
            content = [dict(self.vars), self.expected, [a.content for a in self.assertions], *images]
            object.__setattr__(self, "_digest", canonical.digest(content))
        return self._digest or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenSet:
    """All golden cases of one prompt at one revision."""

    paths: tuple[str, ...]
    """Source files, in order."""
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()

    @property
    def by_id(self) -> dict[str, Case]:
        """Cases by id."""
        return {case.id: case for case in self.cases}
