"""What shows that a version was tested: its entry in a report.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from promptci.documents.document import read_bounded
from promptci.errors import InputError, Problem

REPORT_SCHEMA = "promptci/report/v1"
MAX_REPORT_BYTES = 512 * 2**20
_HINT = "Pass the report.json of a run of `promptci check` or `promptci run`."


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A result of the gate for one fingerprint."""

    verdict: str
    source: str
    """Where it stands, such as the path of a report."""
    digest: str | None = None
    """SHA-256 of the report."""
    result: str = ""
    """Quality and cases, in words."""

    @property
    def passes(self) -> bool:
        """Whether it is a result that allows a release."""
        return self.verdict == "pass"


def read_report(path: Path) -> dict[str, Evidence]:
    """Return the results of a report, by the fingerprint of the version that was tested.

    Raises
    ------
    InputError
        Where the file is no report.
    """
    data = read_bounded(path, str(path), max_bytes=MAX_REPORT_BYTES, hint=_HINT)
    try:
        report = json.loads(data)
        _require_schema(report["schema"])
        return {
            str(prompt["head_fingerprint"]): Evidence(
                verdict=str(prompt["verdict"]),
                source=str(path),
                digest=sha256(data).hexdigest(),
                result=describe_result(prompt),
            )
            for prompt in report["prompts"]
            if prompt.get("head_fingerprint")
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError([Problem(path=str(path), message=f"not a report: {error}", hint=_HINT)]) from error


def _require_schema(schema: object) -> None:
    if schema != REPORT_SCHEMA:
        raise ValueError(f"its schema is {str(schema)[:50]}")


def describe_result(prompt: Mapping[str, Any]) -> str:
    """Return the quality of one prompt of a report, in words: `quality -0.4 [-1.9, +1.1], 100 cases`."""
    cases = f"{prompt['cases']} cases" if prompt.get("cases") != 1 else "1 case"
    quality = prompt.get("quality")
    if not quality:
        return cases
    interval = quality.get("interval")
    shown = f" [{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]" if interval else ""
    return f"quality {100 * quality['delta']:+.1f}{shown}, {cases}"
