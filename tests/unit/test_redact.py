import base64
import html
import json
from collections.abc import Callable
from urllib import parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.redact import REPLACEMENT, Redactor

CANARY = 'sk-CANARY/with+odd=chars&"quotes"<é>1234'
secrets = st.text(min_size=8, max_size=40).filter(
    lambda s: len(s.strip()) >= 8 and not any(part in REPLACEMENT or part in "before after" for part in s.split())
)

ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda s: s,
    "url": lambda s: parse.quote(s, safe=""),
    "url with slashes": parse.quote,
    "form": parse.quote_plus,
    "json": lambda s: json.dumps({"key": s}),
    "json unicode": lambda s: json.dumps({"key": s}, ensure_ascii=False),
    "html": html.escape,
    "hex": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 shifted by 1": lambda s: base64.b64encode(b"x" + s.encode() + b"y").decode(),
    "base64 shifted by 2": lambda s: base64.b64encode(b"xx" + s.encode() + b"yy").decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(b"user:" + s.encode()).decode(),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_known_secret_is_found_in_every_spelling(name: str) -> None:
    leaked = ENCODINGS[name](CANARY)

    cleaned = Redactor([CANARY]).redact(f"before {leaked} after")

    assert REPLACEMENT in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    assert (
        len(cleaned) < len("before  after") + len(REPLACEMENT) + 12
    )  # at most the mixed characters at base64's ends stay


@given(secret=secrets, before=st.text(max_size=9), after=st.text(max_size=9))
def test_no_secret_survives_between_any_neighbours(secret: str, before: str, after: str) -> None:
    redactor = Redactor([secret])

    assert secret not in redactor.redact(before + secret + after)


@given(secret=secrets)
def test_redacting_twice_changes_nothing_more(secret: str) -> None:
    redactor = Redactor([secret])
    once = redactor.redact(f"before {secret} after")

    assert redactor.redact(once) == once


@given(text=st.text(alphabet="abcdefghij klmnop.,\n", max_size=200))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Redactor([CANARY]).redact(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "sk-abcdefghijklmnopqrstuvwx",
        "sk-ant-api03-abcdefghijklmnopqrst-AA",
        "sk-proj-abcdef_ghijkl-mnopqrst1234",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "ghs_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11AAAAAAA0abcdefghijkl_mnopqrstuvwxyz",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-1234567890abcdefghijklmnopqrstu",
        "nvapi-abcdefghijklmnopqrstuvwxyz",
        "Bearer abc.def.ghi123",
        "bearer 0123456789abcdef==",
    ],
)
def test_a_key_of_a_well_known_service_is_found_without_being_told(key: str) -> None:
    assert Redactor().redact(f'header="{key}".') == f'header="{REPLACEMENT}".'


@pytest.mark.parametrize("times", [0, 3, 1000])
@pytest.mark.parametrize(
    "start", ["ghp_", "github_pat_", "hf_", "gsk_", "sk-", "nvapi-", "xai-", "glpat-", "xoxb-", "AKIA"]
)
def test_a_key_is_found_however_often_its_sign_occurs_beside_it(start: str, times: int) -> None:
    text = f"{'- snake_case ' * times}{start}{'A1' * 20 if start != 'AKIA' else 'A1' * 8} well-known_end"
    assert REPLACEMENT in Redactor().redact(text)
    assert not Redactor().is_clean(json.dumps(text))


@pytest.mark.parametrize(
    "text", ["a risk-management-considerations-document", "Bearer authentication is used", "task-force", "AKIA", "sk-1"]
)
def test_words_that_only_begin_like_a_key_are_left_alone(text: str) -> None:
    assert Redactor().redact(text) == text


def test_known_only_leaves_what_merely_looks_like_a_key() -> None:
    redactor = Redactor(["hunter2hunter2"])

    assert (
        redactor.redact_known("hunter2hunter2 sk-abcdefghijklmnopqrstuvwx")
        == f"{REPLACEMENT} sk-abcdefghijklmnopqrstuvwx"
    )


def test_variables_named_like_secrets_are_learned_and_others_are_not() -> None:
    redactor = Redactor.from_environ(
        {
            "OPENAI_API_KEY": "canary-key-1",
            "GITHUB_TOKEN": "canary-token-2",
            "db_password": "canary-pass-3",
            "CLIENT_SECRET": "canary-secret-4\n",
            "HOME": "/home/somebody",
            "USE_KEY": "true",
        }
    )

    text = "canary-key-1 canary-token-2 canary-pass-3 canary-secret-4 /home/somebody true"
    assert redactor.redact(text) == f"{REPLACEMENT} {REPLACEMENT} {REPLACEMENT} {REPLACEMENT} /home/somebody true"


def test_each_line_of_a_secret_of_several_lines_is_found_alone() -> None:
    redactor = Redactor(["first-line-of-key\nsecond-line-of-key"])

    assert redactor.redact("got second-line-of-key") == f"got {REPLACEMENT}"


def test_a_secret_within_a_longer_one_does_not_leave_its_rest_behind() -> None:
    assert Redactor(["canary-12", "canary-12-and-more"]).redact("x canary-12-and-more x") == f"x {REPLACEMENT} x"


def test_a_value_too_short_to_be_a_secret_blanks_out_nothing() -> None:
    assert Redactor(["a", "", "  "]).redact("banana") == "banana"


def test_a_secret_that_is_part_of_the_mark_does_not_garble_the_mark() -> None:
    redactor = Redactor(["redacted", "canary-1"])

    assert redactor.redact("canary-1") == REPLACEMENT


def test_the_lone_surrogate_of_a_broken_secret_is_no_obstacle() -> None:
    assert Redactor(["broken-\udcff-secret"]).redact("a broken-\udcff-secret b") == f"a {REPLACEMENT} b"


@pytest.mark.parametrize("length", [12, 20, 39])
def test_the_beginning_of_a_secret_in_a_text_that_was_cut_is_found(length: int) -> None:
    assert Redactor([CANARY]).redact(f"before {CANARY[:length]}") == f"before {REPLACEMENT}"
    assert Redactor([CANARY]).redact(f"{CANARY[:length]}… after") == f"{REPLACEMENT}… after"


def test_an_address_is_a_secret_as_a_whole_only() -> None:
    redactor = Redactor(["https://hooks.example/T0/B0/xyz"])

    assert redactor.redact("https://hooks.example/docs") == "https://hooks.example/docs"
    assert redactor.redact("see https://hooks.example/T0/B0/xyz.") == f"see {REPLACEMENT}."


def test_a_variable_is_learned_by_its_name_by_being_named_and_by_its_value() -> None:
    environ = {"MODEL": "canary-model-1", "ODD": "ghp_abcdefghijklmnopqrstuvwxyz01", "CI": "canary-model-2"}
    encoded = environ["ODD"].encode().hex()

    assert Redactor.from_environ(environ, "MODEL").redact(f"canary-model-1 {encoded}") == f"{REPLACEMENT} {REPLACEMENT}"
    assert Redactor.from_environ(environ).redact("canary-model-2") == "canary-model-2"


def test_the_password_in_a_proxys_address_is_learned() -> None:
    redactor = Redactor.from_environ({"HTTPS_PROXY": "http://ann:canary-pass@proxy.example:3128"})

    assert redactor.redact("407 for canary-pass at proxy.example") == f"407 for {REPLACEMENT} at proxy.example"


def test_every_text_of_a_value_is_cleaned_and_nothing_else() -> None:
    value = {"canary-12": ["x canary-12", {"n": 1, "b": None}], "c": True}

    assert Redactor(["canary-12"]).redact_value(value) == {
        REPLACEMENT: [f"x {REPLACEMENT}", {"n": 1, "b": None}],
        "c": True,
    }


SHAPES = ["sk-" + "a1" * 10, "ghp_" + "b2" * 12, "Bearer\nabcdef12", 'bearer abcdefgh"1', "AKIA" + "A1" * 8, ""]


@given(
    secret=secrets,
    shape=st.sampled_from(SHAPES),
    before=st.text(max_size=4),
    after=st.text(max_size=4),
    kept=st.integers(0, 40),
    ascii_only=st.booleans(),
)
def test_a_look_at_a_whole_document_misses_no_secret(  # noqa: PLR0917 - drawn one by one
    secret: str, shape: str, before: str, after: str, kept: int, ascii_only: bool
) -> None:
    redactor = Redactor([secret])
    value = {"text": [before + secret[:kept] + after, before + shape + after], before: None}

    result = redactor.redact_value(value) != value

    assert not (result and redactor.is_clean(json.dumps(value, ensure_ascii=ascii_only)))


@given(text=st.text(alphabet='\\"/nrtbfu041é🙂\ud800\n\t', max_size=12), ascii_only=st.booleans())
def test_a_document_is_searched_without_its_escapes(text: str, ascii_only: bool) -> None:
    secret = f"ab{text}cd"
    document = json.dumps({"text": f"x{secret}x"}, ensure_ascii=ascii_only).replace("/", "\\/")

    assert not Redactor([secret]).is_clean(document)


def test_a_document_without_secrets_is_known_to_hold_none() -> None:
    value = {"text": 'It said "no"\n\\ and 🙂', "number": 1.5}

    assert Redactor([CANARY]).is_clean(json.dumps(value))
