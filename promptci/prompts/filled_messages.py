"""The messages of a prompt with a case's variables filled in, made when they are looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from promptci.prompts import render
from promptci.prompts.model import Message

ChatMessage = Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class FilledMessages(Sequence[ChatMessage]):
    """Stands for a tuple of messages: of 100,000 cases, the texts themselves would be held twice."""

    templates: tuple[Message, ...]
    variables: Mapping[str, Any]

    def __len__(self) -> int:
        """Count the messages."""
        return len(self.templates)

    @overload
    def __getitem__(self, index: int) -> ChatMessage: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[ChatMessage, ...]: ...

    def __getitem__(self, place: int | slice) -> ChatMessage | tuple[ChatMessage, ...]:
        """Fill in; raises MissingVariable."""
        if isinstance(place, slice):
            return tuple(self)[place]
        template = self.templates[place]
        return {"role": template.role, "content": render.render(template.content, self.variables)}

    def __eq__(self, other: object) -> bool:
        """Compare with other messages, filled in or plain."""
        return tuple(self) == tuple(other) if isinstance(other, FilledMessages | tuple) else NotImplemented

    # As the mappings in it, it cannot be hashed.
    __hash__ = None  # type: ignore[assignment]
