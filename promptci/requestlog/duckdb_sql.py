"""The alias table as SQL: from lines of JSON to typed columns, and whether each line is surely a good one.

What a line holds is decided by `line.parse_line` alone. The SQL takes the lines of which there is no doubt, which are
nearly all; `plain` is false for every other, and those are parsed by Python. DuckDB takes JSON with a comma too many,
or with a key that stands twice, of which it reads the first; Python refuses both.
"""

from functools import cache

from promptci.requestlog.aliases import ALIASES, EVALUATION_NAME, PERCENT_MARKER, QUALITY_EVALUATION
from promptci.requestlog.line import MAX_SHARE, MAX_TEXT_CHARS

TEXT_FIELDS = ("prompt", "version", "model", "response_model")
UNREAD = ("system_fingerprint", "input_tokens", "tag")
"""Fields that a canary does not look at, as `line` does not."""
MAX_OBJECT_BYTES = 2**21
"""Above the most bytes of a line, with which the memory of a thread grows."""
MAX_DIGITS = 19
"""Of a number that is surely within 64 bits."""
_TIME = "try_cast(substring(time_, 2, length(time_) - 2) as timestamptz)"
"""Of `timestamp`, the zone would be passed over."""
_IS_TIME = (
    "time_[12] = 'T' and length(time_) between 22 and 34 and not starts_with(time_, '\"0000')"
    " and case when suffix(time_, 'Z\"') then true else regexp_full_match(time_, '.*[+-][01]\\d:[0-5]\\d\"') end"
    f" and substring(time_, 13, 2) <> '24' and {_TIME} is not null"
)
_UNSURE_DECIMALS = ("e", "E", "_", '."')
"""What DuckDB takes in a decimal that is written as a text, and Python does not."""


def _raw(name: str) -> str:
    """Return an attribute as JSON text; null for null, for "" and where it is absent."""
    return f'nullif("{name}"::varchar, \'""\')'


def _raw_field(field: str) -> str:
    return f"coalesce({', '.join(_raw(alias.name) for alias in ALIASES[field])})"


def _text(column: str) -> str:
    return f"{column}[2:-2]"


def _is_text(column: str) -> str:
    long_enough = f"length({column}) <= {MAX_TEXT_CHARS + 2}"
    return f"({column} is null or ({column}[1] = '\"' and {long_enough} and not contains({column}, '\\')))"


def _is_number(column: str, most: float | None = None) -> str:
    value = f"try_cast({column} as double)"
    limit = f"isfinite({value})" if most is None else f"{value} <= {most}"
    return f"({column} is null or ({column} between '0' and ':' and length({column}) <= {MAX_DIGITS} and {limit}))"


def _is_one_of(column: str, *values: str) -> str:
    listed = ", ".join(f"'\"{value}\"'" for value in values)
    return f"({column} is null or {column} in ({listed}))"


def _scaled(field: str, column: str) -> str:
    """Return a number with the scale of the name under which it was logged."""
    value = f"try_cast({column} as double)"
    for alias in reversed(ALIASES[field]):
        if alias.scale != 1:
            others = [_raw(other.name) for other in ALIASES[field] if other.name != alias.name]
            value = f"case when coalesce({', '.join(others)}) is null then {value} * {alias.scale} else {value} end"
    return value


def _is_request(is_percent: str, tokens: str) -> str:
    conditions = [
        "prompt_ is not null and version_ is not null and (arm_ is not null or key_ is not null)",
        _is_one_of("arm_", "stable", "canary"),
        _is_number("latency_ms_"),
        _is_number("share_", MAX_SHARE),
        f"(not {is_percent} or share_ is null or try_cast(share_ as double) <= 100)",
        _is_number("output_tokens_"),
        f"(output_tokens_ is null or {tokens} = trunc({tokens}))",
    ]
    return f"({' and '.join(conditions)})"


@cache
def parse_query() -> str:
    """Return the query that makes the table `parsed` of the lines of a file, `$path`, in their order.

    A line that is not blank is one row: one of nulls, and so not plain, where it is no JSON object.
    """
    read = {field: aliases for field, aliases in ALIASES.items() if field not in UNREAD}
    names = [alias.name for aliases in read.values() for alias in aliases]
    types = ", ".join(f"'{name}': 'JSON'" for name in (*names, EVALUATION_NAME))
    cost = "case when cost_usd_[1] = '\"' then cost_usd_[2:-2] else cost_usd_ end"
    raw = ", ".join([*(f"{_raw_field(field)} as {field}_" for field in read), f"{cost} as cost_"])
    is_quality = f"coalesce({_raw(EVALUATION_NAME)}, '\"{QUALITY_EVALUATION}\"') = '\"{QUALITY_EVALUATION}\"'"
    is_percent = f"{_raw(PERCENT_MARKER)} is not null"
    any_mark = (
        f"({_raw(EVALUATION_NAME)} is not null or quality_ is not null or signal_ is not null or cost_usd_ is not null)"
    )
    is_mark = f"(prompt_ is null and version_ is null and arm_ is null and {any_mark})"
    unsure = " or ".join(f"contains(cost_usd_, '{sign}')" for sign in _UNSURE_DECIMALS)
    is_decimal = f"(cost_usd_[1] <> '\"' or not ({unsure}))"
    tokens = "try_cast(output_tokens_ as double)"
    plain = " and ".join(
        [
            "id_ is not null",
            *(_is_text(f"{field}_") for field in ("id", "user", "key", "error", *TEXT_FIELDS)),
            _IS_TIME,
            _is_one_of("signal_", "positive", "negative"),
            f"(not {is_quality} or {_is_number('quality_', 1)})",
            f"(cost_usd_ is null or {is_decimal} and {_is_number('cost_')})",
            f"({is_mark} or {_is_request(is_percent, tokens)})",
        ]
    )
    columns = f"""
        {is_mark} as is_mark,
        epoch_us({_TIME}) as time,
        hash(id_) as id,
        {", ".join(f"{_text(f'{field}_')} as {field}" for field in (*TEXT_FIELDS, "key"))},
        case arm_ when '"canary"' then 1 when '"stable"' then 0 else -1 end::tinyint as arm,
        try_cast(share_ as double) / case when {is_percent} then 1 else 100 end as share,
        case when coalesce(user_, key_) is not null then hash(coalesce(user_, key_)) end as user_hash,
        error_ is not null as failed,
        {_scaled("latency_ms", "latency_ms_")} as latency_ms,
        try_cast(cost_ as double) as cost_usd,
        case when {is_quality} then try_cast(quality_ as double) end as quality,
        case signal_ when '"positive"' then 1 when '"negative"' then 2 else 0 end::tinyint as signal,
        {tokens} as output_tokens"""
    return f"""
        create or replace temp table parsed as
        select coalesce({plain}, false) as plain, {columns}
        from (select *, {raw} from read_json($path, format = 'newline_delimited', compression = 'uncompressed',
            ignore_errors = true, maximum_object_size = {MAX_OBJECT_BYTES}, columns = {{{types}}}))"""  # noqa: S608 - names come from the alias table


FIELDS = (
    "time",
    "id",
    "arm",
    "share",
    "user_hash",
    "failed",
    "latency_ms",
    "cost_usd",
    "quality",
    "signal",
    "output_tokens",
)
GROUP = f"hash({', '.join(TEXT_FIELDS)})"
COUNT = "select count(*) from parsed"
DOUBT = "update parsed set plain = false where rowid in (select unnest($rows))"
DOUBTFUL = "select rowid from parsed where rowid < $lines and not plain order by rowid"
HASHES = "select hash(text) as hash from (select unnest($texts) as text)"
KEYS = "select rowid, prompt, key from parsed where rowid < $lines and plain and not is_mark and key is not null"
GROUPS = (
    f"select {GROUP} as text_group, {', '.join(f'any_value({name})' for name in TEXT_FIELDS)} from parsed group by all"  # noqa: S608 - likewise
)
REQUESTS = f"""
    select rowid, {GROUP} as text_group, {", ".join(FIELDS)}
    from parsed where rowid < $lines and plain and not is_mark order by rowid"""  # noqa: S608 - likewise
MARKS = """
    select id, time, quality, signal, cost_usd
    from parsed where rowid < $lines and plain and is_mark order by rowid"""
