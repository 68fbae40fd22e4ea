"""ImageFile: a picture of the repository, told by its content, and how it is sent to a model."""

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

IMAGES: Final = "images"
"""Variable of a golden case that names images."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
"""Endings of the formats that vision models read."""


@dataclass(frozen=True, eq=False)
class ImageFile:
    """One picture."""

    path: str
    """In the repository."""
    media_type: str
    content: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def part(self) -> dict[str, object]:
        """The picture as a content part of the chat API; built each time, because it is long."""
        data = base64.b64encode(self.content).decode()
        return {"type": "image_url", "image_url": {"url": f"data:{self.media_type};base64,{data}"}}


def list_paths(listed: object) -> list[object]:
    """Return what the variable `images` names: the elements of a list, or the parts of a text between semicolons."""
    if isinstance(listed, str):
        return list(listed.split(";"))
    return listed if isinstance(listed, list) else []


def is_image(path: str) -> bool:
    """Return whether a file has the ending of a picture."""
    return path.lower().endswith(SUFFIXES)


def find_media_type(content: bytes) -> str | None:
    """Return the type of a picture by its first bytes; None for anything else, whatever its name."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
