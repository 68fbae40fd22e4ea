"""Create the starter files: promptci.yml, a workflow, and a prompt with goldens that runs at once."""

import json
from contextlib import closing
from pathlib import Path

from promptci.config.model import DEFAULT_INCLUDE
from promptci.errors import GitError, UsageError
from promptci.files import packaged, write
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.prompts import discover
from promptci.prompts.discover import PatternProposal
from promptci.prompts.find import find_prompt_files

FILES = {
    "promptci.yml": "promptci.yml",
    ".github/workflows/prompts.yml": "workflow.yml",
    "prompts/email-finder.prompt.yml": "email-finder.prompt.yml",
    "goldens/email-finder.jsonl": "email-finder.jsonl",
}
"""Files to write, and the template of each."""
EXAMPLE = ("prompts/email-finder.prompt.yml", "goldens/email-finder.jsonl")
"""Those that are there to be tried."""
NOTHING_PROPOSED = PatternProposal()
IGNORED = (".promptci/", "promptci-report/", "promptci-judge/", "promptci-demo/")
"""Folders that promptci writes and that do not belong in git."""


def write_starter_files(root: Path, *, provider: str, proposal: PatternProposal = NOTHING_PROPOSED) -> list[str]:
    """Write the files and return their paths; write nothing if one of them exists.

    Where the repository has prompts of its own in text, code or data files, there is no example beside them.

    Raises
    ------
    UsageError
        When a file is already there.
    """
    files = {name: FILES[name] for name in FILES if name not in EXAMPLE or not proposal.include}
    existing = [name for name in files if (root / name).exists() or (root / name).is_symlink()]
    if existing:
        raise UsageError(f"Already there: {', '.join(existing)}", "Nothing was written. Move them away to start again.")
    templates = packaged.find_packaged_folder("templates") / "init"
    section = (templates / f"provider-{provider}.yml").read_text(encoding="utf-8").rstrip()
    if proposal.include and provider != "local":
        section = section.replace("\nrun:", "\n  model: openai/gpt-4o-mini   # of prompts that name none\nrun:")
    elif proposal.include:
        section += "\n  model: embedded       # of prompts that name none"
    for name, template in files.items():
        text = (templates / template).read_text(encoding="utf-8").replace("{{provider}}", section)
        text = text.replace("{{include}}", _format_include(proposal))
        write.write_text(root / name, text)
    return [*files, *_ignore(root / ".gitignore")]


def find_existing_prompts(root: Path) -> list[str]:
    """Return the repository's own prompt files, which promptci tests by default; none outside of a repository."""
    try:
        repo = Repo.discover(root)
    except GitError:
        return []
    with closing(repo.snapshot(WORK_TREE)) as tree:
        return [path for path in find_prompt_files(tree, DEFAULT_INCLUDE) if path not in FILES]


def propose_patterns(root: Path) -> PatternProposal:
    """Return patterns for the prompts in other files than `.prompt.yml`; none outside of a repository."""
    try:
        repo = Repo.discover(root)
    except GitError:
        return NOTHING_PROPOSED
    with closing(repo.snapshot(WORK_TREE)) as tree:
        return discover.propose_patterns(tree.paths(), tree.read)


def _format_include(proposal: PatternProposal) -> str:
    """Return the value of `include`, and the keys after it that the proposal needs."""
    patterns = (*DEFAULT_INCLUDE, *proposal.include)
    if not proposal.include:
        return json.dumps(list(patterns))
    listed = "".join(f"\n    - {json.dumps(pattern, ensure_ascii=False)}" for pattern in patterns)
    return listed + (f"\n  syntax: {json.dumps(proposal.syntax)}" if proposal.syntax else "")


def _ignore(path: Path) -> list[str]:
    """Add the ignored folders to a .gitignore; return its name if it changed."""
    current = path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
    missing = [line for line in IGNORED if line not in current.splitlines()]
    if not missing or path.is_symlink():
        return []
    joined = current if not current or current.endswith("\n") else f"{current}\n"
    text = joined + "".join(f"{line}\n" for line in missing)
    write.write_bytes(path, text.encode("utf-8", errors="surrogateescape"))
    return [path.name]
