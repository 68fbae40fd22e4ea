"""Case and GoldenSet: what is asked, and what a right answer looks like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promptci.files import canonical

ABSENT: Any = None
"""A case without `expected` has None there; JSON's null cannot be expected of a text."""


GRADED_ASSERTIONS = frozenset({"llm", "judge"})
"""Assertions that give scores between 0 and 1; with one of them quality is the mean score, else the pass rate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertion:
    """One thing an answer must satisfy."""

    type: str
    """Key of the table of assertions, such as `contains`."""
    value: Any = None
    """Operand; None where the type needs none. A string is a template over the case's variables."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the assertion, such as `tolerance`."""
    weight: float = 1.0
    """Share in the case's score; 0 informs only and cannot fail the case."""
    name: str = ""
    """Shown in the report; empty: the type."""
    line: int | None = None
    """Where it stands in the file, for errors; None: where its case does."""

    @property
    def content(self) -> list[Any]:
        """What makes two assertions the same."""
        return [self.type, self.value, dict(self.options), self.weight]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One golden case."""

    id: str
    vars: Mapping[str, Any] = field(default_factory=dict)
    expected: Any = ABSENT
    assertions: tuple[Assertion, ...] = ()
    """As written; `effective()` in runs/ adds what follows from `expected` and the prompt's evaluators."""
    tags: tuple[str, ...] = ()
    critical: bool = False
    """A flip from right to wrong blocks, whatever the statistics say."""
    cluster: str | None = None
    """Cases of one cluster (paraphrases of one question) count as less than so many independent ones."""
    weight: float = 1.0
    path: str
    line: int | None = None

    @property
    def is_graded(self) -> bool:
        """Whether an assertion that counts gives a score. Decided by the case's text, never by an answer."""
        return any(a.type in GRADED_ASSERTIONS and a.weight > 0 for a in self.assertions)

    @property
    def digest(self) -> str:
        """SHA-256 of the case's text: variables, expectation, assertions."""
        return canonical.digest([dict(self.vars), self.expected, [a.content for a in self.assertions]])


@dataclass(frozen=True, kw_only=True, slots=True)
class GoldenSet:
    """All golden cases of one prompt at one revision."""

    paths: tuple[str, ...]
    """Files they came from, in order."""
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()

    @property
    def by_id(self) -> dict[str, Case]:
        """Cases by id."""
        return {case.id: case for case in self.cases}
