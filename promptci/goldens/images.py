"""The images of golden cases: named by their paths, read from the same revision, sent as content parts."""

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from promptci.errors import InputError, Problem
from promptci.files.image_file import IMAGES, ImageFile, find_media_type, is_image, list_paths
from promptci.files.lines import limit_problems
from promptci.goldens.model import Case, CaseImage, GoldenSet

CONVERSATION: Final = "messages"
MAX_IMAGE_BYTES = 8 * 2**20
MAX_TOTAL_BYTES = 64 * 2**20
"""Of the images of one golden set, which are in memory while it is asked."""
ReadFile = Callable[[str], bytes | None]


def find_images(variables: Mapping[str, Any]) -> tuple[CaseImage, ...]:
    """Return the images that a case names: under `images`, and in the parts of its `messages`."""
    paths = list_paths(variables.get(IMAGES))
    attached = [CaseImage(path, IMAGES) for path in paths if isinstance(path, str) and path.strip()]
    if len(attached) != len(paths) or not all(map(_is_image_path, attached)):
        attached = []  # a variable of that name
    in_turns = [CaseImage(url, CONVERSATION) for url in _list_urls(variables.get(CONVERSATION))]
    return (*attached, *filter(_is_image_path, in_turns))


def _is_image_path(image: CaseImage) -> bool:
    written = image.written.strip()
    return is_image(written) and not written.lower().startswith(("http://", "https://", "data:"))


def _list_urls(conversation: object) -> Iterator[str]:
    for turn in conversation if isinstance(conversation, list) else ():
        content = turn.get("content") if isinstance(turn, Mapping) else None
        for part in content if isinstance(content, list) else ():
            image = part.get("image_url") if isinstance(part, Mapping) else None
            if isinstance(image, Mapping) and isinstance(image.get("url"), str):
                yield image["url"]


def load_images(golden_set: GoldenSet, used: Collection[str], read: ReadFile) -> GoldenSet:
    """Return the set with the content of its images.

    Where the prompt's own text uses `{{images}}` or `{{messages}}` (`used`), these are variables, and no image is read.

    Raises
    ------
    InputError
        With every image that cannot be sent.
    """
    if not any(case.images for case in golden_set.cases):
        return golden_set
    loader = _ImageLoader(read)
    cases = [
        replace(case, images=tuple(loader.load(case, image) for image in case.images if image.place not in used))
        if case.images
        else case
        for case in golden_set.cases
    ]
    if loader.problems:
        raise InputError(limit_problems(loader.problems, loader.problems[0].path))
    return replace(golden_set, cases=tuple(cases))


class _ImageLoader:
    """Reads each file once."""

    def __init__(self, read: ReadFile) -> None:
        self.problems: list[Problem] = []
        self._read = read
        self._files: dict[str, ImageFile] = {}
        self._total = 0

    def load(self, case: Case, image: CaseImage) -> CaseImage:
        """Return the image with its content; what is wrong with it becomes a problem."""
        written = image.written.strip()
        target = posixpath.normpath(posixpath.join(posixpath.dirname(case.path), written.removeprefix("file://")))
        try:
            return replace(image, file=self._files.get(target) or self._load(target, written))
        except (ValueError, InputError) as error:
            reason = error.problems[0].message if isinstance(error, InputError) else str(error)
            hint = "An image's path is relative to the folder of the golden file."
            message = f"the image `{written[:200]}` of `{case.id[:60]}` cannot be sent: {reason}"
            self.problems.append(Problem(path=case.path, line=case.line, message=message, hint=hint))
            return image

    def _load(self, target: str, written: str) -> ImageFile:
        if target.startswith("/") or target.split("/", maxsplit=1)[0] == ".." or "\\" in written:
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
