"""FilledMessages: a prompt's messages with a case's variables filled in, rendered on access."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, overload

from promptci.files.image_file import IMAGES, ImageFile, list_paths
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.prompts.model import Message

if TYPE_CHECKING:
    from promptci.prompts.jinja import filters
    from promptci.prompts.template import message_images
else:
    filters = lazy_import("promptci.prompts.jinja.filters")
    message_images = lazy_import("promptci.prompts.template.message_images")

ChatMessage = Mapping[str, Any]
"""`role`, and `content`: a text, or a list of parts where there are images."""
Part = Mapping[str, Any] | ImageFile
Content = str | list[Mapping[str, Any]]

CONVERSATION = "messages"
"""Variable that holds a conversation."""
LEADING_ROLES = frozenset(("system", "developer"))


def fill_messages(
    templates: tuple[Message, ...], variables: Mapping[str, Any], images: Mapping[str, ImageFile] | None = None
) -> "FilledMessages":
    """Return the messages of a case; its conversation, if it has one, follows the prompt's system messages.

    A prompt that uses `{{messages}}` itself gets the conversation as a variable. `images` are those that the case
    names, by their paths as written: they take their places in the conversation, and those of the variable `images`
    follow the text of the last user message.
    """
    images = images or {}
    parts: dict[int, tuple[Part, ...]] = {}
    conversation = variables.get(CONVERSATION)
    used = {name for template in templates for name in template.variables}
    if is_conversation(conversation) and CONVERSATION not in used:
        leading = [template for template in templates if template.role in LEADING_ROLES]
        turns = [_to_message(turn) for turn in conversation]  # type: ignore[union-attr]  # is_conversation has looked
        for index, turn in enumerate(conversation, start=len(leading)):  # type: ignore[arg-type]
            if isinstance(turn["content"], list):
                parts[index] = tuple(_to_part(part, images) for part in turn["content"])
        templates = (*leading, *turns)
    if IMAGES not in used and (attached := _list_attached(variables.get(IMAGES), images)):
        places = [index for index, template in enumerate(templates) if template.role == "user"]
        if not places:
            places = [len(templates)]
            templates = (*templates, Message(role="user", content="", syntax="plain"))
        parts[places[-1]] = (*parts.get(places[-1], ()), *attached)
    return FilledMessages(templates, variables, parts)


def _to_message(turn: Mapping[str, Any]) -> Message:
    content = turn["content"]
    return Message(role=turn["role"], content=content if isinstance(content, str) else "", syntax="plain")


def _to_part(part: Mapping[str, Any], images: Mapping[str, ImageFile]) -> Part:
    return images.get(part["image_url"]["url"], part) if part["type"] == "image_url" else part


def _list_attached(listed: object, images: Mapping[str, ImageFile]) -> list[ImageFile]:
    return [images[path] for path in list_paths(listed) if isinstance(path, str) and path in images]


def is_conversation(value: object) -> bool:
    """Return whether a value is a list of messages with `role` and `content`."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(turn, Mapping)
            and turn.get("role") in {"system", "developer", "user", "assistant"}
            and _is_content(turn.get("content"))
            for turn in value
        )
    )


def _is_content(content: object) -> bool:
    """Return whether a value is a text, or a list of texts and images as the chat API has them."""
    if isinstance(content, list):
        return bool(content) and all(map(_is_part, content))
    return isinstance(content, str)


def _is_part(part: object) -> bool:
    if not isinstance(part, Mapping):
        return False
    image = part.get("image_url")
    is_image = part.get("type") == "image_url" and isinstance(image, Mapping) and isinstance(image.get("url"), str)
    return is_image or (part.get("type") == "text" and isinstance(part.get("text"), str))


def _fill_parts(template: Message, variables: Mapping[str, Any]) -> Content:
    """Return the text of a message, or its parts where it has images of its own."""
    if not template.images:
        return template.fill(variables)
    hidden = replace(template, content=message_images.hide_marks(template.content, template.images))
    trimmed = template.syntax == "trimmed-jinja"
    try:
        return list(message_images.split_filled(hidden.fill(variables), template.images, trimmed=trimmed))
    except ValueError as error:
        raise filters.TemplateError(str(error)) from error


@dataclass(frozen=True, slots=True, eq=False)
class FilledMessages(Sequence[ChatMessage]):
    """A lazy tuple of messages: with 100,000 cases, the rendered texts would be in memory twice."""

    templates: tuple[Message, ...]
    variables: Mapping[str, Any]
    parts: Mapping[int, tuple[Part, ...]] = field(default_factory=dict)
    """What follows the text of a message, by its index."""

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
        own = _fill_parts(template, self.variables)
        return {"role": template.role, "content": self._add_parts(own, place) if self.parts else own}

    def _add_parts(self, own: Content, place: int) -> Content:
        parts = self.parts.get(place % len(self))
        if parts is None:
            return own
        sent = [part.part if isinstance(part, ImageFile) else part for part in parts]
        text = [{"type": "text", "text": own}] if own else []
        return [*(own if isinstance(own, list) else text), *sent]

    def __eq__(self, other: object) -> bool:
        """Compare with other messages, filled in or plain."""
        return tuple(self) == tuple(other) if isinstance(other, FilledMessages | tuple) else NotImplemented

    # Not hashable, because its mappings are not.
    __hash__ = None  # type: ignore[assignment]
