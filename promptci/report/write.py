"""Write all outputs of a run into one folder."""

import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from promptci import second_process
from promptci.errors import OutputError
from promptci.files import write
from promptci.report.build.cases.case_store import MAX_CASES_IN_MEMORY
from promptci.report.export import cases_csv, junit, sarif
from promptci.report.html import html_renderer
from promptci.report.markdown import markdown_renderer
from promptci.report.model.document import SerializedReport
from promptci.report.output_paths import OutputPaths
from promptci.second_process import SecondProcess

Renderer = Callable[[SerializedReport], Iterable[str | bytes]]
"""Returns a file in pieces, because a large one takes too much memory as a whole."""

PAGE = "report.html"
LAST = "report.json"
"""Written last: it says that the run is complete. A run killed before it is resumed from its journal."""
MIN_SHARED_CASES = 1_000
"""Cases from which a second process is worth its start; with more than fit into memory, two would take too much."""
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
    cases = sum(len(prompt.case_details) for prompt in report.view.prompts)
    is_shared = MIN_SHARED_CASES <= cases <= MAX_CASES_IN_MEMORY and second_process.is_available()
    (_write_with_second_process if is_shared else _write_with_thread)(out, report, comment)
    write.write_chunks(out / LAST, OUTPUTS[LAST](report))
    return OutputPaths(folder=out)


def _write_with_second_process(out: Path, report: SerializedReport, comment: str | None) -> None:
    """Write all but report.json; a second process renders the page, which takes as long as the other files."""
    with SecondProcess(lambda: b"".join(write.encode_chunks(OUTPUTS[PAGE](report)))) as second:
        _write_others(out, report, comment)
        page = second.read()
    write.write_chunks(out / PAGE, OUTPUTS[PAGE](report) if page is None else [page])


def _write_with_thread(out: Path, report: SerializedReport, comment: str | None) -> None:
    """Write all but report.json; the page in a thread, for half of its time is compression, which holds no lock."""
    failures: list[Exception] = []
    page = threading.Thread(target=_write_page, args=(out, report, failures), name="write-page")
    page.start()
    try:
        _write_others(out, report, comment)
    finally:
        page.join()
    if failures:
        raise failures[0]


def _write_others(out: Path, report: SerializedReport, comment: str | None) -> None:
    for name in (name for name in OUTPUTS if name not in {PAGE, LAST}):
        pieces = [comment] if name == "comment.md" and comment is not None else OUTPUTS[name](report)
        write.write_chunks(out / name, pieces)


def _write_page(out: Path, report: SerializedReport, failures: list[Exception]) -> None:
    try:
        write.write_chunks(out / PAGE, OUTPUTS[PAGE](report))
    except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
        failures.append(error)
