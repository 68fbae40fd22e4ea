"""Every rule has its words, in one place, and a reviewer reads them in tests/gold/findings."""

import json
import re

import pytest
from support.finding_examples import EXAMPLES
from support.gold_files import Gold

from promptci.findings import Facts, Finding, facts_as_json
from promptci.present.finding_text.describe import describe
from promptci.present.finding_text.table import TEXTS
from promptci.verdict import Verdict


def texts_of(rule: str, facts: Facts) -> str:
    text = describe(Finding(rule=rule, verdict=Verdict.NO_CHANGE, subject="order", facts=facts))
    values = json.dumps(facts_as_json(facts), ensure_ascii=False)
    return f"facts: {values}\nsummary: {text.summary}\ntext: {text.text}\n"


def test_every_rule_has_examples() -> None:
    assert set(EXAMPLES) == set(TEXTS)


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_words_of_a_rule(rule: str, gold: Gold) -> None:
    gold.check(f"findings/{rule}.txt", "\n".join(texts_of(rule, facts) for facts in EXAMPLES[rule]))


@pytest.mark.parametrize("rule", EXAMPLES)
def test_a_summary_reads_within_a_sentence(rule: str) -> None:
    for facts in EXAMPLES[rule]:
        text = describe(Finding(rule=rule, verdict=Verdict.NO_CHANGE, subject="order", facts=facts))
        assert text.summary
        assert not text.summary.endswith(".")
        assert text.text.endswith((".", "invalid", "500"))
        assert not re.search(r"\.\.|  |None|\bnan\b", text.text)
