"""The prompts of the default branch: model, fingerprint, goldens, labels, reference of drift."""

from contextlib import ExitStack, closing

from promptci.config.find import load_revision_config
from promptci.config.model import PromptPatterns
from promptci.drift.reference import ReferenceDocument, reference_path
from promptci.errors import InputError, PromptciError
from promptci.git import globs
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.goldens.find import NAME, find_golden_files
from promptci.goldens.load import load_goldens
from promptci.lazy_dataclass import dataclass
from promptci.prompts.find import find_selected_files
from promptci.prompts.load import load_prompts
from promptci.prompts.model import Prompt
from promptci.rollout import state
from promptci.rollout.deployment import shorten_version
from promptci.rollout.deployments import environment_file
from promptci.site.model import RunningPair


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadPrompt:
    """One prompt as the default branch has it."""

    prompt: Prompt
    goldens: int | str | None
    """Number of cases; a text: why they cannot be read; None: there are none."""
    labels: int | None
    reference: tuple[int, str] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadFiles:
    """What the default branch says."""

    commit: str
    prompts: dict[str, HeadPrompt]
    running: dict[str, tuple[RunningPair, ...]]
    problems: tuple[str, ...]


def read_head(repo: Repo, revision: str, config_path: str) -> HeadFiles:
    """Return the prompts of a revision, and what its deployment files say of them.

    Raises
    ------
    ConfigError
        If promptci.yml is wrong there.
    """
    commit = repo.resolve(revision)
    with closing(repo.snapshot(commit)) as snapshot:
        config = load_revision_config(snapshot, config_path)
        files = find_selected_files(snapshot, config.prompts.include)
        prompts, found_problems = load_prompts(snapshot.read, files, config.prompt_options, snapshot.glob)
        described = {
            prompt.name: HeadPrompt(
                prompt=prompt,
                labels=_count_labels(snapshot, config.judge.labels, prompt.name),
                reference=_read_reference(snapshot, prompt.name),
                goldens=_count_goldens(snapshot, config.prompts, prompt),
            )
            for prompt in prompts.values()
        }
        running, problems = _read_running(snapshot)
    return HeadFiles(
        commit=commit,
        prompts=described,
        running=running,
        problems=(*(str(problem) for problem in found_problems), *problems),
    )


def _count_goldens(snapshot: Snapshot, patterns: PromptPatterns, prompt: Prompt) -> int | str | None:
    paths = find_golden_files(snapshot.glob, patterns.goldens, prompt.name, globs.escape, snapshot.read)
    if not paths and not prompt.test_data:
        return None
    try:
        with ExitStack() as stack:
            opened = {path: snapshot.open(path, patterns.golden_limit) for path in paths}
            files = {path: stack.enter_context(file) for path, file in opened.items() if file is not None}
            return len(load_goldens(files).cases) + len(prompt.test_data)
    except InputError as error:
        return " ".join(str(error).split())[:300]


def _count_labels(snapshot: Snapshot, pattern: str, name: str) -> int | None:
    paths = snapshot.glob(pattern.replace(NAME, globs.escape(name)))
    contents = [snapshot.read(path) or b"" for path in paths]
    return sum(1 for content in contents for line in content.splitlines() if line.strip()) if paths else None


def _read_reference(snapshot: Snapshot, name: str) -> tuple[int, str] | None:
    path = reference_path(name)
    data = snapshot.read(path)
    if data is None:
        return None
    try:
        reference = ReferenceDocument.parse(data, path)
    except InputError:
        return None
    return reference.answers, reference.frozen


def _read_running(snapshot: Snapshot) -> tuple[dict[str, tuple[RunningPair, ...]], list[str]]:
    running: dict[str, tuple[RunningPair, ...]] = {}
    problems: list[str] = []
    for environment in environment_file.list_environments(snapshot):
        try:
            file = environment_file.load_environment(snapshot, environment)
            path = environment_file.progress_path(environment)
            progress = state.load_progress(snapshot.read(path), path)
        except PromptciError as error:
            problems.append(" ".join(str(error).split()))
            continue
        for entry in file.deployment.prompts:
            step = progress.get(entry.prompt)
            ended = step is not None and (step.stable, step.canary) == (entry.stable, entry.canary) and step.rolled_back
            pair = RunningPair(
                environment=environment,
                stable=shorten_version(entry.prompt, entry.stable),
                canary=shorten_version(entry.prompt, entry.canary or ""),
                share=entry.share,
                rolled_back=f"{ended:%Y-%m-%dT%H:%M:%SZ}" if ended else "",
                rollback_reason=step.rollback_reason if step is not None and ended else "",
            )
            running[entry.prompt] = (*running.get(entry.prompt, ()), pair)
    return running, problems
