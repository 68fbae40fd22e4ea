"""The reason of an override as it is read: its length, the commit it names, who wrote it."""

from datetime import UTC, datetime

import pytest

from promptci.gates.people.override_reason import MAX_PEOPLE, find_comment_reasons, find_text_reasons
from promptci.reviews import Person, WrittenComment

HEAD = "0123456789abcdef" * 2 + "01234567"
ANN = Person(login="ann", id=1)


def comment(text: str, by: Person | None = ANN, *, edited: bool = False) -> WrittenComment:
    return WrittenComment(by=by, at=datetime(2026, 1, 1, tzinfo=UTC), text=text, edited=edited)


@pytest.mark.parametrize(("length", "read"), [(500, "x" * 500), (501, "x" * 499 + "…")])
def test_a_reason_of_more_than_five_hundred_characters_is_cut(length: int, read: str) -> None:
    (reason,) = find_text_reasons("x" * length, "", HEAD)
    assert reason.text == read


@pytest.mark.parametrize(
    ("named", "names_head", "refused"),
    [(HEAD, True, False), (HEAD[:7], False, False), ("f" * 7, False, True), (HEAD[:6], False, False)],
)
def test_a_commit_before_the_reason_must_be_the_head_and_counts_when_whole(
    named: str, names_head: bool, refused: bool
) -> None:
    (reason,) = find_comment_reasons([comment(f"/promptci override {named} because")], HEAD, ANN)
    assert (reason.names_head, reason.refusal is not None) == (names_head, refused)
    assert reason.text == ("because" if len(named) > 6 else f"{named} because")


def test_comments_of_ten_people_are_considered_those_of_the_first_one_before_all_others() -> None:
    people = [Person(login=f"p{number}", id=number) for number in range(2, 14)]
    comments = [comment("/promptci override mine"), *(comment(f"/promptci override {p.login}", p) for p in people)]
    reasons = [reason.text for reason in find_comment_reasons(comments, HEAD, ANN)]
    assert reasons == ["mine", *(p.login for p in reversed(people[-MAX_PEOPLE + 1 :]))]
