"""Detect what a repository already has, before `promptci init` writes anything. No value of a variable is read."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import field
from pathlib import Path
from typing import NamedTuple

from promptci.config.model import DEFAULT_INCLUDE, Config
from promptci.errors import GitError, InputError
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE, Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection import collect
from promptci.pipeline.collection.collect import Revision
from promptci.prompts import discover
from promptci.prompts.discover import PatternProposal
from promptci.prompts.find import find_prompt_files
from promptci.prompts.model import Prompt
from promptci.prompts.options import PromptOptions
from promptci.prompts.promptfoo import load, providers

_NO_MODEL = "unnamed"
"""Stands for the model of prompts that name none, which promptci.yml will name."""
_ADDRESSES = {key: base_url for base_url, key in providers.ENDPOINTS.values()}
ENDPOINTS = {
    f"{maker}_API_KEY": _ADDRESSES[f"{maker}_API_KEY"]
    for maker in ("OPENAI", "OPENROUTER", "ANTHROPIC", "GEMINI", "MISTRAL", "GROQ", "TOGETHER", "DEEPSEEK", "XAI")
}
"""Variables that hold a key, and the OpenAI-compatible endpoint that takes it; the first that is set counts."""
FOREIGN_FILES = {f"promptfooconfig.{suffix}": "promptci import promptfoo" for suffix in ("yaml", "yml")}
"""Configurations of other tools, and the command that imports each."""


class Endpoint(NamedTuple):
    """Where another tool's configuration asks, and the variable that holds the key."""

    base_url: str
    api_key_env: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """What is there already."""

    in_git: bool = True
    """Whether the folder is in a git repository; outside nothing is detected."""
    proposal: PatternProposal = field(default_factory=PatternProposal)
    """Patterns for prompts in other files than `.prompt.yml`."""
    prompt_files: tuple[str, ...] = ()
    """Files that promptci tests by default."""
    models: tuple[str, ...] = ()
    without_goldens: tuple[str, ...] = ()
    """Names of prompts without a golden case."""
    imports: tuple[str, ...] = ()
    """Commands that import what another tool's configuration has, where it is not read as it is."""
    endpoint: Endpoint | None = None
    """That of a configuration of promptfoo which is read as it is."""

    @property
    def has_prompts(self) -> bool:
        """Whether there are prompts, so that an example would be in the way."""
        return bool(self.proposal.include or self.prompt_files)


def detect_repository(root: Path) -> Repository:
    """Return what the working tree has; nothing outside of a repository."""
    try:
        repo = Repo.discover(root)
    except GitError:
        return Repository(in_git=False)
    with closing(repo.snapshot(WORK_TREE)) as tree:
        paths = tree.paths()
        files = find_prompt_files(tree, DEFAULT_INCLUDE)
        proposal = discover.propose_patterns(paths, tree.read, tree.glob)
        include = (*DEFAULT_INCLUDE, *proposal.include)
        prompts, _ = collect.load_prompts(tree, include, PromptOptions(model=_NO_MODEL, syntax=proposal.syntax))
        foreign = [path for path in FOREIGN_FILES if path in paths]
        without = [prompt.name for prompt in prompts.values() if _lacks_goldens(tree, prompt)]
        return Repository(
            proposal=proposal,
            prompt_files=tuple(files),
            models=tuple(dict.fromkeys(prompt.model for prompt in prompts.values() if prompt.model != _NO_MODEL)),
            without_goldens=tuple(without),
            imports=tuple(f"{FOREIGN_FILES[path]} {path}" for path in foreign if path not in proposal.include),
            endpoint=_find_endpoint([path for path in foreign if path in proposal.include], tree),
        )


def _find_endpoint(configurations: Sequence[str], tree: Snapshot) -> Endpoint | None:
    for path in configurations:
        config = load.load_promptfoo(path, tree.read, tree.glob)
        if config.base_url is not None:
            return Endpoint(config.base_url, config.api_key_env)
    return None


def _lacks_goldens(tree: Snapshot, prompt: Prompt) -> bool:
    revision = Revision(snapshot=tree, config=Config())
    try:
        return not collect.load_golden_set(revision, prompt, collect.find_goldens(revision, prompt)).cases
    except InputError:  # `promptci doctor` names the mistake
        return False


def detect_key(environ: Mapping[str, str], endpoint: Endpoint | None = None) -> str | None:
    """Return the name of the variable with the key of `endpoint`, or of the first that is set; None where none is."""
    if endpoint is not None and endpoint.api_key_env:
        return endpoint.api_key_env
    return next((name for name in ENDPOINTS if environ.get(name)), None)
