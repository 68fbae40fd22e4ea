"""Words around golden sets that the change edits: what base's and the change's own make of it. Pure."""

from typing import Any, NamedTuple

from promptci.lazy_dataclass import dataclass
from promptci.present import formatting
from promptci.present.finding_text.remarks import BASE_GOLDENS_DECIDE, GOLDENS_FIRST
from promptci.report.model.report import PromptView
from promptci.report.text.number_text import Sign, sign


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteRow:
    """What one golden set makes of the change."""

    name: str
    sign: Sign
    quality: str
    cases: str


class GoldenEdit(NamedTuple):
    """One kind of edit and the cases that it met."""

    title: str
    ids: list[str]
    example: str = ""
    """What one of them asked for and asks for now; text of the goldens."""


def has_edits(prompt: PromptView) -> bool:
    """Return whether the change edits golden cases in a way that a reader must know of."""
    if prompt.status == "deleted":  # its goldens go with it, which its verdict says
        return False
    return bool(prompt.removed_cases or prompt.weakened_cases or _find_compared_facts(prompt))


def suites(prompt: PromptView) -> list[SuiteRow]:
    """Return the result by each golden set, base's first; empty where one set is all there is."""
    facts = _find_compared_facts(prompt)
    names = (("base_goldens", "base's (these decide)"), ("head_goldens", "this change's"))
    return [_row(name, facts[key]) for key, name in names] if facts else []


def decided_by(prompt: PromptView) -> str:
    """Return which goldens decided."""
    if prompt.base_fingerprint == prompt.head_fingerprint:
        return "The prompt is the same as before, so the new goldens are used."
    return BASE_GOLDENS_DECIDE


def edits(prompt: PromptView) -> list[GoldenEdit]:
    """Return what the change did to golden cases, the gravest first."""
    lighter, removed_critical = set(prompt.no_longer_critical), set(prompt.removed_critical)
    looser = [name for name in prompt.looser_cases if name not in lighter or name in prompt.loosened_example]
    known = {*prompt.looser_cases, *lighter}
    changed = [name for name in prompt.weakened_cases if name not in known]
    example = prompt.loosened_example
    kinds = (
        GoldenEdit("No longer critical", prompt.no_longer_critical),
        GoldenEdit("Removed, critical", prompt.removed_critical),
        GoldenEdit("Loosened", looser, example),
        GoldenEdit("Removed", [name for name in prompt.removed_cases if name not in removed_critical]),
        GoldenEdit("Other requirements for the same input", changed, "" if looser else example),
        GoldenEdit("Added", prompt.new_cases),
    )
    return [kind for kind in kinds if kind.ids]


def count_cases(prompt: PromptView) -> str:
    """Count the cases; where the change edits goldens, those of each set: together they are no set that exists."""
    new, removed = len(prompt.new_cases), len(prompt.removed_cases)
    if prompt.base is None or not (new or removed or prompt.changed_cases):
        return formatting.count(prompt.cases, "case")
    is_same_prompt = prompt.base_fingerprint == prompt.head_fingerprint
    before = prompt.cases - new + (removed if is_same_prompt else -len(prompt.changed_cases))
    after = prompt.cases if is_same_prompt else before - removed + new
    asked = "" if is_same_prompt else f" ({'all' if prompt.pairs == before else f'{prompt.pairs:,}'} compared)"
    return f"base {before:,}{asked}, this change {after:,}"


def list_cases(prompt: PromptView) -> str:
    """Count the cases, and those that the change edits."""
    edits = {
        "new": prompt.new_cases,
        "changed": prompt.changed_cases,
        "removed": prompt.removed_cases,
        "with another expectation for the same question": prompt.weakened_cases,
    }
    edited = (f"{len(ids):,} {word}" for word, ids in edits.items() if ids)
    return ", ".join([count_cases(prompt), *edited])


def advice(prompt: PromptView) -> str:
    """Return what to do where the golden sets disagree; empty where they do not."""
    rows = suites(prompt)
    if len({row.sign.slug for row in rows}) < 2:
        return ""
    return GOLDENS_FIRST


def _row(name: str, suite: dict[str, Any]) -> SuiteRow:
    known = suite["base"] is not None and suite["head"] is not None
    return SuiteRow(
        name=name,
        sign=sign(suite["verdict"]),
        quality=f"{formatting.percent(suite['base'])} → {formatting.percent(suite['head'])}" if known else "–",
        cases=f"{suite['cases']:,}",
    )


def _find_compared_facts(prompt: PromptView) -> dict[str, Any]:
    """Return the facts of the finding that sets both golden sets side by side; empty where there is none."""
    return next((dict(f.facts) for f in prompt.findings if f.rule == "goldens-compared"), {})
