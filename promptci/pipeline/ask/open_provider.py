"""Open the provider that answers the questions of a run: one for each endpoint that is asked."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from promptci.errors import ProviderError
from promptci.git.snapshot import Snapshot
from promptci.git.state_folder import find_folder_problem
from promptci.pipeline.ask import application
from promptci.pipeline.collection.collected_run import CollectedRun
from promptci.pipeline.environment import Environment, RunOptions
from promptci.pipeline.plan.planning import PlannedRun
from promptci.pipeline.revisions import Revisions
from promptci.providers import registry
from promptci.providers.base import Provider
from promptci.providers.local import model_file
from promptci.providers.options import ProviderOptions
from promptci.providers.routing import RoutingProvider


def open_provider(
    planned: PlannedRun, collected: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment
) -> Provider:
    """Return the provider that answers; raise ProviderError if it cannot be created."""
    if options.answers is not None:
        return options.answers
    try:
        provider = _open_endpoints(find_asked_endpoints(planned), collected, revisions, options, env)
    except ProviderError as error:
        if options.joined is None:
            raise
        return options.joined.over(error)
    return provider if options.joined is None else options.joined.over(provider)


def find_asked_endpoints(planned: PlannedRun) -> tuple[str, ...]:
    """Return the ids of the endpoints that a run asks, the common one first: judges are asked there."""
    ids = {question.request.endpoint for question in planned.questions}
    tasks = [run.plan.task for run in planned.prompts]
    if not ids or any(task.judged_by or task.labelled for task in tasks):
        ids.add("")
    return tuple(sorted(ids))


def _open_endpoints(
    ids: Sequence[str], collected: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment
) -> Provider:
    providers: dict[str, Provider] = {}
    try:
        for name in ids:
            settings = collected.endpoints[name] if name else collected.config.provider
            providers[name] = _open_endpoint(settings, collected, revisions, options, env)
    except ProviderError:
        for provider in providers.values():
            asyncio.run(provider.aclose())
        raise
    return providers[""] if ids == ("",) else RoutingProvider(providers)


def _open_endpoint(
    settings: ProviderOptions, collected: CollectedRun, revisions: Revisions, options: RunOptions, env: Environment
) -> Provider:
    if settings.kind == "command":
        return application.open_application(collected, revisions, options, env)
    memory = _memory_folder(collected, revisions.head, options)
    home, calls = model_file.cache_home(env.environ), collected.config.run.concurrency
    return registry.create_provider(settings, env.environ, options.root, home, concurrency=calls, memory=memory)


def _memory_folder(collected: CollectedRun, head: Snapshot, options: RunOptions) -> Path | None:
    """Return the folder that is kept between runs; None where there is none, or none that may be used."""
    if collected.config.run.memory is None:
        return None
    folder = options.root / collected.config.run.memory
    return None if find_folder_problem(options.root, folder, head) else folder
