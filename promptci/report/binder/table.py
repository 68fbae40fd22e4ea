"""AuditBinder -> CSV: one row for each answer, for a spreadsheet; no text becomes a formula there."""

import csv
import io

from promptci.report.binder.document import NOT_RECORDED, AuditBinder, BinderEntry
from promptci.report.export.cases_csv import BYTE_ORDER_MARK, escape_formula

HEADER = ("prompt", "version", "question", "fact", "value", "recorded", "entry", "at", "sha256")


def render_csv(binder: AuditBinder) -> str:
    """Render the table: RFC 4180, every text quoted, with a byte order mark for Excel."""
    written = io.StringIO()
    written.write(BYTE_ORDER_MARK)
    writer = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(HEADER)
    for change in binder.changes:
        for point in change.points:
            for fact in point.facts:
                for value in fact.values or [NOT_RECORDED]:
                    recorded = "yes" if fact.values else "no"
                    cells = (change.prompt, change.version, point.title, fact.label, value, recorded)
                    writer.writerow([*map(escape_formula, cells), "", "", ""])
        for entry in change.entries:
            writer.writerow(_entry_row(change.prompt, change.version, entry))
    for entry in binder.other:
        writer.writerow(_entry_row("", "", entry))
    for line in binder.verification:
        writer.writerow(["", "", "Verification of the log", "", escape_formula(line), "yes", "", "", ""])
    for line in binder.retention:
        writer.writerow(["", "", "Retention", "", escape_formula(line), "yes", "", "", ""])
    return written.getvalue()


def _entry_row(prompt: str, version: str, entry: BinderEntry) -> list[str | int]:
    cells = map(escape_formula, (prompt, version, "Line of the log", entry.what, f"{entry.by}: {entry.text}", "yes"))
    return [*cells, entry.n, escape_formula(entry.at), entry.sha256]
