"""Which prompts a change touches: pair both revisions' prompt files, and say why each pair counts as affected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from promptci.git.changes import FileChange
from promptci.prompts.model import Prompt
from promptci.runs.model import Status


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPair:
    """One prompt at both revisions; None on the side where it does not exist."""

    base: Prompt | None
    head: Prompt | None

    @property
    def current(self) -> Prompt:
        """The side that exists, head first."""
        found = self.head or self.base
        if found is None:
            raise ValueError("a pair has at least one side")
        return found

    @property
    def status(self) -> Status:
        """What the change did to the prompt file."""
        if self.base is None:
            return Status.ADDED
        if self.head is None:
            return Status.DELETED
        if self.base.path != self.head.path:
            return Status.RENAMED
        return Status.UNCHANGED if self.base.source == self.head.source else Status.CHANGED


def pair_prompts(
    base: Mapping[str, Prompt], head: Mapping[str, Prompt], changes: Iterable[FileChange]
) -> list[PromptPair]:
    """Pair prompts (by path, both revisions) along renames; the rest pairs by `name`: a file may move and change.

    A copy is a new prompt: its original is still there and has its own pair.
    """
    came_from = {c.head_path: c.base_path for c in changes if c.kind == "renamed" and c.head_path and c.base_path}
    origin = {path: path if path in base else came_from.get(path) for path in head}
    taken = {before for before in origin.values() if before in base}
    by_name = {prompt.name: path for path, prompt in base.items() if path not in taken}
    pairs = []
    for path, prompt in head.items():
        before = origin[path] if origin[path] in base else by_name.pop(prompt.name, None)
        taken.add(before)
        pairs.append(PromptPair(base=base.get(before) if before else None, head=prompt))
    gone = [PromptPair(base=prompt, head=None) for path, prompt in base.items() if path not in taken]
    return sorted(pairs + gone, key=lambda p: p.current.path)


def find_change_reasons(found: PromptPair) -> Sequence[str]:
    """Say what the change did to the prompt's own file, as far as it can change an answer or a mark."""
    base, head = found.base, found.head
    if base is None:
        return ["new prompt"]
    if head is None:
        return ["prompt deleted"]
    why = []
    if base.fingerprint != head.fingerprint:
        why.append("prompt changed" if base.includes == head.includes == () else "prompt or a file it includes changed")
    if base.test_data != head.test_data:
        why.append("testData changed")
    if base.evaluators != head.evaluators:
        why.append("evaluators changed")
    return why
