"""YAML to plain values, strictly: what is read is what stands there, and no small file can cost much to read.

PyYAML's scanner and parser are used for their events only. Values are built here, by the core schema of YAML 1.2
narrowed to JSON: `no`, `on`, `0123`, `0x1F`, `1:30` and dates stay text.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import yaml
from yaml import events as y

from promptci.errors import InputError, Problem
from promptci.files.lines import CONFLICT_ADVICE, MAX_DEPTH, JsonError, check_number, check_text, has_conflict
from promptci.lazy_dataclass import dataclass

MAX_BYTES = 1024 * 1024
MAX_NODES = 100_000
PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML was built with it: about fifteen times faster."""

# U+0085, U+2028 and U+2029 end a line in YAML 1.1 and are text in 1.2: what they would be read as is not what is seen.
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_TAB_INDENT = re.compile(r" *(?:- *)?\t")
_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NUMBER_STARTS = frozenset("-+.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TEXT_TAGS = {"!", "tag:yaml.org,2002:str"}
_TAGS = {y.SequenceStartEvent: "tag:yaml.org,2002:seq", y.MappingStartEvent: "tag:yaml.org,2002:map"}


def find_unwanted_character(text: str) -> re.Match[str] | None:
    """Return the first character that cannot stand in YAML, or that versions of YAML read differently."""
    # The first pattern is PyYAML's own: compiling a second one over all of Unicode takes milliseconds at every start.
    matches = (pattern.search(text) for pattern in (yaml.reader.Reader.NON_PRINTABLE, _LINE_ENDS))
    return min(filter(None, matches), key=lambda match: match.start(), default=None)


class SourcePosition(NamedTuple):
    """Where a value stands."""

    line: int
    """Of the key for a map's entry, else of the value; counted from 1."""
    text_line: int | None = None
    """First line of the text of a literal block (`|`)."""
    children: Mapping[str, "SourcePosition"] | Sequence["SourcePosition"] | None = None
    """Spots of the entries of a map or list."""
    scalar_text: str | None = None
    """A scalar's text."""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A value and the lines it stands on."""

    value: Any
    """dict, list, str, int, float, bool or None, within each other."""
    position: SourcePosition

    def line_of(self, path: Sequence[str | int] = ()) -> int:
        """Return the line of the value at a path of keys and indexes; of its nearest parent where it is not there."""
        return self._position_at(path).line

    def text_line_of(self, path: Sequence[str | int], row: int) -> int:
        """Return the line on which row `row` (from 0) of the text at `path` stands; the value's own where unsure."""
        position = self._position_at(path)
        return position.line if position.text_line is None else position.text_line + row

    def scalar_text_of(self, path: Sequence[str | int]) -> str | None:
        """Return the scalar at `path` as it is written: `1.10`, where its value is the number 1.1."""
        return self._position_at(path).scalar_text

    def as_written(self, path: Sequence[str | int] = ()) -> Any:
        """Return the value at `path`, with a scalar as the text in the file where its value would be written otherwise.

        `4` stays a number; `1.10`, `+4`, `1e3`, `True` and `~` become texts.
        """
        value = self.value
        for part in path:
            value = value[part]
        return _as_written(value, self._position_at(path))

    def _position_at(self, path: Sequence[str | int]) -> SourcePosition:
        position = self.position
        for part in path:
            children = position.children
            if isinstance(children, Mapping) and part in children:
                position = children[str(part)]
            elif isinstance(children, list) and isinstance(part, int) and 0 <= part < len(children):
                position = children[part]
            else:
                break
        return position


def load(text: str, path: str, parser: Any = PARSER) -> YamlDocument:
    """Read one YAML document; an empty one has the value None.

    Parameters
    ----------
    text
        As `lines.decode` gives it.
    path
        Named in problems.
    parser
        The PyYAML loader that makes the events.

    Raises
    ------
    InputError
        For bad syntax, and for all that makes YAML surprising or costly: anchors and aliases, merge keys, duplicate
        keys, tags, several documents, numbers JSON does not have, nesting over `MAX_DEPTH`, over `MAX_BYTES` of text
        or `MAX_NODES` values.
    """
    reader = _Reader(path)
    reader.check_size(text)
    try:
        loader = parser(text)
        try:
            document = reader.document(loader.get_event)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or "it cannot be parsed"
        fix = CONFLICT_ADVICE if has_conflict(text) else "Fix the indentation or the quotes."
        if mark and any(map(_TAB_INDENT.match, text.splitlines()[mark.line : mark.line + 1])):
            problem, fix = "a tab indents the line", "Indent with blanks: YAML takes no tabs."
        reader.add(mark.line + 1 if mark else None, f"not valid YAML: {problem}", fix)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The Python parser lets chr() and int() fail on an escape or a version no YAML has.
        reader.add(None, f"not valid YAML: {error}", "Fix the escape sequence.")
    except _TooMuchError:
        pass  # already noted; reading on would cost too much
    if reader.problems:
        raise InputError(reader.problems)
    return document


class _TooMuchError(Exception):
    """The document is too deep or too large to read on."""


class _Reader:
    """Builds values from events; depth is bounded, so the recursion is too."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.nodes = 0
        self.next_event: Callable[[], y.Event]

    def add(self, line: int | None, message: str, fix: str) -> None:
        self.problems.append(Problem(path=self.path, line=line, message=message, hint=fix))

    def check_size(self, text: str) -> None:
        if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            self.add(None, "the file is over 1 MiB", "Split it, or write goldens as JSONL.")
        elif character := find_unwanted_character(text):
            message = f"the character U+{ord(character.group()):04X} cannot stand in YAML"
            self.add(
                text.count("\n", 0, character.start()) + 1, message, "Remove it, or write it as an escape in quotes."
            )
        if self.problems:
            raise InputError(self.problems)

    def document(self, next_event: Callable[[], y.Event]) -> YamlDocument:
        # Asked of the parser itself, not of an iterator: 2,000 prompt files are 50,000 events.
        self.next_event = next_event
        next_event()  # the start of the stream
        if isinstance(next_event(), y.StreamEndEvent):
            return YamlDocument(None, SourcePosition(1))
        value, position = self.node(next_event(), 1)
        next_event()  # the end of the document
        after = next_event()
        if isinstance(after, y.DocumentStartEvent):
            self.add(_line(after), "a second document begins here", "Keep one document in a file.")
        return YamlDocument(value, position)

    def node(self, event: y.Event, depth: int) -> tuple[Any, SourcePosition]:
        self.nodes += 1
        line = _line(event)
        if self.nodes > MAX_NODES or depth > MAX_DEPTH + 1:
            message = f"lists and maps are nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else "too many values"
            self.add(
                line, message, "Flatten the file." if depth > MAX_DEPTH else f"Keep it under {MAX_NODES:,} values."
            )
            raise _TooMuchError
        if isinstance(event, y.ScalarEvent) and event.anchor is None:  # nearly all
            text_line = line + 1 if event.style == "|" else None
            return self.scalar(event), SourcePosition(line, text_line, None, event.value)
        if isinstance(event, y.AliasEvent):
            self.add(line, f"the alias `*{event.anchor}` is refused", "Write the value out.")
            return None, SourcePosition(line)
        if isinstance(event, y.NodeEvent) and event.anchor is not None:
            self.add(line, f"the anchor `&{event.anchor}` is refused", "Remove it and write values out.")
        if isinstance(event, y.ScalarEvent):
            return self.scalar(event), SourcePosition(line, scalar_text=event.value)
        if isinstance(event, y.CollectionStartEvent) and event.tag not in {None, "!", _TAGS[type(event)]}:
            self.refuse_tag(line, event.tag)
        return self.sequence(line, depth) if isinstance(event, y.SequenceStartEvent) else self.mapping(line, depth)

    def sequence(self, line: int, depth: int) -> tuple[list[Any], SourcePosition]:
        values, positions = [], []
        while not isinstance(event := self.next_event(), y.SequenceEndEvent):
            value, position = self.node(event, depth + 1)
            values.append(value)
            positions.append(position)
        return values, SourcePosition(line, children=positions)

    def mapping(self, line: int, depth: int) -> tuple[dict[str, Any], SourcePosition]:
        values: dict[str, Any] = {}
        positions: dict[str, SourcePosition] = {}
        while not isinstance(event := self.next_event(), y.MappingEndEvent):
            key = self.key(event, depth + 1)
            value, position = self.node(self.next_event(), depth + 1)
            if key is None:
                continue
            if key in values:
                message = f"the key `{key}` stands twice, first on line {positions[key].line}"
                self.add(_line(event), message, "Keep one of them.")
                continue
            values[key] = value
            line_of_key = _line(event)
            positions[key] = position if position.line == line_of_key else position._replace(line=line_of_key)
        return values, SourcePosition(line, children=positions)

    def key(self, event: y.Event, depth: int) -> str | None:
        """Return the key's text as written: JSON's keys are text, so `1:` and `true:` are too."""
        if not isinstance(event, y.ScalarEvent):
            self.node(event, depth)
            self.add(_line(event), "a key is not plain text", "Write `key: value`.")
            return None
        self.node(event, depth)
        plain = bool(event.implicit[0])
        if plain and event.value == "<<":
            self.add(_line(event), "the merge key `<<` is refused", "Write the entries out.")
            return None
        if plain and not event.value:
            self.add(_line(event), "a key is empty", "Write `key: value`.")
            return None
        return str(event.value)

    def scalar(self, event: y.ScalarEvent) -> Any:
        line = _line(event)
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            self.refuse_tag(line, event.tag)
            return None
        try:
            if event.tag is None and event.implicit[0]:
                return _plain(event.value)
            return check_text(event.value)
        except JsonError as error:
            self.add(line, error.message, error.hint)
            return None

    def refuse_tag(self, line: int, tag: str) -> None:
        self.add(line, f"the tag `{tag}` is refused", "Remove it: a file holds text, numbers, lists and maps only.")


def _plain(text: str) -> Any:
    """Resolve an unquoted scalar."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        if len(text) > 20:
            raise JsonError("a whole number is over 64 bits", "Write it as text, in quotes.")
        return check_number(int(text))
    if _FLOAT.fullmatch(text):
        return check_number(float(text))
    if _NOT_FINITE.fullmatch(text):
        raise JsonError(f"`{text}` is not a number JSON has", "Write a finite number, or text in quotes.")
    return text


def _as_written(value: Any, position: SourcePosition) -> Any:
    inner = position.children
    if isinstance(value, dict) and isinstance(inner, Mapping):
        return {key: _as_written(item, inner[key]) for key, item in value.items()}
    if isinstance(value, list) and isinstance(inner, list):
        return [_as_written(item, item_position) for item, item_position in zip(value, inner, strict=True)]
    text = position.scalar_text
    return value if isinstance(value, str) or text is None or json.dumps(value) == text else text


def _line(event: y.Event) -> int:
    return 1 if event.start_mark is None else int(event.start_mark.line) + 1
