import pytest

from promptci.errors import ProviderError
from promptci.providers.http.request_headers import expand_headers


def test_values_come_from_the_environment() -> None:
    environ = {"TEAM": "red\n", "OTHER": "x"}

    assert expand_headers({"X-Team": "${TEAM}-1", "X-Plain": "$5"}, environ) == {"X-Team": "red-1", "X-Plain": "$5"}


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X-Team": "${TEAM}"}, "`TEAM` is not set"),
        ({"X-Token": "Bearer ${GITHUB_TOKEN}"}, "`GITHUB_TOKEN` must not be sent"),
        ({"X-Token": "${AWS_SECRET_ACCESS_KEY}"}, "must not be sent"),
        ({"X-Token": "${ACTIONS_ID_TOKEN_REQUEST_TOKEN}"}, "must not be sent"),
        ({"Content-Length": "1"}, "`Content-Length` cannot be set"),
        ({"X Y": "1"}, "`X Y` cannot be set"),
        ({"X-A": "a\r\nX-B: b"}, "line break"),
        ({"X-A": "${UNICODE}"}, "not ASCII"),
    ],
)
def test_a_header_that_cannot_or_must_not_be_sent_is_refused(headers: dict[str, str], message: str) -> None:
    environ = {
        "GITHUB_TOKEN": "ghs_1",
        "AWS_SECRET_ACCESS_KEY": "s",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
        "UNICODE": "ü",
    }

    with pytest.raises(ProviderError, match=message):
        expand_headers(headers, environ)


def test_a_missing_variable_comes_with_what_to_type_or_write() -> None:
    with pytest.raises(ProviderError, match=r"Run `export TEAM=…` first"):
        expand_headers({"X-Team": "${TEAM}"}, {})
    with pytest.raises(ProviderError, match=r"Set it under `env:` of the step"):
        expand_headers({"X-Team": "${TEAM}"}, {"GITHUB_ACTIONS": "true"})
