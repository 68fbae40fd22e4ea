"""The five questions, and the way of a version."""

from support.site_records import event, nights, prompt, version

from promptci.site.model import RunningPair, SiteEvent
from promptci.site.pages.prompt_page import find_models
from promptci.site.view.answers import answer
from promptci.site.view.nights import night_points, parse_nights
from promptci.site.view.ways import find_ways

PAIR = RunningPair(environment="production", stable="v1.1.0")


def moved(kind: str, day: int, before: str, after: str, *shares: float) -> SiteEvent:
    """Return a decision; `shares` are the new one and the one before, by default all traffic."""
    share, before_share = (*shares, 100.0)[:2]
    at = f"2026-03-0{day}T10:00:00Z"
    return event(kind, at, environment="production", before=before, after=after, share=share, before_share=before_share)


HAPPENED = (
    moved("rolled-back", 8, "v1.2.0", "v1.2.0", 0.0, 5.0),
    moved("deployed", 7, "v1.1.0", "v1.2.0", 5.0),
    moved("promoted", 6, "v1.1.0", "v1.1.0", 100.0),
    moved("promoted", 5, "v1.1.0", "v1.1.0", 100.0, 50.0),
    moved("deployed", 3, "v1.0.0", "v1.1.0", 5.0),
    event("released", "2026-03-02T10:00:00Z", after="v1.1.0", approved=("ben",), verdict="pass; 60 cases"),
    moved("deployed", 1, "", "v1.0.0", 100.0),
)


def test_the_five_questions_are_answered_from_the_records() -> None:
    shown = prompt(events=HAPPENED, versions=(version("v1.1.0"), version("v1.0.0")))
    known = answer(shown, PAIR)
    assert known.since == "2026-03-05T10:00:00Z"
    assert (known.approved, known.replaced) == (("ben",), "v1.0.0")
    assert known.release is not None
    assert known.release.verdict == "pass; 60 cases"


def test_what_no_record_says_is_empty() -> None:
    known = answer(prompt(), PAIR)
    assert (known.since, known.approved, known.replaced, known.release) == ("", (), "", None)


def test_a_true_rollback_begins_a_version_again() -> None:
    back = moved("rolled-back", 9, "v1.2.0", "v1.1.0", 100.0)
    over = moved("deployed", 8, "v1.1.0", "v1.2.0", 100.0)
    assert answer(prompt(events=(back, over, *HAPPENED)), PAIR).since == "2026-03-09T10:00:00Z"


def test_a_version_goes_its_way_to_the_end() -> None:
    shown = prompt(events=HAPPENED, versions=(version("v1.2.0"), version("v1.1.0")))
    words = {each.version.version: [step.word for step in each.steps] for each in find_ways(shown)}
    assert words == {
        "v1.2.0": ["canary begun at 5%", "rolled back"],
        "v1.1.0": ["released on pass", "canary begun at 5%", "promoted to 100%", "promoted to 100%"],
    }


def test_old_nights_are_joined_to_weeks_and_bad_lines_are_counted() -> None:
    watched, bad = parse_nights((*nights(400), b"{}", b"\xff"))
    points = night_points(watched)
    assert (len(watched), bad, len(points) < 140) == (400, 2, True)
    assert (points[1].count, points[-1].count, points[-1].day) == (7, 1, "2026-03-08")
    assert find_models(prompt(), watched)[0].first == watched[0].day


def test_a_night_that_could_not_be_compared_has_its_quality_by_its_marks() -> None:
    (point,) = night_points(parse_nights(nights(1, quality=None, verdict="not-comparable"))[0])
    assert point.quality == 0.9
    assert night_points(parse_nights(nights(1, quality=None, marks="--", n=2, verdict="outage"))[0]) == []
