"""PromptSource: one file as its reader gets it, with what of it is meant."""

from collections.abc import Callable, Sequence
from dataclasses import field

from promptci.errors import Problem
from promptci.lazy_dataclass import dataclass
from promptci.prompts.includes import ReadFile
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions

FindFiles = Callable[[str], Sequence[str]]
"""Returns the files of a revision that match a pattern."""


def find_nothing(_: str) -> Sequence[str]:
    """Return no file: for a reader of one file alone."""
    return ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptSource:
    """A file that a pattern of `prompts.include` reaches."""

    path: str
    text: str
    read: ReadFile
    """Returns other files of the same revision."""
    glob: FindFiles = find_nothing
    options: PromptOptions = field(default_factory=PromptOptions)
    selectors: tuple[str, ...] = ()
    """Which constants or values of the file are prompts; none where the file is one prompt."""


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The prompts of a file, and what is wrong with the others in it."""

    prompts: Sequence[Prompt] = ()
    problems: Sequence[Problem] = ()
    uses_patterns: bool = False
    """Whether patterns name some of its files, so that it may hold others at another revision."""
