"""The images of golden cases: named by their paths, read from the same revision, sent as content parts."""

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from promptci.errors import InputError, Problem
from promptci.files.image_file import IMAGES, ImageReader, is_image, list_paths
from promptci.files.lines import limit_problems
from promptci.goldens.model import Case, CaseImage, GoldenSet

CONVERSATION: Final = "messages"
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
        self._reader = ImageReader(read)

    def load(self, case: Case, image: CaseImage) -> CaseImage:
        """Return the image with its content; what is wrong with it becomes a problem."""
        written = image.written.strip()
        try:
            return replace(image, file=self._reader.load(posixpath.dirname(case.path), written))
        except (ValueError, InputError) as error:
            reason = error.problems[0].message if isinstance(error, InputError) else str(error)
            hint = "An image's path is relative to the folder of the golden file."
            message = f"the image `{written[:200]}` of `{case.id[:60]}` cannot be sent: {reason}"
            self.problems.append(Problem(path=case.path, line=case.line, message=message, hint=hint))
            return image
