"""Say what changed between two runs, from their report.json."""

import dataclasses
import json
from pathlib import Path
from typing import Literal

from promptci.pipeline.environment import Environment
from promptci.report.build import redaction
from promptci.report.model import document
from promptci.report.model.report import ReportView
from promptci.report.run_diff import compare, text

Format = Literal["text", "markdown", "json"]


def diff_runs(first: Path, second: Path, form: Format, env: Environment) -> str:
    """Give what changed, in the form that is wanted.

    Raises
    ------
    InputError
        Where one of the files is no report.json.
    """
    found = compare.compare(_read(first, env), _read(second, env))
    if form == "json":
        return json.dumps(dataclasses.asdict(found), ensure_ascii=False, indent=2)
    return text.markdown(found) if form == "markdown" else "\n".join(text.lines(found))


def _read(path: Path, env: Environment) -> ReportView:
    view = document.load(path.read_text(encoding="utf-8", errors="replace"), str(path))
    return redaction.redacted(view, env.redactor())  # it may have been written elsewhere
