"""`WrittenFiles`: what a command says with --json whose result is files."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from promptci.documents.document import Document


class WrittenFiles(Document):
    """The files that a command wrote, or would write."""

    schema_: Literal["promptci/written-files/v1"] = Field(default="promptci/written-files/v1", alias="schema")
    files: list[str] = Field(description="Paths, as a shell in the same folder would name them.")
    notes: list[str] = Field(default=[], description="What else a person is told, line by line.")
    dry_run: bool = False

    def lines(self) -> Iterator[str]:
        """Yield what a person reads."""
        yield from self.notes
        yield from (f"{'would write' if self.dry_run else 'written'}: {path}" for path in self.files)
