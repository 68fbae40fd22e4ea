"""Prepare `kind: command`: refuse where it is not safe, and write out the files of each revision."""

import stat
import tempfile
from dataclasses import replace
from pathlib import Path

from promptci.errors import InputError, ProviderError, UnsafeError
from promptci.git.snapshot import Snapshot
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.revisions import Revisions
from promptci.providers import registry
from promptci.providers.base import Provider
from promptci.providers.command.process import ProgramLimits
from promptci.providers.command.provider import Application, Checkouts, CommandProvider, Program
from promptci.providers.local import model_file
from promptci.providers.options import ProviderOptions

PRIVILEGED_EVENTS = frozenset(("pull_request_target", "workflow_run"))
"""Events in which a stranger's commits run beside secrets and a writing token."""
SECRETS_HINT = "Run it in a `pull_request` event of the repository's own branches, or on a schedule."


def check_event(env: Environment) -> None:
    """Raise UnsafeError where code of somebody else would run beside secrets."""
    event = env.environ.get("GITHUB_EVENT_NAME", "")
    if event in PRIVILEGED_EVENTS:
        message = f"`kind: command` runs code of the pull request, and the event {event} has secrets"
        raise UnsafeError(message, SECRETS_HINT)
    if env.trigger.untrusted_source is not None:
        source = env.trigger.untrusted_source.description
        raise UnsafeError(f"`kind: command` would run code of {source}", SECRETS_HINT)


def open_application(collected: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment) -> Provider:
    """Return the provider that runs the application; closing it removes the files of both revisions.

    Raises
    ------
    ProviderError
        Where it must not be run, or its files cannot be written.
    """
    settings = collected.config.provider
    try:
        check_event(env)
    except UnsafeError as error:
        raise ProviderError(error.message, error.hint) from error
    if not settings.run:
        raise ProviderError("provider.run is missing", 'Name the program: `run: ["python", "-m", "app.eval"]`.')
    copies = tempfile.TemporaryDirectory(prefix="promptci-application-")
    applications: dict[str, Application] = {}
    for revision, snapshot in (("head", revisions.head), ("base", revisions.base)):
        ids = _list_ids(collected, revision)
        if snapshot is None or not ids:
            continue
        folder = Path(copies.name) / revision
        _write_files(snapshot, folder)
        applications |= {key: Application(folder=folder, revision=revision) for key in ids}
    limits = ProgramLimits(seconds=settings.run_time_s, memory_mb=settings.memory_mb)
    return CommandProvider(
        Program(words=settings.run, variables=settings.env, limits=limits),
        Checkouts(applications=applications, remove=copies.cleanup),
        env.environ,
        redactor=env.redactor(settings.api_key_env, *settings.env),
        open_endpoint=lambda: _open_endpoint(settings, options, env),
    )


def _list_ids(collected: CollectedRun, revision: str) -> set[str]:
    """Return the ids of the application in the prompts of a revision; the same id at both is base's."""
    versions = [plan.change.base if revision == "base" else plan.change.head for plan in collected.plans]
    return {version.application for version in versions if version is not None and version.application}


def _open_endpoint(settings: ProviderOptions, options: RunOptions, env: Environment) -> Provider:
    home = model_file.cache_home(env.environ)
    return registry.create_provider(replace(settings, kind="openai"), env.environ, options.root, home)


def _write_files(snapshot: Snapshot, folder: Path) -> None:
    """Write the plain files of a revision; links and submodules are left out."""
    folder.mkdir()
    paths = [path for path in snapshot.paths() if not {"..", ".git", ""}.intersection(path.split("/"))]
    snapshot.read_ahead(paths)
    for path in paths:
        try:
            data = snapshot.read(path)
        except InputError:  # a link, or too large to be a source
            continue
        if data is None:
            continue
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if data.startswith(b"#!"):
            target.chmod(target.stat().st_mode | stat.S_IXUSR)
