"""Files and batches go out as chat requests do: same headers, proxy, certificates, bounds and words."""

from pathlib import Path
from typing import Any

import certifi
import pytest
from fakes.asking import CANARY, request
from fakes.batch_api import BatchApi, Line
from fakes.openai_server import OpenAIServer, Reply, error, reply
from fakes.virtual_clock import VirtualClock
from support.certificates import create_certificate

from promptci.errors import ProviderError
from promptci.providers import registry
from promptci.providers.base import CallError, CallKey, Completion
from promptci.providers.http import batch, batch_http, transport
from promptci.providers.http.batch import BatchJob, BatchResult
from promptci.providers.http.batch_http import BatchClient
from promptci.providers.options import ProviderOptions
from promptci.redact import Redactor

EMPTY = reply({"data": []})
CHAT_HEADERS = {"accept", "accept-encoding", "authorization", "connection", "host", "user-agent"}
AMBIENT = {
    "OPENAI_ORG_ID": "org-1",
    "OPENAI_PROJECT_ID": "proj-1",
    "OPENAI_ADMIN_KEY": "sk-admin",
    "OPENAI_API_KEY": "x",
}


def client(base_url: str, *, key: str | None = CANARY, **options: Any) -> BatchClient:
    redactor = Redactor([key] if key else [])
    return BatchClient(
        ProviderOptions(base_url=base_url, **options), key=key, redactor=redactor, clock=VirtualClock().clock
    )


async def list_batches(base_url: str, **options: Any) -> Any:
    http = client(base_url, **options)
    try:
        return await http.list_batches(1)
    finally:
        await http.aclose()


async def failure(base_url: str, **options: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        await list_batches(base_url, **options)
    return caught.value


async def run_batch(http: BatchClient, *texts: str) -> dict[CallKey, BatchResult]:
    """Order, wait for and collect the answers to some texts, and delete them at the endpoint."""
    requests = [request(text) for text in texts]
    job = BatchJob(requests={(item.key, 0): item for item in requests})
    try:
        ordered = await batch.submit_batch(http, job)
        state = await batch.fetch_batch(http, ordered.id)
        results = await batch.collect_results(http, state, job)
        await batch.delete_results(http, state)
        assert await batch.find_batch(http, job) is None
        return results
    finally:
        await http.aclose()


async def answer_of(line: str | dict[str, Any], **options: Any) -> BatchResult:
    """Return what becomes of one line of a batch's output."""
    with BatchApi(lambda _: line) as api:
        (result,) = (await run_batch(client(api.base_url, **options), "hello")).values()
    return result


async def test_every_request_carries_the_configured_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    with BatchApi(lambda _: "fine") as api:
        options = ProviderOptions(base_url=api.base_url, headers={"X-Team": "${TEAM}"})
        http = registry.create_batch_client(options, {"OPENAI_API_KEY": CANARY, "TEAM": "search"})
        assert http is not None
        await run_batch(http, "hello")

    assert len(api.headers) == 7
    assert {call["x-team"] for call in api.headers} == {"search"}
    assert {call["authorization"] for call in api.headers} == {f"Bearer {CANARY}"}
    assert {call["user-agent"] for call in api.headers} == {"promptci"}
    # Nothing about this machine, and nothing from the package's own variables.
    sent = {name for call in api.headers for name in call}
    assert sent == CHAT_HEADERS | {"content-type", "content-length", "x-team"}


async def test_without_a_key_no_authorization_is_sent() -> None:
    with OpenAIServer(faults={0: EMPTY}) as server:
        await list_batches(server.base_url, key=None)

    assert server.calls[0].headers.keys() == CHAT_HEADERS - {"authorization"}


async def test_azure_gets_its_own_key_header_version_and_paths() -> None:
    with BatchApi(lambda _: "fine") as api:
        api.chat_path = "/chat/completions"
        azure = api.base_url.replace("/v1", "/openai/deployments/gpt-4o?api-version=2024-10-21")
        results = await run_batch(client(azure), "hello")

    assert [result.text for result in results.values() if isinstance(result, Completion)] == ["fine"]
    assert {call.get("api-key") for call in api.headers} == {CANARY}
    assert not any("authorization" in call for call in api.headers)
    paths = [path.partition("?") for _, path in api.seen]
    assert {path[:14] for path, _, _ in paths} <= {"/openai/files", "/openai/files/", "/openai/batche"}
    assert {query.partition("&")[0] for _, _, query in paths} == {"api-version=2024-10-21"}


@pytest.mark.parametrize("host", ["my.openai.azure.com", "my.services.ai.azure.com"])
def test_azure_without_a_date_keeps_its_address(host: str) -> None:
    assert client(f"https://{host}/openai/v1").chat_path == "/chat/completions"
    assert client("https://api.openai.com/v1").chat_path == "/v1/chat/completions"


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(faults={0: error(407)}) as proxy:
        # Without a scheme, as many write it.
        monkeypatch.setenv("ALL_PROXY", proxy.base_url.removesuffix("/v1").replace("http://", "me:pass%40word@"))
        failed = await failure("https://models.invalid/v1")

    assert [(call.method, call.path) for call in proxy.calls] == [("CONNECT", "models.invalid:443")]
    assert proxy.calls[0].headers["proxy-authorization"].startswith("Basic ")
    assert "authorization" not in proxy.calls[0].headers
    assert (failed.kind, failed.fatal) == ("connection", True)
    assert f"the proxy http://127.0.0.1:{proxy.port} refuses the connection (HTTP 407)" in failed.message
    assert "user and password to HTTPS_PROXY" in failed.message


async def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@127.0.0.1:9")
    failed = await failure("https://models.invalid/v1")

    assert "nothing listens at the proxy http://127.0.0.1:9 (see HTTPS_PROXY)" in failed.message


async def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with OpenAIServer(faults={0: EMPTY}) as server:
        assert await list_batches(server.base_url) == {"data": []}


def test_a_proxy_of_another_kind_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:secret@proxy.corp:1080")
    with pytest.raises(ProviderError, match=r"socks5://proxy\.corp:1080 uses socks5"):
        client("https://models.example/v1")


async def test_a_certificate_of_the_company_is_trusted_by_ssl_cert_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = tmp_path / "server.pem"
    with OpenAIServer(faults={0: EMPTY}, tls=create_certificate(pem)) as server:
        failed = await failure(server.base_url)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert await list_batches(server.base_url) == {"data": []}

    assert (failed.kind, failed.fatal) == ("connection", True)
    assert "certificate of 127.0.0.1:" in failed.message
    assert "is not valid: self" in failed.message
    assert len(server.calls) == 1


async def test_a_system_without_certificates_trusts_those_of_certifi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a bare image: neither a file nor a folder of the system's is there."""
    pem = tmp_path / "mozilla.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "missing"))
    monkeypatch.setattr(certifi, "where", lambda: str(pem))
    with OpenAIServer(faults={0: EMPTY}, tls=create_certificate(pem)) as server:
        assert await list_batches(server.base_url) == {"data": []}


@pytest.mark.parametrize(
    ("wire", "kind", "fatal", "words"),
    [
        (error(401, f"wrong key {CANARY}"), "auth", True, "provider.api_key_env"),
        (error(403, "not you"), "auth", True, "its permissions"),
        (error(404, "nothing here"), "not-found", True, "Check that provider.base_url ends where /batches follows"),
        (error(429, "slow", code="insufficient_quota"), "quota", True, "top it up"),
        (error(429, "slow", Retry_After="3600"), "rate-limit", True, "a pause of 3600 s"),
        (error(429, "slow"), "rate-limit", False, "(6 attempts"),
        (error(500, "broken"), "server", False, "HTTP 500: broken (3 attempts"),
        (error(503, "busy"), "server", False, "HTTP 503: busy (6 attempts"),
        (Reply(status=302, headers={"Location": "https://elsewhere.invalid"}), "bad-request", True, "not followed"),
        (Reply(status=403, body=b"<html><title>Wall</title>", headers={}), "blocked", True, 'page titled "Wall"'),
        (Reply(body=b"<html>"), "malformed", False, "no JSON object"),
        (Reply(body=b"[" * 50_000), "malformed", False, "no JSON object"),
        (reply([]), "malformed", False, "no JSON object"),
        (Reply(body=b"{}", headers={"Content-Encoding": "gzip"}), "malformed", False, "compressed (gzip)"),
        (Reply(silent=True, end="close"), "connection", False, "broke before the response was complete"),
        (Reply(silent=True, end="reset"), "connection", False, "broke before the response was complete"),
        (Reply(body=b"{}", sent=1, end="close"), "connection", False, "broke before the response was complete"),
    ],
    ids=lambda value: None if isinstance(value, bool) else str(value)[:20],
)
async def test_an_error_gets_the_kind_and_the_words_that_chat_gives_it(
    wire: Reply, kind: str, fatal: bool, words: str
) -> None:
    with OpenAIServer(faults=dict.fromkeys(range(6), wire)) as server:
        failed = await failure(server.base_url)

    assert (failed.kind, failed.fatal) == (kind, fatal)
    assert words in failed.message
    assert CANARY[:12] not in failed.message


async def test_a_closed_port_and_an_unknown_name_are_named() -> None:
    assert "nothing listens at 127.0.0.1:9: check" in (await failure("http://127.0.0.1:9/v1")).message
    assert "no-such-host.invalid cannot be resolved" in (await failure("http://no-such-host.invalid/v1")).message


async def test_an_endpoint_that_hangs_ends_by_the_total_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_http, "MAX_TRANSFER_S", 0.1)
    with OpenAIServer(faults=dict.fromkeys(range(6), Reply(silent=True, end="hang"))) as server:
        failed = await failure(server.base_url)

    assert failed.kind == "timeout"


async def test_a_request_that_failed_for_a_moment_is_sent_again() -> None:
    with OpenAIServer(faults={0: error(503), 1: EMPTY}) as server:
        assert await list_batches(server.base_url) == {"data": []}


@pytest.mark.parametrize("limit", ["MAX_BODY_BYTES", "MAX_FILE_BYTES"])
async def test_no_more_is_read_than_is_allowed(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport if limit == "MAX_BODY_BYTES" else batch_http, limit, 2**20)
    flood = Reply(body=b" " * (2**20 + 1))
    with OpenAIServer(faults=dict.fromkeys(range(6), flood)) as server:
        http = client(server.base_url)
        with pytest.raises(CallError, match="the response is larger than 1 MiB"):
            await (http.list_batches(1) if limit == "MAX_BODY_BYTES" else http.download_file("file-1"))
        await http.aclose()


async def test_a_batch_names_the_model_as_the_endpoint_knows_it() -> None:
    models: list[str] = []

    def answer(line: Line) -> str:
        models.append(line["body"]["model"])
        return "fine"

    with BatchApi(answer) as api:
        await run_batch(client(api.base_url, models={"fake-*": "llama-*"}), "hello")

    assert models == ["llama-1"]


async def test_reasoning_is_removed_from_a_batch_s_answers_unless_it_is_wanted() -> None:
    stripped = await answer_of("<think>hm</think>fine")
    whole = await answer_of("<think>hm</think>fine", strip_reasoning=False)

    assert isinstance(stripped, Completion)
    assert isinstance(whole, Completion)
    assert (stripped.text, whole.text) == ("fine", "<think>hm</think>fine")


async def test_a_prompt_that_the_content_filter_refuses_is_an_empty_answer() -> None:
    refused = {"status_code": 400, "body": {"error": {"code": "content_filter", "message": "no"}}}
    batch_result = await answer_of({"response": refused})

    assert isinstance(batch_result, Completion)
    assert (batch_result.text, batch_result.finish_reason, batch_result.batched) == ("", "content_filter", True)


async def test_no_line_that_failed_shows_the_key() -> None:
    batch_result = await answer_of({"response": {"status_code": 500, "body": {"error": {"message": f"odd {CANARY}"}}}})

    assert isinstance(batch_result, CallError)
    assert (batch_result.kind, "odd" in batch_result.message, CANARY[:12] in batch_result.message) == (
        "server",
        True,
        False,
    )
