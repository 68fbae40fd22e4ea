"""DataFrames of production: the requests of a log, and the tables of a monitor.json."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from promptci.errors import UsageError
from promptci.frames.table import build_table, with_missing_values
from promptci.monitor.document import MonitorDocument
from promptci.requestlog.formats.database import LogDatabase
from promptci.requestlog.read import expand_patterns
from promptci.wording import install_extra

if TYPE_CHECKING:
    import pandas as pd

MonitorTable = Literal["traffic", "latency", "models", "failing", "splits", "coverage"]
_TABLES: tuple[str, ...] = get_args(MonitorTable)
_REQUESTS = """
    with late as (
        select request,
            first(quality order by time, quality) filter (where quality is not null) as quality,
            first(signal order by time, signal) filter (where signal is not null) as signal,
            first(cost_usd order by time, cost_usd) filter (where cost_usd is not null) as cost_usd
        from marks where request is not null group by request)
    select requests.* exclude (file, second_id) replace (
        coalesce(requests.quality, late.quality) as quality, coalesce(requests.signal, late.signal) as signal,
        coalesce(requests.cost_usd, late.cost_usd)::double as cost_usd)
    from requests left join late using (request) order by requests.time, request"""


def load_log(logs: str | Path | Sequence[str | Path], columns: Mapping[str, str] | None = None) -> "pd.DataFrame":
    """Return the requests of a log, oldest first, each once and with what became known of it later.

    `logs` are paths or globs of any format that `promptci monitor` reads; `columns` are names of your own, as in
    `log: columns:` of promptci.yml. Lines that cannot be used are left out, as long as they are at most 1%. `share` is
    in 1/100 %.

    Raises
    ------
    InputError
        If a log cannot be read, or over 1% of its lines are invalid.
    UsageError
        If there is no such file, or pandas or DuckDB is not installed.
    """
    if missing := [name for name in ("pandas", "duckdb") if find_spec(name) is None]:
        raise UsageError(f"{' and '.join(missing)} is not installed", install_extra("frames,monitor"))
    patterns = [logs] if isinstance(logs, str | Path) else logs
    paths = expand_patterns([str(pattern) for pattern in patterns])
    if not paths:
        raise UsageError(f"No file matches {', '.join(map(str, patterns))}", "Check the path.")
    with LogDatabase(columns) as database:
        database.read(paths)
        return with_missing_values(database.connection.execute(_REQUESTS).df(), times=("time",))


def load_monitor(monitor: str | Path, table: MonitorTable = "traffic") -> "pd.DataFrame":
    """Return one of the six tables of a monitor.json; `errors` and `bins` stay mappings.

    Raises
    ------
    InputError
        If the file cannot be read.
    UsageError
        If it has no such table, or pandas is not installed.
    """
    document = MonitorDocument.load(Path(monitor))
    if table not in _TABLES:
        raise UsageError(f"monitor.json has no table `{table}`", f"It has {', '.join(_TABLES)}.")
    plain = [
        {name: float(value) if isinstance(value, Decimal) else value for name, value in row}
        for row in getattr(document, table)
    ]
    return build_table(plain, times=("hour", "day", "first", "last", "newest"))
