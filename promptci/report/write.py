"""Writes every output of a run into one folder."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from promptci.files import write
from promptci.report.export import cases_csv, junit, sarif
from promptci.report.html import html_renderer
from promptci.report.markdown import markdown_renderer
from promptci.report.model import document
from promptci.report.model.report import ReportView

OUTPUTS: dict[str, Callable[[ReportView], str]] = {
    "report.html": html_renderer.render,
    "comment.md": markdown_renderer.comment,
    "summary.md": markdown_renderer.summary,
    "report.json": document.dump,
    "junit.xml": junit.render,
    "cases.csv": cases_csv.render,
    "results.sarif": sarif.render,
}
"""File name to what makes it. To add an output, add a function here."""
# report.json comes last: it says that the run is over, and one killed before it goes on from its journal.
IN_PIECES: dict[str, Callable[[ReportView], Iterator[str]]] = {
    "cases.csv": cases_csv.pieces,
    "report.json": document.pieces,
}
"""Outputs that may be too large to be held whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Paths:
    """Where the outputs are."""

    folder: Path

    @property
    def html(self) -> Path:
        """The page for people."""
        return self.folder / "report.html"

    @property
    def comment(self) -> Path:
        """The pull request's comment, without marker and link."""
        return self.folder / "comment.md"

    @property
    def summary(self) -> Path:
        """The step summary."""
        return self.folder / "summary.md"

    @property
    def json(self) -> Path:
        """The facts for programs."""
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
        """The findings for tools that show them beside the code."""
        return self.folder / "results.sarif"

    @property
    def all(self) -> tuple[Path, ...]:
        """Every file."""
        return tuple(self.folder / name for name in OUTPUTS)


def write_all(view: ReportView, out: Path) -> Paths:
    """Write every output into the folder `out`, which is made where it is missing; each file whole or not at all."""
    drawn = {name: render(view) for name, render in OUTPUTS.items() if name not in IN_PIECES}
    for name, text in drawn.items():
        write.write_text(out / name, text)
    for name, render in IN_PIECES.items():
        write.write_chunks(out / name, render(view))
    return Paths(folder=out)
