"""Several endpoints in one run: what is recorded at one of them is known, and what is not cannot be asked there."""

from promptci.providers.base import Completion, Request
from promptci.providers.replay import ReplayProvider
from promptci.providers.routing import RoutingProvider, can_answer, knows

ASKED = Request(model="m", messages=({"role": "user", "content": "Hi"},))
ELSEWHERE = Request(model="m", messages=ASKED.messages, endpoint="other")


def test_a_recording_answers_what_it_holds_behind_a_route_too() -> None:
    recording = ReplayProvider({(ASKED.key, 0): Completion(text="yes")})
    live = ReplayProvider({}, ReplayProvider({}))
    for provider in (recording, RoutingProvider({"": recording, "other": live})):
        assert [can_answer(provider, ASKED, attempt) for attempt in (0, 1)] == [True, False]
        assert [knows(provider, ASKED, attempt) for attempt in (0, 1)] == [True, False]
    routed = RoutingProvider({"": recording, "other": live})
    assert (can_answer(routed, ELSEWHERE, 1), knows(routed, ELSEWHERE, 1)) == (True, False)
