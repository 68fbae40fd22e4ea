"""Read promptfoo's configuration: prompts, model and test cases. Nothing that it names is run."""

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any

from promptci.errors import GitError, InputError, Problem
from promptci.files import lines, strict_yaml
from promptci.files.lines import decode_utf8
from promptci.lazy_dataclass import dataclass
from promptci.prompts.model import MessageSyntax
from promptci.prompts.source import FindFiles
from promptci.prompts.template.message_images import MessageImage
from promptci.wording import join_names

READ_KEYS = (
    "prompts", "providers", "targets", "tests", "scenarios", "defaultTest", "description", "assertionTemplates",
    "$schema", "tags", "metadata", "outputPath", "writeLatestResults", "sharing",
)  # fmt: skip
"""Keys that are read, or that change neither a request nor a result."""

Read = Callable[[str], bytes | None]
FILE = "file://"
READ_AS_PROMPTFOO = "this is read as a promptfoo configuration"
"""Beginning of the note on a file that is, which tells nothing where it was meant so."""
MAX_NAMED = 5
"""Tests that are named for not being run."""
MAX_NAME_CHARS = 60
MAX_FILES = 1000
"""Files that one pattern may name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptfooMessage:
    """One message of a prompt."""

    role: str
    content: str
    syntax: MessageSyntax = "fill"
    images: tuple[MessageImage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedPrompt:
    """One prompt in promptci's terms."""

    name: str
    messages: tuple[PromptfooMessage, ...]


@dataclass(slots=True)
class PromptfooConfig:
    """What a configuration holds, and what of it promptci leaves out."""

    path: str
    read: Read
    glob: FindFiles
    uses_patterns: bool = False
    """Whether a pattern was looked up."""
    prompts: list[ImportedPrompt] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)
    """Ids of the providers, in order; the first one is read."""
    model: str = ""
    base_url: str | None = None
    """Endpoint of the first provider; None where it is not known."""
    api_key_env: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    incomplete: list[int] = field(default_factory=list)
    """Numbers of the cases of which something that decides is left out."""
    every_test: list[str] = field(default_factory=list)
    """What decides every test and is left out, so that none is complete."""
    left_out: list[str] = field(default_factory=list)
    """What has no counterpart, one line each."""
    notes: list[str] = field(default_factory=list)
    """What is read otherwise than it may seem, once each."""

    @property
    def complete_cases(self) -> list[dict[str, Any]]:
        """The cases of which nothing that decides is left out: half of a test would pass where the whole fails."""
        return [case for number, case in enumerate(self.cases) if number not in self.incomplete]

    def describe_incomplete(self) -> str:
        """Return how many tests are not run; empty where all are."""
        if not self.incomplete:
            return ""
        names = [_name_test(number, self.cases[number]) for number in self.incomplete]
        text = f"{len(self.incomplete)} of {len(self.cases)} tests, of which something that decides is left out"
        return f"{text}: {join_names(names, MAX_NAMED)}"

    def resolve(self, written: str) -> str | None:
        """Return the file that a text names, or None where there is none inside the repository."""
        target = self._locate(written)
        return target if target is not None and self.read(target) is not None else None

    def find(self, written: str) -> list[str]:
        """Return the file that a text names, or those that match where it is a pattern, sorted."""
        if (file := self.resolve(written)) is not None:
            return [file]
        pattern = self._locate(written) if "*" in written or written.startswith(FILE) else None
        if pattern is None:
            return []
        self.uses_patterns = True
        try:
            return sorted(self.glob(pattern))[:MAX_FILES]
        except GitError:  # a pattern that is longer than any that is read
            return []

    def _locate(self, written: str) -> str | None:
        """Return a path or pattern relative to the repository's root, or None where it is none or leads out of it."""
        target = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), written.removeprefix(FILE)))
        return None if target.startswith(("..", "/")) or "\n" in written or "\0" in written else target

    def read_text(self, file: str) -> str:
        """Return the text of a file that `resolve` has found."""
        return decode_utf8(self.read(file) or b"", file)

    def load(self, file: str) -> Any:
        """Return the value of a YAML or JSON file; raise InputError where it cannot be read."""
        data = self.read(file)
        if data is None:
            hint = "Name a file of the repository."
            raise InputError([Problem(path=file, message="there is no such file", hint=hint)])
        text = decode_utf8(data, file)
        if not file.endswith(".json"):
            return strict_yaml.load(text, file).value
        try:
            return lines.parse_json(text)
        except lines.JsonError as error:
            raise InputError([Problem(path=file, message=error.message, hint=error.hint)]) from error


def dump_cases(config: PromptfooConfig) -> str:
    """Return the complete cases as JSON lines."""
    return "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in config.complete_cases)


def _name_test(number: int, case: Mapping[str, Any]) -> str:
    """Return how a reader finds a test: its place among all tests, and its description."""
    described = str(case.get("description") or "")[:MAX_NAME_CHARS]
    return f"number {number + 1}" + (f" (`{described}`)" if described else "")


def iterate_entries(value: Any) -> Iterator[Any]:
    """Yield the entries of a list, or the only one."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def as_map(value: Any) -> Mapping[str, Any]:
    """Return a map, empty for any other value."""
    return value if isinstance(value, Mapping) else {}
