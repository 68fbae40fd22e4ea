"""Images of golden cases: named by path, read from the revision, never anything that is no image."""

from collections.abc import Mapping
from typing import Any

import pytest

from promptci.errors import InputError
from promptci.goldens.images import find_images, load_images
from promptci.goldens.model import Case, GoldenSet

PNG = b"\x89PNG\r\n\x1a\n rest"
JPEG = b"\xff\xd8\xff rest"


def golden_set(**variables: Any) -> GoldenSet:
    case = Case(id="c1", vars=variables, images=find_images(variables), path="goldens/shop/order.jsonl", line=3)
    return GoldenSet(paths=("goldens/shop/order.jsonl",), cases=(case,))


def turn(url: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


def loaded(files: Mapping[str, bytes], used: tuple[str, ...] = (), **variables: Any) -> list[tuple[str, str, bytes]]:
    (case,) = load_images(golden_set(**variables), used, files.get).cases
    return [(file.path, file.media_type, file.content) for file in case.image_files.values()]


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        (["a.png", "../b.JPG"], ["a.png", "../b.JPG"]),
        ("a.png;b.webp", ["a.png", "b.webp"]),
        ("file://a.gif", ["file://a.gif"]),
        (["a cat", "a dog"], []),
        (["a.png", "a dog"], []),
        ("", []),
        (["https://example.com/a.png"], []),
        (3, []),
        (None, []),
    ],
)
def test_only_paths_of_images_are_images(listed: Any, names: list[str]) -> None:
    assert [image.written for image in find_images({"images": listed})] == names


def test_images_of_a_conversation_are_found_and_addresses_are_left_alone() -> None:
    conversation = [{"role": "system", "content": "x"}, turn("a.png"), turn("https://example.com/b.png")]
    assert [(image.written, image.place) for image in find_images({"messages": conversation})] == [
        ("a.png", "messages")
    ]


def test_paths_are_relative_to_the_golden_file() -> None:
    files = {"goldens/shop/a.png": PNG, "goldens/b.jpg": JPEG}
    assert loaded(files, images=["a.png", "../b.jpg"]) == [
        ("goldens/shop/a.png", "image/png", PNG),
        ("goldens/b.jpg", "image/jpeg", JPEG),
    ]


def test_a_prompt_that_uses_the_variable_gets_the_paths_as_text() -> None:
    assert loaded({}, ("images",), images=["a.png"]) == []


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("none.png", "there is no file `goldens/shop/none.png`"),
        ("../../../etc/a.png", "it is outside the repository"),
        ("/etc/a.png", "it is outside the repository"),
        ("..\\a.png", "it is outside the repository"),
        ("key.png", "its content is not PNG, JPEG, GIF or WebP"),
        ("large.png", "it has more than 8 MiB"),
    ],
)
def test_what_is_no_image_of_the_repository_is_refused_with_its_line(written: str, reason: str) -> None:
    files = {"goldens/shop/key.png": b"OPENAI_API_KEY=x", "goldens/shop/large.png": PNG + bytes(8 * 2**20)}
    with pytest.raises(InputError) as caught:
        loaded(files, images=[written])
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("goldens/shop/order.jsonl", 3)
    assert problem.message == f"the image `{written}` of `c1` cannot be sent: {reason}"


def test_together_they_have_a_limit() -> None:
    files = {f"goldens/shop/{number}.png": PNG + bytes(7 * 2**20) for number in range(10)}
    with pytest.raises(InputError, match="together more than 64 MiB"):
        loaded(files, images=[f"{number}.png" for number in range(10)])


def test_another_picture_under_the_same_path_is_another_case() -> None:
    sets = [
        load_images(golden_set(images=["a.png"]), (), {"goldens/shop/a.png": content}.get)
        for content in (PNG, PNG, JPEG)
    ]
    first, same, other = (golden.cases[0].digest for golden in sets)
    assert first == same != other
