"""`promptci init`."""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.config.find import DEFAULT_PATHS
from promptci.documents.written_files import WrittenFiles
from promptci.usecases.setup import init, init_detect
from promptci.usecases.setup.init_detect import Repository
from promptci.wording import count, install_extra, join_names


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option(
    "--provider",
    type=click.Choice(["openai", "local"]),
    help="Who answers; default: openai (any compatible endpoint) where a variable with a key is set, else the embedded"
    " model.",
)
@output.dry_run_option
@output.json_option
def command(*, folder: Path, provider: str | None, dry_run: bool, as_json: bool) -> int:
    """Add promptci to a repository: promptci.yml, a workflow, and where there is no prompt yet, an example.

    Prompts, models, golden cases, keys (by the names of variables) and configurations of other tools are detected. Only
    files that are missing are written, at the top of the repository.

    \b
    Example:
      promptci init
      promptci init --provider local    # the embedded model, no key
    """  # noqa: D301 - click's sign for lines that stay
    repository = init_detect.detect_repository(folder)
    called_in, folder = folder, options.find_top(folder)
    key = init_detect.detect_key(os.environ, repository.endpoint)
    chosen = provider or ("openai" if key or repository.endpoint else "local")
    has_config = any((folder / name).exists() for name in DEFAULT_PATHS)
    used_key = (chosen == "openai" and key) or init.DEFAULT_KEY
    files = init.write_starter_files(folder, provider=chosen, key=used_key, repository=repository, dry_run=dry_run)
    kept = [f"kept {folder / name}, which was there already" for name in files.kept]
    paths = [str(folder / name) for name in files.written]
    detected = [*_describe(repository, has_config)]
    if folder != called_in:
        detected.append(f"{called_in.resolve()} is a folder of the repository {folder.resolve()}: the files go there")
    document = WrittenFiles(files=paths, notes=[*detected, *kept], dry_run=dry_run)
    verb = "would write" if dry_run else "wrote"
    lines = [*detected, *(f"{verb} {path}" for path in paths), *kept]
    output.print_result(document, [*lines, *_next_commands(chosen, key, repository)], as_json=as_json)
    return 0


def _describe(repository: Repository, has_config: bool) -> Iterator[str]:
    """Yield what was detected. A configuration that is there already is kept, and may not name it."""
    if not repository.in_git:
        yield "This folder is in no git repository, and checks compare versions in git: `git init` makes it one."
    proposal = repository.proposal
    if proposal.include:
        names = join_names(proposal.include)
        missing = f"found prompts; add to `prompts.include` those that it does not name yet: {names}"
        yield missing if has_config else f"found prompts, which `prompts.include` names: {names}"
    yield from (f"left out: {problem}" for problem in proposal.unreadable)
    if scripts := proposal.unread_scripts:
        files = count(len(scripts), "TypeScript or JavaScript file")
        yield f"not read, and may hold prompts: {files} ({join_names(scripts, 3)}). {install_extra('code')}"
    if repository.prompt_files:
        files = count(len(repository.prompt_files), "prompt file")
        yield f"found {files}, tested too: {join_names(repository.prompt_files)}"
    if repository.endpoint:
        address = repository.endpoint.base_url
        asked = "`promptci doctor` says whether it is the one that is asked"
        yield (
            f"found an endpoint: {address}; {asked}"
            if has_config
            else (f"found an endpoint, which `provider` names: {address}")
        )
    if repository.models:
        yield f"found models: {join_names(repository.models)}"
    for name in repository.without_goldens:
        yield f"no golden cases for {name}: write some to goldens/{name}.jsonl, one a line"
    yield from (f"found the configuration of another tool: `{command}` imports it" for command in repository.imports)


def _next_commands(provider: str, key: str | None, repository: Repository) -> Iterator[str]:
    """Yield what comes next: what the first run needs, then the three commands."""
    yield ""
    yield "Next:"
    if not repository.in_git:
        yield "  git init                       # checks compare versions in git"
    missing = [f"goldens/{name}.jsonl" for name in repository.without_goldens] if not repository.imports else []
    if missing:
        others = f"; {len(missing) - 1} more: promptci doctor" if len(missing) > 1 else ""
        yield f"  # put golden cases into {missing[0]}, one a line{others}"
    if provider == "local":
        yield "  promptci demo --set-up-only    # fetch the embedded model, once"
    elif repository.endpoint and not repository.endpoint.api_key_env:
        yield "  promptci doctor --ask          # check the setup and the endpoint, which needs no key"
    elif key is None or not os.environ.get(key):
        yield f"  export {key or init.DEFAULT_KEY}=…       # the key of the endpoint in promptci.yml"
    else:
        yield f"  promptci doctor --ask          # check the setup and the key in {key}"
    if repository.imports:
        yield f"  {repository.imports[0]}"
    else:
        yield "  promptci run                   # ask every prompt"
    yield "  git add --all && git commit    # then edit a prompt, and: promptci check"
