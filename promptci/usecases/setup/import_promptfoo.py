"""Write prompts and goldens from a promptfoo configuration, and name what has no counterpart."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from promptci.config.find import DEFAULT_PATH, find_config
from promptci.config.load import load_config
from promptci.config.model import Config
from promptci.documents.written_files import WrittenFiles
from promptci.errors import InputError, Problem, UsageError
from promptci.files import write
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.lazy_dataclass import dataclass
from promptci.pipeline.collection.side_files import promptfoo_endpoint
from promptci.prompts.find import find_selected_files
from promptci.prompts.promptfoo.config import ImportedPrompt, PromptfooConfig, PromptfooMessage, dump_cases
from promptci.prompts.promptfoo.load import load_promptfoo
from promptci.prompts.template import message_images
from promptci.wording import count

DEFAULT_MODEL = "gpt-4o-mini"


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptfooImport:
    """What was written, and what was not."""

    files: tuple[str, ...]
    cases: int
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def import_promptfoo(root: Path, config_path: str, *, dry_run: bool = False) -> PromptfooImport:
    """Write `prompts/NAME.prompt.yml` and `goldens/NAME.jsonl` for each prompt; overwrite nothing.

    A dry run writes nothing, and fails where the import would.

    Where there is no promptci.yml, it is written too, with the endpoint of the first provider.

    Raises
    ------
    InputError
        For a configuration that cannot be read, or has no prompt that can.
    UsageError
        Where one of the files exists.
    """
    repo = Repo.discover(root)
    with closing(repo.snapshot(WORK_TREE)) as tree:
        config = load_promptfoo(config_path, tree.read, tree.glob)
        settings_path = find_config(tree, DEFAULT_PATH)
        settings = load_config(tree.read(settings_path) if settings_path else None, settings_path or DEFAULT_PATH)
        is_included = config_path in find_selected_files(tree, settings.prompts.include)
    writable = [prompt for prompt in config.prompts if all(m.syntax == "fill" for m in prompt.messages)]
    left_out = _list_left_out(config, writable)
    if not writable:
        hint = f"Left out: {'; '.join(left_out) or 'nothing'}."
        raise InputError([Problem(path=config_path, message="there is no prompt that can be imported", hint=hint)])
    cases = dump_cases(config)
    model = config.model or ("" if settings.provider.model else DEFAULT_MODEL)
    files = {}
    for prompt in writable:
        files[f"prompts/{prompt.name}.prompt.yml"] = _dump_prompt(model, config.parameters, prompt.messages)
        files[f"goldens/{prompt.name}.jsonl"] = cases
    if config.base_url and settings_path is None:
        files[DEFAULT_PATH] = promptfoo_endpoint.dump_provider(config)
        settings = load_config(files[DEFAULT_PATH].encode(), DEFAULT_PATH)
    _require_free(repo, files)
    for path, text in ({} if dry_run else files).items():
        write.write_text(repo.root / path, text)
    compared = (config, settings, settings_path or DEFAULT_PATH)
    left_out += filter(None, [promptfoo_endpoint.describe_difference(*compared)])
    notes = [
        promptfoo_endpoint.describe_unknown(*compared),
        None if config.model else _describe_model(model, settings),
        _describe_included(config_path, writable) if is_included else None,
    ]
    return PromptfooImport(
        files=tuple(files),
        cases=len(config.complete_cases),
        left_out=tuple(left_out),
        notes=tuple(filter(None, notes)),
    )


def _list_left_out(config: PromptfooConfig, writable: Sequence[ImportedPrompt]) -> list[str]:
    """Return what is not written, one line each."""
    engine = "needs a template engine: include the configuration itself, which promptci reads"
    unwritable = [f"the prompt `{prompt.name}`, which {engine}" for prompt in config.prompts if prompt not in writable]
    counts = Counter([*config.left_out, *unwritable, *filter(None, [config.describe_incomplete()])])
    return [f"{text} ({times} times)" if times > 1 else text for text, times in counts.items()]


def _require_free(repo: Repo, files: Iterable[str]) -> None:
    """Raise UsageError where one of the files exists."""
    existing = [path for path in files if (repo.root / path).exists() or (repo.root / path).is_symlink()]
    if existing:
        raise UsageError(
            f"Already there: {', '.join(existing)}", "Nothing was written. Move them away to import again."
        )


def _describe_model(model: str, settings: Config) -> str:
    if model:
        return f"promptfoo's configuration names no model that is known here, so the prompts name `{model}`"
    return f"the prompts name no model: that of promptci.yml is asked, `{settings.provider.model}`"


def _describe_included(config_path: str, prompts: Sequence[ImportedPrompt]) -> str:
    """Return what to do where the configuration is tested itself, which would test every prompt twice."""
    name = prompts[0].name
    return (
        f"take {config_path} out of `prompts.include` in promptci.yml now. Until then each prompt is tested twice under"
        f" longer names, and what was released or deployed as `{name}` has no prompt"
    )


def describe_import(result: PromptfooImport, *, dry_run: bool = False) -> WrittenFiles:
    """Return what was written, for programs and people."""
    notes = [f"{count(result.cases, 'case')} for each prompt", *(f"note: {text}" for text in result.notes)]
    left_out = [f"left out: {text}" for text in result.left_out]
    return WrittenFiles(files=list(result.files), notes=[*notes, *left_out], dry_run=dry_run)


def _dump_prompt(model: str, parameters: Mapping[str, Any], messages: tuple[PromptfooMessage, ...]) -> str:
    """Return a prompt file. Texts are written as JSON strings, which YAML reads alike."""
    lines = [f"model: {json.dumps(model)}"] if model else []
    if parameters:
        lines.append(f"modelParameters: {json.dumps(parameters, ensure_ascii=False)}")
    lines.append("messages:")
    for message in messages:
        lines += [f"  - role: {json.dumps(message.role)}", *_dump_content(message)]
    return "\n".join(lines) + "\n"


def _dump_content(message: PromptfooMessage) -> list[str]:
    if not message.images:
        return _dump_text(message.content)
    parts = message_images.list_parts(message.content, message.images, "prompts")
    return [f"    content: {json.dumps(parts, ensure_ascii=False)}"]


def _dump_text(text: str) -> list[str]:
    rows = text.split("\n")
    is_plain = text == text.strip() and "\t" not in text and text.isprintable() is (len(rows) == 1) and len(rows) > 1
    if is_plain and all(row.isprintable() and row == row.rstrip() for row in rows):
        return ["    content: |-", *(f"      {row}" if row else "" for row in rows)]
    return [f"    content: {json.dumps(text, ensure_ascii=False)}"]
