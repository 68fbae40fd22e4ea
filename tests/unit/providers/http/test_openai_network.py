"""The client on a network that fails, and what it must never give away."""

import asyncio
import base64
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes.asking import CANARY, JSON, OK, ask, ask_one, failure, request
from fakes.openai_server import Call, OpenAIServer, Reply, error
from fakes.virtual_clock import VirtualClock
from support.certificates import create_certificate

from promptci.providers.base import CallError, Completion
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions

NOTHING_LISTENS = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    "wire",
    [Reply(end="hang", silent=True), Reply(body=OK, headers=JSON, drip_s=0.02)],
    ids=["hang", "drip"],
)
async def test_an_answer_that_drips_or_hangs_ends_by_the_total_time(wire: Reply) -> None:
    started = time.monotonic()
    with OpenAIServer(lambda _: wire) as server:
        failed = await failure(server.base_url, timeout_s=0.2)

    assert failed.kind == "timeout"
    assert "raise provider.timeout if" in failed.message
    assert len(server.calls) == 6
    assert time.monotonic() - started < 30  # six whole drips would take longer


async def test_cancelling_a_call_ends_it_promptly_and_leaves_nothing_open() -> None:
    with OpenAIServer(lambda _: Reply(end="hang", silent=True)) as server:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ask(server.base_url, timeout_s=60)

    assert time.monotonic() - started < 30  # half of what the call may take


async def test_closing_before_anything_was_asked_does_no_harm() -> None:
    await OpenAIProvider(ProviderOptions(base_url=NOTHING_LISTENS), key=None).aclose()


async def test_a_closed_port_is_named_and_ends_the_run() -> None:
    failed = await failure(NOTHING_LISTENS)

    assert (failed.kind, failed.fatal) == ("connection", True)
    assert f"nothing listens at {NOTHING_LISTENS.split('/')[2]}: check" in failed.message


async def test_a_name_that_does_not_resolve_is_named() -> None:
    failed = await failure("http://no-such-host.invalid/v1")

    assert (failed.kind, failed.fatal) == ("connection", True)
    assert "the name no-such-host.invalid cannot be resolved" in failed.message


async def test_an_endpoint_that_was_reached_before_does_not_end_the_run_by_going_away() -> None:
    options = ProviderOptions(base_url="", timeout_s=5)
    with OpenAIServer() as server:
        options = ProviderOptions(base_url=server.base_url, timeout_s=5)
        provider = OpenAIProvider(options, key=None, clock=VirtualClock().clock)
        await provider.complete(request(), replicate=0)
    with pytest.raises(CallError) as caught:
        await provider.complete(request(), replicate=0)
    await provider.aclose()

    assert (caught.value.kind, caught.value.fatal) == ("connection", False)


async def test_a_certificate_that_is_not_valid_is_not_asked_twice(tmp_path: Path) -> None:
    clock = VirtualClock()
    with OpenAIServer(tls=create_certificate(tmp_path / "server.pem", is_expired=True)) as server:
        failed = await failure(server.base_url, clock=clock)

    assert (failed.kind, failed.fatal) == ("connection", True)
    assert "certificate of 127.0.0.1:" in failed.message
    assert "is not valid: " in failed.message
    assert (clock.slept, server.calls) == ([], [])


@pytest.mark.parametrize(("status", "words"), [(407, "user and password to HTTPS_PROXY"), (403, "check HTTPS_PROXY")])
async def test_a_proxy_that_refuses_is_named(status: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(faults={0: error(status)}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.base_url.removesuffix("/v1"))
        failed = await failure("https://models.invalid/v1")

    assert (failed.kind, failed.fatal) == ("connection", True)
    assert words in failed.message
    assert [call.method for call in proxy.calls] == ["CONNECT"]


async def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOTHING_LISTENS)
    with OpenAIServer() as server:
        await ask_one(server.base_url)


SPELLINGS = {
    "raw": CANARY,
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "hex": CANARY.encode().hex(),
}


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 413, 418, 422, 429, 500, 503])
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
async def test_no_error_shows_the_key_that_an_endpoint_echoes(status: int, spelling: str) -> None:
    with OpenAIServer(lambda _: error(status, f"your key {spelling} is odd", code=spelling)) as server:
        failed = await failure(server.base_url)

    assert spelling not in failed.message
    assert spelling not in repr(failed.__cause__)


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_no_error_shows_the_beginning_of_a_key_where_it_is_cut(status: int) -> None:
    with OpenAIServer(lambda _: error(status, "x" * 140 + CANARY)) as server:
        failed = await failure(server.base_url)

    assert CANARY[:9] not in failed.message


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_errors_are_one_short_line(status: int) -> None:
    with OpenAIServer(lambda _: error(status, "long\nand\twide " * 500)) as server:
        failed = await failure(server.base_url)

    assert len(failed.message) <= 300
    assert "\n" not in failed.message


async def test_a_hundred_callers_find_what_the_endpoint_bears() -> None:
    """Ten at once are served, more are refused: all get their answer, and not by all trying in step."""

    def crowded(_: Call) -> Reply | str:
        return "fine" if server.at_once <= 10 else error(429, "too many")

    server = OpenAIServer(crowded, latency_s=0.005)
    with server:
        provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key=None)
        results = await asyncio.gather(
            *(provider.complete(request(str(i)), replicate=0) for i in range(100)), return_exceptions=True
        )
        await provider.aclose()

    assert [r for r in results if not isinstance(r, Completion)] == []
    assert len(server.calls) < 250  # without adapting, most of a hundred would be refused several times


def test_making_a_client_does_not_import_the_heavy_package() -> None:
    code = (
        "import sys; from promptci.providers import registry; "
        "sys.exit(bool({'openai', 'aiohttp', 'xllamacpp', 'genai_prices'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_is_told_its_user_and_password_and_the_endpoint_is_not(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer(lambda _: error(403)) as proxy:
        address = proxy.base_url.removesuffix("/v1").replace("://", "://me:pass%40word@")
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", address)
        await ask(f"{scheme}://models.invalid/v1")

    expected = "Basic " + base64.b64encode(b"me:pass@word").decode()
    assert proxy.calls[0].headers["proxy-authorization"] == expected
    assert proxy.calls[0].headers.get("authorization") == (f"Bearer {CANARY}" if scheme == "http" else None)


async def test_an_address_that_no_proxy_names_is_asked_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.base_url.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "models.invalid")
        failed = await failure("https://models.invalid/v1")

    assert "models.invalid cannot be resolved" in failed.message
    assert proxy.calls == []


async def test_passwords_of_netrc_are_sent_to_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("default login me password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with OpenAIServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        await ask("http://models.invalid/v1", key=None)

    assert not {"authorization", "proxy-authorization"} & proxy.calls[0].headers.keys()
