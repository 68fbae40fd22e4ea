"""Pair the prompts of both revisions, and find why a change affects each pair."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from promptci.files.image_file import is_image
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import difflib

    from promptci.git.changes import FileChange
    from promptci.goldens.model import GoldenSet
    from promptci.prompts.model import Prompt
    from promptci.runs import prompt_plan
    from promptci.runs.prompt_plan import Status
else:
    difflib = lazy_import("difflib")
    prompt_plan = lazy_import("promptci.runs.prompt_plan")

MIN_SIMILARITY = 0.5
"""Share of common lines from which a deleted and an added prompt are one that was renamed and rewritten."""
MAX_COMPARED_CHARS = 50_000
MIN_LINES, MAX_WORDS_LINES = 4, 20
"""Texts of fewer lines than the first are compared by their words, unless the other has more lines than the second."""
MAX_COMPARISONS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPair:
    """One prompt at both revisions; None on the side where it does not exist."""

    base: Prompt | None
    head: Prompt | None

    @property
    def current(self) -> Prompt:
        """The prompt at head, else at base."""
        prompt = self.head or self.base
        if prompt is None:
            raise ValueError("a pair has at least one side")
        return prompt

    @property
    def status(self) -> Status:
        """What the change did to the prompt file."""
        statuses = prompt_plan.Status
        if self.base is None:
            return statuses.ADDED
        if self.head is None:
            return statuses.DELETED
        if self.is_renamed:
            return statuses.RENAMED
        return statuses.UNCHANGED if self.base.source == self.head.source else statuses.CHANGED

    @property
    def is_renamed(self) -> bool:
        """Whether it is elsewhere at head."""
        return self.base is not None and self.head is not None and self.base.address != self.head.address


def keeps_goldens(
    pair: PromptPair, base_paths: Collection[str], head_paths: Collection[str], touched: Collection[str]
) -> bool:
    """Return whether both versions have the same goldens, because no file of them is among those touched.

    They need not be read twice then.
    """
    if pair.base is None or pair.head is None or list(base_paths) != list(head_paths):
        return False
    is_touched = any(path in base_paths or is_image(path) for path in touched)
    return not is_touched and _own_goldens(pair.base) == _own_goldens(pair.head)


def differ(base: GoldenSet, head: GoldenSet) -> bool:
    """Return whether two golden sets have other cases, or cases that count otherwise."""
    before, after = (
        {case.id: f"{case.digest}:{case.critical}:{case.weight}:{case.cluster}" for case in golden_set.cases}
        for golden_set in (base, head)
    )
    return before != after


def _own_goldens(prompt: Prompt) -> tuple[object, ...]:
    """Return the cases that a prompt file holds, and what decides how cases are read."""
    return prompt.path, prompt.test_data, prompt.test_data_lines, prompt.own_cases, prompt.variables


def pair_prompts(
    base: Mapping[str, Prompt],
    head: Mapping[str, Prompt],
    changes: Iterable[FileChange],
    find_goldens: Callable[[Prompt], Collection[str]] = lambda _: (),
) -> list[PromptPair]:
    """Pair prompts (by address) by their names, their paths, git's renames, shared goldens or similar text.

    The name comes first, because releases, deployments and goldens go by it: a pull request that gives a prompt's name
    to another file is compared with what had this name. A copy under a new name is a new prompt: its original still
    exists and has its own pair. `find_goldens` returns the golden files of a prompt.
    """
    address_by_name = {prompt.name: address for address, prompt in base.items()}
    origins = {address: address_by_name.get(prompt.name) for address, prompt in head.items()}
    named = {origin for origin in origins.values() if origin is not None}
    renames = {c.head_path: c.base_path for c in changes if c.kind == "renamed" and c.head_path and c.base_path}
    for address, prompt in head.items():
        earlier = base.get(address) or base.get(renames.get(prompt.path, "") + prompt.selector)
        # Where another file took over the name, this one may still be what was edited, or something new in its place.
        if origins[address] is None and earlier is not None:
            lives_on = earlier.address in named
            if not lives_on or _kinship(earlier, prompt, find_goldens) >= MIN_SIMILARITY:
                origins[address] = earlier.address
    taken = {origin for origin in origins.values() if origin is not None}
    added = [prompt for address, prompt in head.items() if origins[address] is None]
    deleted = [prompt for address, prompt in base.items() if address not in taken]
    for old, new in _match_rewritten(deleted, added, find_goldens):
        origins[new.address] = old.address
        taken.add(old.address)
    pairs = [PromptPair(base=base.get(origins[address] or ""), head=prompt) for address, prompt in head.items()]
    gone = [PromptPair(base=prompt, head=None) for address, prompt in base.items() if address not in taken]
    return sorted(pairs + gone, key=lambda pair: pair.current.address)


def similarity(text: str, other: str) -> float:
    """Return the share of common lines of two texts, from 0 to 1; of common words, where one has only a few lines."""
    lines, other_lines = (
        [line.strip() for line in t[:MAX_COMPARED_CHARS].splitlines() if line.strip()] for t in (text, other)
    )
    if min(len(lines), len(other_lines)) < MIN_LINES and max(len(lines), len(other_lines)) < MAX_WORDS_LINES:
        lines, other_lines = " ".join(lines).split(), " ".join(other_lines).split()
    return difflib.SequenceMatcher(None, lines, other_lines, autojunk=False).ratio()


def _match_rewritten(
    deleted: Sequence[Prompt], added: Sequence[Prompt], find_goldens: Callable[[Prompt], Collection[str]]
) -> list[tuple[Prompt, Prompt]]:
    """Match each deleted prompt to the added one that shares its goldens or most of its text."""
    if len(deleted) * len(added) > MAX_COMPARISONS:
        return []
    scores = [
        (score, old.address, new.address)
        for old in deleted
        for new in added
        if (score := _kinship(old, new, find_goldens)) >= MIN_SIMILARITY
    ]
    unmatched_old, unmatched_new = ({prompt.address: prompt for prompt in prompts} for prompts in (deleted, added))
    matches = []
    for _, old, new in sorted(scores, reverse=True):
        if old in unmatched_old and new in unmatched_new:
            matches.append((unmatched_old.pop(old), unmatched_new.pop(new)))
    return matches


def _kinship(old: Prompt, new: Prompt, find_goldens: Callable[[Prompt], Collection[str]]) -> float:
    if set(find_goldens(old)) & set(find_goldens(new)):
        return 1.0
    if old.test_data and any(item in new.test_data for item in old.test_data):
        return 1.0
    return similarity(_read_messages(old), _read_messages(new))


def _read_messages(prompt: Prompt) -> str:
    """Return what is said to the model: the keys around it are alike in all prompt files."""
    return "\n".join(message.content for message in prompt.messages)


def find_change_reasons(pair: PromptPair) -> Sequence[str]:
    """Return what the change did to the prompt's own file, as far as it can change an answer or its score."""
    base, head = pair.base, pair.head
    if base is None:
        return ["new prompt"]
    if head is None:
        return ["prompt deleted"]
    if base is head:  # its file was read once
        return []
    reasons = []
    if base.fingerprint != head.fingerprint:
        has_includes = bool(base.includes or head.includes)
        application_alone = replace(base, application=head.application).fingerprint == head.fingerprint
        rest_is_same = replace(base, model=head.model).fingerprint == head.fingerprint
        prompt = "prompt or a file it includes changed" if has_includes else "prompt changed"
        if application_alone:
            return [*_find_other_reasons(base, head), "application changed"]
        reasons.append("model changed" if rest_is_same else prompt)
    return [*reasons, *_find_other_reasons(base, head)]


def _find_other_reasons(base: Prompt, head: Prompt) -> list[str]:
    reasons = []
    if (base.test_data, base.own_cases) != (head.test_data, head.own_cases):
        reasons.append("testData changed")
    if base.evaluators != head.evaluators:
        reasons.append("evaluators changed")
    if named_endpoint(base) != named_endpoint(head):
        reasons.append("endpoint changed")
    return reasons


def named_endpoint(prompt: Prompt) -> Any:
    """Return what the section `promptci` of a prompt file says about its endpoint, as written; None where nothing."""
    return prompt.settings.get("provider") if isinstance(prompt.settings, dict) else None


def describe_new_names(pairs: Iterable[PromptPair], planned: Collection[str]) -> list[str]:
    """Return a note on each prompt that has nothing but a new name; of those that are planned, the headline tells."""
    return [
        f"`{pair.head.name}` was renamed from `{pair.base.name}`; what loads it by name must follow."
        for pair in pairs
        if pair.base and pair.head and pair.base.name != pair.head.name and pair.head.name not in planned
    ]
