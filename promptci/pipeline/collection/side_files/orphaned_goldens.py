"""Golden files that were a prompt's and belong to none after the change: a renamed prompt left them behind."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from promptci.errors import Problem
from promptci.git.changes import FileChange, find_renames
from promptci.git.snapshot import Snapshot
from promptci.pipeline.collection.change_reasons import PromptPair
from promptci.runs.prompt_plan import PromptPlan


def find_orphaned_goldens(
    pairs: Iterable[PromptPair],
    head: Snapshot,
    goldens: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    changes: Sequence[FileChange],
) -> list[Problem]:
    """Return a problem for each golden file that was a prompt's, still exists, and belongs to no prompt any more.

    `goldens` holds the golden files of base and of head by the pair's address.
    """
    renames = find_renames(changes)
    used = {path for _, head_paths in goldens.values() for path in head_paths}
    existing = set(head.paths())
    problems = []
    for pair in pairs:
        if pair.head is None:
            continue
        for base_path in goldens[pair.current.address][0]:
            path = renames.get(base_path) or base_path
            if path in existing and path not in used:
                before, after = pair.base.name if pair.base else pair.head.name, pair.head.name
                message = f"these goldens of `{before}` no longer belong to any prompt"
                hint = f"Rename the file to match the prompt's new name `{after}`, or keep the name `{before}`."
                if before == after:
                    hint = "Correct `prompts.goldens` in promptci.yml, or move the file to where it looks."
                problems.append(Problem(path=path, message=message, hint=hint))
    return problems


def mark_left_goldens(
    plans: Iterable[PromptPlan],
    goldens: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    problems: Iterable[Problem],
    changes: Sequence[FileChange],
) -> tuple[PromptPlan, ...]:
    """Return the plans, in those of prompts that left their goldens behind without removed cases.

    `goldens` is that of `find_orphaned_goldens`, which found the problems.
    """
    renames = find_renames(changes)
    orphaned = {problem.path for problem in problems}
    marked = []
    for plan in plans:
        change = plan.change
        if change.missing_goldens and change.head is not None:
            paths = {renames.get(path) or path for path in goldens[change.head.address][0]}
            if not paths.isdisjoint(orphaned):
                change = replace(change, leaves_goldens=True, removed_cases=(), removed_critical=())
        marked.append(plan if change is plan.change else replace(plan, change=change))
    return tuple(marked)
