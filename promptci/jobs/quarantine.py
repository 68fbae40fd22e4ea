"""Set quarantined cases aside, as the base revision says: a change cannot quarantine what it breaks."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from promptci.errors import InputError
from promptci.git.snapshot import Snapshot
from promptci.goldens import quarantine
from promptci.goldens.quarantine import Entry
from promptci.jobs import beside
from promptci.jobs.gather import Gathered
from promptci.runs.model import PromptPlan


def apply(gathered: Gathered, base: Snapshot | None, head: Snapshot, today: date) -> Gathered:
    """Give the plans with quarantined cases aside, and notes on what is quarantined in vain.

    Raises
    ------
    InputError
        With every mistake in a quarantine file that this change made (or, without a base, that is there).
    """
    files = [path for path in head.paths() if quarantine.FILE.search(path)]
    notes = list(beside.of_change(base, head, files, quarantine.read))
    binding = head if base is None else base
    plans = []
    for plan in gathered.plans:
        entries, unreadable = _entries(plan, binding)
        ids = {planned.case.id for planned in plan.cases}
        why, said = quarantine.aside(entries, ids, today)
        notes += [*unreadable, *said]
        plans.append(
            replace(plan, cases=tuple(replace(c, aside=c.aside or why.get(c.case.id)) for c in plan.cases))
            if why
            else plan
        )
    return replace(gathered, plans=tuple(plans), notes=(*gathered.notes, *notes))


def _entries(plan: PromptPlan, snapshot: Snapshot) -> tuple[list[Entry], list[str]]:
    """Read what stands beside the goldens of a prompt; a file that is broken there already sets nothing aside."""
    entries: list[Entry] = []
    notes: list[str] = []
    for path in _beside(plan):
        data = snapshot.read(path)
        if data is None:
            continue
        try:
            entries += quarantine.read(data, path)
        except InputError as error:
            notes += [f"{problem} Nothing in this file is quarantined." for problem in error.problems]
    return entries, notes


def _beside(plan: PromptPlan) -> Iterable[str]:
    return dict.fromkeys(path for golden in (*plan.goldens_paths, plan.path) for path in quarantine.beside(golden))
