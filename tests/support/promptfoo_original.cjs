// Reads lines of JSON and answers each with what promptfoo itself makes of it. The argument is the folder of packages.
//   {"files": {path: text}, "config": path}  -> {"chats": [[messages of each prompt] of each test]}
//   {"test": {...}, "output": "...", "response": {...}}  -> {"pass": true}
const fs = require("fs");
const os = require("os");
const path = require("path");
const readline = require("readline");

for (const name of ["TELEMETRY", "REMOTE_GENERATION", "UPDATE"]) process.env[`PROMPTFOO_DISABLE_${name}`] = "1";
const source = path.join(process.argv[2], "promptfoo", "dist", "src");
const load = (name) => require(path.join(source, name));
const { runAssertions } = load("assertions/index.js");
const { renderPrompt } = load("evaluatorHelpers.js");
const { generateVarCombinations } = load("evaluator.js");
const { readPrompts } = load("prompts/index.js");
const { readTests } = load("util/testCaseReader.js");
const { parseChatPrompt } = load("providers/shared.js");
const cliState = load("cliState.js").default;
const yaml = require(path.join(process.argv[2], "js-yaml"));

async function readConfig({ files, config }) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "promptfoo-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
      fs.writeFileSync(path.join(root, name), text);
    }
    const value = yaml.load(files[config]);
    cliState.basePath = root;
    const prompts = await readPrompts(value.prompts, root);
    const tests = await readTests(value.tests, root);
    const chats = [];
    for (const test of tests) {
      const written = { ...((value.defaultTest || {}).vars || {}), ...(test.vars || {}) };
      for (const vars of generateVarCombinations(written)) {
        for (const prompt of prompts) {
          const text = await renderPrompt(prompt, { ...vars }, {});
          chats.push(parseChatPrompt(text, [{ role: "user", content: text }]));
        }
      }
    }
    return { chats };
  } finally {
    fs.rmSync(root, { recursive: true });
  }
}

async function check({ test, output, response }) {
  const { latencyMs, ...rest } = response || {};
  const providerResponse = { output, ...rest };
  try {
    const result = await runAssertions({ prompt: "p", providerResponse, test, latencyMs, provider: undefined });
    return { pass: result.pass };
  } catch (error) {
    return { error: String(error.message) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const item = JSON.parse(line);
    const answer = item.config ? await readConfig(item) : await check(item);
    fs.writeSync(1, `@${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
})();
