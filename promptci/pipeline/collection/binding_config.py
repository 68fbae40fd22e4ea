"""Decide which configuration binds: base's where base has one, so that a change cannot relax its own gate."""

from dataclasses import replace
from typing import TYPE_CHECKING

from promptci.config.find import DEFAULT_PATH, find_config, load_revision_config, require_named_config
from promptci.config.model import DEFAULT_INCLUDE, Config
from promptci.config.trust import find_untrusted_setting
from promptci.errors import InputError, Problem
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from promptci.files import strict_yaml
    from promptci.prompts import idle_patterns
else:
    strict_yaml = lazy_import("promptci.files.strict_yaml")
    idle_patterns = lazy_import("promptci.prompts.idle_patterns")

ANSWERING_SETTINGS = ("kind", "base_url", "path", "run", "env", "headers", "strip_reasoning")
"""Keys of `provider` that decide who answers and what of an answer counts; a comparison takes them from base."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BindingConfig:
    """The configuration of a comparison."""

    base: Config
    head: Config
    config: Config
    """The one that binds."""
    source: str
    """Where it comes from, for the report."""
    notes: tuple[str, ...] = ()

    @property
    def is_unmerged(self) -> bool:
        """Whether only the change has a configuration, which nobody has reviewed yet."""
        return self.head.present and not self.base.present

    @property
    def is_edited(self) -> bool:
        """Whether the change edits the configuration."""
        return self.base != self.head

    @property
    def untested_settings(self) -> tuple[str, ...]:
        """What the change edits that can change every answer, while both versions are asked by base's."""
        before, after = self.base.provider, self.head.provider
        if not (self.base.present and self.head.present):
            return ()
        edited = [f"provider.{key}" for key in ANSWERING_SETTINGS if getattr(before, key) != getattr(after, key)]
        own = [
            [(item.prompts, item.endpoint) for item in config.overrides if item.endpoint is not None]
            for config in (self.base, self.head)
        ]
        return (*edited, *(["overrides.provider"] if own[0] != own[1] else []))


def load_binding_config(base: Snapshot, head: Snapshot, path: str) -> BindingConfig:
    """Load the configuration of both revisions.

    Raises
    ------
    ConfigError
        With every mistake in the files.
    InputError
        Where only head has a configuration, and it would send a key to an endpoint of its own choice.
    """
    require_named_config((base, head), path)
    before, after = load_revision_config(base, path), load_revision_config(head, path)
    config, source, notes = before, f"{path} at {base.label}", []
    if not before.present:
        # The gate stays that of base: the defaults. Nobody has reviewed another one yet.
        overrides = tuple(replace(override, gate={}) for override in after.overrides)
        config = replace(after, gate=before.gate, overrides=overrides)
        source = f"{path} at {head.label}, with the default gate"
        if after.present:
            _check_trust(after, find_config(head, path) or path)
            notes.append(
                f"The base revision has no {path}. Its gate is the default one; everything else is taken from the"
                f" {path} of this change."
            )
        else:
            source = f"defaults (there is no {DEFAULT_PATH})"
    elif before != after:
        notes.append(
            f"This change edits {path}. The gate and the endpoint are taken from the base revision, the models of the"
            " new version's prompts from this change."
        )
    committed = _find_committed_cache(config, head)
    if committed is not None:
        # Whoever can commit answers can make any prompt pass.
        config = replace(config, run=replace(config.run, cache=None))
        notes.append(f"The cache folder {config_folder(before, after)} is not used, because git tracks {committed}.")
    return BindingConfig(base=before, head=after, config=config, source=source, notes=tuple(notes))


def config_folder(*configs: Config) -> str:
    """Return the cache folder of the first configuration that has one."""
    return next((config.run.cache for config in configs if config.run.cache), "")


def _check_trust(config: Config, path: str) -> None:
    setting = next(filter(None, map(find_untrusted_setting, config.endpoints)), None)
    if setting is None:
        return
    message = f"{setting}, and the base revision has no configuration that allows it"
    hint = (
        "Commit the configuration to the base branch first: until then, a pull request must not choose where an API key"
        " is sent, or which program is run."
    )
    raise InputError([Problem(path=path, message=message, hint=hint)])


def _find_committed_cache(config: Config, head: Snapshot) -> str | None:
    """Return a tracked file in the cache folder, or a tracked link in its place or above it; None without any.

    What lies in a working tree is its owner's own.
    """
    if config.run.cache is None or head.sha is None:
        return None
    folder = config.run.cache.rstrip("/")
    parents = {"/".join(folder.split("/")[:depth]) for depth in range(1, folder.count("/") + 2)}
    return next((path for path in head.paths() if path in parents or path.startswith(f"{folder}/")), None)


def find_idle_patterns(head: Snapshot, config: Config, config_path: str) -> tuple[list[Problem], list[Problem]]:
    """Return the patterns that match no file: as mistakes those that miss files of a similar name, and the others."""
    mistakes: list[Problem] = []
    doubts: list[Problem] = []
    if not config.present or config.prompts.include == DEFAULT_INCLUDE:
        return mistakes, doubts
    for idle in idle_patterns.find_idle_patterns(head, config.prompts.include):
        path = find_config(head, config_path) or config_path
        document = strict_yaml.load((head.read(path) or b"").decode(), path)
        hint = f"Did you mean `{idle.meant}`?" if idle.meant else "Correct it, or remove it."
        message = f"the pattern `{idle.pattern}` of `prompts.include` matches no file"
        line = document.line_of(("prompts", "include", idle.index))
        problem = Problem(path=path, line=line, message=message, hint=hint)
        (mistakes if idle.missed else doubts).append(problem)
    return mistakes, doubts
