"""The sections `tests`, `scenarios` and `defaultTest` of promptfoo's configuration, as golden cases."""

import csv
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.errors import InputError
from promptci.files import lines, strict_yaml, tables
from promptci.prompts.formats.parse_context import name_key
from promptci.prompts.jinja.parse import find_printed_variables
from promptci.prompts.promptfoo.assertions import (
    NoCounterpartError,
    combine,
    convert_assertion,
    parse_expected_column,
)
from promptci.prompts.promptfoo.config import FILE, PromptfooConfig, as_map, iterate_entries
from promptci.prompts.template import render

CASE_KEYS = frozenset(("vars", "assert", "description", "metadata", "threshold"))
GRADER_KEYS = frozenset(("provider", "rubricPrompt"))
"""Keys of `options` that say which model grades, and how it is asked."""
DATA = (".yaml", ".yml", ".json")
UNREAD_VARIABLES = "vars"
"""Name of the variable that stands for a file of variables which is not read."""
MAX_COMBINATIONS = 1000
"""Cases that the lists of one test may become."""
MAX_MAPPINGS = 5
"""Times that variables within variables are filled in."""
CODE = (".js", ".cjs", ".mjs", ".ts", ".py", ".rb")
_TEMPLATE = re.compile(r"\{[{%#]")
_COLUMN = re.compile(
    r"__expected\d*|__description|__threshold|__metadata(:.*)?|__metric|__config:__expected\d*:threshold"
)


def read_tests(config: PromptfooConfig, value: Mapping[str, Any]) -> None:
    """Add every test as a case; what is left out of one is named, and the case counted as incomplete."""
    default = _read_default(config, value.get("defaultTest"))
    templates = as_map(value.get("assertionTemplates"))
    shared = _load_variables(config, default.get("vars"))
    for test in itertools.chain(_list_tests(config, value.get("tests")), _list_scenarios(config, value)):
        variables = {**shared, **_load_variables(config, test.get("vars"))}
        for combination in _combine_variables(config, variables):
            _add_case(config, {**test, "vars": combination}, default, templates)


def _read_default(config: PromptfooConfig, written: Any) -> Mapping[str, Any]:
    if isinstance(written, str):
        file = config.resolve(written)
        written = config.load(file) if file is not None and file.endswith(DATA) else None
        if written is None:
            config.every_test.append("`defaultTest`, which is not a file that is read")
    default = as_map(written)
    config.every_test += [f"`defaultTest.{key}`" for key in _list_other_keys(default)]
    return default


def _list_other_keys(test: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of a test that change what is asked or marked; a model that grades is that of promptci.yml."""
    for key, setting in test.items():
        is_grader = key == "options" and set(as_map(setting)) <= GRADER_KEYS and isinstance(setting, Mapping)
        if key not in CASE_KEYS and setting not in ({}, None) and not is_grader:
            yield str(key)


def _load_variables(config: PromptfooConfig, written: Any) -> Mapping[str, Any]:
    """Return the variables of a test, which may be in files; files that are not read leave out the test."""
    if written is None or isinstance(written, Mapping):
        return written or {}
    variables: dict[str, Any] = {}
    for name in iterate_entries(written):
        files = config.find(name) if isinstance(name, str) else []
        loaded = [config.load(file) if file.endswith(DATA) else None for file in files]
        maps = [value for value in loaded if isinstance(value, Mapping)]
        if not maps or len(maps) < len(files):
            return {UNREAD_VARIABLES: f"file://{str(name).removeprefix(FILE)[:60]}"}
        for value in maps:
            variables |= value
    return variables


def _list_scenarios(config: PromptfooConfig, value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield each test of a scenario with each of its configurations."""
    for scenario in iterate_entries(value.get("scenarios")):
        if not isinstance(scenario, Mapping):
            config.left_out.append(f"the scenario `{str(scenario)[:60]}`")
            continue
        tests = list(_list_tests(config, scenario.get("tests")))
        for data, test in itertools.product(_list_tests(config, scenario.get("config")), tests):
            asserted = [*iterate_entries(data.get("assert")), *iterate_entries(test.get("assert"))]
            variables = {**_load_variables(config, data.get("vars")), **_load_variables(config, test.get("vars"))}
            yield {**data, **test, "vars": variables, "assert": asserted}


def _list_tests(config: PromptfooConfig, tests: Any) -> Iterator[Mapping[str, Any]]:
    for item in iterate_entries(tests):
        if isinstance(item, Mapping) and "path" not in item:
            yield item
            continue
        written = item.get("path") if isinstance(item, Mapping) and set(item) == {"path"} else item
        files = config.find(written) if isinstance(written, str) else []
        for file in files:
            yield from _read_file(config, file)
        if not files:
            config.left_out.append(f"the tests `{str(item)[:60]}`")


def _read_file(config: PromptfooConfig, file: str) -> Iterator[Mapping[str, Any]]:
    if file.endswith(".csv"):
        rows = csv.DictReader(io.StringIO(config.read_text(file), newline=""))
        yield from map(_read_row, rows)
    elif file.endswith(".xlsx"):
        (_, header), *lines_of_cells = tables.read_xlsx(file, config.read(file) or b"") or [(0, [])]
        for _, cells in lines_of_cells:
            yield _read_row({name: text for name, text in zip(header, cells, strict=False) if name.strip()})
    elif file.endswith(".jsonl"):
        values, problems = lines.parse_jsonl(config.read_text(file), file)
        if problems:
            raise InputError(problems)
        yield from (value for _, value in values if isinstance(value, dict))
    elif file.endswith(DATA):
        yield from (value for value in iterate_entries(config.load(file)) if isinstance(value, dict))
    else:
        config.left_out.append(f"the tests `{file[:60]}`")


def _read_row(row: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the test in a row of a table, by the names of its columns."""
    cells = {str(name).strip(): text or "" for name, text in row.items()}
    assertions = []
    for name, text in cells.items():
        assertion = parse_expected_column(text) if name.startswith("__expected") else None
        if assertion is not None:
            limit = cells.get(f"__config:{name}:threshold", "")
            assertions.append({**assertion, **({"threshold": float(limit)} if _is_number(limit) else {})})
    unknown = [n for n, text in cells.items() if n.startswith("__") and text and not _COLUMN.fullmatch(n)]
    threshold = cells.get("__threshold", "")
    return {
        **{name: cells[name] for name in unknown},
        "vars": {name: text for name, text in cells.items() if not name.startswith("__")},
        "assert": assertions,
        **({"description": cells["__description"]} if cells.get("__description") else {}),
        **({"threshold": float(threshold)} if _is_number(threshold) else {}),
    }


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", text))


def _combine_variables(config: PromptfooConfig, variables: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each combination of the entries of variables that are lists of texts."""
    choices = [
        [(name, entry) for entry in value]
        if isinstance(value, list) and value and isinstance(value[0], str)
        else [(name, value)]
        for name, value in variables.items()
    ]
    combinations = itertools.product(*choices)
    yield from map(dict, itertools.islice(combinations, MAX_COMBINATIONS))
    if next(combinations, None) is not None:
        config.left_out.append(f"more than {MAX_COMBINATIONS:,} combinations of the variables of a test")


def _add_case(
    config: PromptfooConfig, test: Mapping[str, Any], default: Mapping[str, Any], templates: Mapping[str, Any]
) -> None:
    left_out_before = len(config.left_out)
    config.left_out += [
        *config.every_test,
        *(f"{name_key(key, CASE_KEYS)} of a test" for key in _list_other_keys(test)),
    ]
    variables = _fill_variables(config, as_map(test.get("vars")))
    config.left_out += [
        f"the variable `{name}`, which is a template" for name, value in variables.items() if _is_template(value)
    ]
    asserted = [*iterate_entries(default.get("assert")), *iterate_entries(test.get("assert"))]
    threshold = test.get("threshold", default.get("threshold"))
    assertions = _convert_assertions(config, [_find_template(item, templates) for item in asserted], threshold)
    if not any(assertion.get("weight", 1) for assertion in assertions) and len(config.left_out) == left_out_before:
        config.left_out.append("a test in which nothing is asserted")
    if len(config.left_out) > left_out_before:
        config.incomplete.append(len(config.cases))
    case = {"vars": variables, **({"assert": assertions} if assertions else {})}
    config.cases.append({**case, **({"description": test["description"]} if test.get("description") else {})})


def _find_template(item: Any, templates: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the assertion that `$ref` names, with the other keys in place of its own."""
    written = as_map(item)
    reference = written.get("$ref")
    if not isinstance(reference, str):
        return written
    named = as_map(templates.get(reference.removeprefix("#/assertionTemplates/")))
    return {**named, **{key: value for key, value in written.items() if key != "$ref"}}


def _convert_assertions(
    config: PromptfooConfig, written: list[Mapping[str, Any]], threshold: Any
) -> list[dict[str, Any]]:
    assertions = []
    for assertion in written:
        try:
            assertions.append(convert_assertion(assertion))
        except NoCounterpartError as error:
            config.left_out.append(f"the assertion `{error}`")
    if not threshold or not assertions:
        return assertions
    try:
        return [combine(assertions, threshold)]
    except NoCounterpartError as error:
        config.left_out.append(f"the assertion `{error}`")
        return assertions


def _fill_variables(config: PromptfooConfig, written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables with files read and variables within them filled in, and those that prompts need."""
    variables = {str(name): _read_variable(config, str(name), value) for name, value in written.items()}
    for _ in range(MAX_MAPPINGS):
        filled = {name: _fill(value, variables) for name, value in variables.items()}
        if filled == variables:
            break
        variables = filled
    for name in sorted(_list_needed(config) - set(variables)):
        variables[name] = ""  # as Nunjucks writes it
        note = f"the variable `{name}`, which a test lacks, is empty"
        if note not in config.notes:
            config.notes.append(note)
    return variables


def _read_variable(config: PromptfooConfig, name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.startswith("file://"):
        return value.removesuffix("\n")
    file = config.resolve(value)
    if file is None or file.endswith((*CODE, ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp3", ".wav", ".mp4")):
        config.left_out.append(f"the variable `{name}`, which is `{value[:60]}`")
        return value
    if file.endswith((".yaml", ".yml")):
        return render.format_value(strict_yaml.load(config.read_text(file), file).value)
    return config.read_text(file).strip()


def _is_template(value: Any) -> bool:
    """Return whether a value holds what promptfoo would fill in, and promptci sends as written."""
    return bool(_TEMPLATE.search(json.dumps(value, default=str)))


def _fill(value: Any, variables: Mapping[str, Any]) -> Any:
    """Return a text with the variables of the test that it names; others stay."""
    if not isinstance(value, str) or "{{" not in value:
        return value
    try:
        return render.render(value, variables, max_chars=render.MAX_MESSAGE_CHARS)
    except (render.MissingVariable, render.MessageTooLong):
        return value


def _list_needed(config: PromptfooConfig) -> set[str]:
    """Return the variables that the prompts use, as far as a case can hold them."""
    names: set[str] = set()
    for prompt in config.prompts:
        for message in prompt.messages:
            find = find_printed_variables if message.syntax == "script-jinja" else render.find_variables
            variables = find(message.content)
            names |= {name for name in variables if "." not in name}
    return names
