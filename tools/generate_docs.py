"""Generate pages and schemas from the code: `make docs`. A test fails when one of them is stale."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from promptci.audit.entry import AuditEntry
from promptci.cli import command_group
from promptci.config import schema as config_schema
from promptci.config.sections.section import ConfigSection
from promptci.documents.document import Document
from promptci.drift.night import NightLine
from promptci.drift.reference import ReferenceDocument
from promptci.evaluation.nights.results import DriftDocument
from promptci.gates.selftest.selftest_document import SelfTestDocument
from promptci.memory.model import MEMORY_LINES
from promptci.monitor.alerts.line import AlertLine
from promptci.monitor.document import MonitorDocument
from promptci.pipeline.ask.batching import PendingBatches
from promptci.providers.known_limits import KnownLimits
from promptci.registry.bundle_document import BundleDocument
from promptci.report.canary_document import CanaryDocument
from promptci.report.model import document
from promptci.report.model.report import ReportView
from promptci.report.unchanged import ready_report, ready_texts
from promptci.rollout import schema as deployment_schema
from promptci.rollout.state import CanaryState
from promptci.runs.journal import JournalHeader
from promptci.shards.shard_run import ShardRecord
from promptci.usecases.audit.entries import AuditLogDocument
from promptci.usecases.audit.record import AuditRecordSummary
from promptci.usecases.audit.verify import AuditVerification
from promptci.usecases.goldens.golden_sets import LintDocument, StatsDocument
from promptci.usecases.monitoring.alerts import AlertsDocument
from promptci.usecases.monitoring.history_branch import HistoryDocument
from promptci.usecases.release.bundle import BundleSummary
from promptci.usecases.release.deploy import DeploySummary
from promptci.usecases.release.prompt_log import PromptLog
from promptci.usecases.release.release import ReleaseSummary
from promptci.usecases.release.rollback import RollbackSummary
from promptci.usecases.release.show import ShownVersion
from promptci.usecases.release.status import StatusDocument
from promptci.usecases.release.version_diff import VersionDiff
from promptci.usecases.release.versions import VersionsDocument
from promptci.usecases.rollout.simulate import SimulationDocument
from promptci.usecases.setup.doctor import DoctorDocument
from promptci.usecases.trust.judge_calibration import CalibrationDocument

DOCS = Path(__file__).parents[1] / "docs"
PREFACE = """# promptci.yml

`make docs` generates this page from the code. Every key has a default, so an empty file works. An unknown key is an
error. Editors can complete and check the file with [promptci.schema.json](../promptci/config/promptci.schema.json).
"""


DOCUMENTS: tuple[type[Document], ...] = (
    AlertLine,
    AlertsDocument,
    AuditEntry,
    AuditLogDocument,
    AuditRecordSummary,
    AuditVerification,
    HistoryDocument,
    PendingBatches,
    BundleDocument,
    BundleSummary,
    CalibrationDocument,
    CanaryDocument,
    CanaryState,
    DeploySummary,
    DoctorDocument,
    DriftDocument,
    JournalHeader,
    KnownLimits,
    LintDocument,
    NightLine,
    MonitorDocument,
    PromptLog,
    ReferenceDocument,
    ReleaseSummary,
    RollbackSummary,
    SelfTestDocument,
    ShardRecord,
    ShownVersion,
    SimulationDocument,
    StatsDocument,
    StatusDocument,
    VersionDiff,
    VersionsDocument,
)
"""Every file format, but for those whose schema is shipped beside the code."""


def generated() -> dict[Path, str]:
    """Return the text of every generated file. Schemas lie next to their code, so that they are shipped with it."""
    return {
        config_schema.SCHEMA_FILE: json.dumps(config_schema.json_schema(), indent=2) + "\n",
        deployment_schema.SCHEMA_FILE: json.dumps(deployment_schema.json_schema(), indent=2) + "\n",
        document.SCHEMA_FILE: json.dumps(ReportView.json_schema(), indent=2) + "\n",
        ready_report.TEXTS_FILE: ready_texts.ready_texts(),
        **{_schema_path(cls.schema_id()): _json(cls.json_schema()) for cls in DOCUMENTS},
        _schema_path(MEMORY_LINES.schema_id): _json(MEMORY_LINES.json_schema()),
        DOCS / "commands.md": _commands(),
        DOCS / "configuration.md": _configuration(),
    }


def _schema_path(schema_id: str) -> Path:
    """Return where a schema is published: `promptci/shard/v1` is docs/schemas/shard.v1.json."""
    _, name, version = schema_id.split("/")
    return DOCS / "schemas" / f"{name}.{version}.json"


def _json(schema: object) -> str:
    return json.dumps(schema, indent=2) + "\n"


def _commands() -> str:
    context = click.Context(command_group.group, info_name="promptci")
    parts = ["# Commands\n\n`make docs` generates this page from the commands' `--help`.\n"]
    for words in ([], *_names(command_group.group, context)):
        shown = CliRunner().invoke(command_group.group, [*words, "--help"], prog_name="promptci")
        parts.append(f"## `{' '.join(['promptci', *words])}`\n\n```text\n{shown.output.strip()}\n```\n")
    return "\n".join(parts)


def _names(group: click.Group, context: click.Context) -> Iterator[list[str]]:
    """Yield the words of each command; those of a group follow the group."""
    for name in group.list_commands(context):
        yield [name]
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ([name, *words] for words in _names(command, context))


def _configuration() -> str:
    parts = [PREFACE]
    for name, field in config_schema.ConfigFile.model_fields.items():
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, ConfigSection)):
            continue
        parts.append(f"## `{name}`\n\n{section.__doc__}\n\n| key | default | meaning |\n|:--|:--|:--|")
        shown = section.model_json_schema()["properties"]
        for key, inner in section.model_fields.items():
            default = json.dumps(shown[key].get("default"))
            parts.append(f"| `{key}` | `{default}` | {_cell(inner.description)} |")
        parts.append("")
    return "\n".join(parts)


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
