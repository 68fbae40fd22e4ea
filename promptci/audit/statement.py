"""The in-toto statement about a run: a test result, for `actions/attest` and every other tool of in-toto."""

from typing import Any, NamedTuple

from promptci.audit.attestations import PREDICATE_TYPE
from promptci.audit.report_record import RecordedCase, RecordedPrompt, RecordedReport

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RESULTS = {"pass": "PASSED", "inconclusive": "WARNED", "fail": "FAILED"}
"""A run that could not evaluate, or that tested nothing, attests nothing."""


class FileDigest(NamedTuple):
    """A file that decided how the run tested."""

    name: str
    sha256: str


class StatementSubject(NamedTuple):
    """What the statement is about."""

    name: str
    algorithm: str
    digest: str


def build_statement(
    report: RecordedReport, digest: str, configuration: list[FileDigest], url: str | None = None
) -> dict[str, Any] | None:
    """Return the statement; None where nothing was tested or evaluated.

    Parameters
    ----------
    report
        The run.
    digest
        SHA-256 of its report.json, in which the numbers are.
    configuration
        What it tested by, besides the golden cases and judges that the report names itself.
    url
        Where the run can be looked at; None: the report's own.
    """
    result = RESULTS.get(report.verdict)
    if result is None or not report.prompts:
        return None
    subjects = [
        {"name": subject.name, "digest": {subject.algorithm: subject.digest}}
        for subject in list_subjects(report, digest)
    ]
    configured = [*configuration, *_list_tested_by(report)]
    predicate: dict[str, Any] = {
        "result": result,
        "configuration": [{"name": file.name, "digest": {"sha256": file.sha256}} for file in configured],
    }
    if shown := url or report.run_url:
        predicate["url"] = shown
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate | _sort_tests(report),
    }


def list_subjects(report: RecordedReport, digest: str) -> list[StatementSubject]:
    """Return the tested versions by their fingerprints, the report, and the head commit."""
    subjects = [
        StatementSubject(f"prompt:{prompt.name}", "sha256", prompt.head_fingerprint)
        for prompt in report.prompts
        if prompt.head_fingerprint
    ]
    subjects.append(StatementSubject("report.json", "sha256", digest))
    if report.head.sha:
        subjects.append(StatementSubject(f"commit:{report.repository or 'head'}", "gitCommit", report.head.sha))
    return subjects


def _list_tested_by(report: RecordedReport) -> list[FileDigest]:
    files = []
    for prompt in report.prompts:
        if prompt.goldens:
            files.append(FileDigest(f"goldens:{prompt.name}", prompt.goldens))
        parts = prompt.comparability.parts if prompt.comparability else {}
        for name, part in parts.items():
            digest = next((word for word in part.replace(",", " ").split() if _is_digest(word)), None)
            if digest and name != "goldens":
                files.append(FileDigest(f"{name}:{prompt.name}", digest))
    return files


def _is_digest(word: str) -> bool:
    return len(word) == 64 and set(word) <= set("0123456789abcdef")


def _sort_tests(report: RecordedReport) -> dict[str, list[str]]:
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for prompt in report.prompts:
        for case in prompt.case_details:
            if case.excluded_reason is None:
                tests[_sort_case(prompt, case)].append(f"{prompt.name}/{case.id}")
    return tests


def _sort_case(prompt: RecordedPrompt, case: RecordedCase) -> str:
    """Return the list that a case belongs to: a wrong answer that did not fail the prompt is a warning."""
    if case.head is not None and case.head.passed:
        return "passedTests"
    return "failedTests" if prompt.verdict == "fail" and case.outcome == "broken" else "warnedTests"
