"""A log of each system, with the same requests, gives the same tables."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import log_formats as formats
from support.daily import first_daily

from promptci.monitor.document import MonitorDocument
from promptci.usecases.monitoring import monitor
from promptci.usecases.monitoring.monitor import MonitorRequest

NOW = datetime(2026, 3, 5, tzinfo=UTC)
MADE = formats.requests(400)
Writer = Callable[[Path], list[Path]]


def compute(logs: list[Path], **options: object) -> MonitorDocument:
    request = MonitorRequest(root=logs[0].parent, logs=tuple(map(str, logs)), now=NOW, **options)  # type: ignore[arg-type]
    return monitor.compute_monitor(request)


def tables(document: MonitorDocument) -> dict[str, object]:
    whole = document.model_dump(mode="json")
    return {name: whole[name] for name in ("period", "traffic", "latency", "models", "failing", "splits")}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    path = formats.write_jsonl(tmp_path_factory.mktemp("log") / "app.jsonl", formats.promptci_rows(MADE))
    return tables(compute([path]))


def jsonl(*rows: Callable[[list[formats.Logged]], object], name: str = "log-{}.jsonl") -> Writer:
    def write_all(folder: Path) -> list[Path]:
        return [
            formats.write_jsonl(folder / name.format(number), make(MADE))  # type: ignore[arg-type]
            for number, make in enumerate(rows)
        ]

    return write_all


def each_by(write: Callable[..., Path], ending: str, *rows: Callable[[list[formats.Logged]], object]) -> Writer:
    return lambda folder: [write(folder / f"log-{number}.{ending}", make(MADE)) for number, make in enumerate(rows)]


def document_of_spans(folder: Path) -> list[Path]:
    """One export request in a file, over many lines, and another in one line."""
    import json

    paths = []
    for number, export in enumerate(formats.otlp_exports(MADE)):
        path = folder / f"trace-{number}.json"
        path.write_text(json.dumps(export, indent=2 if number % 2 else None))
        paths.append(path)
    return paths


def with_semicolons(path: Path, rows: Iterable[formats.Json]) -> Path:
    return formats.write_csv(path, rows, delimiter=";")


LANGFUSE = (formats.langfuse_rows, formats.langfuse_scores)
PHOENIX = (formats.phoenix_rows, formats.phoenix_annotations)
FORMATS: Mapping[str, tuple[str, Writer]] = {
    "names before the runtime": ("JSON lines", jsonl(formats.old_rows)),
    "packed lines": ("JSON lines", jsonl(formats.promptci_rows, name="log-{}.jsonl.gz")),
    "promptci as Parquet": ("Parquet", each_by(formats.write_parquet, "parquet", formats.promptci_rows)),
    "promptci as CSV": ("CSV", each_by(formats.write_csv, "csv", formats.promptci_rows)),
    "spans of OpenTelemetry": ("OTLP/JSON, JSON lines", jsonl(formats.otlp_exports)),
    "documents of spans": ("OTLP/JSON, JSON", document_of_spans),
    "spans of OpenInference": ("OTLP/JSON, JSON lines", jsonl(formats.openinference_exports)),
    "Phoenix": ("OpenInference, JSON lines", jsonl(*PHOENIX)),
    "Phoenix as Parquet": ("OpenInference, Parquet", each_by(formats.write_parquet, "parquet", *PHOENIX)),
    "promptci as a spreadsheet writes it": ("CSV", each_by(with_semicolons, "csv", formats.promptci_rows)),
    "Langfuse": ("Langfuse, JSON lines", jsonl(*LANGFUSE)),
    "Langfuse as CSV": ("Langfuse, CSV", each_by(formats.write_csv, "csv", *LANGFUSE)),
    "Langfuse as JSON": ("Langfuse, JSON array", each_by(formats.write_array, "json", *LANGFUSE)),
    "Langfuse as Parquet": ("Langfuse, Parquet", each_by(formats.write_parquet, "parquet", *LANGFUSE)),
    "LangSmith": ("LangSmith, JSON lines", jsonl(formats.langsmith_rows)),
    "LangSmith as Parquet": (
        "LangSmith, Parquet",
        each_by(formats.write_parquet, "parquet", formats.langsmith_columns),
    ),
}


DAILY = ["Phoenix as Parquet", "Langfuse as CSV"]
"""Two systems and two kinds of files, beside the JSON lines that they are compared with."""


@pytest.mark.parametrize("name", first_daily(sorted(FORMATS, key=lambda name: name not in DAILY), len(DAILY)))
def test_a_log_of_each_format_gives_the_same_tables(name: str, tmp_path: Path, expected: dict[str, object]) -> None:
    format_name, write = FORMATS[name]
    document = compute(write(tmp_path))
    assert tables(document) == expected
    assert document.coverage[0].format.startswith(format_name)
    assert [row.bad for row in document.coverage] == [0] * len(document.coverage)


def test_expected_tables_hold_every_request(expected: dict[str, object]) -> None:
    document = MonitorDocument.model_validate(
        {**expected, "made_at": "", "engine": "", "files": [], "problems": [], "coverage": []}
    )
    assert sum(row.requests for row in document.traffic) == len(MADE)
    assert sum(sum(row.errors.values()) for row in document.traffic) == sum(each.error is not None for each in MADE)
    assert sum(row.quality_sum for row in document.traffic) == sum(each.quality or 0 for each in MADE)
    assert sum(row.negative for row in document.traffic) == sum(each.signal == "negative" for each in MADE)
    assert sum(row.positive for row in document.traffic) == sum(each.signal == "positive" for each in MADE)
    assert {row.response_model for row in document.models} == {each.response_model for each in MADE}
    answered = sum(each.error is None for each in MADE)
    assert sum(sum(row.bins.values()) for row in document.latency) == answered
