"""The environments for a report's templates: those of `present`, with the functions that word a view."""

from functools import cache
from types import ModuleType, SimpleNamespace

from jinja2 import Environment

from promptci.present import templates
from promptci.present.templates import read_asset
from promptci.report.text import (
    attribution_text,
    goldens_text,
    judge_text,
    memory_text,
    next_steps,
    number_text,
    provenance,
)

MODULES = {
    "text": number_text,
    "provenance": provenance,
    "attribution": attribution_text,
    "goldens": goldens_text,
    "memory": memory_text,
    "judging": judge_text,
    "steps": next_steps,
}
"""Global name in templates to the module whose functions it offers."""
__all__ = ["MODULES", "environment", "read_asset", "sandbox"]


@cache
def environment() -> Environment:
    """Return the environment for our own templates."""
    own = templates.create_environment()
    own.globals.update(MODULES)
    return own


def sandbox() -> Environment:
    """Return an environment for a user's template; it sees the public functions of our modules, not their imports."""
    sandboxed = templates.create_sandbox()
    sandboxed.globals.update({name: _public_functions(module) for name, module in MODULES.items()})
    return sandboxed


def _public_functions(module: ModuleType) -> SimpleNamespace:
    functions = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and value.__module__ == module.__name__
    }
    return SimpleNamespace(**functions)
