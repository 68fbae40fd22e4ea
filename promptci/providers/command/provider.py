"""CommandProvider: asks the application of each revision its cases, all that wait together in one run of it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from promptci.errors import ProviderError
from promptci.lazy_dataclass import dataclass
from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion, Provider, Request
from promptci.providers.command import answer_lines, process
from promptci.providers.command.process import ProgramLimits
from promptci.redact import Redactor

CONCURRENCY = 100_000
"""Every case of a round waits at once, so that one run of the program answers all."""
QUIET_S = 0.05
"""So long no further case may come before the program is run."""
MAX_SHOWN_ERROR = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Application:
    """One revision of the application."""

    folder: Path
    """Its files, and nothing else."""
    revision: str
    """`base` or `head`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """The command that answers, and its bounds."""

    words: Sequence[str]
    variables: Sequence[str] = ()
    """Names of environment variables that it gets."""
    limits: ProgramLimits


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkouts:
    """The files of the revisions that are asked."""

    applications: Mapping[str, Application]
    """By their ids in requests."""
    remove: Callable[[], None]
    """Removes all of these files."""


@dataclass(slots=True)
class _Waiting:
    request: Request
    replicate: int
    hooks: CallHooks
    future: "asyncio.Future[Completion]"


@dataclass(slots=True)
class _Queue:
    waiting: list[_Waiting] = field(default_factory=list)
    runner: "asyncio.Task[None] | None" = None


class CommandProvider:
    """Answers by running a program; requests of judges go to the endpoint, which `open_endpoint` opens."""

    name = "command"
    concurrency = CONCURRENCY

    def __init__(
        self,
        program: Program,
        checkouts: Checkouts,
        environ: Mapping[str, str],
        *,
        redactor: Redactor,
        open_endpoint: Callable[[], Provider],
    ) -> None:
        """Use these revisions; nothing is run yet."""
        self._program = program
        self._checkouts = checkouts
        self._environ = environ
        self._redactor = redactor
        self._open_endpoint = open_endpoint
        self._endpoint: Provider | None = None
        self._queues: dict[str, _Queue] = {}

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Return the application's answer to a case."""
        if not request.application:
            return await (await self._judge_endpoint()).complete(request, replicate=replicate, hooks=hooks)
        queue = self._queues.setdefault(request.application, _Queue())
        entry = _Waiting(request, replicate, hooks, asyncio.get_running_loop().create_future())
        queue.waiting.append(entry)
        if queue.runner is None or queue.runner.done():
            queue.runner = asyncio.create_task(self._answer(request.application, queue))
        return await entry.future

    async def aclose(self) -> None:
        """End the programs that still run, and close the endpoint."""
        runners = [queue.runner for queue in self._queues.values() if queue.runner is not None]
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
        self._checkouts.remove()
        if self._endpoint is not None:
            await self._endpoint.aclose()

    async def _judge_endpoint(self) -> Provider:
        if self._endpoint is None:
            try:
                self._endpoint = self._open_endpoint()
            except ProviderError as error:
                message = f"a judge is asked at `provider.base_url`, not of the application: {error}"
                raise CallError("connection", message) from error
        return self._endpoint

    async def _answer(self, application: str, queue: _Queue) -> None:
        while queue.waiting:
            seen = -1
            while seen != len(queue.waiting):
                seen = len(queue.waiting)
                await asyncio.sleep(QUIET_S)
            batch, queue.waiting = [entry for entry in queue.waiting if not entry.future.done()], []
            try:
                await self._run(self._checkouts.applications[application], batch)
            finally:
                for entry in batch:  # cancelled on the way
                    entry.future.cancel()

    async def _run(self, application: Application, batch: Sequence[_Waiting]) -> None:
        entries = {str(number): entry for number, entry in enumerate(batch, start=1)}
        asked = [(entry.request, entry.replicate) for entry in batch]
        names = dict(zip(entries, answer_lines.name_cases(asked), strict=True))
        try:
            for entry in batch:
                entry.hooks.before_attempt()
        except CallError as stopped:
            _fail(batch, stopped)
            return
        data = "".join(answer_lines.dump_case(key, e.request, e.replicate) for key, e in entries.items()).encode()
        environ = process.select_environment(self._environ, self._program.variables, application.revision)
        words, limits = self._program.words, self._program.limits
        result = await process.run_program(words, application.folder, environ, data, limits)
        answers = answer_lines.parse_answers(result.output.decode(errors="replace"), names)
        faults = "; ".join(filter(None, (result.failure, answers.faults)))
        for key, answer in answers.by_id.items():
            future = entries[key].future
            if answer.error is not None:
                future.set_exception(CallError("server", self._redactor.redact(answer.error)[:MAX_SHOWN_ERROR]))
            elif not faults:
                future.set_result(answer_lines.to_completion(answer))
        if faults:
            _fail(batch, self._describe(application.revision, faults, result.errors))

    def _describe(self, revision: str, faults: str, errors: bytes) -> CallError:
        """Return why no answer of this run of the program can be used: its output is not what was asked for."""
        shown = self._redactor.redact(errors.decode(errors="replace")).strip()[-MAX_SHOWN_ERROR:]
        tail = f". It printed: {shown}" if shown else ""
        text = f"the application at {revision} did not answer as it should: {self._redactor.redact(faults)}{tail}"
        return CallError("application", text, fatal=True)


def _fail(batch: Sequence[_Waiting], error: CallError) -> None:
    for entry in batch:
        if not entry.future.done():
            entry.future.set_exception(error)
