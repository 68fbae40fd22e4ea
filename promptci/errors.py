"""Every error a user can meet, in one tree; each class has its exit code and each message says what to do next.

PromptciError
├── UsageError           2   the command line cannot be followed
├── InputError           4   files of the repository that cannot be read, all of them at once
│   └── ConfigError      2   promptci.yml
├── GitError             4   git is missing, or a revision cannot be found
├── ProviderError        4   no key, no model file, no endpoint: nothing can be asked
│   └── MissingKeyError  4   no key
├── BudgetError          4   the run would cost more than allowed
├── OutputError          4   the outputs of a run cannot be written where they should be
└── UnsafeError          4   a situation in which running would be unsafe
"""

from collections.abc import Iterable
from typing import ClassVar

from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong in one file, worded for the person who will fix it."""

    path: str
    """File, relative to the repository's root."""
    line: int | None = None
    """Line, counted from 1; None where the whole file is meant."""
    message: str
    """What is wrong."""
    hint: str
    """What to do about it."""

    def __str__(self) -> str:
        """Return `file:line: what. fix`, the form editors and terminals turn into a link."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message.rstrip('.')}. {self.hint}"


class PromptciError(Exception):
    """Base of every error shown to a user without a traceback."""

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message and, after it, what to do."""
        return f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message


class UsageError(PromptciError):
    """The command line asks for something that cannot be done."""

    exit_code = 2


class InputError(PromptciError):
    """One or more files cannot be used; carries every problem, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.path, p.line or 0, p.message)))
        count = len(self.problems)
        head = "1 problem was found" if count == 1 else f"{count} problems were found"
        super().__init__(head + ":\n" + "\n".join(f"  {problem}" for problem in self.problems))

    def __str__(self) -> str:
        """Return the list, one problem a line."""
        return self.message


class ConfigError(InputError):
    """promptci.yml cannot be used."""

    exit_code = 2


class GitError(PromptciError):
    """Git is missing, or what was asked of it cannot be found."""


class ProviderError(PromptciError):
    """Nothing can be asked of the provider at all (one failed call is an AnswerError row, not this)."""


class MissingKeyError(ProviderError):
    """The endpoint needs a key, and there is none: what a fork's pull request finds, too."""


class BudgetError(PromptciError):
    """The run would cost more than `run.budget_usd`."""


class OutputError(PromptciError):
    """The outputs of a run cannot be written to their folder."""

    def __init__(self, message: str, hint: str, summary: str) -> None:
        super().__init__(message, hint)
        self.summary = summary
        """What the run found, as Markdown, redacted: for a place that can still be written."""


class UnsafeError(PromptciError):
    """Running would hand secrets to code or data that is not trusted."""
