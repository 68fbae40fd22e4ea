"""Build a DataFrame from rows, with columns that can be missing."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from promptci.errors import UsageError
from promptci.lazy_import import lazy_import
from promptci.wording import install_extra

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = lazy_import("pandas")


def build_table(
    rows: Iterable[Mapping[str, Any]], columns: Iterable[str] = (), times: Iterable[str] = ()
) -> "pd.DataFrame":
    """Return rows as a DataFrame; None becomes `pd.NA`, and the columns in `times` become timestamps in UTC.

    Raises
    ------
    UsageError
        If pandas is not installed.
    """
    try:
        table = pd.DataFrame.from_records(list(rows), columns=list(columns) or None)
    except ModuleNotFoundError as error:
        raise UsageError("pandas is not installed", install_extra("frames")) from error
    return with_missing_values(table, times)


def with_missing_values(table: "pd.DataFrame", times: Iterable[str] = ()) -> "pd.DataFrame":
    """Return the table with `pd.NA` for what is missing, and the columns in `times` as timestamps in UTC."""
    table = table.convert_dtypes()
    for column in times:
        if column in table:
            table[column] = pd.to_datetime(table[column], utc=True, format="ISO8601")
    return table
