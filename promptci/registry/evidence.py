"""What shows that a version was tested: its entry in a report.json."""

from hashlib import sha256
from pathlib import Path

from promptci.documents.document import read_bounded
from promptci.documents.report_document import PromptSummary, ReportSummary
from promptci.lazy_dataclass import dataclass
from promptci.wording import count


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
    gap: str = ""
    """What the run lacks, in words: answers, or the cases that were left out; empty: it is complete."""

    @property
    def passes(self) -> bool:
        """Whether it is a result that allows a release."""
        return self.verdict == "pass" and not self.gap

    @property
    def name(self) -> str:
        """The verdict, and what the run lacks, in words."""
        return f"{self.verdict}, {self.gap}" if self.gap else self.verdict


def read_report(path: Path) -> dict[str, Evidence]:
    """Return the results of a report, by the fingerprint of the version that was tested.

    Raises
    ------
    InputError
        Where the file is no report.
    """
    data = read_bounded(path, str(path), max_bytes=ReportSummary.MAX_BYTES, hint=ReportSummary.HINT)
    digest = sha256(data).hexdigest()
    report = ReportSummary.parse(data, str(path))
    is_filtered = any(problem.rule == "filtered" for problem in report.problems)
    return {
        prompt.head_fingerprint: Evidence(
            verdict=prompt.verdict,
            source=str(path),
            digest=digest,
            result=describe_result(prompt),
            gap="of a part of the cases" if is_filtered else describe_gap(prompt.errors),
        )
        for prompt in report.prompts
        if prompt.head_fingerprint
    }


def describe_evidence(evidence: Evidence | None, because: str) -> str:
    """Return on what a version is released: a result that passes, else the reason that somebody gave."""
    if evidence and evidence.passes:
        return f"{evidence.verdict}, {evidence.result}, by {evidence.source}"
    return f"{evidence.name if evidence else 'no result'}; released because: {because}"


def describe_gap(errors: int) -> str:
    """Return how many answers a run lacks, in words; empty where it has all."""
    if not errors:
        return ""
    return f"{count(errors, 'answer')} {'is' if errors == 1 else 'are'} missing"


def describe_result(prompt: PromptSummary) -> str:
    """Return the quality of one prompt of a report, in words: `quality -0.4 [-1.9, +1.1], 100 cases`."""
    cases = f"{prompt.cases} cases" if prompt.cases != 1 else "1 case"
    if prompt.quality is None:
        return cases
    interval = prompt.quality.interval
    shown = f" [{100 * interval[0]:+.1f}, {100 * interval[1]:+.1f}]" if interval else ""
    return f"quality {100 * prompt.quality.delta:+.1f}{shown}, {cases}"
