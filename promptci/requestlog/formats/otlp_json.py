"""Spans in OTLP/JSON: one export request on each line, or one in a file.

Attributes are arrays of keys with typed values, and times are nanoseconds as text. An evaluation is an attribute of the
span, an event of it, or a log record `gen_ai.evaluation.result` that names the span or the response.
Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from pathlib import Path

from promptci.requestlog.aliases import ALIASES, Alias, aliases
from promptci.requestlog.dialects.dialect import Dialect, ErrorStatus
from promptci.requestlog.dialects.openinference import NAMES
from promptci.requestlog.formats.jsonl import lines_of
from promptci.requestlog.formats.source import json_path, quote_text
from promptci.requestlog.formats.text_lines import MAX_TRACE_BYTES

STATUS, SPAN = "status of the span", "id of the span"
"""What stands beside the attributes, under names that no attribute has."""
OTLP = Dialect(
    name="OTLP/JSON",
    markers=(("resourceSpans",), ("resourceLogs",)),
    fields={
        **{field: (*names, *NAMES.get(field, ())) for field, names in ALIASES.items()},
        "time": aliases("time of the span"),
        "end": aliases("end of the span"),
        "id": (*ALIASES["id"], Alias(name=SPAN)),
        "second_id": aliases(SPAN),
    },
    status=ErrorStatus(
        status=Alias(name=STATUS),
        values=("2", "STATUS_CODE_ERROR"),
        kind=aliases("exception.type", "message of the status"),
    ),
)
_VALUE = "coalesce(a->'value'->>'stringValue', a->'value'->>'intValue', a->'value'->>'doubleValue', a->'value'->>'boolValue')"  # noqa: E501
_EVALUATION = "gen_ai.evaluation.result"


class SpanSource:
    """Rows of `k` and `v`, the names and values of a span's attributes."""

    def __init__(self, lines: str) -> None:
        self._lines = lines

    @property
    def relation(self) -> str:
        """Return the spans and the evaluations, each as a row, and the lines that are no traces."""
        broken = "case when line is null or trim(line) = '' then '' when not json_valid(line) then 'line ' || n || ' is no JSON' when (line->'$.resourceSpans') is null and (line->'$.resourceLogs') is null then 'line ' || n || ' has neither resourceSpans nor resourceLogs' end"  # noqa: E501
        return f"""(
            with lines as materialized (select line, {broken} as broken from (select line, row_number() over () as n from {self._lines})),
            spans as (select unnest({_inner("line->'resourceSpans'", "scopeSpans", "spans")}) as s from lines where broken is null),
            records as (select unnest({_inner("line->'resourceLogs'", "scopeLogs", "logRecords")}) as r from lines where broken is null),
            events as (select s, unnest(from_json(coalesce(s->'events', '[]'), '["JSON"]')) as e from spans),
            attributed as (
                select s as o, s->'attributes' as a, s->>'startTimeUnixNano' as t, s->>'endTimeUnixNano' as f, null as e from spans
                union all
                select s, e->'attributes', e->>'timeUnixNano', null, 'event' from events where e->>'name' = '{_EVALUATION}'
                union all
                select r, r->'attributes', coalesce(r->>'timeUnixNano', r->>'observedTimeUnixNano'), null, 'event' from records
                where coalesce(r->>'eventName', r->'body'->>'stringValue') = '{_EVALUATION}')
            select list_transform(from_json(coalesce(a, '[]'), '["JSON"]'), lambda a: a->>'key') as k,
                list_transform(from_json(coalesce(a, '[]'), '["JSON"]'), lambda a: {_VALUE}) as v,
                make_timestamp(try_cast(t as bigint) // 1000) as began, make_timestamp(try_cast(f as bigint) // 1000) as ended,
                o->>'spanId' as span, o->'status'->>'code' as status, o->'status'->>'message' as message,
                null::varchar as broken
            from attributed
            union all select [], [], null, null, null, null, null, broken from lines where broken is not null)"""  # noqa: E501, S608 - our own

    def value(self, alias: Alias) -> str | None:
        """Return SQL for an attribute, or for what stands beside them."""
        columns = {
            SPAN: "span",
            STATUS: "status",
            "message of the status": "message",
            "time of the span": "began",
            "end of the span": "ended",
        }
        if alias.name in columns:
            return columns[alias.name]
        return f"nullif(v[list_position(k, {quote_text(alias.name)})], '')"

    def moment(self, alias: Alias) -> str | None:
        """Return SQL for begin or end of a span."""
        return self.value(alias) if alias.name in ("time of the span", "end of the span") else None


def span_lines(path: Path, folder: Path) -> SpanSource:
    """Return the spans of a file with one export request on each line."""
    return SpanSource(lines_of(path, folder, MAX_TRACE_BYTES))


def span_document(path: Path) -> SpanSource:
    """Return the spans of a file that is one export request."""
    return SpanSource(f"(select content as line from read_text({quote_text(str(path))}))")  # noqa: S608 - quoted


def _inner(resources: str, scopes: str, items: str) -> str:
    """Return SQL for the list of all items of a line's resources and scopes."""
    return (
        f"flatten(list_transform(flatten(list_transform(from_json(coalesce({resources}, '[]'), '[\"JSON\"]'),"
        f" lambda x: from_json(coalesce(x->{json_path(scopes)}, '[]'), '[\"JSON\"]'))),"
        f" lambda x: from_json(coalesce(x->{json_path(items)}, '[]'), '[\"JSON\"]')))"
    )
