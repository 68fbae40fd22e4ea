"""Compare two runs by their report.json."""

import dataclasses
import json
from pathlib import Path
from typing import Literal

from promptci.pipeline.environment import Environment
from promptci.report.build.view import redact_view
from promptci.report.model.report import ReportView
from promptci.report.run_diff import compare, text

Format = Literal["text", "markdown", "json"]


def diff_runs(first: Path, second: Path, output_format: Format, env: Environment) -> str:
    """Return what changed between two runs.

    Raises
    ------
    InputError
        If one of the files is not a report.json.
    """
    run_diff = compare.compare_runs(_read(first, env), _read(second, env))
    if output_format == "json":
        return json.dumps(dataclasses.asdict(run_diff), ensure_ascii=False, indent=2)
    return text.render_markdown(run_diff) if output_format == "markdown" else "\n".join(text.text_lines(run_diff))


def _read(path: Path, env: Environment) -> ReportView:
    view = ReportView.load(path.resolve(), str(path))
    return redact_view(view, env.redactor()).view  # it may come from elsewhere
