"""Images of a prompt's own messages: marks in the text, which are sent as content parts in their places."""

import posixpath
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from promptci.errors import InputError
from promptci.files.image_file import ImageFile, ImageReader
from promptci.lazy_dataclass import dataclass

ADDRESSES = ("http://", "https://", "data:image/")
"""Beginnings of an image's address that is sent as written."""
IMAGE_HINT = "Name a PNG, JPEG, GIF or WebP file by its path relative to this file, or an address with https: or data:."
_NONCE = secrets.token_hex(8)
"""Marks the places of images while a text is filled in: no value of a case can hold it."""
_PLACE = re.compile(rf"\x02{_NONCE}:(\d+):(.*?)\x03", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MessageImage:
    """An image of a message."""

    mark: str
    """What stands for it in the text: `![](img/a.png)`."""
    url: str
    """Path relative to the prompt file or an address, as written; it may hold variables."""
    file: ImageFile | None = None
    """The picture, where it is a file."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else `image_url` holds, such as `detail`."""

    @property
    def identity(self) -> list[Any]:
        """What of it can change an answer."""
        return [self.url if self.file is None else self.file.digest, dict(self.options)]

    def build_part(self, url: str) -> dict[str, Any]:
        """Return the content part; `url` is the address with its variables filled in.

        Raises
        ------
        ValueError
            Where it is neither a file of the prompt nor an address.
        """
        if self.file is not None:
            url = self.file.data_url
        elif not is_address(url):
            raise ValueError(f"the image `{url[:200]}` is no address; a file belongs under `images` of the case")
        return {"type": "image_url", "image_url": {"url": url.strip(), **self.options}}


def is_address(url: str) -> bool:
    """Return whether an image is sent as written, and no file is read."""
    return url.strip().lower().startswith(ADDRESSES)


def read_image(mark: str, url: str, path: str, reader: ImageReader, options: Mapping[str, Any]) -> MessageImage:
    """Return an image of the prompt file `path`, with its content where it is a file.

    Raises
    ------
    ValueError
        Saying why it cannot be sent.
    """
    if "{{" in url or "{%" in url or is_address(url):
        return MessageImage(mark, url, options=options)
    try:
        return MessageImage(mark, url, reader.load(posixpath.dirname(path), url), options)
    except (ValueError, InputError) as error:
        reason = error.problems[0].message if isinstance(error, InputError) else str(error)
        raise ValueError(f"the image `{url[:200]}` cannot be sent: {reason}") from error


def read_content(content: Any, path: str, reader: ImageReader) -> tuple[str, tuple[MessageImage, ...]]:
    """Return the content of a message as one text with marks, and its images; raises ValueError as `read_parts`."""
    if isinstance(content, str):
        return content, ()
    return read_parts(content if isinstance(content, list) else [None], path, reader)


def read_parts(parts: Sequence[Any], path: str, reader: ImageReader) -> tuple[str, tuple[MessageImage, ...]]:
    """Return a list of content parts as one text with marks, and its images.

    Raises
    ------
    ValueError
        For a part that is neither a text nor an image, and for an image that cannot be sent.
    """
    texts: list[str] = []
    images: dict[str, MessageImage] = {}
    for part in parts:
        kind = part.get("type", "text") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(part["text"])
            continue
        image = part.get("image_url") if kind == "image_url" else None
        image = {"url": image} if isinstance(image, str) else image
        if not isinstance(image, Mapping) or not isinstance(image.get("url"), str) or not image["url"].strip():
            raise ValueError(f"a part of the kind `{str(kind)[:40]}` is neither a text nor an image")
        options = {key: value for key, value in image.items() if key != "url"}
        mark = f"![{'' if not options else len(images)}]({image['url']})"
        images[mark] = read_image(mark, image["url"], path, reader, options)
        texts.append(mark)
    return "".join(texts), tuple(images.values())


def list_parts(text: str, images: Sequence[MessageImage], folder: str) -> list[dict[str, Any]]:
    """Return a text with marks as the content parts of a prompt file in `folder`."""
    by_mark = {image.mark: image for image in images}
    parts: list[dict[str, Any]] = []
    for chunk in re.split("|".join(f"({re.escape(mark)})" for mark in by_mark), text):
        image = by_mark.get(chunk or "")
        if image is not None:
            url = image.url if image.file is None else posixpath.relpath(image.file.path, folder)
            parts.append({"type": "image_url", "image_url": {"url": url, **image.options}})
        elif chunk:
            parts.append({"type": "text", "text": chunk})
    return parts


def hide_marks(text: str, images: Sequence[MessageImage]) -> str:
    """Return a template in which each mark is the place of an image, with its address to be filled in."""
    for number, image in enumerate(images):
        text = text.replace(image.mark, f"\x02{_NONCE}:{number}:{image.url}\x03")
    return text


def split_filled(text: str, images: Sequence[MessageImage], *, trimmed: bool) -> Iterator[dict[str, Any]]:
    """Yield the content parts of a text that was filled in after `hide_marks`; raises ValueError as `build_part`."""
    end = 0
    for place in [*_PLACE.finditer(text), None]:
        chunk = text[end : len(text) if place is None else place.start()]
        if chunk := chunk.strip() if trimmed else chunk:
            yield {"type": "text", "text": chunk}
        if place is not None:
            yield images[int(place[1])].build_part(place[2])
            end = place.end()
