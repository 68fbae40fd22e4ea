"""Mistakes in golden cases. The same mistake in many cases is reported for the first few, with a count."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from promptci.errors import Problem
from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass

MAX_LISTED_CASES = 3
"""Cases that are named for one and the same mistake; the others are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseMistake:
    """What is wrong with one case. Equal texts and hints are the same mistake, made in several cases."""

    case: Case
    line: int | None
    text: str
    """Follows the case's id in the message, with its blank or punctuation in front."""
    hint: str

    @property
    def problem(self) -> Problem:
        """The mistake as a problem, at its line."""
        message = f"case `{self.case.id}`{self.text}"
        return Problem(path=self.case.path, line=self.line, message=message, hint=self.hint)


def summarize_mistakes(mistakes: Iterable[CaseMistake]) -> list[Problem]:
    """Return the first few problems of each mistake within a file; the last of them counts the others."""
    groups: dict[tuple[str, str, str], list[CaseMistake]] = {}
    for mistake in mistakes:
        groups.setdefault((mistake.case.path, mistake.text, mistake.hint), []).append(mistake)
    return [problem for group in groups.values() for problem in _summarize_group(group)]


def _summarize_group(group: list[CaseMistake]) -> Iterator[Problem]:
    problems = [mistake.problem for mistake in group[:MAX_LISTED_CASES]]
    others = len(group) - len(problems)
    if others:
        count = "1 more case has" if others == 1 else f"{others} more cases have"
        problems[-1] = replace(problems[-1], message=f"{problems[-1].message} ({count} the same problem)")
    yield from problems
