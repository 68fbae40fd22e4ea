"""Values of a source -> typed rows of requests and marks, as SQL, with what is wrong with each bad row."""

from collections.abc import Sequence
from datetime import datetime

from promptci.requestlog.aliases import ALIASES, EVALUATION_NAME, PERCENT_MARKER, QUALITY_EVALUATION, Alias
from promptci.requestlog.dialects.dialect import Dialect, Scores
from promptci.requestlog.formats.source import Source, quote_text
from promptci.requestlog.line import ARMS, MAX_SHARE, MAX_TEXT_CHARS, SIGNALS, ZONE

MONEY = "decimal(18, 12)"
"""Exact to a millionth of a millionth of a dollar, in 64 bits."""
MAX_USD = 999_999.0
"""Cost of one request that can be true."""
COLUMNS = {
    "time": "timestamp",
    "request": "varchar",
    "second_id": "varchar",
    "prompt": "varchar",
    "version": "varchar",
    "arm": "varchar",
    "share": "double",
    "unit": "varchar",
    "key": "varchar",
    "error": "varchar",
    "latency_ms": "double",
    "cost_usd": MONEY,
    "quality": "double",
    "signal": "varchar",
    "request_model": "varchar",
    "response_model": "varchar",
    "system_fingerprint": "varchar",
    "input_tokens": "bigint",
    "output_tokens": "bigint",
    "tag": "varchar",
}
"""Columns of a request, whose share is in 1/100 %. A mark has a time, an id, and what became known."""
TEXTS = ("id", "second_id", "prompt", "version", "arm", "user", "key", "signal", "model", "response_model", "tag")
MAX_TOKENS = 1e12
"""Tokens of one request that can be true; any sum of them fits."""
NUMBERS = {
    "latency_ms": None,
    "share": MAX_SHARE,
    "cost_usd": MAX_USD,
    "input_tokens": MAX_TOKENS,
    "output_tokens": MAX_TOKENS,
}
_CALENDAR = "between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"
"""Times that Python can represent."""
_KIND_OF_ERROR = r"^([A-Za-z_][\w.-]{0,59})(?:$|[\s(:])"
_NULL = "null::varchar"


def rows_query(source: Source, dialect: Dialect, latest: datetime | None = None) -> str:
    """Return the query for the rows of a source, in their order.

    `what` is request, mark, other or bad; `reason` says what is wrong with a bad one, in words. A time after `latest`,
    in UTC, is bad: one clock that is ahead would keep a log looking fresh that nothing is added to any more.
    """
    if dialect.scores is not None:
        return _scores_query(source, dialect, dialect.scores, latest)
    raw = {field: _value(source, dialect, field) for field in (*ALIASES, "second_id")}
    raw |= {"error": _error(source, dialect), "end": _moment(source, dialect, "end")}
    raw |= {"time_text": raw["time"], "time": _moment(source, dialect, "time")}
    raw["latency_ms"] = (
        f"coalesce(try_cast({raw['latency_ms']} as double), epoch_us({raw['end']} - ({raw['time']})) / 1000.0)"
        if raw["end"] != "null::timestamp"
        else f"try_cast({raw['latency_ms']} as double)"
    )
    raw["latency_text"] = _value(source, dialect, "latency_ms", scaled=False)
    for name, aliases in dialect.inner_scores.items():
        raw[name] = _first([*(each for alias in aliases if (each := source.value(alias))), raw[name]])
    evaluation = _first([source.value(Alias(name=EVALUATION_NAME)) or _NULL])
    raw |= {"evaluation": evaluation, "kind": (dialect.kind and source.value(dialect.kind)) or _NULL}
    if percent := source.value(Alias(name=PERCENT_MARKER)):
        in_percent = f"try_cast({raw['share']} as double)"
        as_logged = f"({raw['share']})::varchar"
        raw["share"] = f"case when {percent} is null then {as_logged} else ({in_percent} * 100)::varchar end"
    columns = ", ".join(f"{sql} as {name}_" for name, sql in raw.items())
    return f"select {_row_kind(dialect)} as what, reason, {_typed()} from (select *, {_reason(dialect, latest)} as reason from (select {columns}, broken from {source.relation}))"  # noqa: E501, S608 - names are quoted


def _typed() -> str:
    quality = f"case when coalesce(evaluation_, '{QUALITY_EVALUATION}') = '{QUALITY_EVALUATION}' then try_cast(quality_ as double) end"  # noqa: E501
    exact = {
        "request": "id_",
        "unit": "coalesce(user_, key_)",
        "request_model": "model_",
        "quality": quality,
        "signal": _signal("signal_", "signal_"),
        "latency_ms": "latency_ms_",
    }
    return ", ".join(
        f"{exact[name]}::{kind} as {name}" if name in exact else f"try_cast({name}_ as {kind}) as {name}"
        for name, kind in COLUMNS.items()
    )


def _signal(number: str, label: str) -> str:
    """Return the signal of a score: above 0 is positive."""
    value = f"try_cast({number} as double)"
    return (
        f"case when lower({label}::varchar) in ('positive', 'negative') then lower({label}::varchar)"
        f" when {value} > 0 then 'positive' when {value} <= 0 then 'negative' end"
    )


def _row_kind(dialect: Dialect) -> str:
    marked = "(evaluation_ is not null or quality_ is not null or signal_ is not null or cost_usd_ is not null)"
    cases = ["when broken = '' then 'blank' when broken is not null then 'bad'"]
    if dialect.kind is not None:
        kinds = ", ".join(quote_text(kind) for kind in dialect.request_kinds)
        cases.append(f"when upper(kind_) not in ({kinds}) or kind_ is null then 'other'")
    cases.append(
        f"when prompt_ is null and version_ is null and arm_ is null and {marked}"
        " then case when reason is null then 'mark' else 'bad' end"
    )
    if not dialect.needs_prompt:
        cases.append("when prompt_ is null then 'other'")
    return f"case {' '.join(cases)} when reason is not null then 'bad' else 'request' end"


def _reason(dialect: Dialect, latest: datetime | None) -> str:
    """Return SQL for what is wrong with a row, or null."""
    name = {field: str(names[0]) for field, names in dialect.fields.items() if names}
    cases = ["when broken is not null then broken", _missing("id_ is null", name["id"])]
    cases.append(_missing("time_text_ is null", name["time"]))
    zoned = "no time in ISO 8601 with its zone" if dialect.needs_zone else "no time in ISO 8601"
    cases.append(_wrong(f"time_ is null or time_ not {_CALENDAR}", name["time"], "time_text_", zoned))
    if latest is not None:
        cases.append(_wrong(_is_after(latest), name["time"], "time_text_", "in the future"))
    is_mark = "(version_ is null and arm_ is null and (quality_ is not null or signal_ is not null or cost_usd_ is not null or evaluation_ is not null))"  # noqa: E501
    if dialect.needs_prompt:
        cases.append(_missing(f"prompt_ is null and not {is_mark}", name["prompt"]))
        cases.append(_missing(f"version_ is null and not (prompt_ is null and {is_mark})", name["version"]))
    for field in TEXTS:
        text = f"{field}_::varchar"
        long = f"(strlen({text}) > {MAX_TEXT_CHARS} and length({text}) > {MAX_TEXT_CHARS})"
        wrong = f"{long} or starts_with({text}, '{{') or starts_with({text}, '[')"
        cases.append(_wrong(wrong, name.get(field, field), f"{field}_", "no short text"))
    listed = ", ".join(quote_text(arm) for arm in ARMS)
    cases.append(_wrong(f"arm_ not in ({listed})", name.get("arm", "arm"), "arm_", "neither stable nor canary"))
    if not dialect.inner_scores:
        listed = ", ".join(quote_text(signal) for signal in SIGNALS)
        cases.append(
            _wrong(
                f"signal_ not in ({listed})", name.get("signal", "signal"), "signal_", "neither positive nor negative"
            )
        )
    cases.append(_not_number("quality_", name.get("quality", "quality"), 1))
    for field, most in NUMBERS.items():
        column = "latency_text_" if field == "latency_ms" else f"{field}_"
        cases.append(_not_number(column, name.get(field, field), most))
    cases.append(_wrong("latency_ms_ < 0", name.get("end", "end"), "latency_ms_", "a time before the request"))
    for field in ("input_tokens", "output_tokens"):
        number = f"try_cast({field}_ as double)"
        cases.append(_wrong(f"{number} <> trunc({number})", name.get(field, field), f"{field}_", "no whole number"))
    return f"case {' '.join(cases)} end"


def _missing(condition: str, name: str) -> str:
    return f"when {condition} then {quote_text(f'`{name}` is missing')}"


def _wrong(condition: str, name: str, column: str, expected: str) -> str:
    shown = f"left({column}::varchar, 40)"
    return f"when {condition} then {quote_text(f'`{name}` is `')} || {shown} || {quote_text(f'`, {expected}')}"


def _wrong_time(dialect: Dialect, latest: datetime | None) -> str:
    name = dialect.fields["time"][0]
    missing = f"when time_ is null or time_ not {_CALENDAR} then {quote_text(f'`{name}` is missing or no time')}"
    if latest is None:
        return missing
    return f"{missing} when {_is_after(latest)} then {quote_text(f'`{name}` is in the future')}"


def _is_after(latest: datetime) -> str:
    return f"time_ > timestamp '{latest:%Y-%m-%d %H:%M:%S.%f}'"


def _not_number(column: str, name: str, most: float | None) -> str:
    value = f"try_cast({column} as double)"
    beyond = f"not isfinite({value})" if most is None else f"{value} > {most}"
    limit = "no number of at least 0" if most is None else f"no number from 0 to {most:,.0f}"
    return _wrong(f"{column} is not null and ({value} is null or {value} < 0 or {beyond})", name, column, limit)


def _first(values: Sequence[str]) -> str:
    if not values:
        return _NULL
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _names(dialect: Dialect, field: str) -> tuple[Alias, ...]:
    """Return the names of a field: the dialect's own, and ours within its metadata."""
    inner = dialect.metadata
    ours = () if inner is None else ALIASES.get(field, ())
    return (
        *dialect.fields.get(field, ()),
        *(Alias(name=inner.name, path=(*inner.path, each.name), scale=each.scale) for each in ours if inner),
    )


def _value(source: Source, dialect: Dialect, field: str, *, scaled: bool = True) -> str:
    scaled_values = [(value, alias.scale) for alias in _names(dialect, field) if (value := source.value(alias))]
    values = [
        f"try_cast({value} as double) * {scale}" if scaled and scale != 1 else value for value, scale in scaled_values
    ]
    if field == "latency_ms" and scaled:
        values = [f"try_cast({value} as double)" for value in values]
    if len(values) > 1 and (field != "latency_ms" or not scaled):
        values = [f"({value})::varchar" for value in values]
    return _first(values)


def _moment(source: Source, dialect: Dialect, field: str) -> str:
    moments = []
    for alias in _names(dialect, field):
        if typed := source.moment(alias):
            moments.append(typed)
        elif text := source.value(alias):
            moments.append(_parse_time(text, needs_zone=dialect.needs_zone))
    return _first(moments) if moments else "null::timestamp"


def _is_zoned(text: str) -> str:
    return f"(right({text}::varchar, 1) = 'Z' or regexp_matches({text}::varchar, {quote_text(ZONE)}))"


def _parse_time(text: str, *, needs_zone: bool) -> str:
    """Return SQL for a time in ISO 8601, in UTC; without a zone it is UTC already, or bad."""
    # A cast to `timestamp` would leave out the zone.
    zoned = f"make_timestamp(epoch_us(try_cast({text} as timestamptz)))"
    if needs_zone:
        return f"case when {_is_zoned(text)} then {zoned} end"
    milliseconds = f"make_timestamp(try_cast({text} as bigint) * 1000)"
    is_number = f"regexp_full_match({text}::varchar, '\\d{{12,14}}')"
    return f"case when {is_number} then {milliseconds} else {zoned} end"


def _error(source: Source, dialect: Dialect) -> str:
    """Return SQL for the kind of error: a name, never a sentence."""
    own = _value(source, dialect, "error")
    if dialect.status is None:
        return own
    texts = [each for alias in dialect.status.kind if (each := source.value(alias))]
    named = [f"nullif(regexp_extract({text}, {quote_text(_KIND_OF_ERROR)}, 1), '')" for text in texts]
    status = source.value(dialect.status.status)
    values = ", ".join(quote_text(value) for value in dialect.status.values)
    failed = f"upper({status}) in ({values})" if status else f"{_first(texts)} is not null"
    return f"case when {own} is not null then {own} when {failed} then {_first([*named, quote_text('error')])} end"


def _scores_query(source: Source, dialect: Dialect, scores: Scores, latest: datetime | None) -> str:
    """Return the rows of a file of scores: marks, and scores of other names."""
    name = source.value(scores.name) or _NULL
    number, label = source.value(scores.value) or _NULL, source.value(scores.label) or _NULL
    quality, signal = (f"name_ in ({', '.join(map(quote_text, names))})" for names in (scores.quality, scores.signal))
    value = "coalesce(try_cast(number_ as double), case lower(number_) when 'true' then 1 when 'false' then 0 end)"
    ids = f"coalesce({_value(source, dialect, 'id')}, {_value(source, dialect, 'second_id')})"
    cases = [
        "when broken is not null then broken",
        "when coalesce(id_, second_id_) is null then 'the score names neither a span nor a trace'",
        _wrong_time(dialect, latest),
        f"when {quality} and ({value} is null or {value} not between 0 and 1) then 'the quality is no number from 0 to 1'",  # noqa: E501
        f"when {signal} and ({_signal('number_', 'label_')}) is null then 'the signal is neither a number nor positive or negative'",  # noqa: E501
    ]
    typed = {name: f"null::{kind}" for name, kind in COLUMNS.items()}
    typed |= {
        "time": "time_",
        "request": "id_",
        "second_id": "second_id_",
        "quality": f"case when {quality} then {value} end",
        "signal": f"case when {signal} then {_signal('number_', 'label_')} end",
    }
    columns = ", ".join(f"({sql})::{COLUMNS[name]} as {name}" for name, sql in typed.items())
    bad = "case when broken = '' then 'blank' when reason is not null then 'bad'"
    row_kind = f"{bad} when {quality} or {signal} then 'mark' else 'other' end"
    inner = f"{name} as name_, {number}::varchar as number_, {label} as label_, {ids} as id_, {_value(source, dialect, 'second_id')} as second_id_, {_moment(source, dialect, 'time')} as time_, broken"  # noqa: E501
    return f"select {row_kind} as what, reason, {columns} from (select *, case {' '.join(cases)} end as reason from (select {inner} from {source.relation}))"  # noqa: E501, S608 - names are quoted
