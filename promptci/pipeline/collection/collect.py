"""Read both revisions and plan: which prompts a change affects, with which cases, under which configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from promptci.config import load as config_load
from promptci.config.model import Config
from promptci.errors import InputError, Problem, UsageError
from promptci.files.lines import decode_utf8
from promptci.git import globs
from promptci.git.changes import FileChange
from promptci.git.snapshot import Snapshot
from promptci.goldens import load as goldens_load
from promptci.goldens.model import GoldenSet
from promptci.pipeline.collection import change_reasons, plan_prompt
from promptci.pipeline.collection.change_reasons import PromptPair
from promptci.prompts import load as prompts_load
from promptci.prompts.model import Prompt
from promptci.runs.model import PromptPlan, Status
from promptci.scoring.judges.calibrate import LabelledAnswer


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One revision with the configuration that stands there."""

    snapshot: Snapshot
    config: Config


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectedRun:
    """Everything a run needs to know before it asks."""

    config: Config
    """The binding one: base's where base has one."""
    config_source: str
    """In words, for the report."""
    plans: tuple[PromptPlan, ...]
    notes: tuple[str, ...] = ()
    rubric: str | None = None
    """Text of the judge's rubric, from the revision that the configuration is from."""
    labelled_answers: Mapping[str, tuple[LabelledAnswer, ...]] = field(default_factory=dict)
    """Answers marked by people, by prompt's name: what a judge is measured by. Without an entry there are no labels."""
    distrust_reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Reasons, by prompt's name, not to trust a judge that are known before it is asked."""


def collect_changes(base: Snapshot, head: Snapshot, changes: Sequence[FileChange], config_path: str) -> CollectedRun:
    """Read and plan.

    Raises
    ------
    InputError
        With every mistake in the files that this change needs.
    """
    sides = [
        Revision(snapshot=s, config=config_load.load_config(s.read(config_path), config_path)) for s in (base, head)
    ]
    before, after = sides
    binding = before.config if before.config.present else after.config
    source = f"{config_path} at {base.label if before.config.present else head.label}"
    notes = []
    touched = {path for c in changes for path in (c.base_path, c.head_path) if path}
    if not before.config.present and after.config.present:
        notes.append(f"The base revision has no {config_path}, so the one of this change was used.")
    if not before.config.present and not after.config.present:
        source = "defaults (there is no promptci.yml)"
    if before.config.present and before.config != after.config:
        notes.append(f"This change edits {config_path}. What decides and who is asked is read from the base revision.")
    folder = binding.run.cache
    committed = head.paths() if head.sha is not None else ()  # what lies in a working tree is its owner's own
    if folder is not None and any(path.startswith(f"{folder.rstrip('/')}/") for path in committed):
        # Whoever can commit answers can make any prompt pass.
        binding = replace(binding, run=replace(binding.run, cache=None))
        notes.append(f"Answers are committed under {folder}; they were not used. Take them out of git.")
    if not touched:
        return CollectedRun(config=binding, config_source=source, plans=(), notes=tuple(notes))
    reader = _Reader(before=before, after=after, touched=touched, config_changed=before.config != after.config)
    plans, problems = reader.plans(changes, rubric=binding.judge.rubric)
    if problems:
        raise InputError(problems)
    side = before if before.config.present else after
    return CollectedRun(
        config=binding,
        config_source=source,
        plans=plans,
        notes=(*notes, *reader.notes),
        rubric=load_rubric(side.snapshot, binding.judge.rubric),
    )


def load_rubric(snapshot: Snapshot, path: str | None) -> str | None:
    """Give the text of the judge's rubric; InputError where the file that promptci.yml names is not there."""
    if path is None:
        return None
    data = snapshot.read(path)
    if data is None:
        what = f"there is no such file at {snapshot.label}, and `judge.rubric` names it"
        raise InputError([Problem(path=path, message=what, hint="Commit it, or mend `judge.rubric`.")])
    return decode_utf8(data, path)


@dataclass(kw_only=True, slots=True)
class _Reader:
    """Reads prompts and goldens of both sides and collects what is wrong on the way."""

    before: Revision
    after: Revision
    touched: set[str]
    config_changed: bool
    notes: tuple[str, ...] = ()

    def plans(
        self, changes: Sequence[FileChange], *, rubric: str | None
    ) -> tuple[tuple[PromptPlan, ...], list[Problem]]:
        base_prompts, base_problems = self._prompts(self.before)
        head_prompts, head_problems = self._prompts(self.after)
        # A mistake that this change did not make, in a file that it does not need, must not stop it.
        problems = [p for p in head_problems if p.path in self.touched]
        idle = [p for p in head_problems if p.path not in self.touched]
        self.notes = tuple(str(p) for p in idle) + tuple(f"At the base revision: {p}" for p in base_problems)
        plans = []
        for pair in change_reasons.pair_prompts(base_prompts, head_prompts, changes):
            try:
                found = self._plan(pair, rubric=rubric)
            except InputError as error:
                problems.extend(error.problems)
            else:
                plans += [found] if found else []
        return tuple(plans), problems

    def _prompts(self, side: Revision) -> tuple[dict[str, Prompt], list[Problem]]:
        # Both configurations say where prompts are: a change cannot hide a prompt by narrowing `include`.
        patterns = {*self.before.config.prompts.include, *self.after.config.prompts.include}
        paths = sorted({path for pattern in patterns for path in side.snapshot.glob(pattern)})
        return prompts_load.load_prompts(side.snapshot.read, paths)

    def _plan(self, pair: PromptPair, *, rubric: str | None) -> PromptPlan | None:
        """Plan one pair; None where nothing about it changed."""
        why = list(change_reasons.find_change_reasons(pair))
        base_paths, head_paths = find_goldens(self.before, pair.base), find_goldens(self.after, pair.head)
        if not why and base_paths == head_paths and not self._might_matter(pair, head_paths, rubric):
            return None
        base_set = self._base_goldens(pair, base_paths)
        head_set = load_golden_set(self.after.snapshot, pair.head, head_paths)
        if pair.base and pair.head and _digests(base_set) != _digests(head_set):
            why.append("goldens changed")
        uses_judge = any(a.type == "judge" for case in head_set.cases for a in case.assertions)
        if rubric in self.touched and uses_judge:
            why.append("judge rubric changed")
        if self.config_changed:
            why.append("configuration changed")
        if not why:
            return None
        return plan_prompt.plan_prompt(
            pair.current.name,
            pair.current.path,
            pair.status,
            (pair.base, base_set) if pair.base else None,
            (pair.head, head_set) if pair.head else None,
            why,
        )

    def _might_matter(self, pair: PromptPair, golden_paths: Sequence[str], rubric: str | None) -> bool:
        return (
            self.config_changed
            or pair.status is Status.RENAMED
            or rubric in self.touched
            or any(path in self.touched for path in (pair.current.path, *golden_paths))
        )

    def _base_goldens(self, pair: PromptPair, paths: Sequence[str]) -> GoldenSet:
        """Read base's goldens; what was broken there must not stop the change that mends it."""
        try:
            return load_golden_set(self.before.snapshot, pair.base, paths)
        except InputError as error:
            self.notes += tuple(f"At the base revision: {problem}" for problem in error.problems)
            return GoldenSet(paths=tuple(paths), cases=())


def find_goldens(side: Revision, prompt: Prompt | None) -> list[str]:
    """Give the golden files of a prompt at one revision."""
    if prompt is None:
        return []
    return goldens_load.find_golden_files(side.snapshot.glob, side.config.prompts.goldens, prompt.name, globs.escape)


def load_golden_set(snapshot: Snapshot, prompt: Prompt | None, paths: Sequence[str]) -> GoldenSet:
    """Read a prompt's goldens, testData among them; InputError with every mistake."""
    if prompt is None:
        return GoldenSet(paths=(), cases=())
    files = {path: data for path in paths if (data := snapshot.read(path)) is not None}
    test_data = goldens_load.cases_from_test_data(prompt.path, prompt.test_data, prompt.test_data_lines)
    return goldens_load.load_goldens(files, test_data)


def collect_all(head: Snapshot, config: Config) -> tuple[PromptPlan, ...]:
    """Plan every prompt of one revision, with nothing to compare it with; InputError with every mistake."""
    side = Revision(snapshot=head, config=config)
    paths = sorted({path for pattern in config.prompts.include for path in head.glob(pattern)})
    prompts, problems = prompts_load.load_prompts(head.read, paths)
    plans = []
    for prompt in prompts.values():
        try:
            found = load_golden_set(head, prompt, find_goldens(side, prompt))
        except InputError as error:
            problems.extend(error.problems)
        else:
            plans.append(
                plan_prompt.plan_prompt(prompt.name, prompt.path, Status.ADDED, None, (prompt, found), ["asked for"])
            )
    if problems:
        raise InputError(problems)
    return tuple(plans)


def _digests(golden_set: GoldenSet) -> dict[str, str]:
    return {case.id: f"{case.digest}:{case.critical}:{case.weight}:{case.cluster}" for case in golden_set.cases}


def select_prompts(gathered: CollectedRun, names: tuple[str, ...]) -> CollectedRun:
    """Return the run with only the named prompts, all if no name is given; UsageError for an unknown name."""
    known = [plan.name for plan in gathered.plans]
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(f"there is no prompt `{missing[0]}`", f"There are: {', '.join(known) or 'none'}.")
    return replace(gathered, plans=tuple(p for p in gathered.plans if not names or p.name in names))
