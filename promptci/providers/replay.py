"""Answer from what is already known, and ask another provider for the rest."""

from collections.abc import Callable, Mapping

from promptci.providers.base import NO_HOOKS, CallError, CallHooks, CallKey, Completion, Provider, Request

DEFAULT_CONCURRENCY = 64
"""Calls at once where there is no fallback: known answers cost nothing."""


class ReplayProvider:
    """A provider for cached, recorded, sharded, resumed and batched runs.

    A known completion is returned, a known error is raised again, and everything else goes to the fallback.
    """

    def __init__(
        self,
        known: Mapping[CallKey, Completion | CallError],
        fallback: Provider | None = None,
        *,
        name: str = "",
        missing: Callable[[Request, int], str] = lambda *_: "no answer to this request is recorded",
    ) -> None:
        """Keep a reference to `known`, which may still grow; `missing` words the error where there is no fallback."""
        self.name = name or ("recorded" if fallback is None else fallback.name)
        self.concurrency = DEFAULT_CONCURRENCY if fallback is None else fallback.concurrency
        self._known = known
        self._fallback = fallback
        self._missing = missing

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Return the known answer or ask the fallback.

        Raises
        ------
        CallError
            The known error of this call; `not-recorded` where nothing is known and there is no fallback.
        """
        outcome = self._known.get((request.key, replicate))
        if isinstance(outcome, Completion):
            return outcome
        if outcome is not None:
            raise CallError(
                outcome.kind, outcome.message, caused_by_request=outcome.caused_by_request, sent=outcome.sent
            )
        if self._fallback is None:
            raise CallError("not-recorded", self._missing(request, replicate))
        return await self._fallback.complete(request, replicate=replicate, hooks=hooks)

    def knows(self, request: Request, replicate: int) -> bool:
        """Return whether the outcome of this call is known."""
        return (request.key, replicate) in self._known

    def can_answer(self, request: Request, replicate: int) -> bool:
        """Return whether this call is known, or can be asked."""
        return self._fallback is not None or self.knows(request, replicate)

    async def aclose(self) -> None:
        """Close the fallback."""
        if self._fallback is not None:
            await self._fallback.aclose()
