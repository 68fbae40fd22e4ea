"""Write all outputs of a run into one folder."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from promptci.files import write
from promptci.report.export import cases_csv, junit, sarif
from promptci.report.html import html_renderer
from promptci.report.markdown import markdown_renderer
from promptci.report.model.document import SerializedReport

Renderer = Callable[[SerializedReport], Iterable[str | bytes]]
"""Returns a file in pieces, because a large one takes too much memory as a whole."""

# report.json is last: it says that the run is complete. A run killed before it is resumed from its journal.
OUTPUTS: dict[str, Renderer] = {
    "report.html": lambda report: [html_renderer.render_page(report.view, report.digest)],
    "comment.md": lambda report: [markdown_renderer.render_comment(report.view)],
    "summary.md": lambda report: [markdown_renderer.render_summary(report.view)],
    "junit.xml": lambda report: [junit.render(report.view)],
    "cases.csv": lambda report: cases_csv.csv_pieces(report.view),
    "results.sarif": lambda report: [sarif.render(report.view)],
    "report.json": lambda report: report.pieces(),
}
"""File name to renderer. To add an output, add a line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputPaths:
    """The outputs of a run."""

    folder: Path

    @property
    def html(self) -> Path:
        """The page for people."""
        return self.folder / "report.html"

    @property
    def comment(self) -> Path:
        """The pull request comment, without marker and link."""
        return self.folder / "comment.md"

    @property
    def summary(self) -> Path:
        """The step summary."""
        return self.folder / "summary.md"

    @property
    def json(self) -> Path:
        """The whole view, for programs."""
        return self.folder / "report.json"

    @property
    def junit(self) -> Path:
        """The cases as tests."""
        return self.folder / "junit.xml"

    @property
    def csv(self) -> Path:
        """The cases for a spreadsheet."""
        return self.folder / "cases.csv"

    @property
    def sarif(self) -> Path:
        """The findings for code scanning tools."""
        return self.folder / "results.sarif"

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file."""
        return tuple(self.folder / name for name in OUTPUTS)


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
    """
    for name, render in OUTPUTS.items():
        pieces = [comment] if name == "comment.md" and comment is not None else render(report)
        write.write_chunks(out / name, pieces)
    return OutputPaths(folder=out)
