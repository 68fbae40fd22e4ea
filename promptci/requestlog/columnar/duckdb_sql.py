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
_TIME = """case when suffix(time_, 'Z"') then epoch_us(try_cast(substring(time_, 2, length(time_) - 3) as timestamp))
        else epoch_us(try_cast(substring(time_, 2, length(time_) - 2) as timestamptz)) end"""
"""Most times are in UTC, and the cast without a zone is the faster one; a zone must not be passed over."""
_TIME_PATTERN = r'"[1-9]\d\d\d-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-][01]\d:[0-5]\d)"'
_IS_TIME = f"regexp_full_match(time_, '{_TIME_PATTERN}') and {_TIME} is not null"
_COST = "case when starts_with(cost_usd_, '\"') then substring(cost_usd_, 2, length(cost_usd_) - 2) else cost_usd_ end"
"""Money is a number, or a decimal written as a text."""
_UNSURE_DECIMALS = ("e", "E", "_", '."')
"""What DuckDB takes in a decimal that is written as a text, and Python does not."""


def _raw(name: str) -> str:
    """Return an attribute as JSON text; null for null, for "" and where it is absent."""
    return f'nullif("{name}"::varchar, \'""\')'


def _raw_field(field: str) -> str:
    return f"coalesce({', '.join(_raw(alias.name) for alias in ALIASES[field])})"


def _is_quoted(column: str) -> str:
    return f"starts_with({column}, '\"')"


def _is_text(column: str) -> str:
    is_short = f"strlen({column}) <= {MAX_TEXT_CHARS + 2}"
    return f"({column} is null or ({_is_quoted(column)} and {is_short} and not contains({column}, '\\')))"


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

    A line that is not blank is one row: one of nulls, and so not plain, where it is no JSON object. Texts keep their
    quotes, for cutting them off takes time in every line.
    """
    read = {field: aliases for field, aliases in ALIASES.items() if field not in UNREAD}
    names = [alias.name for aliases in read.values() for alias in aliases]
    types = ", ".join(f"'{name}': 'JSON'" for name in (*names, EVALUATION_NAME))
    raw = ", ".join([*(f"{_raw_field(field)} as {field}_" for field in read), f"{_COST} as cost_"])
    is_quality = f"coalesce({_raw(EVALUATION_NAME)}, '\"{QUALITY_EVALUATION}\"') = '\"{QUALITY_EVALUATION}\"'"
    is_percent = f"{_raw(PERCENT_MARKER)} is not null"
    any_mark = (
        f"({_raw(EVALUATION_NAME)} is not null or quality_ is not null or signal_ is not null or cost_usd_ is not null)"
    )
    is_mark = f"(prompt_ is null and version_ is null and arm_ is null and {any_mark})"
    unsure = " or ".join(f"contains(cost_usd_, '{sign}')" for sign in _UNSURE_DECIMALS)
    is_decimal = f"(not {_is_quoted('cost_usd_')} or not ({unsure}))"
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
        {_TIME} as time,
        hash(id_) as id,
        {", ".join(f"{field}_ as {field}" for field in (*TEXT_FIELDS, "key"))},
        hash({", ".join(f"{field}_" for field in TEXT_FIELDS)}) as text_group,
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
    "text_group",
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
COUNT = "select count(*) from parsed"
DOUBT = "update parsed set plain = false where rowid in (select unnest($rows))"
DOUBTFUL = "select rowid from parsed where rowid < $lines and not plain order by rowid"
HASHES = "select hash(text) as hash from (select unnest($texts) as text)"
KEYS = """
    select rowid, prompt[2:-2], key[2:-2]
    from parsed where rowid < $lines and plain and not is_mark and key is not null"""
GROUPS = f"""
    select text_group, {", ".join(f"any_value({name})" for name in TEXT_FIELDS)}
    from parsed where plain and not is_mark group by all"""  # noqa: S608 - names come from the alias table
REQUESTS = f"""
    select rowid, {", ".join(FIELDS)} from parsed where rowid < $lines and plain and not is_mark"""  # noqa: S608 - likewise
"""In the order of the lines, which DuckDB keeps (`preserve_insertion_order`)."""
MARKS = """
    select id, time, quality, signal, cost_usd
    from parsed where rowid < $lines and plain and is_mark order by rowid"""
