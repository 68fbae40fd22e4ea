"""Read promptfoo's configuration: prompts, model and test cases. Nothing that it names is run."""

import csv
import io
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import lines, strict_yaml
from promptci.files.lines import decode_utf8
from promptci.prompts.formats import github_parameters
from promptci.prompts.formats.text_layout import to_prompt_name
from promptci.prompts.promptfoo.assertions import (
    NoCounterpartError,
    convert_assertion,
    parse_expected_column,
)
from promptci.prompts.template import render

READ_KEYS = {"prompts", "providers", "targets", "tests", "defaultTest", "description", "$schema"}
CASE_KEYS = {"vars", "assert", "description", "metadata"}
_SEPARATOR = re.compile(r"^---[ \t]*$", re.MULTILINE)
_PROGRAM = re.compile(r"(file://|exec:|python:).*|\S+\.(py|js|ts|mjs|csv)\S*", re.DOTALL)
"""A prompt that is the output of a program, or a file that is not there."""

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedPrompt:
    """One prompt in the terms of a `.prompt.yml`."""

    name: str
    messages: list[dict[str, str]]


@dataclass(slots=True)
class PromptfooConfig:
    """What a configuration holds, and what of it promptci leaves out."""

    path: str
    read: Read
    prompts: list[ImportedPrompt] = field(default_factory=list)
    model: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """What has no counterpart, one line each."""


def load_promptfoo(path: str, read: Read) -> PromptfooConfig:
    """Return what a configuration holds; raises InputError where it cannot be read."""
    value = _load(path, read)
    if not isinstance(value, dict):
        raise InputError([Problem(path=path, message="the configuration must be a map", hint="Name another file.")])
    config = PromptfooConfig(path, read)
    config.left_out += [f"`{key}`" for key in value if key not in READ_KEYS]
    written = value.get("prompts") or []
    for item in [written] if isinstance(written, str) else written:
        _add_prompts(config, item)
    _read_provider(config, value.get("providers") or value.get("targets"))
    default = value.get("defaultTest")
    default = default if isinstance(default, dict) else {}
    config.left_out += [f"`defaultTest.{key}`" for key in default if key not in CASE_KEYS]
    for test in _list_tests(config, value.get("tests")):
        _add_case(config, test, default)
    return config


def _load(path: str, read: Read) -> Any:
    data = read(path)
    if data is None:
        raise InputError([Problem(path=path, message="there is no such file", hint="Name a file of the repository.")])
    text = decode_utf8(data, path)
    if not path.endswith(".json"):
        return strict_yaml.load(text, path).value
    try:
        return lines.parse_json(text)
    except lines.JsonError as error:
        raise InputError([Problem(path=path, message=error.message, hint=error.hint)]) from error


def _resolve(config: PromptfooConfig, written: str) -> str | None:
    """Return the file that a text names, or None."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(config.path), written.removeprefix("file://")))
    is_inside = not target.startswith(("..", "/")) and "\n" not in written
    return target if is_inside and config.read(target) is not None else None


def _add_prompts(config: PromptfooConfig, item: Any) -> None:
    label = ""
    if isinstance(item, dict):
        label, item = str(item.get("label") or ""), item.get("raw") or item.get("id")
    if not isinstance(item, str):
        config.left_out.append("a prompt that is no text")
        return
    file = _resolve(config, item)
    if file is None and _PROGRAM.fullmatch(item):
        config.left_out.append(f"the prompt `{item[:60]}`")
        return
    name = label or (posixpath.basename(file).partition(".")[0] if file else f"prompt-{len(config.prompts) + 1}")
    if file is not None and file.endswith((".json", ".yaml", ".yml")):
        _add_prompt(config, name, _load(file, config.read))
        return
    if file is not None and not file.endswith((".txt", ".md", ".j2")):
        config.left_out.append(f"the prompt `{file}`")
        return
    text = item if file is None else decode_utf8(config.read(file) or b"", file)
    parts = [part.strip("\n") for part in (_SEPARATOR.split(text) if file and file.endswith(".txt") else [text])]
    for number, part in enumerate(filter(str.strip, parts), start=1):
        suffix = f"-{number}" if len(parts) > 1 else ""
        _add_prompt(config, f"{name}{suffix}", [{"role": "user", "content": part}])


def _add_prompt(config: PromptfooConfig, name: str, messages: Any) -> None:
    is_chat = isinstance(messages, list) and all(
        isinstance(item, dict) and isinstance(item.get("role"), str) and isinstance(item.get("content"), str)
        for item in messages
    )
    if not is_chat or not messages:
        config.left_out.append(f"the prompt `{name}`, which is no list of messages")
        return
    unfilled = [braces for item in messages for braces in render.find_unfilled_braces(item["content"])]
    if unfilled:
        reason = f"`{unfilled[0][:40]}` needs a template engine; keep it as a .j2 file"
        config.left_out.append(f"the prompt `{name}`: {reason}")
        return
    chat = [{"role": item["role"], "content": item["content"]} for item in messages]
    config.prompts.append(ImportedPrompt(name=to_prompt_name(name), messages=chat))


def _read_provider(config: PromptfooConfig, providers: Any) -> None:
    """Take the first provider; promptci asks one model."""
    listed = providers if isinstance(providers, list) else [providers] if providers else []
    first = listed[0] if listed else ""
    options = first.get("config") if isinstance(first, dict) else None
    name = str(first.get("id", "") if isinstance(first, dict) else first)
    config.model = name.split(":", maxsplit=2)[-1]
    config.left_out += [f"the provider `{item.get('id') if isinstance(item, dict) else item}`" for item in listed[1:]]
    for key, setting in (options or {}).items():
        name = github_parameters.to_wire_name(key)
        if name in github_parameters.KNOWN_PARAMETERS and name != "response_format":
            config.parameters[name] = setting
        else:
            config.left_out.append(f"`{key}` of the provider")


def _list_tests(config: PromptfooConfig, tests: Any) -> Iterator[Mapping[str, Any]]:
    for item in tests if isinstance(tests, list) else [tests] if tests else []:
        if isinstance(item, Mapping) and "path" not in item:
            yield item
            continue
        file = _resolve(config, item) if isinstance(item, str) else None
        if file is not None and file.endswith(".csv"):
            yield from _read_csv(config, file)
        elif file is not None and file.endswith(".jsonl"):
            values, problems = lines.parse_jsonl(decode_utf8(config.read(file) or b"", file), file)
            if problems:
                raise InputError(problems)
            yield from (value for _, value in values if isinstance(value, dict))
        elif file is not None and file.endswith((".json", ".yaml", ".yml")):
            loaded = _load(file, config.read)
            yield from (
                value for value in (loaded if isinstance(loaded, list) else [loaded]) if isinstance(value, dict)
            )
        else:
            config.left_out.append(f"the tests `{str(item)[:60]}`")


def _read_csv(config: PromptfooConfig, file: str) -> Iterator[dict[str, Any]]:
    for row in csv.DictReader(io.StringIO(decode_utf8(config.read(file) or b"", file), newline="")):
        cells = {str(name): text or "" for name, text in row.items()}
        assertions = [parse_expected_column(t) for name, t in cells.items() if re.fullmatch(r"__expected\d*", name)]
        known = {name for name in cells if re.fullmatch(r"__expected\d*|__description|__metadata:.*", name)}
        unknown = [name for name, text in cells.items() if name.startswith("__") and name not in known and text]
        config.left_out += [f"the column `{name}`" for name in unknown]
        yield {
            "vars": {name: text for name, text in cells.items() if not name.startswith("__")},
            "assert": [assertion for assertion in assertions if assertion],
            **({"description": cells["__description"]} if cells.get("__description") else {}),
        }


def _add_case(config: PromptfooConfig, test: Mapping[str, Any], default: Mapping[str, Any]) -> None:
    variables = {**_as_map(default.get("vars")), **_as_map(test.get("vars"))}
    config.left_out += [f"`{key}` of a test" for key in test if key not in CASE_KEYS]
    assertions = []
    for assertion in [*_as_list(test.get("assert")), *_as_list(default.get("assert"))]:
        try:
            assertions.append(convert_assertion(assertion if isinstance(assertion, Mapping) else {}))
        except NoCounterpartError as error:
            config.left_out.append(f"the assertion `{error}`")
    for name, value in variables.items():
        if isinstance(value, list) or (isinstance(value, str) and value.startswith("file://")):
            config.left_out.append(f"the variable `{name}`, which is a list or a file: write it out")
    case = {"vars": variables, **({"assert": assertions} if assertions else {})}
    config.cases.append({**case, **({"description": test["description"]} if test.get("description") else {})})


def _as_map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def dump_cases(config: PromptfooConfig) -> str:
    """Return the cases as JSON lines."""
    return "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in config.cases)
