"""Ask models the one-token probes."""

import asyncio

from promptci.drift.probe import PROBES, REPEATS, count_tokens
from promptci.errors import ProviderError
from promptci.evaluation.nights.goldens_run import ACCOUNT_ERRORS, PROVIDER_ERROR, Asker
from promptci.providers import registry
from promptci.providers.base import CallError, Completion, Provider, Request
from promptci.providers.local import model_file

LIMIT_NAMES = ("max_completion_tokens", "max_tokens")
"""Parameters that bound an answer; a prompt's own is used, because a model may know only one."""


class ProbeAnswers:
    """What one model answered."""

    def __init__(self) -> None:
        """Begin without an answer."""
        self.texts: dict[str, list[str]] = {}
        self.models: set[str] = set()
        self.errors: list[str] = []
        self._kinds: set[str] = set()

    @property
    def is_our_fault(self) -> bool:
        """Whether what is missing is missing for a reason that is ours to fix, such as the key."""
        return bool(self._kinds) and self._kinds <= ACCOUNT_ERRORS | {PROVIDER_ERROR}

    @property
    def tokens(self) -> dict[str, dict[str, int]]:
        """How often each first token came, by probe."""
        return count_tokens(self.texts)

    def add(self, probe: str, completion: Completion) -> None:
        """Count one answer."""
        self.texts.setdefault(probe, []).append(completion.text.strip()[:40])
        if completion.model:
            self.models.add(completion.model)

    def add_error(self, kind: str, message: str) -> None:
        """Keep why an answer is missing."""
        self._kinds.add(kind)
        self.errors.append(message)


def ask_probes(asker: Asker, model: str, parameters: "dict[str, object]") -> ProbeAnswers:
    """Ask a model every probe several times; errors are kept, not raised."""
    answers = ProbeAnswers()
    config, env = asker.watch.config, asker.env
    home = model_file.cache_home(env.environ)
    try:
        provider = registry.create_provider(
            config.provider, env.environ, asker.root, home, concurrency=config.run.concurrency
        )
    except ProviderError as error:
        answers.add_error(PROVIDER_ERROR, str(error))
        return answers
    limit = next((name for name in LIMIT_NAMES if name in parameters), LIMIT_NAMES[-1])
    asyncio.run(_ask_all(provider, answers, model, {"temperature": 1, limit: 1}))
    return answers


async def _ask_all(provider: Provider, answers: ProbeAnswers, model: str, parameters: "dict[str, object]") -> None:
    slots = asyncio.Semaphore(min(provider.concurrency, REPEATS))

    async def ask(probe: str, text: str, replicate: int) -> None:
        request = Request(model=model, messages=({"role": "user", "content": text},), parameters=parameters)
        async with slots:
            try:
                answers.add(probe, await provider.complete(request, replicate=replicate))
            except CallError as error:
                answers.add_error(error.kind, error.message)

    try:
        await asyncio.gather(*(ask(probe, text, n) for probe, text in PROBES.items() for n in range(REPEATS)))
    finally:
        await provider.aclose()
