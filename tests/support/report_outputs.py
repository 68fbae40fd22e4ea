"""Outputs of a run as text, by file name."""

from promptci.report.model.document import SerializedReport, serialize
from promptci.report.model.report import ReportView
from promptci.report.write import OUTPUTS


def render_output(name: str, report: ReportView | SerializedReport) -> str:
    """Render one output."""
    serialized = serialize(report) if isinstance(report, ReportView) else report
    pieces = OUTPUTS[name](serialized)
    return "".join(piece.decode() if isinstance(piece, bytes) else piece for piece in pieces)
