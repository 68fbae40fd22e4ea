"""Write the in-toto statement of a run, as one file and in the parts that `actions/attest` takes."""

import json
from pathlib import Path

from promptci.audit import statement
from promptci.audit.attestations import PREDICATE_TYPE
from promptci.audit.report_record import RecordedReport
from promptci.audit.statement import FileDigest
from promptci.documents.written_files import WrittenFiles
from promptci.evaluation.auditing.reported import find_policy
from promptci.files import write
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry.tag_message import one_line

STATEMENT, PREDICATE, SUBJECTS = "statement.json", "predicate.json", "subjects.txt"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditStatementRequest:
    """Of which run, and where to."""

    root: Path
    config_path: str
    report: Path
    out: Path | None = None
    dry_run: bool = False


def write_statement(request: AuditStatementRequest) -> WrittenFiles:
    """Write the files; old ones are deleted where there is nothing to attest."""
    report, digest = RecordedReport.read(request.report)
    out = request.out or request.report.parent
    policy = find_policy(Repo.discover(request.root), report, request.config_path)
    configuration = [FileDigest(request.config_path, policy.removeprefix("sha256:"))] if policy else []
    built = statement.build_statement(report, digest, configuration)
    if built is None:
        for name in (STATEMENT, PREDICATE, SUBJECTS):
            if not request.dry_run:
                (out / name).unlink(missing_ok=True)
        notes = [f"nothing to attest: the run's verdict is {report.verdict}"]
        return WrittenFiles(files=[], notes=notes, dry_run=request.dry_run)
    subjects = statement.list_subjects(report, digest)
    sums = [f"{each.digest}  {one_line(each.name)}\n" for each in subjects if each.algorithm == "sha256"]
    contents = {
        STATEMENT: json.dumps(built, indent=2) + "\n",
        PREDICATE: json.dumps(built["predicate"], indent=2) + "\n",
        SUBJECTS: "".join(sums),
    }
    for name, content in contents.items():
        if not request.dry_run:
            write.write_text(out / name, content)
    notes = [f"for actions/attest: {PREDICATE}, {SUBJECTS}, predicate type {PREDICATE_TYPE}"]
    return WrittenFiles(files=[str(out / name) for name in contents], notes=notes, dry_run=request.dry_run)
