"""The same requests as logs of several systems, each in its documented shape."""

import csv
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb

Json = dict[str, Any]
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Logged:
    """One request, with what became known of it."""

    id: str
    time: datetime
    prompt: str = "order-extractor"
    version: str = "v1.2.0"
    arm: str = "stable"
    share: int = 500
    unit: str = "u1"
    error: str | None = None
    latency_ms: int | None = 812
    cost_usd: str | None = "0.0021"
    quality: float | None = None
    signal: str | None = None
    model: str = "gpt-4o-mini"
    response_model: str | None = "gpt-4o-mini-2024-07-18"
    fingerprint: str | None = "fp_44"
    input_tokens: int = 212
    output_tokens: int = 41
    tag: str = "returns"

    @property
    def end(self) -> datetime:
        return self.time + timedelta(milliseconds=self.latency_ms or 0)

    @property
    def marked_at(self) -> datetime:
        return self.time + timedelta(minutes=3)

    def ours(self) -> Json:
        """What no other system has a field for."""
        return {
            "feature_flag.result.variant": self.arm,
            "promptci.share": self.share,
            "promptci.unit": self.unit,
            "gen_ai.response.model": self.response_model,
            "promptci.system_fingerprint": self.fingerprint,
            "promptci.tag": self.tag,
        }


def requests(n: int = 400, days: int = 2) -> list[Logged]:
    draw = Random(5)  # noqa: S311 - made-up data
    results = []
    for index in range(n):
        failed, is_canary = draw.random() < 0.05, draw.random() < 0.1
        results.append(
            Logged(
                id=f"r{index:06d}",
                time=START + timedelta(days=days) * index / n,
                prompt=draw.choice(["order-extractor", "language-router"]),
                version="v1.3.0" if is_canary else "v1.2.0",
                arm="canary" if is_canary else "stable",
                share=1000,
                unit=f"u{draw.randrange(150)}",
                error=draw.choice(["timeout", "rate_limit"]) if failed else None,
                latency_ms=round(800 * draw.lognormvariate(0, 0.4)),
                cost_usd=None if failed else f"{draw.randrange(100, 4000) / 1e6:.6f}",
                quality=None if failed else float(draw.random() < 0.95),
                signal=draw.choice(["positive", "negative", None, None, None, None]),
                response_model="gpt-4o-mini-2024-07-18" if index < n // 2 else "gpt-4o-mini-2025-01-05",
                fingerprint="fp_44" if index < n // 2 else "fp_51",
                input_tokens=draw.randrange(100, 400),
                output_tokens=0 if failed else draw.randrange(20, 90),
                tag=draw.choice(["returns", "delivery", "billing"]),
            )
        )
    return results


def zulu(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def naive(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def nanoseconds(moment: datetime) -> str:
    return f"{(moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}000"


def promptci_rows(logged: Iterable[Logged]) -> Iterable[Json]:
    for each in logged:
        yield {
            "time": zulu(each.time),
            "promptci.request": each.id,
            "gen_ai.prompt.name": each.prompt,
            "gen_ai.prompt.version": each.version,
            **each.ours(),
            "promptci.latency_ms": each.latency_ms,
            "gen_ai.request.model": each.model,
            "gen_ai.usage.input_tokens": each.input_tokens,
            "gen_ai.usage.output_tokens": each.output_tokens,
            "gen_ai.usage.cost.amount": each.cost_usd,
            "error.type": each.error,
        }
        late: Json = {"time": zulu(each.marked_at), "promptci.request": each.id}
        if each.quality is not None:
            yield {**late, "gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": each.quality}
        if each.signal is not None:
            yield {**late, "promptci.signal": each.signal}


def old_rows(logged: Iterable[Logged]) -> Iterable[Json]:
    """The names of logs from before the runtime, with marks in the line of the request and shares in percent."""
    for each in logged:
        yield {
            "time": zulu(each.time),
            "gen_ai.response.id": each.id,
            "promptci.prompt": each.prompt,
            "promptci.version": each.version,
            "promptci.arm": each.arm,
            "promptci.share": each.share / 100,
            "promptci.user": each.unit,
            "error.type": each.error,
            "gen_ai.client.operation.duration": None if each.latency_ms is None else each.latency_ms / 1000,
            "promptci.cost_usd": None if each.cost_usd is None else float(each.cost_usd),
            "promptci.quality": each.quality,
            "promptci.signal": each.signal,
            "gen_ai.request.model": each.model,
            "gen_ai.response.model": each.response_model,
            "promptci.system_fingerprint": each.fingerprint,
            "gen_ai.usage.input_tokens": each.input_tokens,
            "gen_ai.usage.output_tokens": each.output_tokens,
            "promptci.tag": each.tag,
        }


def _attributes(values: Json) -> list[Json]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [
        {"key": key, "value": {kinds[type(value)]: str(value) if isinstance(value, int) else value}}
        for key, value in values.items()
        if value is not None
    ]


def _span(each: Logged, names: Json, *, scored_inside: bool) -> Json:
    events = []
    if scored_inside and each.quality is not None:
        score = {"gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": each.quality}
        events.append(
            {
                "timeUnixNano": nanoseconds(each.marked_at),
                "name": "gen_ai.evaluation.result",
                "attributes": _attributes(score),
            }
        )
    status = {"code": 2, "message": "the model did not answer"} if each.error else {}
    return {
        "traceId": f"{int(each.id[1:]):032x}",
        "spanId": f"{int(each.id[1:]):016x}",
        "name": f"chat {each.model}",
        "kind": 3,
        "startTimeUnixNano": nanoseconds(each.time),
        "endTimeUnixNano": nanoseconds(each.end),
        "attributes": _attributes({**names, **each.ours(), "error.type": each.error, "promptci.signal": each.signal}),
        "events": events,
        "status": status,
    }


def _export(resource: str, scope: str, items: str, result: list[Json]) -> Json:
    service = {"attributes": _attributes({"service.name": "shop"})}
    return {resource: [{"resource": service, scope: [{"scope": {"name": "app"}, items: result}]}]}


OTHER_SPAN = {
    "traceId": "f" * 32,
    "spanId": "f" * 16,
    "name": "GET /orders",
    "startTimeUnixNano": "1772445600000000000",
    "endTimeUnixNano": "1772445600100000000",
    "attributes": _attributes({"http.request.method": "GET"}),
    "status": {},
}


def otlp_exports(logged: list[Logged]) -> Iterable[Json]:
    """Spans with the names of OpenTelemetry; every second evaluation is a log record."""
    for start in range(0, len(logged), 50):
        spans = [dict(OTHER_SPAN)]
        records = []
        for each in logged[start : start + 50]:
            names = {
                "gen_ai.operation.name": "chat",
                "gen_ai.prompt.name": each.prompt,
                "gen_ai.prompt.version": each.version,
                "gen_ai.request.model": each.model,
                "gen_ai.usage.input_tokens": each.input_tokens,
                "gen_ai.usage.output_tokens": each.output_tokens,
                "gen_ai.usage.cost.amount": each.cost_usd,
            }
            inside = int(each.id[1:]) % 2 == 0
            spans.append(_span(each, names, scored_inside=inside))
            if each.quality is not None and not inside:
                score = {"gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": each.quality}
                records.append(
                    {
                        "timeUnixNano": nanoseconds(each.marked_at),
                        "eventName": "gen_ai.evaluation.result",
                        "spanId": f"{int(each.id[1:]):016x}",
                        "attributes": _attributes(score),
                    }
                )
        yield _export("resourceSpans", "scopeSpans", "spans", spans)
        yield _export("resourceLogs", "scopeLogs", "logRecords", records)


def openinference_exports(logged: list[Logged]) -> Iterable[Json]:
    """Spans in OTLP/JSON with the names of OpenInference."""
    for start in range(0, len(logged), 50):
        spans = []
        for each in logged[start : start + 50]:
            names = {
                "openinference.span.kind": "LLM",
                "prompt.id": each.prompt,
                "llm.prompt_template.version": each.version,
                "llm.model_name": each.model,
                "llm.token_count.prompt": each.input_tokens,
                "llm.token_count.completion": each.output_tokens,
                "llm.cost.total": None if each.cost_usd is None else float(each.cost_usd),
            }
            spans.append(_span(each, names, scored_inside=True))
        yield _export("resourceSpans", "scopeSpans", "spans", spans)


def phoenix_rows(logged: list[Logged]) -> Iterable[Json]:
    yield {"context.span_id": "s0", "span_kind": "CHAIN", "start_time": zulu(START), "name": "agent"}
    for each in logged:
        yield {
            "context.span_id": each.id,
            "context.trace_id": f"t{each.id}",
            "span_kind": "LLM",
            "name": "ChatCompletion",
            "start_time": zulu(each.time),
            "end_time": zulu(each.end),
            "status_code": "ERROR" if each.error else "OK",
            "status_message": f"{each.error}: try again later" if each.error else "",
            "attributes.prompt.id": each.prompt,
            "attributes.llm.prompt_template.version": each.version,
            "attributes.llm.model_name": each.model,
            "attributes.llm.token_count.prompt": each.input_tokens,
            "attributes.llm.token_count.completion": each.output_tokens,
            "attributes.llm.cost.total": None if each.cost_usd is None else float(each.cost_usd),
            "attributes.metadata": each.ours(),
        }


def phoenix_annotations(logged: list[Logged]) -> Iterable[Json]:
    for each in logged:
        base = {"span_id": each.id, "annotator_kind": "CODE", "created_at": zulu(each.marked_at)}
        if each.quality is not None:
            yield {**base, "name": "quality", "score": each.quality, "label": None}
        if each.signal is not None:
            yield {**base, "name": "user_feedback", "score": None, "label": each.signal}
        yield {**base, "name": "toxicity", "score": 0.0, "label": "none"}


def langfuse_rows(logged: list[Logged]) -> Iterable[Json]:
    for each in logged:
        yield {"id": f"s{each.id}", "trace_id": f"t{each.id}", "type": "SPAN", "start_time": naive(each.time)}
        yield {
            "id": each.id,
            "trace_id": f"t{each.id}",
            "type": "GENERATION",
            "start_time": naive(each.time),
            "end_time": naive(each.end),
            "level": "ERROR" if each.error else "DEFAULT",
            "status_message": each.error or "",
            "provided_model_name": each.model,
            "prompt_id": "cm1",
            "prompt_name": each.prompt,
            "prompt_version": each.version,
            "user_id": "",
            "usage_details": {"input": each.input_tokens, "output": each.output_tokens},
            "total_cost": None if each.cost_usd is None else float(each.cost_usd),
            "latency": (each.latency_ms or 0) / 1000,
            "metadata": each.ours(),
        }


def langfuse_scores(logged: list[Logged]) -> Iterable[Json]:
    for each in logged:
        base = {"trace_id": f"t{each.id}", "timestamp": naive(each.marked_at), "string_value": ""}
        if each.quality is not None:
            yield {**base, "id": "q", "observation_id": each.id, "name": "quality", "value": each.quality}
        if each.signal is not None:
            sign = 1 if each.signal == "positive" else 0
            yield {**base, "id": "f", "observation_id": "", "name": "user-feedback", "value": sign}


def langsmith_rows(logged: list[Logged]) -> Iterable[Json]:
    for each in logged:
        yield {"id": f"c{each.id}", "run_type": "chain", "start_time": naive(each.time), "trace_id": f"t{each.id}"}
        feedback = {}
        if each.quality is not None:
            feedback["quality"] = {"n": 1, "avg": each.quality}
        if each.signal is not None:
            feedback["user_score"] = {"n": 1, "avg": 1.0 if each.signal == "positive" else 0.0}
        named = {"lc_hub_repo": each.prompt, "lc_hub_commit_hash": each.version, "ls_model_name": each.model}
        yield {
            "id": each.id,
            "trace_id": f"t{each.id}",
            "run_type": "llm",
            "name": "ChatOpenAI",
            "start_time": naive(each.time),
            "end_time": naive(each.end),
            "status": "error" if each.error else "success",
            "error": f"{each.error}('the model did not answer')" if each.error else None,
            "prompt_tokens": each.input_tokens,
            "completion_tokens": each.output_tokens,
            "total_cost": None if each.cost_usd is None else float(each.cost_usd),
            "extra": {"metadata": {**named, **each.ours()}},
            "feedback_stats": feedback,
        }


def langsmith_columns(logged: list[Logged]) -> Iterable[Json]:
    """Objects are JSON text in LangSmith's Parquet."""
    for row in langsmith_rows(logged):
        yield {key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()}


def write_jsonl(path: Path, rows: Iterable[Json]) -> Path:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def write_array(path: Path, rows: Iterable[Json]) -> Path:
    path.write_text(json.dumps(list(rows), indent=2))
    return path


def write_csv(path: Path, rows: Iterable[Json], delimiter: str = ",") -> Path:
    listed = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in listed for key in row)), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(
            {key: json.dumps(value) if isinstance(value, dict) else value for key, value in row.items()}
            for row in listed
        )
    return path


def write_parquet(path: Path, rows: Iterable[Json]) -> Path:
    """The types that a column has by its values: times, numbers, objects."""
    source = write_jsonl(path.with_suffix(".jsonl"), rows)
    read = f"read_json('{source}', format = 'newline_delimited', sample_size = -1, map_inference_threshold = -1)"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select * from {read}) to '{path}' (format parquet)")  # noqa: S608 - our own
    source.unlink()
    return path
