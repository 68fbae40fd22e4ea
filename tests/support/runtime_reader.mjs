// Obey one command a line, as JSON, and print one answer a line: the JavaScript runtime under a Python test.

import { createInterface } from "node:readline";
import { Bundle } from "../../javascript/promptci-runtime.mjs";

let troubles = [];
let bundle = null;
let use = null;

const commands = {
  async begin({ environ }) {
    for (const name of Object.keys(process.env)) if (!(name in environ)) delete process.env[name];
    Object.assign(process.env, environ);
    troubles = [];
    bundle = use = null;
    return "ready";
  },
  async load({ url, options }) {
    const ours = troubles; // a bundle of an earlier test reports to that test
    bundle = await Bundle.load(url, { ...options, onTrouble: (text) => ours.push(text) });
  },
  async choose({ prompt, key }) {
    use = bundle.choose(prompt, { key });
    const behind = await bundle.chooseAsync(prompt, { key });
    if (behind.arm !== use.arm) throw new Error("choose and chooseAsync disagree");
    const { name, arm, version, fingerprint, model, parameters } = use;
    return { name, arm, version, fingerprint, model, parameters };
  },
  async messages({ variables }) { return use.messages(variables); },
  async record({ facts }) { return use.record(facts); },
  async late({ request, facts }) { bundle.late(request, facts); },
  async settle() { await bundle.settled(); },
  async state() { return { state: bundle.state, troubles, dropped: bundle.dropped, ...bundle.content }; },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await commands[command](rest)) ?? null };
  } catch (error) {
    answer = { error: error.constructor.name, message: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
