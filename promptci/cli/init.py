"""`promptci init`."""

import os
from pathlib import Path

import click

from promptci.cli import console
from promptci.usecases.setup import init
from promptci.wording import count, join_names


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option(
    "--provider",
    type=click.Choice(["openai", "local"]),
    help="Who answers; default: openai where OPENAI_API_KEY is set, else the embedded model.",
)
def command(folder: Path, provider: str | None) -> int:
    """Start: promptci.yml, a workflow, a prompt with goldens that runs at once."""
    chosen = provider or ("openai" if os.environ.get("OPENAI_API_KEY") else "local")
    proposal = init.propose_patterns(folder)
    for name in init.write_starter_files(folder, provider=chosen, proposal=proposal):
        click.echo(f"wrote {folder / name}")
    if proposal.include:
        console.say(f"found prompts, which `prompts.include` names: {join_names(proposal.include)}")
        console.say("Write their golden cases to goldens/NAME.jsonl; `promptci doctor` names each prompt without.")
    for problem in proposal.unreadable:
        console.say(f"left out: {problem}")
    if prompts := init.find_existing_prompts(folder):
        console.say(f"found {count(len(prompts), 'prompt file')}, tested too: {join_names(prompts)}")
        console.say("Write their golden cases to goldens/NAME.jsonl; `promptci doctor` names each prompt without.")
    if chosen == "local":
        click.echo(
            "\nNext: `promptci demo --set-up-only` fetches the embedded model once, then `promptci run --head .`"
        )
    else:
        click.echo("\nNext: commit the files, then `promptci run`")
    return 0
