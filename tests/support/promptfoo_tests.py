"""Assertions, answers and configurations of promptfoo that both its own program and promptci are given."""

from typing import Any

ORDER = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "tags": {"type": "array"}}}
REFERENCE = "The parcel arrives on Monday at noon."
ASSERTIONS: tuple[dict[str, Any], ...] = (
    {"type": "equals", "value": "GH-1"},
    {"type": "equals", "value": "{{name}}"},
    {"type": "equals", "value": 42},
    {"type": "equals", "value": {"id": 7, "tags": ["a", "b"]}},
    {"type": "not-equals", "value": "GH-1"},
    {"type": "not-equals", "value": {"id": 7, "tags": ["a", "b"]}},
    {"type": "contains", "value": "GH-1"},
    {"type": "contains", "value": "Dear {{name}}"},
    {"type": "not-contains", "value": "gh-1"},
    {"type": "not-contains", "value": "GH-1"},
    {"type": "icontains", "value": "gh-1"},
    {"type": "not-icontains", "value": "gh-1"},
    {"type": "contains-all", "value": ["GH", "1"]},
    {"type": "contains-all", "value": "GH, Ann"},
    {"type": "not-contains-all", "value": ["GH", "Ann"]},
    {"type": "contains-any", "value": ["x-y", "noon", "{{name}}"]},
    {"type": "contains-any", "value": '"Dear Ann, hello", noon'},
    {"type": "not-contains-any", "value": ["noon", "sorry"]},
    {"type": "icontains-any", "value": "NOON, gh"},
    {"type": "not-icontains-any", "value": ["Sorry", "GH"]},
    {"type": "icontains-all", "value": ["DEAR", "ann"]},
    {"type": "not-icontains-all", "value": ["DEAR", "ann"]},
    {"type": "starts-with", "value": "GH"},
    {"type": "not-starts-with", "value": "Dear"},
    {"type": "regex", "value": r"^GH-\d+$"},
    {"type": "regex", "value": r"\b(?<day>Monday|Tuesday)\b.*noon"},
    {"type": "regex", "value": r"\"id\"\s*:\s*[0-9]+"},
    {"type": "regex", "value": r"[\w.]+@[\w.]+"},
    {"type": "not-regex", "value": r"\d"},
    {"type": "is-json"},
    {"type": "not-is-json"},
    {"type": "is-json", "value": ORDER},
    {"type": "contains-json"},
    {"type": "not-contains-json"},
    {"type": "contains-json", "value": ORDER},
    {"type": "is-xml"},
    {"type": "is-xml", "value": ["order.id"]},
    {"type": "contains-xml", "value": {"requiredElements": ["order"]}},
    {"type": "not-contains-xml"},
    {"type": "is-html"},
    {"type": "not-is-html"},
    {"type": "contains-html"},
    {"type": "not-contains-html"},
    {"type": "is-refusal"},
    {"type": "not-is-refusal"},
    {"type": "levenshtein", "value": "GH-12"},
    {"type": "levenshtein", "value": REFERENCE, "threshold": 12},
    {"type": "rouge-n", "value": REFERENCE},
    {"type": "rouge-n", "value": REFERENCE, "threshold": 0.4},
    {"type": "not-rouge-n", "value": REFERENCE, "threshold": 0.4},
    {"type": "bleu", "value": REFERENCE},
    {"type": "bleu", "value": [REFERENCE, "Dear Ann, it comes on Monday."], "threshold": 0.2},
    {"type": "gleu", "value": REFERENCE},
    {"type": "gleu", "value": REFERENCE, "threshold": 0.2},
    {"type": "not-gleu", "value": REFERENCE, "threshold": 0.2},
    {"type": "latency", "threshold": 500},
    {"type": "latency", "threshold": 1500},
    {"type": "cost", "threshold": 0.001},
    {"type": "cost", "threshold": 0.1},
    {"type": "finish-reason", "value": "stop"},
    {"type": "finish-reason", "value": "length"},
    {"type": "javascript", "value": "JSON.parse(output).id === 7"},
    {"type": "javascript", "value": "JSON.parse(output).tags[1] === 'b'"},
    {"type": "javascript", "value": "JSON.parse(output).id !== 7"},
    {"type": "javascript", "value": "output.length < 5"},
    {"type": "javascript", "value": "output.length >= 40"},
    {"type": "javascript", "value": "output.includes('noon')"},
    {"type": "javascript", "value": "!output.includes('noon')"},
    {"type": "javascript", "value": "output.startsWith('Dear')"},
    {"type": "javascript", "value": "output.toLowerCase().includes('monday')"},
    {"type": "javascript", "value": "output.trim() === 'GH-1'"},
    {"type": "javascript", "value": "output !== 'GH-1';"},
    {"type": "assert-set", "assert": [{"type": "contains", "value": "GH"}, {"type": "is-json"}]},
    {"type": "assert-set", "threshold": 0.5, "assert": [{"type": "contains", "value": "GH"}, {"type": "is-json"}]},
    {"type": "assert-set", "threshold": 0.6, "assert": [
        {"type": "contains", "value": "noon", "weight": 3}, {"type": "is-json"}, {"type": "regex", "value": "^GH"}]},
    {"type": "assert-set", "threshold": 0.5, "assert": [
        {"type": "rouge-n", "value": REFERENCE, "threshold": 0.9}, {"type": "icontains", "value": "monday"}]},
    {"type": "contains", "value": "nowhere", "weight": 0},
)  # fmt: skip
OUTPUTS = (
    "GH-1",
    " GH-1 \n",
    "42",
    '{"id": 7, "tags": ["a", "b"]}',
    'Here it is: {"id": 7} and no more.',
    '{"id": "7"}',
    REFERENCE,
    "Dear Ann, the parcel GH-1 arrives on Monday at noon. Write to ann@example.com.",
    "the parcel comes at noon",
    "<order><id>7</id></order>",
    "See <order>none</order>",
    "<p>Hello <b>Ann</b></p>",
    "Hello <b>Ann</b> &amp; co",
    "I'm sorry, I cannot help with that.",
    "",
    "Grüße 😀😀 aus Köln",
    "GH-12",
    "gh-1",
    "Dear Ann, hello",
    "The parcel arrives on Tuesday at noon.",
    "The parcel arrives on Monday at noon. Sure!",
    "noon Monday at parcel arrives on The",
    "[1, 2]",
    '{"id": 7, "tags": "a"}',
    '```json\n{"id": 7}\n```',
    "{bad json}",
    "null",
    "<order/>",
    "<html><body><p>x</p></body></html>",
    "As an AI language model, I can't help with that.",
    "I cannot assist with that request, sorry.",
    "1 < 2 and 3 > 2",
    "GH-1\nGH-2",
)
TESTS: tuple[dict[str, Any], ...] = (
    {"threshold": 0.5, "assert": [{"type": "contains", "value": "GH"}, {"type": "is-json", "weight": 2}]},
    {"threshold": 0.3, "assert": [{"type": "contains", "value": "GH"}, {"type": "is-json", "weight": 2}]},
    {"threshold": 0.75, "assert": [{"type": "gleu", "value": REFERENCE}, {"type": "not-is-refusal"}]},
    {"threshold": 0.4, "assert": [
        {"type": "assert-set", "threshold": 0.5, "assert": [{"type": "is-json"}, {"type": "regex", "value": "GH"}]},
        {"type": "icontains", "value": "ann", "weight": 2}]},
)  # fmt: skip
"""Tests with a threshold over their assertions."""

TESTS_CSV = 'name,item,__expected\nAnn,tea,contains:Ann\n"Bo, Jr.","two\nlines",\n'
CHAT = '[{"role": "system", "content": "Be {{tone}}."}, {"role": "user", "content": "{{item}} for {{name}}"}]'
CONFIGS: tuple[dict[str, str], ...] = (
    {"c.yaml": "prompts: ['Hi {{name}}, {{ item }}.', 'Only {{item}}']\ntests:\n- vars: {name: Ann, item: tea}\n"
               "- vars: {name: '', item: \"a\\n\"}\n"},
    {"c.yaml": "prompts: file://p.txt\ntests: tests.csv\n",
     "p.txt": "\nOne {{name}}\n---\nTwo {{item}}\n  \n---  \nThree\n",
     "tests.csv": TESTS_CSV},
    {"c.yaml": "prompts: [p/chat.json]\ndefaultTest: {vars: {tone: kind}}\ntests: t.yaml\n", "p/chat.json": CHAT,
     "t.yaml": "- vars: {name: 'A \"B\"', item: \"x\\ny\"}\n- vars: {name: Bo, item: tea, tone: short}\n"},
    {"c.yaml": "prompts: [file://chat.yaml]\ntests: [file://t.json]\n",
     "chat.yaml": "- role: system\n  content: Answer {{name}}.\n- role: user\n  content: |\n    {{item}}\n    please\n",
     "t.json": '[{"vars": {"name": "Ann", "item": "tea"}}, {"vars": {"name": "{{item}}!", "item": "milk"}}]'},
    {"c.yaml": "prompts: [p.md, q.j2]\ntests: t.jsonl\n", "p.md": "# For {{name}}\n\n{{item}}\n",
     "q.j2": "{% if name %}Hi {{name}}{% else %}Hi{% endif %}\n"
             "{% for t in tags %}- {{t.n}}{% if not loop.last %};{% endif %}\n"
             "{% endfor %}{{ item | upper }}\n",
     "t.jsonl": '{"vars": {"name": "Ann", "item": "tea", "tags": [{"n": "a"}, {"n": "b"}]}}\n'
                '{"vars": {"name": "", "item": "x", "tags": [{"n": "c"}]}}\n'},
    {"c.yaml": "prompts: ['{{name}} likes {{item}}']\ntests:\n- vars: {name: [Ann, Bo, Cy], item: [tea, milk]}\n"},
    {"c.yaml": "prompts: ['{{doc}}, {{data}} and {{name}}']\ntests:\n"
               "- vars: {name: Ann, doc: file://d.txt, data: file://d.yaml}\n", "d.txt": "\n a text \n",
     "d.yaml": "a: [1, b]\n"},
    {"c.yaml": "prompts: ['Missing: {{nothing}}.', '{{ name | trim }} {{ item | default(\"none\") }} {# gone #}']\n"
               "tests:\n- vars: {name: ' Ann ', item: tea}\n- vars: {name: b}\n"},
    {"c.yaml": "prompts: p.csv\ntests: [{vars: {name: Ann, item: tea}}]\n",
     "p.csv": 'label,prompt\na,"Hi {{name}}, go"\nb,{{item}}\n'},
    {"c.yaml": "prompts:\n- id: p.txt\n  label: own\n- raw: 'Raw {{name}}'\n  label: raw\n"
               "- |\n  - role: user\n    content: yaml {{name}}\n"
               "tests: [{vars: {name: Ann}}, {vars: {name: '{{item}}', item: '{{x}}', x: deep}}]\n",
     "p.txt": "Text {{name}}"},
    {"c.yaml": "prompts: [a.txt, p/chat.json]\ndefaultTest: {vars: {tone: calm}}\ntests:\n"
               "- vars: {name: [Ann, Bo, 'C \"D\"'], item: [tea, \"x\\ny\", '<b>&amp;</b>']}\n",
     "a.txt": "A {{name}} / {{item}}\n---\nB {{ tone }} {{item | upper}}\n", "p/chat.json": CHAT},
    {"c.yaml": "prompts: [n.j2]\ntests: t.yaml\n",
     "n.j2": "{% set n = tags.length %}{% for t in tags %}{{ loop.index }}/{{ n }} {{ t | trim }}\n{% else %}none\n"
             "{% endfor %}{{ name | default('nobody', true) }}{% if item == 'tea' and n > 1 %}!{% endif %}\n",
     "t.yaml": "- vars: {tags: [], name: '', item: tea}\n- vars: {tags: [' a ', b], name: Ann, item: tea}\n"
               "- vars: {tags: [x], name: Bo, item: milk}\n"},
    {"c.yaml": "prompts: ['{{user.name}} of {{user.town}} has {{user.pets[0]}} {{count}} {{flag}} {{price}}']\ntests:\n"
               "- vars: {user: {name: Ann, town: Köln, pets: [cat]}, count: 3, flag: true, price: 1.5}\n"
               "- vars: {user: {name: '{{x}}', town: '', pets: [dog]}, count: 0, flag: false, price: 2.0}\n"},
    {"c.yaml": "prompts: [file://img.json]\ntests: [{vars: {item: tea}}, {vars: {item: 'a \"b\"'}}]\n",
     "img.json": '[{"role": "user", "content": [{"type": "text", "text": "Is {{item}} here?"}, {"type": "image_url",'
                 ' "image_url": {"url": "https://example.com/a.png", "detail": "low"}}]}]'},
)  # fmt: skip
"""Files of a repository each, with `c.yaml` as the configuration."""
