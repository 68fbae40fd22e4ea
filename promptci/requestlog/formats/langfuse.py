"""Langfuse's exports: observations, and the scores beside them.

Times have no zone and are UTC, an empty text is null, `latency` is in seconds, and scores stand in files of their own.
Both spellings are read: `start_time` of the scheduled export and `startTime` of the user interface and the API.
Source: https://langfuse.com/docs/api-and-data-platform/features/export-to-blob-storage
"""

from promptci.requestlog.aliases import Alias, aliases
from promptci.requestlog.formats.dialect import Dialect, ErrorStatus, Scores

LANGFUSE = Dialect(
    name="Langfuse",
    markers=(
        ("trace_id", "type", "start_time", "provided_model_name"),
        ("trace_id", "type", "start_time", "prompt_name"),
        ("traceId", "type", "startTime"),
    ),
    fields={
        "time": aliases("start_time", "startTime"),
        "end": aliases("end_time", "endTime"),
        "id": aliases("id"),
        "second_id": aliases("trace_id", "traceId"),
        "prompt": aliases("prompt_name", "promptName"),
        "version": aliases("prompt_version", "promptVersion"),
        "user": aliases("user_id", "userId"),
        "latency_ms": aliases(Alias(name="latency", scale=1000.0)),
        "cost_usd": aliases("total_cost", "totalCost", "calculatedTotalCost"),
        "model": aliases("provided_model_name", "model"),
        "input_tokens": aliases(
            Alias(name="usage_details", path=("input",)), Alias(name="usageDetails", path=("input",))
        ),
        "output_tokens": aliases(
            Alias(name="usage_details", path=("output",)), Alias(name="usageDetails", path=("output",))
        ),
    },
    metadata=Alias(name="metadata"),
    kind=Alias(name="type"),
    request_kinds=("GENERATION",),
    status=ErrorStatus(status=Alias(name="level"), values=("ERROR",), kind=aliases("status_message", "statusMessage")),
)
LANGFUSE_SCORES = Dialect(
    name="Langfuse scores",
    markers=(("trace_id", "observation_id", "name", "value"), ("traceId", "observationId", "name", "value")),
    fields={
        "time": aliases("timestamp", "created_at", "createdAt"),
        "id": aliases("observation_id", "observationId"),
        "second_id": aliases("trace_id", "traceId"),
    },
    scores=Scores(name=Alias(name="name"), value=Alias(name="value"), label=Alias(name="string_value")),
)
