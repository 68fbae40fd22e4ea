"""ImageFile: a picture of the repository, told by its content, and how it is sent to a model."""

import base64
import hashlib
import posixpath
from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from typing import Final

from promptci.lazy_dataclass import dataclass

IMAGES: Final = "images"
"""Variable of a golden case that names images."""
MAX_IMAGE_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 64 * 2**20
"""Of the images of one golden set or prompt file, which are in memory while it is asked."""
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
        return {"type": "image_url", "image_url": {"url": self.data_url}}

    @property
    def data_url(self) -> str:
        """The picture as an address that holds it."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


class ImageReader:
    """Reads the images that a golden set or a prompt file names, each once."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        """Read by `read`, which returns the files of one revision and refuses links."""
        self._read = read
        self._files: dict[str, ImageFile] = {}
        self._total = 0

    def load(self, folder: str, written: str) -> ImageFile:
        """Return the image at a path relative to a folder.

        Raises
        ------
        ValueError
            Saying why it cannot be sent.
        InputError
            For a link, or a file that is too large to be read.
        """
        written = written.strip()
        target = posixpath.normpath(posixpath.join(folder, written.removeprefix("file://")))
        known = self._files.get(target)
        return known or self._load(target, written)

    def _load(self, target: str, written: str) -> ImageFile:
        if target.startswith("/") or target.split("/", maxsplit=1)[0] == ".." or "\\" in written or "\0" in written:
            raise ValueError("it is outside the repository")
        content = self._read(target)
        if content is None:
            raise ValueError(f"there is no file `{target}`")
        media_type = find_media_type(content)
        if media_type is None:
            raise ValueError("its content is not PNG, JPEG, GIF or WebP")
        self._total += len(content)
        if len(content) > MAX_IMAGE_BYTES:
            raise ValueError(f"it has more than {MAX_IMAGE_BYTES // 2**20} MiB")
        if self._total > MAX_TOTAL_BYTES:
            raise ValueError(f"the images of the set have together more than {MAX_TOTAL_BYTES // 2**20} MiB")
        self._files[target] = ImageFile(target, media_type, content)
        return self._files[target]


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
