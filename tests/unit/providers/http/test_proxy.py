import pytest

from promptci.errors import ProviderError
from promptci.providers.http.proxy import find_proxy, shown_proxy

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.corp:3128"}, "http://proxy.corp:3128"),
        ({"HTTPS_PROXY": "proxy.corp:3128"}, "http://proxy.corp:3128"),
        ({"ALL_PROXY": "proxy.corp:3128"}, "http://proxy.corp:3128"),
        ({"HTTP_PROXY": "http://proxy.corp:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy.corp:3128", "NO_PROXY": "models.example"}, None),
        ({"HTTPS_PROXY": " "}, None),
    ],
)
def test_the_proxy_is_the_one_of_the_environment(
    environ: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert find_proxy("https://models.example/v1") == proxy
    assert find_proxy("https://127.0.0.1:9/v1") is None


@pytest.mark.parametrize(
    ("value", "message"), [("socks5://u:pw@p:1080", "socks5://p:1080 uses socks5"), ("http://[", "not a web")]
)
def test_a_proxy_that_cannot_be_used_is_refused_at_once_without_its_password(
    value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", value)

    with pytest.raises(ProviderError, match=message) as caught:
        find_proxy("https://models.example/v1")
    assert "pw" not in str(caught.value)


def test_what_is_shown_of_a_proxy_is_not_its_password() -> None:
    assert shown_proxy("http://me:secret@proxy.corp:3128") == "http://proxy.corp:3128"
