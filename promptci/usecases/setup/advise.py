"""Find out what state a folder is in, and what to do next there. Asks no model."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from promptci.app.requests import CheckRequest
from promptci.config.find import find_config
from promptci.errors import GitError, InputError, PromptciError
from promptci.evaluation import check
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection import collect
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.providers import registry
from promptci.wording import count, join_names

MAX_NAMES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """What was found, and what to type next."""

    state: str
    commands: tuple[str, ...]


def advise(root: Path, config_path: str, environ: Mapping[str, str]) -> Advice:
    """Return the next step in a folder: set up, repair, check what changed, or look around."""
    try:
        repo = Repo.discover(root)
    except GitError:
        return Advice(
            state="This folder is in no git repository, where promptci finds prompts and the versions they replace.",
            commands=(
                "git init && promptci init     # start here",
                "promptci demo --set-up        # see it work first",
            ),
        )
    with closing(repo.snapshot(WORK_TREE)) as tree:
        if find_config(tree, config_path) is None:
            return Advice(
                state=f"There is no {config_path} in this repository yet.",
                commands=("promptci init                 # finds prompts, writes what is missing",),
            )
    if not _is_set_up(repo, config_path):
        return Advice(
            state=f"{config_path} is not committed yet, so that there is no version to compare a change with.",
            commands=(
                "git add --all && git commit   # commit the set-up; then edit a prompt, and: promptci check",
                "promptci run                  # test every prompt as it is",
                "promptci doctor               # check the setup",
            ),
        )
    try:
        collected, base_name = _collect(repo, config_path)
    except PromptciError as error:
        return Advice(
            state=f"Something is wrong: {error.problems[0] if isinstance(error, InputError) else error}",
            commands=("promptci doctor               # every mistake, with its file and line",),
        )
    return _advise_on(collected, base_name, environ)


def _is_set_up(repo: Repo, config_path: str) -> bool:
    """Return whether the last commit has a configuration; False where there is no commit."""
    try:
        with closing(repo.snapshot("HEAD")) as head:
            return find_config(head, config_path) is not None
    except GitError:
        return False
    except InputError:  # two configurations, which what follows names
        return True


def _collect(repo: Repo, config_path: str) -> tuple[CollectedRun, str]:
    """Return what `promptci check` would test here."""
    base_revision, base_name = check.find_base(repo, CheckRequest(root=repo.root, head=WORK_TREE))
    with closing(repo.snapshot(WORK_TREE)) as head, closing(repo.snapshot(base_revision)) as base:
        return collect.collect_changes(base, head, repo.changes(base, head), config_path), base_name


def _advise_on(collected: CollectedRun, base_name: str, environ: Mapping[str, str]) -> Advice:
    names = [plan.name for plan in collected.plans]
    if collected.problems:
        return Advice(
            state=f"Something is wrong: {collected.problems[0]}",
            commands=("promptci doctor               # every mistake, with its file and line",),
        )
    if not names:
        return Advice(
            state=f"Nothing that can change an answer differs from the {base_name}.",
            commands=(
                "promptci run                  # test every prompt as it is",
                "promptci check --base HEAD~1  # compare with the commit before",
                "promptci power                # what your goldens can show",
                "promptci release NAME         # number a merged prompt, to deploy it: docs/releases.md",
                "promptci doctor               # check the setup",
            ),
        )
    state = f"{count(len(names), 'prompt')} changed since the {base_name}: {join_names(names, MAX_NAMES)}."
    if unreached := [plan.name for plan in collected.plans if plan.change.unreached is not None]:
        state += f" No golden case reaches the change of {join_names(unreached, MAX_NAMES)}."
    if missing := [plan.name for plan in collected.plans if plan.change.missing_goldens]:
        pattern = collected.config.prompts.goldens.replace("{name}", missing[0]).replace("*", "jsonl")
        state += f" Without golden cases: {join_names(missing, MAX_NAMES)}; write some to {pattern}."
    for provider in collected.config.endpoints:
        if registry.lacks_key(provider, environ):
            state += f" The key of {provider.base_url} is not set here: export {provider.api_key_env}=…"
    return Advice(
        state=state,
        commands=(
            "promptci check                # test the change against the version it replaces",
            "promptci check --watch        # the same, again after every save",
            "promptci check --dry-run      # what it would ask and cost",
        ),
    )
