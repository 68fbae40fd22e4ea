"""Check a repository before it is used: its files, its endpoint and its workflow, and what to fix in each."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import field
from pathlib import Path

from promptci.config import load as config_load
from promptci.config.find import find_config, require_named_config
from promptci.config.model import Config
from promptci.config.policy import OnMissingGoldens
from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.files.lines import decode_utf8
from promptci.git import command, globs
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE, Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection import binding_config, collect, coverage, plan_prompt, prompt_settings
from promptci.pipeline.collection.collect import Revision
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.collection.prompt_version import PromptVersion
from promptci.pipeline.collection.side_files import promptfoo_endpoint, rubric
from promptci.pipeline.plan import planning
from promptci.prompts import load as prompts_load
from promptci.prompts.find import find_selected_files, find_unmatched_prompt_files
from promptci.prompts.model import Prompt
from promptci.prompts.promptfoo.config import READ_AS_PROMPTFOO
from promptci.providers.options import ProviderOptions
from promptci.runs.prompt_plan import PromptPlan, Status
from promptci.scoring.judges import judge
from promptci.usecases.setup import doctor_endpoint, doctor_goldens, doctor_workflow
from promptci.usecases.setup.doctor_document import DoctorFinding, Level
from promptci.wording import count, join_names

REPORT = "promptci-report"
"""Default folder of the report."""
JUDGES = {"judge", "llm"}
"""Assertions that a model scores."""


@dataclass(kw_only=True, slots=True)
class _RepositoryState:
    """A repository, and what has been loaded from it so far."""

    root: Path
    config_path: str
    snapshot: Snapshot
    environ: Mapping[str, str] | None = None
    """Variables of this machine; None: they are not checked."""
    is_readable: bool = True
    """Whether promptci.yml could be loaded; the parts that depend on it are checked only then."""
    config: Config = field(default_factory=Config)
    document: strict_yaml.YamlDocument | None = None
    """promptci.yml with its lines; None where there is none."""
    plans: list[PromptPlan] = field(default_factory=list)
    golden_files: set[str] = field(default_factory=set)
    """Files that hold the cases of some prompt."""
    endpoints: Mapping[str, ProviderOptions] = field(default_factory=dict)
    """Endpoints that some prompts have of their own, by their ids."""

    def line_of(self, *keys: str) -> int | None:
        """Return the line of a key of promptci.yml."""
        return None if self.document is None else self.document.line_of(keys)

    @property
    def judge_models(self) -> list[str]:
        """The models that mark answers."""
        cases = (planned.case for plan in self.plans for planned in plan.task.cases)
        return judge.list_judge_models(cases, model=self.config.judge.model, rubric=self.config.judge.rubric)

    def flag(self, level: Level, message: str, fix: str, *keys: str) -> DoctorFinding:
        """Return a finding about promptci.yml."""
        return DoctorFinding(
            problem=Problem(path=self.config_path, line=self.line_of(*keys), message=message, hint=fix), level=level
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkup:
    """What the doctor found."""

    findings: tuple[DoctorFinding, ...]
    """By file and line."""
    in_order: tuple[str, ...]
    """What needs no attention, one part of the set-up each."""
    notes: tuple[str, ...]
    """What each prompt's goldens can decide, which endpoints of promptfoo are not asked, and what was not checked."""


def examine(root: Path, config_path: str) -> tuple[DoctorFinding, ...]:
    """Return everything to fix in the working tree, by file and line; see `check_up`."""
    return check_up(root, config_path).findings


def check_up(root: Path, config_path: str, environ: Mapping[str, str] | None = None) -> Checkup:
    """Return everything to fix in the working tree, and what is in order.

    Raises
    ------
    GitError
        Where `root` is in no repository.
    """
    repo = Repo.discover(root)
    with closing(repo.snapshot(WORK_TREE)) as snapshot:
        state = _RepositoryState(root=repo.root, config_path=config_path, snapshot=snapshot, environ=environ)
        parts = {"configuration": [*_config(state)]}
        if state.is_readable:  # by the defaults in its place, correct files would look wrong
            parts |= {name: [*examine_part(state)] for name, examine_part in PARTS.items()}
        unique = dict.fromkeys(finding for findings in parts.values() for finding in findings)
        unchecked = (
            () if state.is_readable else (f"not checked until {state.config_path} is valid: {', '.join(PARTS)}",)
        )
        foreign = () if unchecked else promptfoo_endpoint.describe_differences(snapshot, state.config, config_path)
        return Checkup(
            findings=tuple(sorted(unique, key=lambda f: (f.problem.path, f.problem.line or 0, f.problem.message))),
            in_order=tuple(f"{part}: {_describe(part, state)}" for part, findings in parts.items() if not findings),
            notes=(
                *doctor_goldens.describe_goldens(state.plans, state.config),
                *_note_endpoints(state),
                *foreign,
                *unchecked,
            ),
        )


def _describe(part: str, state: _RepositoryState) -> str:
    """Return what a part without a finding consists of."""
    cases = sum(len(plan.task.cases) for plan in state.plans)
    return {
        "configuration": f"{state.config_path} is valid",
        "prompts and goldens": f"{count(len(state.plans), 'prompt')}, {count(cases, 'golden case')}",
        "judges": ", ".join(state.judge_models) or "none is used",
        "endpoint": "; ".join(
            doctor_endpoint.describe_endpoint(o, state.environ or {}) for o in state.config.endpoints
        ),
        "ignored folders": "git ignores what promptci writes",
        "workflow": "triggers, permissions and inputs fit",
    }[part]


def _error_findings(error: InputError) -> list[DoctorFinding]:
    return [DoctorFinding(problem=problem, level="error") for problem in error.problems]


def _config(state: _RepositoryState) -> Iterator[DoctorFinding]:
    try:
        require_named_config([state.snapshot], state.config_path)
        state.config_path = find_config(state.snapshot, state.config_path) or state.config_path
        data = state.snapshot.read(state.config_path)
        if data is None:
            yield state.flag("warning", "there is no such file, so everything is at its default", "`promptci init`.")
            return
        state.document = strict_yaml.load(decode_utf8(data, state.config_path), state.config_path)
        state.config = config_load.load_config(data, state.config_path)
    except InputError as error:
        state.is_readable = False
        yield from _error_findings(error)


def _prompts(state: _RepositoryState) -> Iterator[DoctorFinding]:
    config, snapshot = state.config, state.snapshot
    files = find_selected_files(snapshot, config.prompts.include)
    uncovered, _ = coverage.check_patterns(snapshot, [config], state.config_path)
    mistakes, idle = binding_config.find_idle_patterns(snapshot, config, state.config_path)
    yield from (state.flag("error", each.message, each.hint, "prompts", "include") for each in uncovered)
    for each in () if uncovered else (*mistakes, *idle):
        yield DoctorFinding(problem=each, level="error" if each in mistakes else "warning")
    if not uncovered and (missed := find_unmatched_prompt_files(snapshot, config.prompts.include)):
        message = f"`prompts.include` leaves out {join_names(missed, coverage.MAX_SHOWN)}"
        yield state.flag("warning", message, "Add a pattern that covers them.", "prompts", "include")
    prompts, problems = prompts_load.load_prompts(snapshot.read, files, config.prompt_options, snapshot.glob)
    broken = {problem.path for problem in problems}
    problems += coverage.find_idle_selectors(snapshot, config, prompts.values(), broken)
    yield from (DoctorFinding(problem=problem, level="error") for problem in problems)
    for prompt in prompts.values():
        yield from _unused_parts(prompt)
        yield from _goldens(state, prompt)
    names = [prompt.name for prompt in prompts.values()]
    unused = doctor_goldens.find_unused_goldens(snapshot, config.prompts.goldens, names, state.golden_files)
    doubts = [*(unused if names and not problems else ()), *doctor_goldens.find_truthy_words(state.plans)]
    doubts += doctor_goldens.find_unused_variables(state.plans)
    yield from (DoctorFinding(problem=problem, level="warning") for problem in doubts)
    collected = CollectedRun(config=config, config_source=state.config_path, plans=tuple(state.plans))
    try:
        collected = prompt_settings.apply_prompt_settings(collected, None, snapshot, state.config_path)
        state.plans, state.endpoints = list(collected.plans), collected.endpoints
        planning.plan_run(collected)
    except InputError as error:
        yield from _error_findings(error)


def _unused_parts(prompt: Prompt) -> Iterator[DoctorFinding]:
    """Yield what the file says and promptci does not use, and what is sent without being filled in."""
    for note in prompt.notes:
        line, _, text = note.removeprefix(f"{prompt.path}:").partition(": ")
        place, message = (int(line), text) if line.isdecimal() else (None, note.removeprefix(f"{prompt.path}: "))
        if message.startswith(READ_AS_PROMPTFOO):  # as `promptci init` included it
            continue
        is_promptfoo = any(READ_AS_PROMPTFOO in other for other in prompt.notes)
        page = "docs/from-promptfoo.md" if is_promptfoo else "docs/prompt-files.md"
        hint = f"Remove it if it is not meant so; {page} lists what is used."
        problem = Problem(path=prompt.path, line=place, message=message.removesuffix("."), hint=hint)
        yield DoctorFinding(problem=problem, level="warning")


def _goldens(state: _RepositoryState, prompt: Prompt) -> Iterator[DoctorFinding]:
    side = Revision(snapshot=state.snapshot, config=state.config)
    try:
        files = collect.find_goldens(side, prompt)
        state.golden_files.update(files)
        goldens = collect.load_golden_set(side, prompt, files)
    except InputError as error:
        yield from _error_findings(error)
        return
    if not goldens.cases:
        level: Level = "warning" if state.config.gate.on_missing_goldens is OnMissingGoldens.WARN else "error"
        problem = doctor_goldens.describe_missing_goldens(prompt, files, state.config.prompts.goldens)
        yield DoctorFinding(problem=problem, level=level)
    version = PromptVersion(prompt=prompt, goldens=goldens)
    state.plans.append(plan_prompt.plan_prompt(prompt.name, prompt.path, Status.ADDED, None, version, ["asked for"]))


def _judge(state: _RepositoryState) -> Iterator[DoctorFinding]:
    options = state.config.judge
    uses = {
        plan.name: {a.type for planned in plan.task.cases for a in planned.case.assertions} & JUDGES
        for plan in state.plans
    }
    cases = [planned.case for plan in state.plans for planned in plan.task.cases]
    judged = [assertion for case in cases for assertion in case.assertions if assertion.type == "judge"]
    for key, users in (("model", judged), ("rubric", [a for a in judged if not a.options.get("rubric")])):
        if users and getattr(options, key) is None:
            message = f"goldens use the assertion `judge`, and `judge.{key}` is not set"
            yield state.flag("error", message, f"Set `judge.{key}`.", "judge")
    try:
        rubric.load_rubric(state.snapshot, options.rubric)
    except InputError as error:
        yield from _error_findings(error)
    for name in (name for name, types in uses.items() if types):
        pattern = state.config.prompts.goldens.replace("{name}", globs.escape(name))
        labels = pattern.removesuffix(".*") + ".labels.*"
        if not state.snapshot.glob(labels):
            problem = doctor_goldens.describe_missing_labels(name, state.config.prompts.goldens)
            yield DoctorFinding(problem=problem, level="warning")


def _provider(state: _RepositoryState) -> Iterator[DoctorFinding]:
    for options, models in _asked_models(state):
        section = "provider" if options is state.config.provider else "overrides"
        for finding in doctor_endpoint.examine_endpoint(options, models, state.root, state.environ):
            yield state.flag(finding.level, finding.message, finding.fix, section, finding.key)


def _note_endpoints(state: _RepositoryState) -> Iterator[str]:
    for options, models in _asked_models(state):
        yield from doctor_endpoint.note_endpoint(options, models, state.environ)


def _asked_models(state: _RepositoryState) -> Iterator[tuple[ProviderOptions, set[str]]]:
    """Yield each endpoint with the models that it is asked for."""
    sides = [prompt for plan in state.plans for prompt in (plan.change.base, plan.change.head)]
    versions = [prompt for prompt in sides if prompt is not None]
    own = {name: {prompt.model for prompt in versions if prompt.endpoint == name} for name in ["", *state.endpoints]}
    own[""] |= {*state.judge_models, *filter(None, [state.config.judge.model])}
    for options in state.config.endpoints:
        yield options, own[""] if options is state.config.provider else own.get(options.id, set())


def _cache(state: _RepositoryState) -> Iterator[DoctorFinding]:
    folder = state.config.run.cache
    tracked = command.split_nul(command.run_git(state.root, "ls-files", "-z"))
    for path, danger in ((folder, "they could make any prompt pass"), (REPORT, "no report is written into git")):
        if path and (committed := [each for each in tracked if each.startswith(f"{path.rstrip('/')}/")]):
            files = count(len(committed), "file is", "files are")
            message = f"{files} committed under {path}; promptci does not use what is in git there"
            problem = Problem(path=committed[0], message=message, hint=f"`git rm -r --cached {path}`: {danger}.")
            yield DoctorFinding(problem=problem, level="error")
    for path in filter(None, (folder, REPORT)):
        if command.try_git(state.root, "check-ignore", "--quiet", "--", f"{path}/x").returncode == 1:
            top = path.split("/")[0]
            message = f"`{top}/`, which promptci writes, is not ignored and would be committed by `git add --all`"
            problem = Problem(path=".gitignore", message=message, hint=f"Add the line `{top}/`.")
            yield DoctorFinding(problem=problem, level="warning")


def _workflow(state: _RepositoryState) -> Iterator[DoctorFinding]:
    for problem, level in doctor_workflow.examine(state.snapshot, state.config):
        yield DoctorFinding(problem=problem, level=level)


PARTS = {
    "prompts and goldens": _prompts,
    "judges": _judge,
    "endpoint": _provider,
    "ignored folders": _cache,
    "workflow": _workflow,
}
"""What is checked by the configuration, in this order: each part needs what those before it load."""
