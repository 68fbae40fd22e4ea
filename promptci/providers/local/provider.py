"""The embedded model: a real language model on the CPU, without key, network or server."""

import asyncio
import os
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptci.lazy_import import lazy_import
from promptci.providers.base import NO_HOOKS, CallError, CallHooks, Completion, Request, count_images
from promptci.providers.http import response_parser
from promptci.providers.http.errors import api_errors, transport_errors
from promptci.providers.http.retry import AttemptFailed
from promptci.providers.local import model_file

if TYPE_CHECKING:
    import xllamacpp
else:
    xllamacpp = lazy_import("xllamacpp")

CONTEXT_TOKENS = 4096
EMBEDDED_TOKENS = 2048
"""Longest text that gets a vector."""
DEFAULT_MAX_TOKENS = 512
"""A small model that rambles would otherwise fill its whole context."""
CACHE_MIB = 512
"""Memory for the computed beginnings of earlier prompts; both versions of a prompt are asked by turns."""
KEPT_SIMILARITY = 0.99
"""Share of a prompt that the last call must have in common with it, or the longest beginning is looked up in memory.

By its default of 0.1, one version of a prompt goes on from the other's beginning, although its own is in memory: a
third slower where both versions are asked by turns.
"""
SEED = 20240613
"""Any number will do, as long as it stays the same."""


MAX_ENGINES = 4
"""Copies of the model that answer at once; each takes some 100 MB and its cache."""


class _Engine:
    """One copy of the model, in a thread of its own, which answers one call at a time."""

    def __init__(self, file: Path, threads: int) -> None:
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="promptci-local")
        self._file = file
        self._threads = threads
        self._servers: dict[bool, Any] = {}
        """By whether it gives embeddings: those need another batch size than steady answers do."""

    def load(self, *, embedding: bool) -> Any:
        """Return the server, loaded where it is not yet; raises CallError."""
        if embedding not in self._servers:
            settings = _settings(xllamacpp.CommonParams(), self._file, self._threads)
            if embedding:
                _set_for_embeddings(settings, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN)
            try:
                self._servers[embedding] = xllamacpp.Server(settings)
            except RuntimeError:
                message = f"{self._file} cannot be loaded: it is no model in GGUF format, or is damaged"
                raise CallError("server", f"{message}. {model_file.SETUP_HINT}", fatal=True) from None
        return self._servers[embedding]

    def unload(self) -> None:
        """Free the memory."""
        self._servers.clear()


class LocalModel:
    """Answers with llama.cpp inside this process, one call at a time for each core.

    Embeddings are the mean over the same model's last layer. It was not made for them: paraphrases come out nearer to
    each other than strangers do, but strangers come out at 0.7 and opposites as near as paraphrases.

    Equal requests give equal answers, whatever was asked before: temperature 0 and a fixed seed unless the prompt says
    otherwise, and one token computed at a time, because the size of a batch changes the last bits of the numbers and
    with them some answers.
    """

    def __init__(self, file: Path, *, timeout_s: float = 60.0) -> None:
        self.name = "local"
        cores = os.cpu_count() or 1
        self.concurrency = min(cores, MAX_ENGINES)
        self._file = file
        self._timeout_s = timeout_s
        # One thread fewer than cores: with all of them busy, spinning threads wait for each other.
        threads = max(1, (cores - 1) // self.concurrency)
        self._engines = [_Engine(file, threads) for _ in range(self.concurrency)]
        # Last in, first out: calls one after the other need one copy of the model only.
        self._idle: asyncio.LifoQueue[_Engine] = asyncio.LifoQueue()
        for engine in self._engines:
            self._idle.put_nowait(engine)

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Ask; the model's name in the request plays no part. Raises CallError."""
        if any(map(count_images, request.messages)):
            raise CallError("bad-request", "the embedded model reads no images: use another provider", fatal=True)
        stop = threading.Event()
        if request.kind == "embedding":
            ask = partial(self._embed, request.body)
        else:
            ask = partial(self._ask, _body(request, replicate), stop)
        engine = await self._idle.get()
        try:
            hooks.before_attempt()
            work = asyncio.get_running_loop().run_in_executor(engine.thread, ask, engine)
            async with asyncio.timeout(self._timeout_s):
                return await work
        except TimeoutError:
            raise transport_errors.timeout_failure(self._timeout_s).error from None
        except AttemptFailed as failed:
            raise failed.error from None
        finally:
            stop.set()
            self._idle.put_nowait(engine)

    async def aclose(self) -> None:
        """Free the model's memory, after the answers being given now."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(engine.thread, engine.unload) for engine in self._engines))
        for engine in self._engines:
            engine.thread.shutdown()

    def _ask(self, body: Mapping[str, Any], stop: threading.Event, engine: _Engine) -> Completion:
        server = engine.load(embedding=False)
        chunks: list[Any] = []

        def collect(chunk: Any) -> bool:
            """Keep a piece of the answer; True ends the answer."""
            chunks.append(chunk)
            return stop.is_set()

        started = time.monotonic()
        try:
            server.handle_chat_completions(dict(body), collect)
        except (ValueError, RuntimeError) as error:
            raise _build_refusal(error) from None
        latency_ms = (time.monotonic() - started) * 1000
        raw = {**_join_chunks(chunks), "model": model_file.model_name(self._file)}
        return response_parser.parse_completion(raw, latency_ms=latency_ms, wall=time.time())

    def _embed(self, body: Mapping[str, Any], engine: _Engine) -> Completion:
        server = engine.load(embedding=True)
        started = time.monotonic()
        try:
            raw = server.handle_embeddings(dict(body))
        except (ValueError, RuntimeError) as error:
            raise _build_refusal(error) from None
        latency_ms = (time.monotonic() - started) * 1000
        if "too large to process" in str(raw.get("error")):
            message = f"the text is longer than the {EMBEDDED_TOKENS} tokens of which the embedded model gives a vector"
            raise CallError("context-length", message)
        named = {**raw, "model": model_file.model_name(self._file)}
        return response_parser.parse_embedding(named, latency_ms=latency_ms, wall=time.time())


def _settings(settings: Any, file: Path, threads: int) -> Any:
    settings.model.path = str(file)
    settings.cpuparams.n_threads = threads
    settings.cpuparams_batch.n_threads = threads
    settings.n_gpu_layers = 0
    settings.n_ctx = CONTEXT_TOKENS
    settings.n_parallel = 1
    settings.n_ubatch = 1  # see the class: answers must not depend on what was asked before
    settings.cache_ram_mib = CACHE_MIB
    settings.slot_prompt_similarity = KEPT_SIMILARITY
    settings.warmup = False
    settings.verbosity = -1  # nothing on stdout or stderr
    # It opens a port on loopback, which nobody needs: a key that nobody knows shuts it.
    settings.api_keys = [secrets.token_urlsafe(16)]
    settings.endpoint_slots = False
    return settings


def _set_for_embeddings(settings: Any, mean: Any) -> None:
    settings.embedding = True
    settings.pooling_type = mean
    settings.n_ctx = EMBEDDED_TOKENS
    settings.n_ubatch = EMBEDDED_TOKENS  # a text's vector is computed in one batch
    settings.cache_ram_mib = 0


def _build_refusal(error: Exception) -> CallError:
    return CallError("bad-request", api_errors.shorten(f"the embedded model refused the request: {error}"))


def _body(request: Request, replicate: int) -> dict[str, Any]:
    limit = {} if "max_completion_tokens" in request.parameters else {"max_tokens": DEFAULT_MAX_TOKENS}
    steady = {"temperature": 0, "seed": SEED + replicate}
    return {**steady, **limit, **request.body, "stream": True, "stream_options": {"include_usage": True}}


def _join_chunks(chunks: list[Any]) -> dict[str, Any]:
    """Put the pieces of a streamed answer together into the answer it would have been in one piece."""
    text: list[str] = []
    last: dict[str, Any] = {}
    finish = None
    for chunk in chunks:
        if "error" in chunk:
            return {"error": chunk["error"]}
        last = chunk
        for choice in chunk.get("choices", ()):
            text.append(choice["delta"].get("content") or "")
            finish = choice["finish_reason"] or finish
    # How much of the prompt was still in memory is left out: it depends on what was asked before.
    usage = {key: count for key, count in last.get("usage", {}).items() if key != "prompt_tokens_details"}
    choice = {"message": {"content": "".join(text)}, "finish_reason": finish}
    return {**last, "choices": [choice], "usage": usage}
