"""Exclude the cases that the base revision quarantines: a change cannot quarantine what it breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from promptci.errors import InputError
from promptci.goldens.find import quarantine_paths
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection import collect
from promptci.pipeline.collection.collect import Revision
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.side_files import edited_files
from promptci.prompts.patterns import parse_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from promptci.config.model import Config
    from promptci.errors import Problem
    from promptci.git.snapshot import Snapshot
    from promptci.goldens import quarantine
    from promptci.goldens.quarantine import QuarantineEntry
    from promptci.runs.prompt_plan import PlannedCase, PromptPlan
else:
    quarantine = lazy_import("promptci.goldens.quarantine")


def exclude_quarantined_cases(
    collected: CollectedRun, base: Snapshot | None, head: Snapshot, today: date
) -> CollectedRun:
    """Return the plans without quarantined cases, with notes on entries that have no effect or exclude critical cases.

    Raises
    ------
    InputError
        With every mistake in a quarantine file that this change made (or, without a base, that is there).
    """
    edited = {
        *_list_quarantine_files(head, collected.config),
        *(() if base is None else _list_quarantine_files(base, collected.config)),
    }
    notes = (
        list(edited_files.validate_changed(base, head, sorted(edited), quarantine.parse_quarantine)) if edited else []
    )
    binding = Revision(snapshot=head if base is None else base, config=collected.config)
    plans = []
    for plan in collected.plans:
        entries, unreadable = _entries(_quarantine_paths(plan, binding, alone=base is None), binding.snapshot)
        ids = {planned.case.id for planned in plan.task.cases}
        reasons, entry_notes = quarantine.excluded_reasons(entries, ids, today) if ids else ({}, ())
        cases = tuple(replace(c, excluded_reason=c.excluded_reason or reasons.get(c.case.id)) for c in plan.task.cases)
        notes += [*unreadable, *entry_notes, *_critical(plan.name, cases, reasons)]
        plans.append(plan.with_cases(cases) if reasons else plan)
    return replace(collected, plans=tuple(plans), notes=(*collected.notes, *notes))


def _critical(prompt: str, cases: Sequence[PlannedCase], reasons: dict[str, str]) -> Iterable[str]:
    """Return the note that a critical case is quarantined: it may never break, and may break now."""
    return [
        f"The critical case `{c.case.id}` of {prompt} is {reasons[c.case.id]}. Until then it blocks nothing."
        for c in cases
        if c.case.critical and c.case.id in reasons
    ]


def _entries(paths: Iterable[str], snapshot: Snapshot) -> tuple[list[QuarantineEntry], list[str]]:
    """Read the quarantine files of a prompt; a file that is already broken at base excludes nothing."""
    entries: list[QuarantineEntry] = []
    notes: list[str] = []
    for path in paths:
        parsed, problems = _read(path, snapshot)
        entries += parsed
        notes += [f"{problem} Nothing in this file is quarantined." for problem in problems]
    return entries, notes


def _read(path: str, snapshot: Snapshot) -> tuple[Sequence[QuarantineEntry], Sequence[Problem]]:
    try:
        data = snapshot.read(path)
        return (() if data is None else quarantine.parse_quarantine(data, path)), ()
    except InputError as error:
        return (), error.problems


def _quarantine_paths(plan: PromptPlan, binding: Revision, *, alone: bool) -> Iterable[str]:
    """Return where the quarantine files of a prompt can be at the binding revision, by its names there."""
    if alone:
        goldens, path = plan.change.goldens_paths, plan.change.path
    elif plan.change.base is None:
        return ()  # a new prompt has no case that flaked before
    else:
        goldens, path = tuple(collect.find_goldens(binding, plan.change.base)), plan.change.base.path
    return dict.fromkeys(place for golden in (*goldens, path) for place in quarantine_paths(golden))


def _list_quarantine_files(snapshot: Snapshot, config: Config) -> Iterable[str]:
    """Return the quarantine files of a revision: only those next to prompts and goldens."""
    patterns = (
        *(parse_pattern(text).files for text in config.prompts.include),
        config.prompts.goldens.replace("{name}", "*"),
    )
    existing_paths = set(snapshot.paths())
    return [
        place
        for pattern in patterns
        for path in snapshot.glob(pattern)
        for place in quarantine_paths(path)
        if place in existing_paths
    ]
