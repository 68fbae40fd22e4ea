"""The section `prompts` of promptfoo's configuration: texts, files of texts and chats, with Nunjucks templates."""

import csv
import io
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.errors import InputError
from promptci.files import lines, strict_yaml
from promptci.files.image_file import ImageReader
from promptci.prompts.formats.text_layout import to_prompt_name
from promptci.prompts.jinja.parse import find_problems
from promptci.prompts.promptfoo.config import ImportedPrompt, PromptfooConfig, PromptfooMessage
from promptci.prompts.template import message_images, render
from promptci.prompts.template.message_images import MessageImage

_PROGRAM = re.compile(
    r"(exec:|python:|file://|langfuse://|portkey://|helicone://|package:).*|\S+\.(py|js|cjs|mjs|ts|rb|sh|txt|md|j2|csv"
    r"|json|yaml|yml)(:\S*)?|\S*\*\S*",
    re.DOTALL,
)
"""A prompt that is the output of a program, a service's, or a file that is not there."""
_ROLE = re.compile(r"[\"']role[\"']\s*:")
PROMPT_KEYS = frozenset(("id", "raw", "label", "display"))
AROUND = frozenset(("prefix", "suffix", "function"))
"""Keys of a prompt that change its text."""
ROLES = frozenset(("system", "developer", "user", "assistant"))


def read_prompts(config: PromptfooConfig, written: Any) -> None:
    """Add the prompts of a section: a text, a list of texts and maps, or a map from files to labels."""
    if isinstance(written, Mapping):
        written = [{"id": key, "label": label} for key, label in written.items()]
    for item in [written] if isinstance(written, str) else written or ():
        label = str(item.get("label") or "") if isinstance(item, Mapping) else ""
        text = item.get("raw") or item.get("id") if isinstance(item, Mapping) else item
        unread = sorted(set(map(str, item)) - PROMPT_KEYS) if isinstance(item, Mapping) else []
        config.left_out += [f"`{key}` of the prompt `{label or str(text)[:60]}`" for key in unread if key not in AROUND]
        if AROUND & set(unread):
            config.left_out.append(f"the prompt `{label or str(text)[:60]}` with `{min(AROUND & set(unread))}`")
        elif isinstance(text, str):
            _read_prompt(config, text, label)
        else:
            config.left_out.append("a prompt that is no text")


def _read_prompt(config: PromptfooConfig, written: str, label: str) -> None:
    is_path = _PROGRAM.fullmatch(written) is not None
    files = config.find(written) if is_path else [*filter(None, [config.resolve(written)])]
    for file in files:
        _read_file(config, file, label if len(files) == 1 else "")
    if is_path and not files:
        config.left_out.append(f"the prompt `{written[:60]}`")
    elif not files:
        _add_prompt(config, label or f"prompt-{len(config.prompts) + 1}", written)


def _read_file(config: PromptfooConfig, file: str, label: str) -> None:
    name = label or posixpath.basename(file).partition(".")[0]
    if file.endswith((".json", ".yaml", ".yml")):
        _add_value(config, name, config.load(file), file)
    elif file.endswith(".csv"):
        for number, (own_label, text) in enumerate(_read_table(config.read_text(file)), start=1):
            _add_prompt(config, own_label or f"{name}-{number}", text)
    elif file.endswith(".txt"):
        parts = list(_split_text(config.read_text(file)))
        for number, text in enumerate(parts, start=1):
            _add_prompt(config, f"{name}-{number}" if len(parts) > 1 else name, text)
    elif file.endswith((".md", ".j2")):
        _add_prompt(config, name, config.read_text(file))
    else:
        config.left_out.append(f"the prompt `{file}`")


def _split_text(text: str) -> Iterator[str]:
    """Yield the parts of a text between lines of three dashes."""
    rows: list[str] = []
    for row in [*text.splitlines(), "---"]:
        if row.strip() != "---":
            rows.append(row)
            continue
        if part := "\n".join(rows).strip():
            yield part
        rows = []


def _read_table(text: str) -> Iterator[tuple[str, str]]:
    """Yield label and text of each row: of the columns `label` and `prompt`, or of a table of one column."""
    if "," not in text:
        rows = [row for row in text.splitlines() if row.strip()]
        yield from (("", row) for row in rows[bool(rows) and rows[0].strip().lower() == "prompt" :])
        return
    for cells in csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True):
        if cells.get("prompt"):
            yield (cells.get("label") or "").strip(), cells["prompt"].strip()


def _add_prompt(config: PromptfooConfig, name: str, text: str) -> None:
    """Add a text: a chat where it is the JSON or YAML of one, else the message of a user."""
    stripped = text.strip()
    if stripped.startswith("["):
        try:
            value = lines.parse_json(stripped)
        except lines.JsonError:
            value = None
        if isinstance(value, list):
            _add_value(config, name, value)
            return
        if _ROLE.search(stripped):
            config.left_out.append(f"the prompt `{name}`, which is JSON of messages only once it is filled in")
            return
    if stripped.startswith("- role:"):
        try:
            _add_value(config, name, strict_yaml.load(stripped, config.path).value)
        except InputError:
            config.left_out.append(f"the prompt `{name}`, which is no list of messages")
        return
    _add_messages(config, name, [("user", text, ())])


def _add_value(config: PromptfooConfig, name: str, messages: Any, path: str = "") -> None:
    """Add a chat; images in it are files relative to `path`, the file that it stands in."""
    is_chat = isinstance(messages, list) and all(
        isinstance(item, Mapping) and item.get("role") in ROLES and isinstance(item.get("content"), str | list)
        for item in messages
    )
    if not is_chat or not messages:
        config.left_out.append(f"the prompt `{name}`, which is no list of messages with texts")
        return
    reader = ImageReader(config.read)
    folder_of = path or config.path
    try:
        chat = [(item["role"], *message_images.read_content(item["content"], folder_of, reader)) for item in messages]
    except ValueError as error:
        config.left_out.append(f"the prompt `{name}`: {error}")
        return
    _add_messages(config, name, chat)


def _add_messages(config: PromptfooConfig, name: str, chat: list[tuple[str, str, tuple[MessageImage, ...]]]) -> None:
    messages = []
    for role, content, images in chat:
        is_plain = not render.find_unfilled_braces(content)
        problem = next((message for _, message in ([] if is_plain else find_problems(content))), None)
        if problem is not None:
            config.left_out.append(f"the prompt `{name}`: {problem}")
            return
        # Jinja drops a break at the end, and Nunjucks keeps it.
        kept = f"{content}\n" if content.endswith("\n") and not is_plain else content
        messages.append(
            PromptfooMessage(role=role, content=kept, syntax="fill" if is_plain else "script-jinja", images=images)
        )
    names = {prompt.name for prompt in config.prompts}
    name = to_prompt_name(name)
    unique = next(n for n in (name, *(f"{name}-{i}" for i in range(2, len(names) + 3))) if n not in names)
    config.prompts.append(ImportedPrompt(name=unique, messages=tuple(messages)))
