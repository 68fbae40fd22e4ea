"""Load a report.json: a large one piece by piece, with its cases in a temporary file."""

import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from promptci.documents.document import open_bounded
from promptci.errors import InputError, Problem
from promptci.files.json_stream import JsonText
from promptci.files.lines import JsonError, parse_json
from promptci.redact import Redactor
from promptci.report.build.cases.case_store import MAX_CASES_IN_MEMORY, CaseStore
from promptci.report.model.case import CaseView
from promptci.report.model.report import ReportView

MAX_BYTES_AT_ONCE = 32 * 2**20


def load_report(path: Path, name: str, redactor: Redactor) -> ReportView:
    """Load the view of a run; `name` is the file's name in messages.

    Raises
    ------
    InputError
        Where the file cannot be read, or is no report.json.
    """
    with open_bounded(path, name, max_bytes=ReportView.MAX_BYTES, hint=ReportView.HINT) as file:
        if os.fstat(file.fileno()).st_size > MAX_BYTES_AT_ONCE and (view := _load_large(file, name, redactor)):
            return view
    return ReportView.load(path, name)


def _load_large(file: IO[bytes], name: str, redactor: Redactor) -> ReportView | None:
    """Return the view with its cases on disk; None where it is not clear to which prompt a list of cases belongs."""
    with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as stream:
        view, lists = _take_apart(JsonText(stream), name, redactor)
    if len(view.prompts) != len(lists):
        return None
    prompts = zip(view.prompts, lists, strict=True)
    return view.model_copy(
        update={"prompts": [prompt.model_copy(update={"case_details": cases}) for prompt, cases in prompts]}
    )


def _take_apart(text: JsonText, name: str, redactor: Redactor) -> tuple[ReportView, list[Sequence[CaseView]]]:
    """Return the view without its cases, and each list of cases, in the order of the file."""
    store = CaseStore(MAX_CASES_IN_MEMORY + 1, redactor)
    rest: list[str] = []
    lists: list[Sequence[CaseView]] = []
    try:
        while True:
            rest += text.take_until("case_details")
            if not text.peek():
                break
            lists.append(store.add(_parse_cases(text, name)))
            rest.append("[]")
        value = parse_json("".join(rest), ReportView.MAX_NUMBER)
    except (JsonError, UnicodeDecodeError) as error:
        message = error.message if isinstance(error, JsonError) else "the file is not UTF-8"
        raise InputError([Problem(path=name, message=message, hint=ReportView.HINT)]) from error
    return ReportView.from_value(value, name), lists


def _parse_cases(text: JsonText, name: str) -> Iterator[CaseView]:
    for line, element in text.take_list():
        try:
            yield CaseView.model_validate(parse_json(element, ReportView.MAX_NUMBER))
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, detail["loc"]))
            message = f"`{key}` of a case: {detail['msg']}"[:300]
            raise InputError([Problem(path=name, line=line, message=message, hint=ReportView.HINT)]) from error
