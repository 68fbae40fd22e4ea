import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promptci.errors import ProviderError
from promptci.providers.http import endpoint

FINE = [
    "https://api.openai.com/v1",
    "https://models.github.ai/inference",
    "https://10.0.0.5:8443/v1",
    "http://127.0.0.1:8000/v1",
    "http://127.9.9.9/v1",
    "http://[::1]:8000/v1",
    "http://localhost:11434/v1",
    "http://LOCALHOST./v1",
    "HTTPS://API.OPENAI.COM/v1",
]
REFUSED = {
    "http://api.openai.com/v1": "would be overheard",
    "http://93.184.216.34/v1": "would be overheard",
    "http://localhost.evil.example/v1": "would be overheard",
    "http://127.0.0.1.evil.example/v1": "would be overheard",
    "http://10.0.0.5/v1": "send the key unencrypted",
    "http://ollama:11434/v1": "send the key unencrypted",
    "file:///etc/passwd": "not a web address",
    "ftp://example.com/v1": "not a web address",
    "gopher://example.com": "not a web address",
    "javascript:alert(1)": "not a web address",
    "api.openai.com/v1": "not a web address",
    "https:///v1": "not a web address",
    "": "not a web address",
    "https://[::1": "not a web address",
    "https://example.com:port/v1": "not a web address",
    "http://169.254.169.254/v1": "machine's own credentials",
    "https://169.254.169.254/v1": "machine's own credentials",
    "https://2852039166/v1": "machine's own credentials",
    "https://0xA9FEA9FE/v1": "machine's own credentials",
    "https://0251.0376.0251.0376/v1": "machine's own credentials",
    "https://169.254.43518/v1": "machine's own credentials",
    "https://[::ffff:169.254.169.254]/v1": "machine's own credentials",
    "https://[fe80::1%25eth0]/v1": "machine's own credentials",
    "https://[fd00:ec2::254]/v1": "machine's own credentials",
    "https://metadata.google.internal/v1": "machine's own credentials",
    "https://METADATA.google.internal./v1": "machine's own credentials",
    "https://0.0.0.0/v1": "is not the address of a machine",
    "https://user@example.com/v1": "user name or password",
    "https://user:pass@example.com/v1": "user name or password",
    "https://api.openai.com@evil.example/v1": "user name or password",
    "https://example.com/v1?key=abc": "query or fragment",
    "https://example.com/v1#x": "query or fragment",
    "https://example.com/v1/chat/completions": "the address ends in /chat/completions. Leave out /chat/completions",
    "http://127.0.0.1:8000/v1/embeddings/": "the address ends in /embeddings",
}


@pytest.mark.parametrize("base_url", FINE)
def test_an_address_that_exposes_nothing_is_accepted_with_a_key(base_url: str) -> None:
    endpoint.check_base_url(base_url, has_key=True)


@pytest.mark.parametrize("base_url", ["http://ollama:11434/v1", "http://10.0.0.5:8000/v1", "http://[fd12::1]/v1"])
def test_plain_http_within_a_private_network_is_accepted_without_a_key(base_url: str) -> None:
    endpoint.check_base_url(base_url, has_key=False)


@pytest.mark.parametrize(("base_url", "reason"), REFUSED.items())
def test_an_address_that_exposes_something_is_refused_with_advice(base_url: str, reason: str) -> None:
    with pytest.raises(ProviderError, match=reason) as caught:
        endpoint.check_base_url(base_url, has_key=True)

    assert caught.value.hint
    assert "user:pass" not in str(caught.value)


@example(base_url="HTTP://0\x00")
@given(base_url=st.one_of(st.text(), st.text().map("http://{}".format), st.text().map("https://{}/v1".format)))
def test_no_text_breaks_the_check(base_url: str) -> None:
    try:
        endpoint.check_base_url(base_url, has_key=True)
    except ProviderError:
        return
    assert base_url.strip().lower().startswith("https://") or endpoint.is_loopback(base_url)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://localhost/v1", True),
        ("http://127.1/v1", True),
        ("http://[::1]/v1", True),
        ("https://localhost.example/v1", False),
        ("https://10.0.0.1/v1", False),
    ],
)
def test_loopback_is_told_from_its_look_alikes(base_url: str, expected: bool) -> None:
    assert endpoint.is_loopback(base_url) is expected


def test_a_dated_azure_address_keeps_its_version_and_sends_its_key_in_its_own_header() -> None:
    dated = "https://me.openai.azure.com/openai/deployments/gpt-4o?api-version=2024-10-21"
    endpoint.check_base_url(dated, has_key=True)

    assert endpoint.split_query(dated) == (
        "https://me.openai.azure.com/openai/deployments/gpt-4o",
        "?api-version=2024-10-21",
    )
    assert endpoint.auth_headers(dated, "k") == {"api-key": "k"}
    assert endpoint.auth_headers("https://api.openai.com/v1", "k") == {"Authorization": "Bearer k"}
    assert endpoint.auth_headers("https://api.openai.com/v1", None) == {}
