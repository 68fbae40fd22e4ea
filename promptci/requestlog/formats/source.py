"""Where the values of a log stand: JSON objects, columns, or attributes of spans; each says how SQL reaches a value."""

from collections.abc import Mapping
from typing import Protocol

from promptci.lazy_dataclass import dataclass
from promptci.requestlog.aliases import Alias
from promptci.requestlog.formats.text_lines import NOT_UTF8, TOO_LONG


def quote_text(text: str) -> str:
    """Return a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """Return a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def json_path(*keys: str) -> str:
    """Return a SQL literal with a JSON path."""
    return quote_text("$" + "".join('."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"' for key in keys))


class Source(Protocol):
    """Rows of one file, in their order."""

    @property
    def relation(self) -> str:
        """Return what stands after FROM: the columns of each row, and `broken`.

        That is what is wrong with the row: null for nothing, an empty text for a blank line.
        """
        ...

    def value(self, alias: Alias) -> str | None:
        """Return SQL for a value as text, null where it is absent or empty; None: no row can have it."""
        ...

    def moment(self, alias: Alias) -> str | None:
        """Return SQL for a value that is a time already; None: it is text."""
        ...


class JsonSource:
    """Rows of `line`, a text with a JSON object; every value that is asked for is found in one pass over the text."""

    def __init__(self, lines: str) -> None:
        self._lines = lines
        self._paths: dict[str, int] = {}

    @property
    def relation(self) -> str:
        """Return the rows; ask for all values before."""
        paths = ", ".join(self._paths)
        marked = f"when line in ({quote_text(NOT_UTF8)}, {quote_text(TOO_LONG)}) then line"
        not_object = "when json_type(line) <> 'OBJECT' then 'the line is no JSON object'"
        broken = f"case when line is null or trim(line) = '' then '' {marked} when not json_valid(line) then 'the line is no JSON' {not_object} end"  # noqa: E501
        values = f"case when broken is null then json_extract_string(line, [{paths}]) end as v"
        return f"(select broken, {values} from (select line, {broken} as broken from {self._lines}))"  # noqa: S608 - our own

    def value(self, alias: Alias) -> str | None:
        """Return SQL for a value of the object."""
        path = json_path(alias.name, *alias.path)
        return f"nullif(v[{self._paths.setdefault(path, len(self._paths) + 1)}], '')"

    def moment(self, alias: Alias) -> str | None:
        """Return None: JSON has no times."""
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnSource:
    """Rows with typed columns."""

    relation: str
    types: Mapping[str, str]
    """DuckDB's type of each column."""

    def value(self, alias: Alias) -> str | None:
        """Return SQL for a column, or for a part of the object in it."""
        kind = self.types.get(alias.name)
        if kind is None:
            return None
        column = quote_name(alias.name)
        if alias.path:
            value = f"try_cast({column} as json)" if kind in ("VARCHAR", "JSON") else f"to_json({column})"
            return f"nullif({value}->>{json_path(*alias.path)}, '')"
        if kind in ("DOUBLE", "FLOAT"):
            return f"case when isnan({column}) then null else {column} end"
        return f"nullif({column}, '')" if kind == "VARCHAR" else column

    def moment(self, alias: Alias) -> str | None:
        """Return SQL for a column of times, in UTC."""
        kind, column = self.types.get(alias.name, ""), quote_name(alias.name)
        if not kind.startswith("TIMESTAMP") or alias.path:
            return None
        # A cast from a time with a zone asks a calendar for each value.
        return f"make_timestamp(epoch_us({column}))" if kind.endswith("ZONE") else f"{column}::timestamp"
