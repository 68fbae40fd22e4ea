"""Where the outputs of a run are."""

from pathlib import Path

from promptci.lazy_dataclass import dataclass


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
        return (self.html, self.comment, self.summary, self.junit, self.csv, self.sarif, self.json)
