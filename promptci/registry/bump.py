"""What changed from one version of a prompt to the next, and the number that suggests."""

import difflib

from promptci.lazy_dataclass import dataclass
from promptci.prompts.model import Prompt
from promptci.registry.number import Bump

PARTS = ("model", "variables", "messages", "parameters", "response format")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptComparison:
    """What differs between two versions."""

    parts: tuple[str, ...]
    """Of PARTS, in their order."""
    facts: tuple[str, ...]
    """Such as `model: gpt-4o → gpt-4o-mini`."""

    @property
    def bump(self) -> Bump:
        """The part of the number to raise: callers and costs notice a major change, answers a minor one."""
        if {"model", "variables"} & set(self.parts):
            return "major"
        return "minor" if self.parts else "patch"

    @property
    def reason(self) -> str:
        """Why, in words."""
        return f"{', '.join(self.parts)} changed" if self.parts else "nothing that changes an answer"


def compare_prompts(before: Prompt, after: Prompt) -> PromptComparison:
    """Compare two versions of a prompt."""
    facts: dict[str, list[str]] = {part: [] for part in PARTS}
    if before.model != after.model:
        facts["model"].append(f"model: {before.model} → {after.model}")
    for sign, names in (("-", before.variables - after.variables), ("+", after.variables - before.variables)):
        facts["variables"] += [f"variable: {sign}{name}" for name in sorted(names)]
    if before.messages != after.messages:
        facts["messages"].append(_describe_messages(before, after))
    for key in sorted(before.parameters.keys() | after.parameters.keys()):
        old, new = (side.parameters.get(key, "not set") for side in (before, after))
        if old != new:
            facts["parameters"].append(f"{key}: {old} → {new}")
    if (before.response_format, before.json_schema) != (after.response_format, after.json_schema):
        same = before.response_format == after.response_format
        description = "its JSON Schema" if same else f"{before.response_format} → {after.response_format}"
        facts["response format"].append(f"response format: {description}")
    parts = tuple(part for part, part_facts in facts.items() if part_facts)
    return PromptComparison(parts=parts, facts=tuple(fact for part_facts in facts.values() for fact in part_facts))


def _describe_messages(before: Prompt, after: Prompt) -> str:
    old, new = before.messages, after.messages
    if len(old) != len(new):
        return f"messages: {len(old)} → {len(new)}"
    changed = sum(message != other for message, other in zip(old, new, strict=True))
    return f"messages: {changed} of {len(old)} changed"


def diff_messages(before: Prompt, after: Prompt) -> list[str]:
    """Return the unified diff of the messages, line by line."""
    old, new = (_as_lines(prompt) for prompt in (before, after))
    return [line.rstrip("\n") for line in difflib.unified_diff(old, new, lineterm="", n=3)][2:]


def _as_lines(prompt: Prompt) -> list[str]:
    lines: list[str] = []
    for message in prompt.messages:
        lines += [f"[{message.role}]", *message.content.splitlines(), ""]
    return lines
