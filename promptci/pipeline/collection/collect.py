"""Collect what a change affects: which prompts, with which golden cases, under which configuration."""

from __future__ import annotations

import contextlib
from dataclasses import field, replace
from typing import TYPE_CHECKING

from promptci.errors import InputError, Problem
from promptci.files.image_file import is_image
from promptci.git import globs
from promptci.goldens.find import find_golden_files
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.pipeline.collection import binding_config, change_reasons, coverage, head_models, prompt_settings
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.side_files import application_version, orphaned_goldens, rubric
from promptci.prompts import load as prompts_load
from promptci.prompts.find import find_prompt_files, find_selected_files

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from promptci.config.model import Config
    from promptci.git.changes import FileChange
    from promptci.git.snapshot import Snapshot
    from promptci.goldens import images as goldens_images
    from promptci.goldens import load as goldens_load
    from promptci.goldens import model as goldens_model
    from promptci.goldens.model import GoldenSet
    from promptci.pipeline.collection import equal_requests, plan_prompt, prompt_version, unreached_change
    from promptci.pipeline.collection.binding_config import BindingConfig
    from promptci.pipeline.collection.change_reasons import PromptPair
    from promptci.prompts import includes
    from promptci.prompts.model import Prompt
    from promptci.prompts.options import PromptOptions
    from promptci.runs import prompt_plan
    from promptci.runs.prompt_plan import PromptPlan
else:  # where nothing changed, no goldens are read
    goldens_images = lazy_import("promptci.goldens.images")
    goldens_load = lazy_import("promptci.goldens.load")
    goldens_model = lazy_import("promptci.goldens.model")
    equal_requests = lazy_import("promptci.pipeline.collection.equal_requests")
    plan_prompt = lazy_import("promptci.pipeline.collection.plan_prompt")
    prompt_version = lazy_import("promptci.pipeline.collection.prompt_version")
    unreached_change = lazy_import("promptci.pipeline.collection.unreached_change")
    includes = lazy_import("promptci.prompts.includes")
    prompt_plan = lazy_import("promptci.runs.prompt_plan")

PROMPT_REASONS = {
    "prompt changed", "prompt or a file it includes changed", "model changed", "testData changed", "goldens changed",
}  # fmt: skip
"""Reasons that do not matter where every request and requirement is the same."""

NOTHING_TO_TEST = "Nothing that can change an answer was touched: no case would be run."


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One revision and its configuration."""

    snapshot: Snapshot
    config: Config


def collect_changes(base: Snapshot, head: Snapshot, changes: Sequence[FileChange], config_path: str) -> CollectedRun:
    """Collect the prompts that a change affects, and plan each.

    Raises
    ------
    InputError
        With every mistake in the files that this change needs, where no prompt can be tested.
    """
    binding = binding_config.load_binding_config(base, head, config_path)
    before, after = Revision(snapshot=base, config=binding.base), Revision(snapshot=head, config=binding.head)
    collector = _Collector(before=before, after=after, changes=changes, binding=binding, config_path=config_path)
    plans, unjudged = rubric.split_unjudged(collector.collect(), binding, config_path)
    collector.problems += unjudged
    if collector.problems and not plans:
        raise InputError(collector.problems)
    rubric_source = base if binding.base.present else head
    rubric_notes = rubric.note_edited_rubric(binding, head, collector.touched) if plans else ()
    provider = binding.config.provider
    models = {**provider.models, **collector.model_entries}
    collected = CollectedRun(
        config=replace(binding.config, provider=replace(provider, models=models)),
        config_source=binding.source,
        plans=plans,
        notes=(*binding.notes, *rubric_notes, *coverage.note_ignored_prompts(head), *collector.notes),
        problems=tuple(collector.problems),
        rubric=rubric.load_rubric(rubric_source, binding.config.judge.rubric) if plans else None,
        unmerged_config=binding.is_unmerged,
        untested_settings=binding.untested_settings,
    )
    return prompt_settings.apply_prompt_settings(collected, base, head, config_path)


@dataclass(kw_only=True, slots=True)
class _Collector:
    """Loads prompts and goldens of both revisions, with the problems and notes on the way."""

    before: Revision
    after: Revision
    changes: Sequence[FileChange]
    binding: BindingConfig
    config_path: str
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    model_entries: dict[str, str] = field(default_factory=dict)
    """What to add to the binding `provider.models`, so that head's prompts are asked with head's models."""
    touched: set[str] = field(init=False)  # every path that the change touches, old and new

    def __post_init__(self) -> None:
        self.touched = {path for c in self.changes for path in (c.base_path, c.head_path) if path}

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of both configurations: a change cannot hide a prompt by narrowing `include`."""
        return tuple(dict.fromkeys((*self.before.config.prompts.include, *self.after.config.prompts.include)))

    def collect(self) -> tuple[PromptPlan, ...]:
        """Return the plans of the affected prompts."""
        had_prompts = bool(find_prompt_files(self.before.snapshot, self.patterns))
        head, configs = self.after.snapshot, [self.before.config, self.after.config]
        problems, notes = coverage.check_patterns(head, configs, self.config_path, had_prompts=had_prompts)
        mistakes, doubts = binding_config.find_idle_patterns(head, self.after.config, self.config_path)
        self.problems += problems or mistakes
        self.notes += [*notes, *map(str, doubts)]
        if not self.touched:
            return ()
        provider, own = self.binding.config.provider, self.after.config.provider
        loader = prompts_load.PromptLoader()  # what is the same at both is parsed once
        options = replace(self.binding.config.prompt_options, model=provider.model or own.model)
        base_prompts, base_problems = load_prompts(self.before.snapshot, self.patterns, options, loader)
        head_prompts, head_problems = load_prompts(head, self.patterns, configs[1].prompt_options, loader)
        head_prompts, self.model_entries = head_models.apply_models(head_prompts, self.binding.config, own)
        if provider.kind == "command":
            ids = application_version.identify_both(self.before.snapshot, head, provider, self.touched)
            base_prompts, head_prompts = map(application_version.mark_application, (base_prompts, head_prompts), ids)
        usable = {prompt.path for prompt in base_prompts.values()}
        problems, notes = _sort_problems(head_problems, usable, self.after, self.touched)
        self.problems += problems
        self.notes += [*notes, *(f"At the base revision: {problem}" for problem in base_problems)]
        broken = {problem.path for problem in head_problems}
        self.problems += coverage.find_idle_selectors(head, self.after.config, head_prompts.values(), broken)
        pairs = [
            pair
            for pair in change_reasons.pair_prompts(base_prompts, head_prompts, self.changes, self._goldens_of)
            if pair.head is not None or broken.isdisjoint(_paths_at_head(pair.current.path, self.changes))
        ]
        self.problems += coverage.find_unreachable_prompts(pairs, head, self.patterns, self.changes)
        sides = ((self.before.snapshot, self.before.config), (head, self.after.config))
        self.problems += coverage.find_dropped_prompts(pairs, sides, self.config_path)
        goldens = {
            pair.current.address: (find_goldens(self.before, pair.base), find_goldens(self.after, pair.head))
            for pair in pairs
        }
        self.problems += orphaned_goldens.find_orphaned_goldens(pairs, self.after.snapshot, goldens, self.changes)
        plans = []
        for pair in pairs:
            try:
                plans += [plan] if (plan := self._plan(pair, *goldens[pair.current.address])) else []
            except InputError as error:
                self.problems.extend(error.problems)
            else:
                self.notes += pair.head.notes if not plan and pair.head and pair.head.path in self.touched else ()
        self.notes += change_reasons.describe_new_names(pairs, {plan.name for plan in plans})
        return orphaned_goldens.mark_left_goldens(plans, goldens, self.problems, self.changes)

    def _goldens_of(self, prompt: Prompt) -> list[str]:
        return [path for revision in (self.before, self.after) for path in find_goldens(revision, prompt)]

    def _plan(self, pair: PromptPair, base_paths: Sequence[str], head_paths: Sequence[str]) -> PromptPlan | None:
        """Plan one pair; return None where nothing about it changed."""
        reasons = list(change_reasons.find_change_reasons(pair))
        if not reasons and list(base_paths) == list(head_paths) and not self._might_matter(pair, head_paths):
            return None
        base_set = self._load_base_goldens(pair, base_paths)
        is_same = base_set.cases and change_reasons.keeps_goldens(pair, base_paths, head_paths, self.touched)
        head_set = base_set if is_same else load_golden_set(self._bind(self.after), pair.head, head_paths)
        if pair.base and pair.head and not is_same and change_reasons.differ(base_set, head_set):
            reasons.append("goldens changed")
        has_judge = any(a.type == "judge" for case in head_set.cases for a in case.assertions)
        if has_judge and self.binding.config.judge.rubric in self.touched:
            reasons.append("judge rubric changed")
        reasons += ["configuration changed"] if self.binding.is_edited else []
        if not reasons:
            return None
        base = prompt_version.PromptVersion(prompt=pair.base, goldens=base_set) if pair.base else None
        head = prompt_version.PromptVersion(prompt=pair.head, goldens=head_set) if pair.head else None
        plan = plan_prompt.plan_prompt(pair.current.name, pair.current.path, pair.status, base, head, reasons)
        if base and head and PROMPT_REASONS.issuperset(reasons):
            if (unreached := unreached_change.find_unreached_change(base, head, self.touched)) is not None:
                return plan_prompt.without_cases(plan, unreached)
            if equal_requests.asks_the_same(base, head):
                self.notes.append(f"{plan.name}: its text changed, but not what is sent.")
                return None
        return plan

    def _bind(self, revision: Revision) -> Revision:
        """Return a revision under the binding configuration."""
        return replace(revision, config=self.binding.config)

    def _might_matter(self, pair: PromptPair, golden_paths: Sequence[str]) -> bool:
        paths = {self.binding.config.judge.rubric, pair.current.path, *golden_paths}
        return self.binding.is_edited or pair.is_renamed or any(p in paths or is_image(p) for p in self.touched)

    def _load_base_goldens(self, pair: PromptPair, paths: Sequence[str]) -> GoldenSet:
        """Load base's goldens; files that were broken there must not stop the change that fixes them."""
        try:
            return load_golden_set(self._bind(self.before), pair.base, paths)
        except InputError as error:
            self.notes += [f"At the base revision: {problem}" for problem in error.problems]
            return goldens_model.GoldenSet(paths=tuple(paths), cases=())


def load_prompts(
    snapshot: Snapshot, patterns: Sequence[str], options: PromptOptions, loader: prompts_load.PromptLoader | None = None
) -> tuple[dict[str, Prompt], list[Problem]]:
    """Load the prompts that the patterns reach: the usable ones by address, and every problem of the others."""
    files = find_selected_files(snapshot, patterns)
    snapshot.read_ahead(files)
    return (loader or prompts_load.PromptLoader()).load_prompts(snapshot.read, files, options, snapshot.glob)


def _sort_problems(
    problems: Sequence[Problem], usable_at_base: Collection[str], head: Revision, touched: Collection[str]
) -> tuple[list[Problem], list[str]]:
    """Return the problems of head that this change may have caused, and notes on the others."""
    needed = {
        path: path in usable_at_base or not find_related_paths(head, path).isdisjoint(touched)
        for path in {problem.path for problem in problems}
    }
    kept = [problem for problem in problems if needed[problem.path]]
    return kept, [str(problem) for problem in problems if not needed[problem.path]]


def _paths_at_head(base_path: str, changes: Sequence[FileChange]) -> set[str | None]:
    return {base_path} | {change.head_path for change in changes if change.base_path == base_path}


def find_goldens(revision: Revision, prompt: Prompt | None) -> list[str]:
    """Return the golden files of a prompt at one revision; a name that several prompts have is looked up last."""
    if prompt is None:
        return []
    names = filter(None, (prompt.name, prompt.written_name))
    return next(filter(None, (_find_golden_files(revision, name) for name in names)), [])


def _find_golden_files(revision: Revision, name: str) -> list[str]:
    pattern = revision.config.prompts.goldens
    return find_golden_files(revision.snapshot.glob, pattern, name, globs.escape, revision.snapshot.read)


def find_related_paths(revision: Revision, path: str) -> set[str]:
    """Return the paths of a prompt that cannot be parsed: its own, its includes' and its goldens'."""
    snapshot = revision.snapshot
    try:
        text = (snapshot.read(path) or b"").decode(errors="replace")
    except InputError:
        return {path}
    goldens = _find_golden_files(revision, prompts_load.guess_name(path))
    return {path, *includes.find_included_paths(text, path, snapshot.read), *goldens}


def load_golden_set(revision: Revision, prompt: Prompt | None, paths: Sequence[str]) -> GoldenSet:
    """Load a prompt's goldens, testData among them; raise InputError with every mistake."""
    if prompt is None:
        return goldens_model.GoldenSet(paths=(), cases=())
    items, lines = prompt.test_data, prompt.test_data_lines
    if slips := goldens_load.find_test_data_slips(prompt.path, items, lines, prompt.variables):
        raise InputError(slips)
    own_cases = [
        *goldens_load.cases_from_test_data(prompt.path, items, lines),
        *goldens_load.parse_own_cases(prompt.path, prompt.own_cases),
    ]
    with contextlib.ExitStack() as stack:
        files = {
            path: stack.enter_context(file)
            for path in paths
            if (file := revision.snapshot.open(path, revision.config.prompts.golden_limit)) is not None
        }
        golden_set = goldens_load.load_goldens(files, own_cases)
    return goldens_images.load_images(golden_set, prompt.variables, revision.snapshot.read)
