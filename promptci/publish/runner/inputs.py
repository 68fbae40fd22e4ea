"""The inputs of the Action: their names, what they are when not given, and what they may be."""

from collections.abc import Mapping

from promptci.errors import UsageError

INPUTS = (
    "github-token",
    "api-key",
    "config",
    "name",
    "base",
    "head",
    "out",
    "comment",
    "status",
    "check-run",
    "on-fork",
    "approval-label",
    "allow-untrusted",
    "from",
    "shard",
    "merge",
)
"""The inputs of the Action, as action.yml lists them."""
DEFAULTS: Mapping[str, str] = {
    "config": "promptci.yml",
    "out": "promptci-report",
    "comment": "sticky",
    "status": "true",
    "check-run": "false",
    "on-fork": "error",
    "allow-untrusted": "false",
}
"""What an input is that is not given; `""` for the others."""
FIRST_PRINTABLE = 0x20
SWITCH = ("true", "false")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "comment": ("sticky", "new", "off"),
    "status": SWITCH,
    "check-run": SWITCH,
    "on-fork": ("error", "inconclusive"),
    "allow-untrusted": SWITCH,
}
"""What an input may be, where not everything goes."""


def read_inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Read the inputs; a container gets INPUT_GITHUB-TOKEN, a shell can only set INPUT_GITHUB_TOKEN.

    Raises
    ------
    UsageError
        Where an input is none of its choices.
    """
    given = {
        name: environ.get(f"INPUT_{name.upper()}") or environ.get(f"INPUT_{name.upper().replace('-', '_')}") or ""
        for name in INPUTS
    }
    inputs = {name: value.strip() or DEFAULTS.get(name, "") for name, value in given.items()}
    for name, value in inputs.items():
        if any(ord(sign) < FIRST_PRINTABLE for sign in value):  # a secret pasted with a line break breaks each request
            raise UsageError(f"The input {name} holds a line break or control character", "Paste it again as one line.")
    for name, choices in CHOICES.items():
        inputs[name] = _chosen(name, inputs[name], choices)
    return inputs


def _chosen(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value.lower() not in choices:
        raise UsageError(f"The input {name} is {value[:40]!r}", f"Write {', '.join(choices[:-1])} or {choices[-1]}.")
    return value.lower()
