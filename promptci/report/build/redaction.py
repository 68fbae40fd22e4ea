"""Takes secrets out of a view, so that no output drawn from it can hold one."""

from promptci.redact import Redactor
from promptci.report.build.case_store import Holder, clean
from promptci.report.model import document
from promptci.report.model.report import ReportView


def redacted(view: ReportView, redactor: Redactor) -> ReportView:
    """Give the view with every secret in any of its texts replaced.

    The view itself is given where it holds none.

    Done before anything is drawn: a page escapes, wraps and marks up text, and would hide a secret from a later search.
    """
    if all(redactor.is_clean(piece) for piece in document.pieces(view)):
        return view
    holder = Holder(sum(len(prompt.case_details) for prompt in view.prompts), redactor)
    cases = [holder.keep(clean(case, redactor) for case in prompt.case_details) for prompt in view.prompts]
    rest = ReportView.model_validate(redactor.redact_value(document.without_cases(view).model_dump(by_alias=True)))
    prompts = zip(rest.prompts, cases, strict=True)
    return rest.model_copy(update={"prompts": [p.model_copy(update={"case_details": held}) for p, held in prompts]})
