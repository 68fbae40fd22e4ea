"""Write all outputs of a run into one folder."""

import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from promptci.errors import OutputError
from promptci.files import write
from promptci.report.export import cases_csv, junit, sarif
from promptci.report.html import html_renderer
from promptci.report.markdown import markdown_renderer
from promptci.report.model.document import SerializedReport
from promptci.report.output_paths import OutputPaths

Renderer = Callable[[SerializedReport], Iterable[str | bytes]]
"""Returns a file in pieces, because a large one takes too much memory as a whole."""

PAGE = "report.html"
LAST = "report.json"
"""Written last: it says that the run is complete. A run killed before it is resumed from its journal."""
OUTPUTS: dict[str, Renderer] = {
    PAGE: lambda report: [html_renderer.render_page(report.view, report.digest)],
    "comment.md": lambda report: [markdown_renderer.render_comment(report.view)],
    "summary.md": lambda report: [markdown_renderer.render_summary(report.view)],
    "junit.xml": lambda report: junit.xml_pieces(report.view),
    "cases.csv": lambda report: cases_csv.csv_pieces(report.view),
    "results.sarif": lambda report: [sarif.render(report.view)],
    LAST: lambda report: report.pieces(),
}
"""File name to renderer. To add an output, add a line, and a property of `OutputPaths`."""


def write_all(report: SerializedReport, out: Path, *, comment: str | None = None) -> OutputPaths:
    """Write every output into the folder `out`, each file whole or not at all.

    Parameters
    ----------
    report
        The run, redacted.
    out
        The folder; created if it does not exist.
    comment
        Text of comment.md, if the repository's own template rendered it.

    Raises
    ------
    OutputError
        If that is impossible, as on a full disk or in a read-only folder. The outputs are then in a temporary folder,
        if there is room; the journal stays where it is, and the run can be continued.
    """
    try:
        return _write_into(out, report, comment)
    except OSError as error:
        raise _save_elsewhere(report, out, comment, error) from error


def _save_elsewhere(report: SerializedReport, out: Path, comment: str | None, error: OSError) -> OutputError:
    """Write the outputs into a temporary folder; return the error that tells where they are, and the verdict."""
    try:
        paths = _write_into(Path(tempfile.mkdtemp(prefix="promptci-report-")), report, comment)
        place = f"It is in {paths.folder} instead."
    except OSError as other:
        place = f"Nor to a temporary folder: {other.strerror}."
    view = report.view
    message = f"the report cannot be written to {out}: {error.strerror or error}"
    kept = out.is_dir() and (out / "journal.jsonl").exists()
    advice = "Make room and run again: the answers are in the journal." if kept else "Choose another `--out`."
    hint = f"{place} It says: {view.headline} {advice}"
    return OutputError(message, hint, markdown_renderer.render_summary(view))


def _write_into(out: Path, report: SerializedReport, comment: str | None) -> OutputPaths:
    failures: list[Exception] = []
    # Most of the page's time is compression, during which another thread can write the other files.
    page = threading.Thread(target=_write_page, args=(out, report, failures), name="write-page")
    page.start()
    try:
        for name in (name for name in OUTPUTS if name not in {PAGE, LAST}):
            pieces = [comment] if name == "comment.md" and comment is not None else OUTPUTS[name](report)
            write.write_chunks(out / name, pieces)
    finally:
        page.join()
    if failures:
        raise failures[0]
    write.write_chunks(out / LAST, OUTPUTS[LAST](report))
    return OutputPaths(folder=out)


def _write_page(out: Path, report: SerializedReport, failures: list[Exception]) -> None:
    try:
        write.write_chunks(out / PAGE, OUTPUTS[PAGE](report))
    except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
        failures.append(error)
