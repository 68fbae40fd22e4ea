"""The Batch API of OpenAI: questions as a file, answers as a file within a day, at half the price."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from promptci.lazy_dataclass import dataclass
from promptci.providers.base import CallError, CallKey, Completion, Request
from promptci.providers.http import openai_chat, response_parser
from promptci.providers.http.batch_http import BatchClient
from promptci.providers.http.errors import api_errors
from promptci.providers.http.retry import AttemptFailed

MAX_REQUESTS = 50_000
MAX_FILE_BYTES = 190 * 2**20
"""Bytes; the API takes 200 MB."""
FINAL_STATUSES = ("completed", "failed", "expired", "cancelled")
MAX_BATCH_AGE_S = 48 * 3600.0
"""An older batch is not another run's order that was forgotten; a batch ends within a day."""
_LISTED = 100
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")

BatchResult = Completion | CallError


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchJob:
    """Questions to one model that go into one file."""

    requests: Mapping[CallKey, Request]
    scope: str = ""
    """Orders of another scope are never taken for this one, whatever they ask."""

    @property
    def name(self) -> str:
        """Name the order by what it asks: whoever asks the same finds the batch that is there already."""
        ids = sorted(map(custom_id, self.requests))
        return hashlib.sha256("\n".join([self.scope, *ids] if self.scope else ids).encode()).hexdigest()

    def render(self, http: BatchClient) -> bytes:
        """Return the file for an endpoint."""
        return b"".join(_line(ask, request, http) for ask, request in self.requests.items())


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchState:
    """A batch as the endpoint describes it."""

    id: str
    status: str
    output: str | None = None
    errors: str | None = None
    done: int = 0
    failure_reason: str = ""
    """What the endpoint says where it failed."""

    @property
    def files(self) -> tuple[str, ...]:
        """Files with the results."""
        return tuple(file for file in (self.output, self.errors) if file is not None)

    @property
    def is_over(self) -> bool:
        """Whether the batch has finished."""
        return self.status in FINAL_STATUSES


def custom_id(ask: CallKey) -> str:
    """Name a question within a batch, in at most 64 letters."""
    return f"{ask[0][:52]}-{ask[1]}"


def split_into_jobs(requests: Mapping[CallKey, Request], http: BatchClient, scope: str = "") -> list[BatchJob]:
    """Put questions into as few files as the API allows: of one model each, and not too large."""
    by_model: dict[str, dict[CallKey, Request]] = {}
    for ask, request in requests.items():
        by_model.setdefault(request.model, {})[ask] = request
    return [BatchJob(requests=part, scope=scope) for asked in by_model.values() for part in _parts(asked, http)]


async def find_batch(http: BatchClient, order: BatchJob) -> BatchState | None:
    """Find a batch that any run created earlier for this order and that has not been collected yet."""
    oldest = http.clock.wall() - MAX_BATCH_AGE_S
    listed = (await http.list_batches(_LISTED)).get("data")
    for value in listed if isinstance(listed, list) else []:
        metadata = value.get("metadata") if isinstance(value, dict) else None
        if isinstance(metadata, dict) and metadata.get("promptci") == order.name:
            created_at, state = value.get("created_at"), _parse_state(value)
            if (
                isinstance(created_at, int)
                and created_at >= oldest
                and (not state.is_over or await _is_kept(http, state))
            ):
                return state
    return None


async def submit_batch(http: BatchClient, order: BatchJob) -> BatchState:
    """Submit the batch; if it is unclear whether the request arrived, look for it. Raises CallError."""
    file = _id((await http.upload_file(f"promptci-{order.name[:16]}.jsonl", order.render(http))).get("id"))
    try:
        return _parse_state(await http.create_batch_once(file, {"promptci": order.name}))
    except AttemptFailed as failed:
        # Sending it again blindly could be paid for twice.
        existing = await find_batch(http, order)
        if existing is None:
            raise failed.error from None
        return existing


async def fetch_batch(http: BatchClient, batch_id: str) -> BatchState:
    """Fetch the batch's current state. Raises CallError."""
    return _parse_state(await http.fetch_batch(_id(batch_id)))


async def collect_results(http: BatchClient, state: BatchState, order: BatchJob) -> dict[CallKey, BatchResult]:
    """Fetch the result of every question of a finished batch. Raises CallError."""
    asks = {custom_id(ask): ask for ask in order.requests}
    results: dict[CallKey, BatchResult] = {}
    for file in state.files:
        try:
            content = await http.download_file(file)
        except CallError as error:
            if error.kind != "not-found":
                raise
            continue  # another run has collected it meanwhile
        for name, result in _results(content, http):
            if name in asks:
                results.setdefault(asks[name], result)
    details = f": {state.failure_reason}" if state.failure_reason else ""
    lost = CallError(
        "batch", api_errors.shorten(f"the batch {state.id} is {state.status}, without this answer{details}")
    )
    return {ask: results.get(ask, lost) for ask in order.requests}


async def delete_results(http: BatchClient, state: BatchState) -> None:
    """Remove a batch's answers from the endpoint: they are written down here, and no run shall take them for new."""
    for file in state.files:
        with suppress(CallError):
            await http.delete_file(file)


async def _is_kept(http: BatchClient, state: BatchState) -> bool:
    for file in state.files:
        with suppress(CallError):
            await http.fetch_file(file)
            return True
    return False


def _line(ask: CallKey, request: Request, http: BatchClient) -> bytes:
    body = openai_chat.build_body(request, http.options)
    line = {"custom_id": custom_id(ask), "method": "POST", "url": http.chat_path, "body": body}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _parts(asked: Mapping[CallKey, Request], http: BatchClient) -> Iterable[dict[CallKey, Request]]:
    part: dict[CallKey, Request] = {}
    size = 0
    for ask, request in asked.items():
        length = len(_line(ask, request, http))
        if part and (len(part) >= MAX_REQUESTS or size + length > MAX_FILE_BYTES):
            yield part
            part, size = {}, 0
        part[ask] = request
        size += length
    if part:
        yield part


def _results(content: bytes, http: BatchClient) -> Iterable[tuple[str, BatchResult]]:
    for line in content.split(b"\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue  # its question stays unanswered, and is reported as such
        if isinstance(value, dict) and isinstance(value.get("custom_id"), str):
            yield value["custom_id"], _result(value, http)


def _result(value: Mapping[str, Any], http: BatchClient) -> BatchResult:
    try:
        return _parse_result(value, http)
    except AttemptFailed:
        # Parsed again from a redacted line, so that the error's message cannot contain the key.
        redacted = openai_chat.redact_json(dict(value), http.redactor)
    try:
        return _parse_result(redacted if isinstance(redacted, dict) else {}, http)
    except AttemptFailed as failed:
        return CallError(failed.error.kind, failed.error.message, caused_by_request=failed.error.caused_by_request)


def _parse_result(value: Mapping[str, Any], http: BatchClient) -> Completion:
    """Read a line as the response that a direct request would have had. Raises AttemptFailed."""
    response, wall = value.get("response"), http.clock.wall()
    if not isinstance(response, dict):
        error = value.get("error")
        error_text = error.get("message") if isinstance(error, dict) else None
        message = api_errors.shorten(str(error_text or "the batch gives no answer to this"))
        raise AttemptFailed(CallError("batch", message))
    status, body = response.get("status_code"), response.get("body")
    status = status if type(status) is int else 502
    if not 200 <= status < 300:
        if not api_errors.is_content_filter(status, body):
            raise api_errors.failure_from_status(status, {}, body, wall)
        body = openai_chat.FILTERED_RESPONSE
    completion = replace(response_parser.parse_completion(body, latency_ms=None, wall=wall), batched=True)
    return response_parser.strip_reasoning(completion) if http.options.strip_reasoning else completion


def _parse_state(value: Mapping[str, Any]) -> BatchState:
    counts, errors = value.get("request_counts"), value.get("errors")
    done = counts.get("completed") if isinstance(counts, dict) else 0
    listed: Sequence[Any] = errors["data"] if isinstance(errors, dict) and isinstance(errors.get("data"), list) else []
    messages = [
        entry["message"] for entry in listed if isinstance(entry, dict) and isinstance(entry.get("message"), str)
    ]
    status = value.get("status")
    return BatchState(
        id=_id(value.get("id")),
        status=status if isinstance(status, str) else "unknown",
        output=_id(value["output_file_id"]) if value.get("output_file_id") else None,
        errors=_id(value["error_file_id"]) if value.get("error_file_id") else None,
        done=done if type(done) is int else 0,
        failure_reason=api_errors.shorten("; ".join(messages[:3])),
    )


def _id(value: object) -> str:
    """Refuse what is no name: it becomes a part of an address."""
    if not isinstance(value, str) or not _NAME.fullmatch(value) or value.strip(".") == "":
        raise CallError("malformed", f"the endpoint gives {api_errors.shorten(repr(value), 60)} as a name")
    return value
