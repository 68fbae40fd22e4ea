"""Split the change of a prompt into its edits, and build the versions that have only some of them."""

import difflib
import itertools
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import field, replace
from typing import Any

from promptci.attribution.line_alignment import LinePair, align_lines
from promptci.lazy_dataclass import dataclass
from promptci.prompts.model import Message, Prompt

_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")
_LIST_ITEM = re.compile(r"\s*(?:[-*+•]|\d+[.)])\s")
_ABSENT = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """One thing that a change did to a prompt."""

    number: int
    """From 1, in the order of the prompt: model and parameters first, then the messages."""
    place: str
    """`model`, `parameter temperature`, `response format`, `system message`, `user message 2`, `removed example`."""
    before: str
    """Text at base; empty where something was added."""
    after: str
    """Text at head; empty where something was removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A part of a message's text; `edit` is None where both versions have it."""

    before: str
    after: str
    edit: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turn:
    """One message of either version, or of both."""

    message: Message
    """Its role and syntax."""
    pieces: tuple[_Piece, ...]
    is_at_base: bool = True
    is_at_head: bool = True
    is_cut: bool = False
    """Its pieces are lines, of which the last one has a line feed more than the text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptEdits:
    """The edits that turn one version of a prompt into another."""

    head: Prompt
    edits: tuple[Edit, ...]
    _turns: tuple[_Turn, ...]
    _changes: dict[int, Callable[[Prompt], Prompt]] = field(default_factory=dict)
    """By edit: undoes what it did to the model, a parameter or the response format."""

    def build(self, applied: Collection[int]) -> Prompt:
        """Return base's version with these edits, by number: none of them is base itself, all of them are head."""
        prompt = replace(self.head, messages=tuple(_build_messages(self._turns, applied)))
        for number, undo in self._changes.items():
            if number not in applied:
                prompt = undo(prompt)
        return prompt


def split_change(base: Prompt, head: Prompt) -> PromptEdits:
    """Split what can change an answer into edits: parameters, whole messages, and changed lines, list items, sentences.

    Lines that stand for one another are paired by their likeness, and a changed line is split into its sentences, so
    that two changes in one paragraph are two edits.
    """
    counter = _Counter()
    changes = _split_settings(base, head, counter)
    turns = tuple(_split_messages(base.messages, head.messages, counter))
    return PromptEdits(head=head, edits=tuple(counter.edits), _turns=turns, _changes=changes)


class _Counter:
    """Numbers the edits."""

    def __init__(self) -> None:
        self.edits: list[Edit] = []

    def add(self, place: str, before: str, after: str) -> int:
        number = len(self.edits) + 1
        self.edits.append(Edit(number=number, place=place, before=before, after=after))
        return number

    def add_message(self, verb: str, message: Message) -> int:
        """Add a whole message; an answer belongs to the question before it, which make one example together."""
        last = self.edits[-1] if self.edits else None
        if message.role == "assistant" and last is not None and last.place == f"{verb} user message":
            before, after = (f"{text}\n{message.content}" if text else "" for text in (last.before, last.after))
            self.edits[-1] = replace(last, place=f"{verb} example", before=before, after=after)
            return last.number
        texts = ("", message.content) if verb == "added" else (message.content, "")
        return self.add(f"{verb} {message.role} message", *texts)


def _split_settings(base: Prompt, head: Prompt, counter: _Counter) -> dict[int, Callable[[Prompt], Prompt]]:
    changes: dict[int, Callable[[Prompt], Prompt]] = {}
    if base.model != head.model:
        number = counter.add("model", base.model, head.model)
        changes[number] = lambda prompt: replace(prompt, model=base.model)
    for name in sorted({*base.parameters, *head.parameters}):
        before, after = base.parameters.get(name, _ABSENT), head.parameters.get(name, _ABSENT)
        if before != after:
            number = counter.add(f"parameter {name}", _as_text(before), _as_text(after))
            changes[number] = _parameter_undoer(name, before)
    formats = [(prompt.response_format, prompt.json_schema) for prompt in (base, head)]
    if formats[0] != formats[1]:
        texts = [_as_text(schema) if schema is not None else kind for kind, schema in formats]
        number = counter.add("response format", *texts)
        changes[number] = lambda prompt: replace(
            prompt, response_format=base.response_format, json_schema=base.json_schema
        )
    return changes


def _parameter_undoer(name: str, before: Any) -> Callable[[Prompt], Prompt]:
    def undo(prompt: Prompt) -> Prompt:
        others = {key: value for key, value in prompt.parameters.items() if key != name}
        return replace(prompt, parameters=others if before is _ABSENT else {**others, name: before})

    return undo


def _as_text(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _split_messages(base: Sequence[Message], head: Sequence[Message], counter: _Counter) -> Iterator[_Turn]:
    """Yield the messages of both versions: equal ones, pairs of one role, and what only one version has."""
    base_keys, head_keys = ([json.dumps(m.identity) for m in side] for side in (base, head))
    places = _Places(head)
    for _, b0, b1, h0, h1 in difflib.SequenceMatcher(None, base_keys, head_keys, autojunk=False).get_opcodes():
        before, after = list(base[b0:b1]), list(head[h0:h1])
        while after:
            message = after.pop(0)
            place = places.name(message)
            if before and before[0].role == message.role and before[0].syntax == message.syntax:
                partner = before.pop(0)
                images = {image.mark: image for image in (*partner.images, *message.images)}
                both = replace(message, images=tuple(images.values()))
                pieces = _split_text(partner.content, message.content, place, counter)
                yield _Turn(message=both, pieces=pieces, is_cut=True)
            elif before and len(before) > len(after) + 1:  # base has a message more here
                after.insert(0, message)
                yield _removed(before.pop(0), counter)
            else:
                number = counter.add_message("added", message)
                pieces = (_Piece(before="", after=message.content, edit=number),)
                yield _Turn(message=message, pieces=pieces, is_at_base=False)
        for message in before:
            yield _removed(message, counter)


def _removed(message: Message, counter: _Counter) -> _Turn:
    number = counter.add_message("removed", message)
    return _Turn(message=message, pieces=(_Piece(before=message.content, after="", edit=number),), is_at_head=False)


class _Places:
    """Names messages: by the role alone where there is only one of it."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages

    def name(self, message: Message) -> str:
        same = [other for other in self._messages if other.role == message.role]
        number = next(n for n, other in enumerate(same, start=1) if other is message)
        return f"{message.role} message" + (f" {number}" if len(same) > 1 else "")


def _build_messages(turns: Sequence[_Turn], applied: Collection[int]) -> Iterator[Message]:
    for turn in turns:
        whole = turn.pieces[0].edit if not (turn.is_at_base and turn.is_at_head) else None
        if whole is not None and (whole in applied) != turn.is_at_head:
            continue
        texts = (piece.after if piece.edit is None or piece.edit in applied else piece.before for piece in turn.pieces)
        yield replace(turn.message, content="".join(texts).removesuffix("\n") if turn.is_cut else "".join(texts))


def _split_text(before: str, after: str, place: str, counter: _Counter) -> tuple[_Piece, ...]:
    """Return the pieces of a message's text, each edit being counted.

    Every line ends with a line feed, the last one too: any of them may come last when others are undone.
    """
    pieces: list[_Piece] = []
    for old, new in _changed_blocks(_cut_lines(before), _cut_lines(after)):
        is_blank = not old.strip() and not new.strip()
        last = pieces[-1] if pieces else None
        if old == new:
            pieces.append(_Piece(before=old, after=new))
        elif is_blank and last is not None and last.edit is not None:  # an empty line goes with the edit before it
            pieces[-1] = replace(last, before=last.before + old, after=last.after + new)
        else:
            pieces.append(_Piece(before=old, after=new, edit=counter.add(place, old.strip("\n"), new.strip("\n"))))
    return tuple(pieces) or (_Piece(before="", after=""),)


def _changed_blocks(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the texts of both sides, cut into the smallest parts that stand for one another."""
    for tag, b0, b1, h0, h1 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = before[b0:b1], after[h0:h1]
        if tag == "equal":
            yield "".join(old), "".join(new)
        elif not old or not new:
            for block in _cut_items(old or new):
                yield (block, "") if old else ("", block)
        elif (aligned := align_lines(old, new)) is None:
            yield "".join(old), "".join(new)
        else:
            yield from _aligned_blocks(aligned)


def _aligned_blocks(aligned: Iterable[LinePair]) -> Iterator[tuple[str, str]]:
    """Yield the changed sentences of paired lines, and the items of those that only one version has."""
    for sides, grouped in itertools.groupby(aligned, lambda pair: (pair[0] is None, pair[1] is None)):
        pairs = list(grouped)
        if sides == (False, False):
            for old, new in pairs:
                yield from _changed_sentences(old or "", new or "")
        else:
            for block in _cut_items([old or new or "" for old, new in pairs]):
                yield ("", block) if sides[0] else (block, "")


def _cut_lines(text: str) -> list[str]:
    return f"{text}\n".splitlines(keepends=True)


def _cut_items(lines: Sequence[str]) -> Iterator[str]:
    """Yield list items and paragraphs; an empty line stays with what precedes it."""
    block = ""
    for line in lines:
        starts = _LIST_ITEM.match(line) or (block.endswith("\n\n") and line.strip())
        if block and starts:
            yield block
            block = ""
        block += line
    if block:
        yield block


def _changed_sentences(before: str, after: str) -> Iterator[tuple[str, str]]:
    old_sentences, new_sentences = _cut_sentences(before), _cut_sentences(after)
    matcher = difflib.SequenceMatcher(None, old_sentences, new_sentences, autojunk=False)
    for tag, b0, b1, h0, h1 in matcher.get_opcodes():
        old, new = old_sentences[b0:b1], new_sentences[h0:h1]
        if tag == "replace" and len(old) == len(new):
            yield from zip(old, new, strict=True)
        else:
            yield "".join(old), "".join(new)


def _cut_sentences(text: str) -> list[str]:
    """Return the sentences of a line, each with the space after it."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True) if end > start]
