"""Takes secrets out of a view, so that no output drawn from it can hold one."""

from typing import Any

from promptci.redact import Redactor
from promptci.report.model import ReportView


def redacted(view: ReportView, redactor: Redactor) -> ReportView:
    """Give the view with every secret in any of its texts replaced.

    Done before anything is drawn: a page escapes, wraps and marks up text, and would hide a secret from a later search.
    """
    return ReportView.model_validate(_clean(view.model_dump(by_alias=True), redactor))


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return redactor.text(value)
    if isinstance(value, dict):
        return {_clean(key, redactor): _clean(item, redactor) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, redactor) for item in value]
    return value
