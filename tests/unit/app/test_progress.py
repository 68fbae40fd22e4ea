from promptci.app.progress import PlainProgress


def test_a_long_wait_is_printed_with_its_reason() -> None:
    lines: list[str] = []

    PlainProgress(lines.append).wait("m: HTTP 429: slow down")

    assert lines == ["waiting: m: HTTP 429: slow down"]
