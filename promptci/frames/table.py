"""Build a DataFrame from rows, with columns that can be missing."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from promptci.errors import UsageError
from promptci.lazy_import import lazy_import

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
        table = pd.DataFrame.from_records(list(rows), columns=list(columns) or None).convert_dtypes()
    except ModuleNotFoundError as error:
        raise UsageError(
            "pandas is not installed", "Install it with promptci: `pip install 'promptci-action[frames]'`."
        ) from error
    for column in times:
        if column in table:
            table[column] = pd.to_datetime(table[column], utc=True, format="ISO8601")
    return table
