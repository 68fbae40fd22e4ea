"""The files that the shop of the play begins with."""

CONFIG = """# The support team of a garden shop, as the play has it.
version: 1
prompts:
  include: ["prompts/**/*.prompt.yml"]
  goldens: "goldens/{{name}}.*"
provider:
  kind: openai
  base_url: {address}
  api_key_env: {key}
  prices:
    {model}: {{input_usd: 0.15, output_usd: 0.60}}
    {pinned}: {{input_usd: 0.15, output_usd: 0.60}}
run:
  auto_calls: 120
  concurrency: 8
gate:
  mode: block
  max_p95_increase: null
  max_cost_increase: null
merge_override:
  label: promptci-override
drift:
  alarms_per_year: 1
"""
DEPLOYMENT = """version: 1
prompts: {}
steps: [5, 25, 50, 100]
policy:
  min_time: 12h
  min_requests: 100
  stale: 12h
  max_quality_drop: 0.05
  max_error_rise: 0.05
  max_cost_increase: null
"""
