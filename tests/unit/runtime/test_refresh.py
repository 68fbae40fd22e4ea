"""A bundle that is corrupt, truncated, older, late or missing never reaches the caller as an error after the start."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.bundle_server import BundleServer
from support.daily import some_daily
from support.processes import LONGEST_S
from support.runtime_readers import ORDER, VECTORS, Reader, Refused, bundle

from promptci import runtime

Change = Callable[[BundleServer], None]


def serving(body: str, **settings: Any) -> Change:
    def change(server: BundleServer) -> None:
        server.body = body.encode()
        for name, value in settings.items():
            setattr(server, name, value)

    return change


def with_version(version: str, serial: int) -> str:
    """The bundle with another stable version and no canary, so that everybody sees the change."""
    value = json.loads(bundle(serial))
    value["prompts"][ORDER] |= {"canary": None, "share": 0}
    value["prompts"][ORDER]["stable"]["version"] = version
    return json.dumps(value)


def looked(reader: Reader) -> str:
    """The version now in use, after the fetch that asking for it starts."""
    reader.choose(ORDER, "user-1")
    reader.settle()
    return str(reader.choose(ORDER, "user-1")["version"])


def test_a_new_bundle_arrives_behind_the_caller(reader: Reader, server: BundleServer) -> None:
    reader.load(server.url, refresh=0)
    server.body = with_version("v9", 42).encode()
    server.gate.clear()
    assert reader.choose(ORDER, "user-1")["version"] == "v1.2.0"  # returned while the server still waits
    assert reader.choose(ORDER, "user-1")["version"] == "v1.2.0"
    server.gate.set()
    reader.settle()
    assert reader.choose(ORDER, "user-1")["version"] == "v9"
    assert (reader.state()["state"], reader.state()["serial"], reader.state()["troubles"]) == ("fresh", 42, [])


BAD: dict[str, tuple[Change, str]] = {
    "corrupt": (serving('{"schema": "promptci/bun'), ""),
    "truncated": (serving(with_version("v9", 42), cut=10), ""),
    "older": (serving(with_version("v9", 40)), "production 40 (environment and serial), which does not follow"),
    "another environment": (serving(bundle(42, environment="staging")), "staging 42"),
    "another schema": (serving(bundle(42, schema="promptci/bundle/v2")), "its schema is not promptci/bundle/v1"),
    "error 500": (serving(with_version("v9", 42), status=500), "500"),
    "missing": (serving("", status=404), "404"),
    "empty": (serving(""), ""),
    "too large": (serving(" " * (16 * 2**20 + 1)), "over 16777216 bytes"),
    "redirected astray": (serving("", redirect="ftp://127.0.0.1/x"), ""),
}


@pytest.mark.parametrize("name", some_daily(BAD, 5))
def test_a_bad_answer_leaves_the_last_good_bundle(
    reader: Reader, server: BundleServer, tmp_path: Path, name: str
) -> None:
    change, message = BAD[name]
    kept = tmp_path / "copy.json"
    reader.load(server.url, refresh=0, copy=str(kept))
    change(server)
    assert looked(reader) == "v1.2.0"
    reader.settle()
    assert reader.state()["state"].startswith("stale since 20")
    assert message in reader.state()["troubles"][0]
    assert kept.read_text() == bundle()

    server.status, server.cut, server.redirect, server.etag = 200, 0, None, None
    server.body = with_version("v10", 43).encode()
    looked(reader)
    assert looked(reader) == "v10"
    assert reader.state()["state"] == "fresh"
    assert json.loads(kept.read_text())["serial"] == 43


def test_an_unchanged_bundle_is_not_sent_again(reader: Reader, server: BundleServer) -> None:
    reader.load(server.url, refresh=0)
    looked(reader)
    reader.settle()
    assert server.statuses[:2] == [200, 304]
    assert reader.state()["state"] == "fresh"


def test_a_server_that_says_not_changed_without_having_been_asked_is_not_believed(
    reader: Reader, server: BundleServer, tmp_path: Path
) -> None:
    kept = tmp_path / "copy.json"
    kept.write_text(with_version("v9", 40))
    server.status, server.body = 304, b""
    reader.load(server.url, copy=str(kept))
    assert reader.state()["state"] == "copy"
    assert "304" in reader.state()["troubles"][0]


def test_a_refused_bundle_does_not_become_fresh_by_its_etag(reader: Reader, server: BundleServer) -> None:
    reader.load(server.url, refresh=0)
    server.body = with_version("v9", 40).encode()
    for _ in range(3):
        assert looked(reader) == "v1.2.0"
    reader.settle()
    assert set(server.statuses) == {200}
    assert reader.state()["state"].startswith("stale since")


def test_a_prompt_that_is_gone_stays_in_use(reader: Reader, server: BundleServer, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    reader.load(server.url, refresh=0, log=str(log))
    before = reader.state()["digest"]
    router = VECTORS["bundle"]["prompts"]["language-router"]
    server.body = bundle(42, prompts={"language-router": router}).encode()
    assert looked(reader) == "v1.2.0"
    assert reader.state()["serial"] == 42
    assert reader.state()["troubles"] == [f"{ORDER}: no longer in the bundle; the version before stays in use"]
    reader.record()
    assert json.loads(log.read_text())["promptci.bundle"] == before[:12]


def test_a_start_without_network_uses_the_copy(reader: Reader, server: BundleServer, tmp_path: Path) -> None:
    kept = tmp_path / "copy.json"
    kept.write_text(with_version("v9", 40))
    server.status = 500
    reader.load(server.url, copy=str(kept), builtin=with_version("v8", 39))
    assert (reader.choose(ORDER, "x")["version"], reader.state()["state"]) == ("v9", "copy")


def test_a_start_without_network_and_with_a_broken_copy_uses_the_built_in(
    reader: Reader, server: BundleServer, tmp_path: Path
) -> None:
    kept = tmp_path / "copy.json"
    kept.write_text(with_version("v9", 40)[:-5])
    server.status = 500
    reader.load(server.url, copy=str(kept), builtin=with_version("v8", 39))
    assert (reader.choose(ORDER, "x")["version"], reader.state()["state"]) == ("v8", "built-in")


def test_a_copy_that_is_newer_than_the_server_stays(reader: Reader, server: BundleServer, tmp_path: Path) -> None:
    """Nodes of a content network disagree for minutes after a rollback."""
    kept = tmp_path / "copy.json"
    kept.write_text(with_version("v9", 50))
    reader.load(server.url, copy=str(kept))
    assert (reader.choose(ORDER, "x")["version"], reader.state()["state"]) == ("v9", "copy")
    assert "production 41" in reader.state()["troubles"][0]


def test_a_built_in_that_is_newer_than_the_copy_wins(reader: Reader, server: BundleServer, tmp_path: Path) -> None:
    kept = tmp_path / "copy.json"
    kept.write_text(with_version("v7", 10))
    server.status = 500
    reader.load(server.url, copy=str(kept), builtin=with_version("v8", 39))
    assert (reader.choose(ORDER, "x")["version"], reader.state()["state"]) == ("v8", "built-in")


def test_a_copy_of_another_environment_does_not_shut_out_the_server(
    reader: Reader, server: BundleServer, tmp_path: Path
) -> None:
    kept = tmp_path / "copy.json"
    kept.write_text(bundle(99, environment="staging"))
    reader.load(server.url, copy=str(kept))
    assert (reader.state()["environment"], reader.state()["state"]) == ("production", "fresh")


def test_a_start_with_nothing_is_an_error(reader: Reader, server: BundleServer, tmp_path: Path) -> None:
    server.status = 500
    with pytest.raises(Refused, match="neither a copy on disk nor a built-in one") as caught:
        reader.load(server.url, copy=str(tmp_path / "none.json"))
    assert caught.value.args[0] == "BundleError"


def test_a_start_waits_a_few_seconds_for_a_silent_server(reader: Reader, server: BundleServer, tmp_path: Path) -> None:
    kept = tmp_path / "copy.json"
    kept.write_text(with_version("v9", 40))
    server.gate.clear()
    reader.load(server.url, copy=str(kept))
    assert (reader.choose(ORDER, "x")["version"], reader.state()["state"]) == ("v9", "copy")


def test_a_copy_that_cannot_be_written_is_said_and_harmless(
    reader: Reader, server: BundleServer, tmp_path: Path
) -> None:
    reader.load(server.url, copy=str(tmp_path / "no" / "folder" / "copy.json"))
    assert reader.state()["state"] == "fresh"
    assert "cannot be written" in reader.state()["troubles"][0]


def test_a_copy_is_a_bundle_for_the_next_start(reader: Reader, server: BundleServer, tmp_path: Path) -> None:
    kept = tmp_path / "copy.json"
    reader.load(server.url, copy=str(kept))
    assert kept.read_bytes() == server.body
    assert [path.name for path in tmp_path.iterdir()] == ["copy.json"]


def test_headers_are_sent_to_the_server(reader: Reader, server: BundleServer) -> None:
    reader.load(server.url, headers={"Authorization": "Bearer key-of-this-server"})
    assert server.requests[0]["authorization"] == "Bearer key-of-this-server"


def test_headers_are_not_sent_where_the_server_redirects_to(reader: Reader, server: BundleServer) -> None:
    with BundleServer().serving() as other:
        other.body = bundle().encode()
        server.redirect = other.url.replace("127.0.0.1", "localhost")
        reader.load(server.url, headers={"Authorization": "Bearer key-of-this-server"})
        assert "authorization" not in other.requests[0]


def test_what_the_application_does_about_trouble_cannot_break_it(server: BundleServer) -> None:
    def fail(message: str) -> None:
        raise RuntimeError(message)

    prompts = runtime.Bundle(server.url, refresh=0, on_trouble=fail)
    server.status = 500
    prompts.choose(ORDER, "user-1")
    prompts._thread.join()
    assert prompts.choose(ORDER, "user-1").version == "v1.2.0"


def test_trouble_is_logged_where_nobody_else_wants_it(server: BundleServer, caplog: pytest.LogCaptureFixture) -> None:
    prompts = runtime.Bundle(server.url, refresh=0)
    server.status = 500
    prompts.choose(ORDER, "user-1")
    prompts._thread.join()
    assert caplog.records[0].name == "promptci.runtime"
    assert "HTTP Error 500" in caplog.text


FORKING = f"""
import os, sys
from promptci.runtime import Bundle
prompts = Bundle(sys.argv[1], refresh=0)
prompts._lock.acquire()  # a refresh is at work while the server forks its workers
child = os.fork()
if child == 0:
    prompts.choose("{ORDER}", "user-1")
    prompts._thread.join(20)
    os._exit(0 if prompts.state == "fresh" and not prompts._thread.is_alive() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_worker_keeps_itself_up_to_date(server: BundleServer) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", FORKING, server.url], env=environ, check=False, timeout=LONGEST_S)
    assert done.returncode == 0
    assert len(server.requests) == 2
