"""`promptci/month/v1`: what a month's requests came to, by prompt, version and model, on the history branch."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.git.data_branch import BranchFiles
from promptci.history.record_kind import FORMAT, FORMAT_FILE, RecordKind
from promptci.monitor.document import ExactMoney, Moment, MonitorDocument, TrafficRow

MonthName = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class MonthLine(Document):
    """One month of one prompt, version and model. All figures are sums, so that lines can be added."""

    HINT: ClassVar[str] = "Only `promptci monitor --history` writes these lines."

    schema_: Literal["promptci/month/v1"] = Field(default="promptci/month/v1", alias="schema")
    at: Moment = Field(description="When the figures were made.")
    month: MonthName = Field(description="In UTC.")
    prompt: str
    version: str | None = None
    model: str | None = Field(default=None, description="Model that answered; the one asked for, where none is logged.")
    first: Moment = Field(description="Hour of the first request that is counted.")
    last: Moment = Field(description="Hour of the last one.")
    requests: int = Field(ge=0)
    errors: int = Field(ge=0, description="Failed requests.")
    judged: int = Field(ge=0, description="Requests with a quality score.")
    quality_sum: float
    negative: int = Field(ge=0, description="Requests with a negative signal of the user.")
    positive: int = Field(ge=0)
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cost_usd: ExactMoney = Field(description="Exact sum of the known costs, a decimal number as text.")
    unknown_cost: int = Field(ge=0, description="Requests whose cost is not logged.")

    @property
    def key(self) -> tuple[str, str, str]:
        """Return prompt, version and model."""
        return self.prompt, self.version or "", self.model or ""

    def line(self) -> bytes:
        """Return the line of the file, without its line feed; unknown fields are left out."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()

    def has_figures_of(self, other: "MonthLine") -> bool:
        """Return whether both say the same, at whatever time they were made."""
        return self == other.model_copy(update={"at": self.at})


MONTHS = RecordKind(path="months/%Y-%m.jsonl", document=MonthLine, writer="promptci monitor --history")
"""The kind of these lines on the history branch."""


def summarize_months(document: MonitorDocument) -> list[MonthLine]:
    """Return a line for each month, prompt, version and model of a monitor's figures."""
    rows: dict[tuple[str, str, str, str], list[TrafficRow]] = defaultdict(list)
    for row in document.traffic:
        model = row.response_model or row.request_model
        rows[row.hour[:7], row.prompt, row.version or "", model or ""].append(row)
    return [_sum_up(document.made_at, key, rows[key]) for key in sorted(rows)]


def _sum_up(made_at: str, key: tuple[str, str, str, str], rows: Sequence[TrafficRow]) -> MonthLine:
    month, prompt, version, model = key
    return MonthLine(
        at=made_at,
        month=month,
        prompt=prompt,
        version=version or None,
        model=model or None,
        first=min(row.hour for row in rows),
        last=max(row.hour for row in rows),
        requests=sum(row.requests for row in rows),
        errors=sum(sum(row.errors.values()) for row in rows),
        judged=sum(row.judged for row in rows),
        quality_sum=round(sum(row.quality_sum for row in rows), 6),
        negative=sum(row.negative for row in rows),
        positive=sum(row.positive for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        cost_usd=sum((row.cost_usd for row in rows), Decimal(0)),
        unknown_cost=sum(row.unknown_cost for row in rows),
    )


def merge_months(files: BranchFiles, lines: Iterable[MonthLine]) -> Mapping[str, bytes | None]:
    """Return the files of the months with these lines in them, one line for each prompt, version and model.

    A month's figures only grow: a log of which the older part is gone does not make a month smaller.

    Raises
    ------
    InputError
        If a file of the branch cannot be read.
    """
    by_month: dict[str, list[MonthLine]] = defaultdict(list)
    for line in lines:
        by_month[line.month].append(line)
    contents: dict[str, bytes | None] = {}
    for month, new_lines in by_month.items():
        path = f"{MONTHS.folder}/{month}.jsonl"
        known = _read_lines(path, files.read(path) or b"")
        for line in new_lines:
            before = known.get(line.key)
            if before is None or (line.requests >= before.requests and not line.has_figures_of(before)):
                known[line.key] = line
        contents[path] = b"".join(known[key].line() + b"\n" for key in sorted(known))
    return {FORMAT_FILE: FORMAT, **contents} if contents else {}


def _read_lines(path: str, content: bytes) -> dict[tuple[str, str, str], MonthLine]:
    lines = [MonthLine.parse(row, path) for row in content.split(b"\n") if row.strip()]
    return {line.key: line for line in lines}
