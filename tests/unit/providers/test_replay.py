import pytest
from fakes.provider import FakeProvider

from promptci.providers.base import CallError, Completion, Request
from promptci.providers.replay import ReplayProvider

ASKED = Request(model="m", messages=({"role": "user", "content": "known"},))
OTHER = Request(model="m", messages=({"role": "user", "content": "other"},))


async def test_a_known_answer_is_returned_without_a_call_and_the_rest_is_asked() -> None:
    fallback = FakeProvider()
    provider = ReplayProvider({(ASKED.key, 0): Completion(text="from the file")}, fallback)

    assert (await provider.complete(ASKED, replicate=0)).text == "from the file"
    assert fallback.calls == []
    assert (await provider.complete(ASKED, replicate=1)).text == "to known"
    assert (await provider.complete(OTHER, replicate=0)).text == "to other"
    assert (provider.name, provider.concurrency) == ("fake", 4)

    await provider.aclose()
    assert fallback.closed


async def test_a_known_error_is_raised_again_with_its_cause_and_stops_nothing_else() -> None:
    error = CallError("context-length", "too long", fatal=True, caused_by_request=True)
    provider = ReplayProvider({(ASKED.key, 0): error}, FakeProvider())

    with pytest.raises(CallError, match="too long") as caught:
        await provider.complete(ASKED, replicate=0)
    assert (caught.value.kind, caught.value.caused_by_request, caught.value.fatal) == ("context-length", True, False)


async def test_without_a_fallback_an_unknown_call_is_not_recorded() -> None:
    provider = ReplayProvider({}, name="journal", missing=lambda request, replicate: f"{request.model} {replicate}")

    with pytest.raises(CallError, match="m 3") as caught:
        await provider.complete(ASKED, replicate=3)
    assert caught.value.kind == "not-recorded"
    assert provider.name == "journal"


async def test_answers_that_become_known_later_are_used() -> None:
    known: dict[tuple[str, int], Completion | CallError] = {}
    provider = ReplayProvider(known, FakeProvider())
    known[ASKED.key, 0] = Completion(text="late")

    assert (await provider.complete(ASKED, replicate=0)).text == "late"
