"""Open the provider that answers the questions of a run."""

from pathlib import Path

from promptci.errors import ProviderError
from promptci.git.snapshot import Snapshot
from promptci.git.state_folder import find_folder_problem
from promptci.pipeline.ask import application
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.revisions import Revisions
from promptci.providers import registry
from promptci.providers.base import Provider
from promptci.providers.local import model_file


def open_provider(collected: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment) -> Provider:
    """Return the provider that answers; raise ProviderError if it cannot be created."""
    if options.answers is not None:
        return options.answers
    settings = collected.config.provider
    try:
        if settings.kind == "command":
            provider: Provider = application.open_application(collected, revisions, options, env)
        else:
            memory = _memory_folder(collected, revisions.head, options)
            home, calls = model_file.cache_home(env.environ), collected.config.run.concurrency
            provider = registry.create_provider(
                settings, env.environ, options.root, home, concurrency=calls, memory=memory
            )
    except ProviderError as error:
        if options.joined is None:
            raise
        return options.joined.over(error)
    return provider if options.joined is None else options.joined.over(provider)


def _memory_folder(collected: CollectedRun, head: Snapshot, options: RunOptions) -> Path | None:
    """Return the folder that is kept between runs; None where there is none, or none that may be used."""
    if collected.config.run.memory is None:
        return None
    folder = options.root / collected.config.run.memory
    return None if find_folder_problem(options.root, folder, head) else folder
