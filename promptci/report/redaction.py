"""Takes secrets out of a view, so that no output drawn from it can hold one."""

from promptci.redact import Redactor
from promptci.report import data
from promptci.report.model import ReportView


def redacted(view: ReportView, redactor: Redactor) -> ReportView:
    """Give the view with every secret in any of its texts replaced.

    The view itself is given where it holds none.

    Done before anything is drawn: a page escapes, wraps and marks up text, and would hide a secret from a later search.
    """
    if all(redactor.finds_nothing(piece) for piece in data.pieces(view)):
        return view
    return ReportView.model_validate(redactor.value(view.model_dump(by_alias=True)))
