"""The inputs of the Action: names, defaults and allowed values."""

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
"""Default values; `""` for the other inputs."""
FIRST_PRINTABLE = 0x20
SWITCH = ("true", "false")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "comment": ("sticky", "new", "off"),
    "status": SWITCH,
    "check-run": SWITCH,
    "on-fork": ("error", "inconclusive"),
    "allow-untrusted": SWITCH,
}
"""Allowed values of inputs that are restricted."""


def read_inputs(environ: Mapping[str, str]) -> dict[str, str]:
    """Read the inputs; a container gets INPUT_GITHUB-TOKEN, a shell can only set INPUT_GITHUB_TOKEN.

    Raises
    ------
    UsageError
        If an input is not one of its choices.
    """
    raw_inputs = {
        name: environ.get(f"INPUT_{name.upper()}") or environ.get(f"INPUT_{name.upper().replace('-', '_')}") or ""
        for name in INPUTS
    }
    inputs = {name: value.strip() or DEFAULTS.get(name, "") for name, value in raw_inputs.items()}
    for name, value in inputs.items():
        if any(ord(sign) < FIRST_PRINTABLE for sign in value):  # a secret pasted with a line break breaks each request
            raise UsageError(f"The input {name} holds a line break or control character", "Paste it again as one line.")
    for name, choices in CHOICES.items():
        inputs[name] = _require_choice(name, inputs[name], choices)
    return inputs


def _require_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value.lower() not in choices:
        raise UsageError(f"The input {name} is {value[:40]!r}", f"Write {', '.join(choices[:-1])} or {choices[-1]}.")
    return value.lower()
