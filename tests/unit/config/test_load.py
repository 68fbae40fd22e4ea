"""promptci.yml is read whole, and every mistake in it is named with its line and what was meant."""

from decimal import Decimal

import pytest

from promptci.config import load
from promptci.config.model import Config
from promptci.config.policy import GateMode, OnInconclusive
from promptci.errors import ConfigError

EVERYTHING = """\
version: 1
prompts:
  include: ["prompts/**/*.prompt.yml"]
  goldens: "goldens/{name}.*"
provider:
  base_url: https://api.example.com/v1
  api_key_env: MY_KEY
run:
  repeats: 3
  concurrency: 8
  budget_usd: 2.00
  deadline: 45m
  cache: .promptci/cache
  memory: kept/memory
judge:
  model: gpt-4o-mini
  rubric: judges/helpful.md
  pairwise: true
  probes: 0
  labels: people/{name}.labels.jsonl
  trust: {min_kappa: 0.7}
gate:
  mode: advise
  max_drop: 0.03
  alpha: 0.01
  on_inconclusive: block
  min_quality: 0.9
  max_cost_increase: null
  max_p95_increase: 0.5
traffic:
  requests_per_day: 50000
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load.load_config(text.encode(), "promptci.yml")
    return [str(problem) for problem in caught.value.problems]


def test_every_key_is_read() -> None:
    config = load.load_config(EVERYTHING.encode(), "promptci.yml")
    assert config.prompts.include == ("prompts/**/*.prompt.yml",)
    assert config.provider.base_url == "https://api.example.com/v1"
    assert config.provider.api_key_env == "MY_KEY"
    assert (config.run.repeats, config.run.concurrency, config.run.budget_usd) == (3, 8, Decimal("2.0"))
    assert (config.run.deadline_s, config.run.cache) == (2700.0, ".promptci/cache")
    assert config.run.memory == "kept/memory"
    assert (config.judge.model, config.judge.rubric) == ("gpt-4o-mini", "judges/helpful.md")
    assert (config.judge.pairwise, config.judge.probes) == (True, 0)
    assert (config.judge.labels, config.judge.min_kappa) == ("people/{name}.labels.jsonl", 0.7)
    assert (config.gate.mode, config.gate.on_inconclusive) == (GateMode.ADVISE, OnInconclusive.BLOCK)
    assert (config.gate.max_drop, config.gate.alpha, config.gate.min_quality) == (0.03, 0.01, 0.9)
    assert (config.gate.max_cost_increase, config.gate.max_p95_increase) == (None, 0.5)
    assert config.requests_per_day == 50000


@pytest.mark.parametrize("text", ["", "version: 1\n", "gate:\nrun:\n", "# only a comment\n"])
def test_an_empty_file_means_the_defaults(text: str) -> None:
    config = load.load_config(text.encode(), "promptci.yml")
    assert config.present
    assert config == Config()


def test_no_file_means_the_defaults_and_says_so() -> None:
    assert not load.load_config(None, "promptci.yml").present


@pytest.mark.parametrize("kappa", ["0", "-0.1", "1.1", "high", "null"])
def test_a_kappa_that_every_judge_or_none_would_reach_is_refused(kappa: str) -> None:
    assert "judge.trust.min_kappa" in problems(f"judge:\n  trust:\n    min_kappa: {kappa}\n")[0]


def test_a_misspelt_key_is_named_with_its_line_and_the_key_that_was_meant() -> None:
    assert problems("version: 1\ngate:\n  max_dorp: 0.1\n") == [
        "promptci.yml:3: unknown key `gate.max_dorp`. Did you mean `max_drop`?"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("repeats: 3\n", "promptci.yml:1: unknown key `repeats`. Did you mean `run.repeats`?"),
        ("run:\n  max_drop: 0.1\n", "promptci.yml:2: unknown key `run.max_drop`. Did you mean `gate.max_drop`?"),
        ("min_kappa: 0.5\n", "promptci.yml:1: unknown key `min_kappa`. Did you mean `judge.trust.min_kappa`?"),
        ("model: gpt\n", "promptci.yml:1: unknown key `model`. Did you mean `provider.model` or `judge.model`?"),
    ],
)
def test_a_key_in_the_wrong_section_is_named_with_the_right_one(text: str, message: str) -> None:
    assert problems(text) == [message]


def test_a_misspelt_key_of_a_map_that_could_be_a_word_is_one_mistake() -> None:
    assert problems("run:\n  repeats: {intial: 1, on_disagreement: 3}\n") == [
        "promptci.yml:2: unknown key `run.repeats.intial`. Did you mean `initial`?"
    ]


def test_a_map_in_the_place_of_a_word_is_a_mistake() -> None:
    (message,) = problems("version: {}\n")
    assert message.startswith("promptci.yml:1: `version` is {}, which is not valid: it must be 1.")
    assert len(problems("version: {}\nrun:\n  repeats: {intial: 1}\n")) == 2


def test_a_key_unlike_any_other_gets_the_list_of_known_ones() -> None:
    (message,) = problems("traffic:\n  zzz: 1\n")
    assert message == "promptci.yml:2: unknown key `traffic.zzz`. Known keys here: requests_per_day."


def test_a_merge_conflict_is_called_one() -> None:
    (message,) = problems("<<<<<<< HEAD\nversion: 1\n=======\ngate: {}\n>>>>>>> topic\n")
    assert message.endswith("Resolve the merge conflict that is left in the file.")


@pytest.mark.parametrize("written", ["alpha: 1.0e-300", "alpha: 0", "max_drop: 1.0e-12", "alpha: 0.5"])
def test_levels_that_no_test_can_reach_are_refused(written: str) -> None:
    (message,) = problems(f"gate:\n  {written}\n")
    assert message.startswith(f"promptci.yml:2: `gate.{written.partition(':')[0]}` is ")


def test_all_mistakes_are_reported_at_once() -> None:
    result = problems("gate:\n  alpha: 0.9\n  mode: panic\nrun:\n  deadline: soon\n  concurrency: many\nfoo: 1\n")
    lines = {message.split(":")[1] for message in result}
    assert {"2", "3", "5", "6", "7"} <= lines


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90.0), ("45m", 2700.0), ("1.5h", 5400.0), ("30", 30.0), ("'30'", 30.0)]
)
def test_a_deadline_is_a_duration(written: str, seconds: float) -> None:
    assert load.load_config(f"run:\n  deadline: {written}\n".encode(), "p").run.deadline_s == seconds


@pytest.mark.parametrize("written", ["true", "0s", "-5m", "5 weeks", "[1]"])
def test_what_is_no_duration_is_refused(written: str) -> None:
    assert "duration" in problems(f"run:\n  deadline: {written}\n")[0]


@pytest.mark.parametrize("written", ["null", "false"])
def test_the_cache_can_be_switched_off(written: str) -> None:
    assert load.load_config(f"run:\n  cache: {written}\n".encode(), "p").run.cache is None


def test_judges_are_tested_unless_that_is_switched_off() -> None:
    assert (Config().judge.pairwise, Config().judge.probes) == (False, 12)
    assert load.load_config(b"judge: {probes: 3}", "promptci.yml").judge.probes == 3
    for wrong in ("{probes: -1}", "{canaries: 1.5}", "{canaries: 201}", "{canaries: true}", "{pairwise: 1}"):
        assert len(problems(f"judge: {wrong}")) == 1


def test_a_file_that_is_no_map_is_refused() -> None:
    assert "must be a map" in problems("- 1\n")[0]


def test_a_malformed_file_is_a_configuration_error_with_exit_code_2() -> None:
    with pytest.raises(ConfigError) as caught:
        load.load_config(b"gate: {\n", "promptci.yml")
    assert caught.value.exit_code == 2


def test_an_unknown_key_of_a_price_is_named_beside_those_that_are_known() -> None:
    result = problems("provider:\n  prices:\n    gpt-9:\n      inpt_usd: 1\n      output_usd: 2\n")
    assert any(
        "`provider.prices.gpt-9.inpt_usd`" in message and "Did you mean `input_usd`?" in message for message in result
    )


def test_the_limit_of_golden_files_is_a_setting_that_its_error_names() -> None:
    default = load.load_config(b"version: 1\n", "promptci.yml").prompts
    config = load.load_config(b"version: 1\nprompts: {max_golden_mb: 500}\n", "promptci.yml").prompts
    assert (default.golden_limit.max_bytes, config.golden_limit.max_bytes) == (200_000_000, 500_000_000)
    assert "raise `prompts.max_golden_mb` in promptci.yml" in str(config.golden_limit.refusal("g.jsonl", 600_000_000))
    (problem,) = problems("version: 1\nprompts: {max_golden_mb: 0}\n")
    assert "max_golden_mb" in problem


def test_a_value_of_another_type_is_described_in_plain_words() -> None:
    assert problems("run: {budget_usd: a lot, concurrency: many}\n")[0] == (
        "promptci.yml:1: `run.budget_usd` is 'a lot', which is not valid: it must be a number, such as 1.00."
        " See docs/configuration.md."
    )


def test_a_key_in_the_place_of_its_variable_is_not_repeated() -> None:
    (message,) = problems("provider:\n  api_key_env: sk-proj-0123456789abcdef\n")
    assert message.startswith("promptci.yml:2: `provider.api_key_env` is a text that is not shown, which is not valid")
    assert "the name of a variable, such as OPENAI_API_KEY" in message
    assert "0123456789" not in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run: {cache: ../../elsewhere}", "leads out of the repository"),
        ("run: {cache: a/../../elsewhere}", "leads out of the repository"),
        ("run: {memory: /tmp/elsewhere}", "leads out of the repository"),
        ("run: {memory: 'C:\\elsewhere'}", "leads out of the repository"),
        ("run: {cache: .git/cache}", "leads into git's own folder"),
        ("prompts: {include: [a.prompt.yml, '../../../etc/*.md']}", "leads out of the repository"),
        ("prompts: {goldens: '../{name}.*'}", "leads out of the repository"),
        ("prompts: {include: 'prompts/*.md '}", "begins or ends with a blank"),
    ],
)
def test_a_path_that_leads_out_of_the_repository_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load.load_config(text.encode(), "promptci.yml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gate: {max_drop: 5}", "5 percent or points are 0.05"),
        ("gate: {max_drop: 5%}", "5 percent or points are 0.05"),
        ("gate: {max_drop: '0.5 %'}", "0.5 percent or points are 0.005"),
        ("gate: {min_quality: 90}", "90 percent or points are 0.9"),
        ("run: {concurrency: 1000000000}", "it must be 'auto' or less than or equal to 1000"),
        ("run: {concurrency: fast}", "it must be 'auto' or a whole number"),
        ("run: {cache: 3}", "it must be false or a text"),
    ],
)
def test_a_mistake_says_how_the_value_is_written(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load.load_config(text.encode(), "promptci.yml")
    assert len(raised.value.problems) == 1


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("provider: {base_url: api.openai.com/v1}", "`api.openai.com/v1` is not a web address. Write it like https://"),
        ("provider: {base_url: ftp://llm.example/v1}", "is not a web address"),
        ("provider: {base_url: 'https://my host/v1'}", "has a blank in it"),
        ("provider: {base_url: 'https://llm.example/v1 '}", "has a blank in it"),
        ("provider: {base_url: https://llm..example/v1}", "`llm..example` is not the name of a host"),
        ("provider: {base_url: 'https://$HOST/v1'}", "`$host` is not the name of a host"),
        ("provider: {base_url: https://ann:pw@llm.example/v1}", "holds a user name or password"),
        ("provider: {base_url: http://llm.example/v1}", "would be overheard"),
        ("overrides: [{prompts: [a], provider: {base_url: llm}}]", "is not a web address"),
        ("judge: {rubric: /etc/passwd}", "it leads out of the repository. Name a file of the repository"),
        ("judge: {labels: '../{name}.jsonl'}", "leads out of the repository"),
        ("report: {comment_template: ../x.md}", "leads out of the repository"),
    ],
)
def test_what_cannot_be_right_is_known_before_anything_is_asked(section: str, message: str) -> None:
    (problem,) = problems(section)
    assert message in problem
    assert "ann:pw" not in problem
