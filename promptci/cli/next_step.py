"""`promptci` without a command: what to do next in this folder."""

import os
from pathlib import Path

from promptci.cli import console
from promptci.usecases.setup import advise


def print_next_step() -> int:
    """Print what promptci found here, and the commands that come next."""
    advice = advise.advise(Path(), "promptci.yml", os.environ)
    console.say(advice.state)
    for command in advice.commands:
        console.say(f"  {command}")
    console.say("All commands: promptci --help")
    return 0
