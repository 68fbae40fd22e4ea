"""monitor.json: six tables of the request log, small enough to be kept and compared, exact enough to alert on."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from promptci.documents.document import Document

Arm = Literal["stable", "canary"]
Hour = Annotated[str, Field(description="Start of the hour in UTC, such as 2026-03-02T10:00:00Z.")]
Day = Annotated[str, Field(description="Day in UTC, such as 2026-03-02.")]
Moment = Annotated[str, Field(description="Time in UTC, such as 2026-03-02T10:15:03Z.")]

ExactMoney = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount:f}", return_type=str)]
"""Without an exponent, which not every reader of decimals knows."""


class MonitorRow(BaseModel):
    """Base of all rows."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class TrafficRow(MonitorRow):
    """Requests of one hour, prompt, version, arm, request model and response model.

    All figures are sums, so that rows can be added; a mean is a sum divided by a sum.
    """

    hour: Hour
    prompt: str
    version: str | None
    arm: Arm | None
    request_model: str | None
    response_model: str | None
    requests: int
    errors: dict[str, int] = Field(description="Failed requests by kind of error.")
    judged: int = Field(description="Requests with a quality score.")
    quality_sum: float
    quality_squares: float = Field(description="Sum of the squared scores.")
    negative: int = Field(description="Requests with a negative signal of the user.")
    positive: int
    input_tokens: int
    output_tokens: int
    cost_usd: ExactMoney = Field(description="Exact sum of the known costs, a decimal number as text.")
    unknown_cost: int = Field(description="Requests whose cost is not logged; they are not in `cost_usd`.")


class LatencyRow(MonitorRow):
    """Latencies of one day, prompt, version and arm, as a logarithmic histogram."""

    day: Day
    prompt: str
    version: str | None
    arm: Arm | None
    bins: dict[int, int] = Field(
        description="Requests by bin, ceil(ln(ms) / ln 1.02). Histograms are merged by adding the bins; the latency of"
        " a bin is 2 * 1.02^bin / 2.02 ms, at most 1% off."
    )


class ModelRow(MonitorRow):
    """When a model was first and last seen."""

    prompt: str
    request_model: str | None
    response_model: str | None
    system_fingerprint: str | None
    first: Moment
    last: Moment
    requests: int


class FailingRow(MonitorRow):
    """Quality of the requests with one tag."""

    prompt: str
    tag: str
    n: int = Field(description="Judged requests.")
    quality: float
    interval: tuple[float, float] = Field(description="Wilson's 95% interval.")


class SplitRow(MonitorRow):
    """How the units of one day and prompt were split between the arms, where a share between 0 and 100% is logged."""

    day: Day
    prompt: str
    stable_units: int = Field(description="Different users; a request without a user counts for itself.")
    canary_units: int
    expected: float = Field(description="Units that the logged shares send to the canary.")
    p: float = Field(description="Of `the split follows the shares`.")
    keyed: int = Field(description="Requests of which the arm can be computed again from the key.")
    wrong_arm: int = Field(description="Those of them that are in the other arm than the hash says.")


class CoverageRow(MonitorRow):
    """What was read of one file."""

    file: str
    format: str
    bytes: int | None = Field(description="null for a table of a database.")
    lines: int
    bad: int = Field(description="Lines that could not be used.")
    late: int = Field(description="Lines with a later mark of a request.")
    other: int = Field(description="Lines that are no request of a prompt, such as other spans of a trace.")
    unmatched: int = Field(description="Late lines whose request is not in the log.")
    repeated: int = Field(description="Lines of a request that was counted already.")
    newest: Moment | None = Field(description="Time of the newest request or mark.")


class MonitorPeriod(MonitorRow):
    """The time that was asked for, and what the log has of it."""

    since: Moment | None = Field(description="As given; null: from the first request.")
    until: Moment | None = Field(description="As given, not included; null: to the last request.")
    first: Moment | None = Field(description="Time of the first request.")
    last: Moment | None = Field(description="Time of the last request.")


class MonitorDocument(Document):
    """monitor.json."""

    MAX_BYTES: ClassVar[int] = 1024 * 2**20
    MAX_NUMBER: ClassVar[float] = 1e18
    HINT: ClassVar[str] = "Use the monitor.json that `promptci monitor` wrote, with the same version of promptci."

    schema_: Literal["promptci/monitor/v1"] = Field(default="promptci/monitor/v1", alias="schema")
    made_at: Moment
    engine: str
    period: MonitorPeriod
    files: list[str] = Field(description="As given to --log, globs expanded.")
    problems: list[str] = Field(description="The first of the bad lines, with file and line.")
    traffic: list[TrafficRow]
    latency: list[LatencyRow]
    models: list[ModelRow]
    failing: list[FailingRow]
    splits: list[SplitRow]
    coverage: list[CoverageRow]

    @property
    def newest(self) -> str | None:
        """Time of the newest line of all files."""
        return max((row.newest for row in self.coverage if row.newest), default=None)
