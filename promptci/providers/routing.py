"""Several endpoints in one run: each request goes to its own provider, and its answer into its own cache."""

import contextlib
from collections.abc import Mapping

from promptci.providers.base import NO_HOOKS, CallHooks, Completion, Provider, Request
from promptci.providers.cache import AnswerCache
from promptci.providers.replay import ReplayProvider


class RoutingProvider:
    """Hands each request to the provider of its endpoint; the empty id is the endpoint of all other prompts."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        """Use these providers, by the ids of their endpoints."""
        self.name = ", ".join(dict.fromkeys(provider.name for provider in providers.values()))
        self.concurrency = sum(provider.concurrency for provider in providers.values())
        self._providers = providers

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Ask the endpoint of the request; raises CallError."""
        provider = self._providers[request.endpoint]
        return await provider.complete(request, replicate=replicate, hooks=hooks)

    def can_answer(self, request: Request, replicate: int) -> bool:
        """Return whether this call is recorded, or can be asked."""
        return can_answer(self._providers[request.endpoint], request, replicate)

    def knows(self, request: Request, replicate: int) -> bool:
        """Return whether the outcome of this call is known."""
        return knows(self._providers[request.endpoint], request, replicate)

    async def aclose(self) -> None:
        """Close all providers."""
        async with contextlib.AsyncExitStack() as stack:
            for provider in self._providers.values():
                stack.push_async_callback(provider.aclose)


def can_answer(provider: Provider, request: Request, replicate: int) -> bool:
    """Return whether a provider can be asked, or has recorded the answer to this call."""
    return not isinstance(provider, ReplayProvider | RoutingProvider) or provider.can_answer(request, replicate)


def knows(provider: Provider, request: Request, replicate: int) -> bool:
    """Return whether a provider answers this call from what is recorded."""
    return isinstance(provider, ReplayProvider | RoutingProvider) and provider.knows(request, replicate)


class RoutedCache:
    """The caches of several endpoints, in one folder: an answer is sealed with the key of its own endpoint."""

    def __init__(self, caches: Mapping[str, AnswerCache]) -> None:
        """Use these caches, by the ids of their endpoints; an endpoint without one is asked each time."""
        self._caches = caches

    @property
    def write_error(self) -> str | None:
        """Why nothing more is stored, where that is so."""
        return next((cache.write_error for cache in self._caches.values() if cache.write_error), None)

    @property
    def oldest_used_s(self) -> float:
        """Age of the oldest answer that was looked up."""
        return max(cache.oldest_used_s for cache in self._caches.values())

    def lookup(self, request: Request, replicate: int) -> Completion | None:
        """Return the answer this request got before, or None."""
        cache = self._caches.get(request.endpoint)
        return None if cache is None else cache.lookup(request, replicate)

    def store(self, request: Request, replicate: int, completion: Completion) -> None:
        """Keep an answer for the runs to come."""
        cache = self._caches.get(request.endpoint)
        if cache is not None:
            cache.store(request, replicate, completion)

    def close(self) -> None:
        """Close the files being written."""
        with contextlib.ExitStack() as stack:
            for cache in self._caches.values():
                stack.callback(cache.close)
