"""Lists, counts and shortened names."""

import re
import shlex

from packaging.requirements import Requirement

from promptci import __version__
from promptci.wording import count, install_extra, join_names, short_digest, short_sha


def test_names_are_listed_as_people_do() -> None:
    lists = [join_names(list("abcde")[:n], limit=3) for n in range(6)]
    assert lists == ["", "a", "a and b", "a, b and c", "a, b, c and 1 more", "a, b, c and 2 more"]


def test_a_list_is_cut_after_ten_names() -> None:
    names = [f"c{number}" for number in range(1200)]
    assert join_names(names[:10]).endswith("c8 and c9")
    assert join_names(names).endswith("c8, c9 and 1,190 more")
    assert join_names(names, others=5).endswith("c8, c9 and 1,195 more")
    assert (join_names([], others=0), join_names(["a"], others=2)) == ("", "a and 2 more")


def test_counts_have_a_plural_and_separators() -> None:
    assert (count(1, "case"), count(0, "case"), count(12345, "case")) == ("1 case", "0 cases", "12,345 cases")
    assert count(2, "entry", "entries") == "2 entries"


def test_digests_are_cut_and_no_digest_is_named() -> None:
    assert (short_sha("0123456789"), short_sha(None)) == ("0123456", "working tree")
    assert (short_digest("0123456789abcdef"), short_digest(None)) == ("0123456789ab", "unknown")


def test_the_way_to_install_an_extra_survives_every_shell() -> None:
    """Brackets outside quotes are a pattern for zsh, which refuses the command where no file matches."""
    (command,) = re.findall("`([^`]+)`", install_extra("code"))
    words = shlex.split(command)
    assert words[:2] == ["pip", "install"]
    requirement = Requirement(words[2])
    assert (requirement.name, requirement.extras) == ("promptci-action", {"code"})
    assert str(requirement.url).endswith(f"@v{__version__}")
    assert f"'{words[2]}'" in command
