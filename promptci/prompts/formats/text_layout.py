"""Messages of a prompt that is one text: a system message before the user's input, or the whole prompt."""

import re

from promptci.prompts.model import Message
from promptci.prompts.template.template_text import Template

DEFAULT_USER = "{{input}}"


def lay_out_messages(template: Template, label: str, user: str | None) -> tuple[Message, ...]:
    """Return the messages of a text; `label` is the name of its file or constant.

    `user` is the user message that follows it, or empty where the text is the whole prompt. None decides by the text:
    one with variables is the whole prompt, unless it is labelled as the system message.
    """
    if user is None:
        is_system = "system" in label.lower()
        is_whole = template.has_variables or "user" in label.lower()
        user = "" if is_whole and not is_system else DEFAULT_USER
    text = Message(role="system" if user else "user", content=template.content, syntax=template.syntax)
    return (text, Message(role="user", content=user)) if user else (text,)


def to_prompt_name(text: str) -> str:
    """Return a text as a prompt's name, which is valid in git tags and file names: `My prompt` becomes `My-prompt`."""
    name = re.sub(r"[^\w.-]+", "-", text)
    return re.sub(r"\.{2,}", ".", name).strip("-.").removesuffix(".lock") or "prompt"
