"""Generate pages and schemas from the code: `make docs`. A test fails when one of them is stale."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
import editor_schemas
from click.testing import CliRunner

from promptci.audit.entry import AuditEntry
from promptci.cli import command_group
from promptci.config import schema as config_schema
from promptci.config.sections.section import ConfigSection
from promptci.documents.document import Document
from promptci.documents.run_plan import RunPlan
from promptci.documents.written_files import WrittenFiles
from promptci.drift.night import NightLine
from promptci.drift.reference import ReferenceDocument
from promptci.evaluation.nights.results import DriftDocument
from promptci.gates.selftest.selftest_document import SelfTestDocument
from promptci.memory.model import MEMORY_LINES
from promptci.monitor.alerts.line import AlertLine
from promptci.monitor.document import MonitorDocument
from promptci.monitor.month import MonthLine
from promptci.pipeline.ask.batching import PendingBatches
from promptci.providers.known_limits import KnownLimits
from promptci.registry.bundle_document import BundleDocument
from promptci.report.binder.document import AuditBinder
from promptci.report.canary_document import CanaryDocument
from promptci.report.canary_look import CanaryLookLine
from promptci.report.model import document
from promptci.report.model.judge_calibration import CalibrationDocument
from promptci.report.model.report import ReportView
from promptci.report.unchanged import ready_report, ready_texts
from promptci.rollout import schema as deployment_schema
from promptci.rollout.state import CanaryState
from promptci.runs.journal import JournalHeader
from promptci.shards.shard_run import ShardRecord
from promptci.site.build import SiteDocument
from promptci.usecases.audit.entries import AuditLogDocument
from promptci.usecases.audit.explain import AuditExplanation
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
from promptci.usecases.reporting.comment import CommentResult
from promptci.usecases.reporting.memory import ImportResult, LabelledVerdict
from promptci.usecases.reporting.memory_lists import FlakyDocument, PrecisionDocument, VerdictsDocument
from promptci.usecases.rollout.simulate import SimulationDocument
from promptci.usecases.setup.doctor_document import DoctorDocument
from promptci.usecases.trust.power import PowerDocument

DOCS = Path(__file__).parents[1] / "docs"
sys.path.append(str(DOCS.parent / "benchmarks"))

import performance_page  # noqa: E402 - the benchmark writes the same page

PREFACE = """# promptci.yml

`make docs` generates this page from the code. Every key has a default, so an empty file works. An unknown key is an
error. Editors can complete and check the file with [promptci.schema.json](../promptci/config/promptci.schema.json).
"""


COMMANDS_PREFACE = r"""# Commands

`make docs` generates this page from the commands' `--help`.

`promptci` without a command looks at the folder that it is called in and prints what to do next there.

To complete commands and options with the tab key, add the line of your shell to its start-up file:

| shell | file | line |
|:--|:--|:--|
| bash | `~/.bashrc` | `eval "$(_PROMPTCI_COMPLETE=bash_source promptci)"` |
| zsh | `~/.zshrc` | `eval "$(_PROMPTCI_COMPLETE=zsh_source promptci)"` |
| fish | `~/.config/fish/config.fish` | `env _PROMPTCI_COMPLETE=fish_source promptci \| source` |

Results are coloured on a terminal; set `NO_COLOR=1` to get them plain. Progress goes to stderr, so that
results can be piped.
"""


DOCUMENTS: tuple[type[Document], ...] = (
    AlertLine,
    AlertsDocument,
    AuditBinder,
    AuditEntry,
    AuditExplanation,
    AuditLogDocument,
    AuditRecordSummary,
    AuditVerification,
    HistoryDocument,
    PendingBatches,
    BundleDocument,
    BundleSummary,
    CalibrationDocument,
    CanaryDocument,
    CanaryLookLine,
    CanaryState,
    CommentResult,
    DeploySummary,
    DoctorDocument,
    DriftDocument,
    FlakyDocument,
    ImportResult,
    JournalHeader,
    KnownLimits,
    LabelledVerdict,
    LintDocument,
    NightLine,
    MonitorDocument,
    MonthLine,
    PowerDocument,
    PrecisionDocument,
    PromptLog,
    ReferenceDocument,
    ReleaseSummary,
    RollbackSummary,
    RunPlan,
    SelfTestDocument,
    SiteDocument,
    ShardRecord,
    ShownVersion,
    SimulationDocument,
    StatsDocument,
    StatusDocument,
    VerdictsDocument,
    VersionDiff,
    VersionsDocument,
    WrittenFiles,
)
"""Every file format, but for those whose schema is shipped beside the code."""


def generated() -> dict[Path, str]:
    """Return the text of every generated file. Schemas lie next to their code, so that they are shipped with it."""
    return {
        config_schema.SCHEMA_FILE: _published(config_schema.json_schema(), config_schema.SCHEMA_FILE),
        deployment_schema.SCHEMA_FILE: _published(deployment_schema.json_schema(), deployment_schema.SCHEMA_FILE),
        DOCS / "schemas" / "prompt-file.v1.json": _json(editor_schemas.prompt_file_schema()),
        DOCS / "schemas" / "goldens.v1.json": _json(editor_schemas.goldens_schema()),
        document.SCHEMA_FILE: json.dumps(ReportView.json_schema(), indent=2) + "\n",
        ready_report.TEXTS_FILE: ready_texts.ready_texts(),
        **{_schema_path(cls.schema_id()): _json(cls.json_schema()) for cls in DOCUMENTS},
        _schema_path(MEMORY_LINES.schema_id): _json(MEMORY_LINES.json_schema()),
        DOCS / "commands.md": _commands(),
        DOCS / "configuration.md": _configuration(),
        **performance_page.render_pages(performance_page.load_results()),
    }


def _schema_path(schema_id: str) -> Path:
    """Return where a schema is published: `promptci/shard/v1` is docs/schemas/shard.v1.json."""
    _, name, version = schema_id.split("/")
    return DOCS / "schemas" / f"{name}.{version}.json"


def _published(schema: dict[str, Any], path: Path) -> str:
    """Return a schema that editors load, with its address."""
    return _json(editor_schemas.add_address(schema, path.relative_to(DOCS.parent).as_posix()))


def _json(schema: object) -> str:
    return json.dumps(schema, indent=2) + "\n"


def _commands() -> str:
    context = click.Context(command_group.group, info_name="promptci")
    parts = [COMMANDS_PREFACE]
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
        section = get_args(field.annotation)[0] if get_origin(field.annotation) is list else field.annotation
        if not (isinstance(section, type) and issubclass(section, ConfigSection)):
            continue
        listed = "" if section is field.annotation else f" A list: {_lower(field.description)}"
        parts.append(f"## `{name}`\n\n{section.__doc__}{listed}\n\n| key | default | meaning |\n|:--|:--|:--|")
        shown = section.model_json_schema()["properties"]
        for key, inner in section.model_fields.items():
            default = "required" if inner.is_required() else f"`{json.dumps(shown[key].get('default'))}`"
            meaning = _cell(inner.description)
            if listed and isinstance(inner.annotation, type) and issubclass(inner.annotation, ConfigSection):
                keys = ", ".join(f"`{inner_key}`" for inner_key in inner.annotation.model_fields)
                default, meaning = "`{}`", f"{meaning} Of: {keys}."
            parts.append(f"| `{key}` | {default} | {meaning} |")
        parts.append("")
    return "\n".join(parts)


def _lower(text: str | None) -> str:
    return (text or "")[:1].lower() + (text or "")[1:]


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
