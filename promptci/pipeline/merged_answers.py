"""What the shards of a run have found, in the place of asking: their answers, and the errors that they met."""

from collections.abc import Mapping
from dataclasses import dataclass

from promptci.errors import InputError, Problem, ProviderError
from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion, Provider, Request
from promptci.runs.execute import QuestionKey
from promptci.runs.model import Answer

MOST_CALLS = 64
_AGAIN = "Run the shards and the merge over the same commits, with the same version of promptci."


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """The rows of all shards of one run."""

    plan: str
    """Fingerprint of the plan that was split."""
    provider: str
    """What the report calls who answered."""
    answers: tuple[Answer, ...] = ()
    """In the order of the shards."""
    notes: tuple[str, ...] = ()

    def known(self, plan: str) -> dict[QuestionKey, Answer]:
        """Give what needs not be asked any more; InputError where the shards had another plan than this one."""
        if plan != self.plan:
            what = "the shards were planned over other prompts, goldens or configuration than stand here"
            raise InputError([Problem(path="shard.json", message=what, hint=_AGAIN)])
        return {answer.key: answer for answer in self.answers if answer.completion is not None}

    def over(self, provider: Provider | ProviderError) -> Provider:
        """Give what stands for the model: errors come again as they came, and what no shard was to ask is asked."""
        return _Provider(self, provider)


class _Provider:
    """Gives the answers and errors of the shards; the judges' checks, which no shard makes, go on to the endpoint."""

    def __init__(self, joined: Joined, provider: Provider | ProviderError) -> None:
        self.name = joined.provider
        self.concurrency = MOST_CALLS if isinstance(provider, ProviderError) else provider.concurrency
        self._provider = provider
        self._rows: Mapping[tuple[str, int], Answer] = {(a.request_key, a.replicate): a for a in joined.answers}

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Give what a shard was given; raises CallError as it did there."""
        row = self._rows.get((request.key, replicate))
        if row is not None and row.error is not None:
            raise CallError(row.error.kind, row.error.message)
        if row is not None and row.completion is not None:
            return row.completion
        if isinstance(self._provider, ProviderError):
            raise CallError("not-recorded", f"no shard asked this, and it cannot be asked here: {self._provider}")
        return await self._provider.complete(request, replicate=replicate, hooks=hooks)

    async def aclose(self) -> None:
        """Close what was asked beside the shards."""
        if not isinstance(self._provider, ProviderError):
            await self._provider.aclose()
