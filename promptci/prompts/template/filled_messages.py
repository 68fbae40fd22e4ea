"""FilledMessages: a prompt's messages with a case's variables filled in, rendered on access."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from promptci.prompts.model import Message

ChatMessage = Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class FilledMessages(Sequence[ChatMessage]):
    """A lazy tuple of messages: with 100,000 cases, the rendered texts would be in memory twice."""

    templates: tuple[Message, ...]
    variables: Mapping[str, Any]

    def __len__(self) -> int:
        """Return the number of messages."""
        return len(self.templates)

    @overload
    def __getitem__(self, index: int) -> ChatMessage: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[ChatMessage, ...]: ...

    def __getitem__(self, place: int | slice) -> ChatMessage | tuple[ChatMessage, ...]:
        """Render one message; raises MissingVariable, MessageTooLong and TemplateError."""
        if isinstance(place, slice):
            return tuple(self)[place]
        template = self.templates[place]
        return {"role": template.role, "content": template.fill(self.variables)}

    def __eq__(self, other: object) -> bool:
        """Compare with other messages, filled in or plain."""
        return tuple(self) == tuple(other) if isinstance(other, FilledMessages | tuple) else NotImplemented

    # Not hashable, because its mappings are not.
    __hash__ = None  # type: ignore[assignment]
