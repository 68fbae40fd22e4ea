// What an application imports: the released prompts of an environment, which arm a user gets, and the request log.
//
// One file without dependencies for Node 20 and later; copy it into the application. docs/runtime.md shows how to use it,
// docs/bundle.md specifies the format and the hash. promptci/runtime.py is the same in Python. Where there is no Node,
// as in a browser or a worker, `chooseAsync` hashes with WebCrypto, and there is neither a copy on disk nor a log.

const node = globalThis.process?.versions?.node
  ? { fs: await import("node:fs"), path: await import("node:path"), crypto: await import("node:crypto") }
  : null;

const SCHEMA = "promptci/bundle/v1";
const HASH = 1;
const MAX_BYTES = 16 * 2 ** 20;
const MAX_LINE_BYTES = 4096;
const MAX_TEXT_CHARS = 100;
/** What the log's readers take, as JSON; anything else costs the value, not the line. */
const FORMS = {
  "promptci.latency_ms": /^\d{1,15}(\.\d+)?(e[+-]\d\d?)?$/,
  "gen_ai.usage.input_tokens": /^\d{1,15}(\.0)?$/,
  "gen_ai.usage.output_tokens": /^\d{1,15}(\.0)?$/,
  "gen_ai.usage.cost.amount": /^"\d{1,15}(\.\d{1,30})?"$/,
  "gen_ai.evaluation.score.value": /^([01](\.0)?|0\.\d+|\d(\.\d+)?e-\d+)$/,
  "promptci.signal": /^"(positive|negative)"$/,
};
const WAIT_MS = 3000;
const DEADLINE_MS = 30_000;
// `\w` and `\s` as Python has them.
const WORD = "\\p{L}\\p{N}_";
const BLANK = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*";
const VARIABLE = new RegExp(`\\{\\{${BLANK}([${WORD}][${WORD}\\-]*(?:\\.[${WORD}\\-]+)*)${BLANK}\\}\\}`, "gu");
const encoder = new TextEncoder(); // a lone surrogate becomes U+FFFD

/** There is no bundle to start with: neither the network, nor the copy, nor a built-in one. */
export class BundleError extends Error {}

/** The code asks for a prompt that no bundle had, or gives a message no value for its variable. */
export class PromptError extends Error {}

/** Where a key stands between 0 and 2**32 - 1: the first 4 bytes of SHA-256 of salt, line feed and key. */
export function point(salt, key) {
  const data = encoder.encode(`${salt}\n${key}`);
  const { hash, createHash } = node.crypto; // `hash` is faster and came with Node 20.12
  return (hash ? hash("sha256", data, "buffer") : createHash("sha256").update(data).digest()).readUInt32BE(0);
}

function isCanary(where, share) {
  return where * 10_000 < share * 2 ** 32; // exact: both are below 2**53
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typed(value, key, kind) {
  const found = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  const fits = { string: typeof found === "string", object: isObject(found), array: Array.isArray(found) }[kind];
  if (!fits) throw new Error(`\`${key}\` is missing or not of the type ${kind}`);
  return found;
}

function whole(value, key, most = 2 ** 53) {
  const found = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  if (!Number.isInteger(found) || found < 0 || found > most) {
    throw new Error(`\`${key}\` is not a whole number from 0 to ${most}`);
  }
  return found;
}

function readVersion(value, arm) {
  const prompt = typed(value, "prompt", "object");
  const form = prompt.response_format === undefined ? "text" : prompt.response_format;
  const format = { type: form };
  if (form === "json_schema") format.json_schema = typed(prompt, "json_schema", "object");
  const messages = typed(prompt, "messages", "array");
  const version = {
    arm,
    version: typed(value, "version", "string"),
    fingerprint: typed(value, "fingerprint", "string"),
    model: typed(prompt, "model", "string"),
    parameters: { ...typed(prompt, "parameters", "object"), ...(form === "text" ? {} : { response_format: format }) },
    messages: messages.map((one) => [typed(one, "role", "string"), typed(one, "content", "string")]),
  };
  if (prompt.template !== "fill" || !["text", "json_object", "json_schema"].includes(form) || !messages.length) {
    throw new Error(`version ${version.version}: unknown template or response format, or no message`);
  }
  return version;
}

function readEntry(name, value, bundle) {
  const tried = value.canary ?? null;
  return {
    name,
    bundle,
    stable: readVersion(typed(value, "stable", "object"), "stable"),
    canary: tried === null ? null : readVersion(typed(value, "canary", "object"), "canary"),
    share: whole(value, "share", 10_000),
    salt: typed(value, "salt", "string"),
  };
}

async function readContent(data) {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  const value = JSON.parse(text);
  if (typed(value, "schema", "string") !== SCHEMA || whole(value, "hash") !== HASH) {
    throw new Error(`its schema is not ${SCHEMA} with hash ${HASH}, which this runtime reads`);
  }
  const hash = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", data));
  const digest = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const prompts = typed(value, "prompts", "object");
  const entries = new Map();
  for (const name of Object.keys(prompts)) {
    entries.set(name, readEntry(name, typed(prompts, name, "object"), digest.slice(0, 12)));
  }
  return { digest, serial: whole(value, "serial"), environment: typed(value, "environment", "string"), entries };
}

// Without blocking: a pipe keeps nobody waiting, and a device never ends.
async function readFile(path) {
  const { O_RDONLY, O_NONBLOCK } = node.fs.constants;
  const file = await node.fs.promises.open(path, O_RDONLY | O_NONBLOCK);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new Error("it is not a file");
    if (status.size > MAX_BYTES) throw new Error(`it is over ${MAX_BYTES} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function valueOf(name, variables) {
  let value = variables;
  for (const step of isObject(variables) && Object.hasOwn(variables, name) ? [name] : name.split(".")) {
    if (isObject(value) && Object.hasOwn(value, step)) value = value[step];
    else if (Array.isArray(value) && /^\d{1,9}$/.test(step) && Number(step) < value.length) value = value[Number(step)];
    else throw new PromptError(`the prompt needs the variable \`${name}\`, which has no value`);
  }
  if (value === undefined) throw new PromptError(`the prompt needs the variable \`${name}\`, which has no value`);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function short(value) {
  return value === null || value === undefined ? null : [...String(value)].slice(0, MAX_TEXT_CHARS).join("");
}

function money(value) {
  if (value === null || value === undefined || typeof value === "string") return value ?? null;
  return typeof value !== "number" ? value : value.toFixed(12).replace(/0+$/, "").replace(/\.$/, "");
}

/** Put null where no reader of the log takes a value; return what was wrong. */
function takeOut(line) {
  const wrong = [];
  for (const [name, form] of Object.entries(FORMS)) {
    if (line[name] === null || line[name] === undefined) continue;
    const text = typeof line[name] === "number" ? String(line[name]) : JSON.stringify(line[name]) ?? "a function";
    if (form.test(text)) continue;
    wrong.push(`${name} must not be ${text.slice(0, 60)}`);
    line[name] = null;
  }
  return wrong.join("; ");
}

function unitOf(entry, key) {
  if (!key || !node) return null;
  const secret = globalThis.process.env.PROMPTCI_USER_SECRET;
  const hash = secret
    ? node.crypto.createHmac("sha256", encoder.encode(secret)).update(encoder.encode(key))
    : node.crypto.createHash("sha256").update(encoder.encode(`${entry.salt}\n${key}`));
  return hash.digest("hex").slice(0, 16);
}

/** One use of a prompt: the version that a user gets, its messages, and the line in the log. */
class Use {
  #entry;
  #chosen;
  #key;
  #bundle;
  #request = "";

  constructor(key, entry, chosen, bundle) {
    this.#key = key;
    this.#entry = entry;
    this.#chosen = chosen;
    this.#bundle = bundle;
  }

  get name() { return this.#entry.name; }
  get arm() { return this.#chosen.arm; }
  get version() { return this.#chosen.version; }
  get fingerprint() { return this.#chosen.fingerprint; }
  get model() { return this.#chosen.model; }

  /** All else that the request needs, the response format included; a copy, to be changed as you like. */
  get parameters() { return structuredClone(this.#chosen.parameters); }

  /** The request's id in the log, for `Bundle.late`. */
  get request() {
    this.#request ||= globalThis.crypto.randomUUID().replaceAll("-", "").slice(0, 16);
    return this.#request;
  }

  /** The messages, filled in; throws a PromptError that names a missing variable. */
  messages(variables = {}) {
    return this.#chosen.messages.map(([role, content]) => ({
      role,
      content: content.replace(VARIABLE, (_, name) => valueOf(name, variables)),
    }));
  }

  /** Log a line about a request, by the SDK's response or its JSON; return the request's id. Never throws. */
  record(facts) {
    const { answer = null, latencyMs = null, error = null, costUsd = null, tag = null } = facts ?? {};
    this.#bundle.append(() => ({
      time: new Date(Date.now() - (latencyMs >= 0 && latencyMs < 8e12 ? Number(latencyMs) : 0)).toISOString(),
      "promptci.request": this.request,
      "gen_ai.prompt.name": this.name,
      "gen_ai.prompt.version": this.version,
      "feature_flag.result.variant": this.arm,
      "promptci.share": this.#entry.share,
      "promptci.unit": unitOf(this.#entry, this.#key),
      "promptci.bundle": this.#entry.bundle,
      "promptci.latency_ms": latencyMs,
      "gen_ai.request.model": this.model,
      "gen_ai.response.model": short(answer?.model),
      "gen_ai.response.id": short(answer?.id),
      "promptci.system_fingerprint": short(answer?.system_fingerprint),
      "gen_ai.usage.input_tokens": answer?.usage?.input_tokens ?? answer?.usage?.prompt_tokens ?? null,
      "gen_ai.usage.output_tokens": answer?.usage?.output_tokens ?? answer?.usage?.completion_tokens ?? null,
      "gen_ai.usage.cost.amount": money(costUsd),
      "error.type": short(error instanceof Error ? error.name : error),
      "promptci.tag": short(tag),
    }));
    return this.request;
  }
}

/**
 * The prompts of an environment, kept up to date in the background.
 *
 * Loading waits a few seconds for the network, nothing after it does; BundleError where there is none to start with.
 */
export class Bundle {
  #url;
  #options;
  #content = null;
  #source = "";
  #etag = "";
  #failed = false;
  #confirmed = 0;
  #due = 0;
  #fetching = null;
  #torn = false;
  /** Lines that the log could not take. */
  dropped = 0;

  /**
   * `url`: https://…, or in Node the path of a file. Options: `copy`, file that keeps the last good bundle; `refresh`,
   * seconds after which the next `choose` has the bundle fetched again; `builtin`, bytes or text of a bundle; `log`, file
   * that `record` appends to; `onTrouble`, called with a sentence about what the application does not notice; `headers`;
   * `needs`, prompts that must be there at the start.
   */
  static async load(url, options = {}) {
    const bundle = new Bundle(url, options);
    await bundle.#start();
    return bundle;
  }

  constructor(url, options) {
    this.#url = String(url);
    const defaults = { copy: null, refresh: 60, builtin: null, log: null, headers: {}, needs: [], onTrouble: console.warn };
    this.#options = { ...defaults, ...options };
  }

  async #start() {
    const { copy, builtin, needs } = this.#options;
    if (builtin !== null) {
      await this.#try("built-in", async () => (typeof builtin === "string" ? encoder.encode(builtin) : builtin));
    }
    if (copy !== null && node?.fs.existsSync(copy)) await this.#try("copy", () => readFile(copy));
    this.#fetchBehind();
    let timer;
    const wait = new Promise((resolve) => { timer = setTimeout(resolve, WAIT_MS); });
    await Promise.race([this.#fetching, wait]);
    clearTimeout(timer);
    if (this.#content === null) await this.#fetching;
    if (this.#content === null) {
      throw new BundleError(`no bundle from ${this.#url}, and neither a copy on disk nor a built-in one`);
    }
    const missing = needs.filter((name) => !this.#content.entries.has(name));
    if (missing.length) throw new BundleError(`the bundle lacks ${missing.join(", ")}`);
  }

  /** What the user `key` gets; never waits, and throws only a PromptError for a name that no bundle had. */
  choose(name, { key = "" } = {}) {
    const [entry, text] = this.#look(name, key);
    const isTried = entry.canary !== null && text !== "" && isCanary(point(entry.salt, text), entry.share);
    return new Use(text, entry, isTried ? entry.canary : entry.stable, this);
  }

  /** The same with WebCrypto, for a browser or a worker. */
  async chooseAsync(name, { key = "" } = {}) {
    const [entry, text] = this.#look(name, key);
    if (entry.canary === null || text === "") return new Use(text, entry, entry.stable, this);
    const hash = await globalThis.crypto.subtle.digest("SHA-256", encoder.encode(`${entry.salt}\n${text}`));
    const isTried = isCanary(new DataView(hash).getUint32(0), entry.share);
    return new Use(text, entry, isTried ? entry.canary : entry.stable, this);
  }

  /** Append what became known of a request later: a mark from 0 to 1, `positive` or `negative`; never throws. */
  late(request, facts) {
    const { quality = null, signal = null } = facts ?? {};
    const mark = { "gen_ai.evaluation.name": "quality", "gen_ai.evaluation.score.value": quality };
    this.append(() => ({
      time: new Date().toISOString(),
      "promptci.request": String(request),
      ...(quality === null ? {} : mark),
      ...(signal === null ? {} : { "promptci.signal": signal }),
    }));
  }

  /** Resolves when no bundle is being fetched: before a function's process is frozen, or in a test. */
  async settled() { await this.#fetching; }

  /** `fresh`, `stale since TIME`, `copy` or `built-in`. */
  get state() {
    const isLate = this.#failed || Date.now() - this.#confirmed > 2000 * this.#options.refresh + DEADLINE_MS;
    return isLate && this.#source === "fresh" ? `stale since ${new Date(this.#confirmed).toISOString()}` : this.#source;
  }

  /** `digest`, `serial` and `environment` of the bundle in use. */
  get content() {
    const { digest, serial, environment } = this.#content;
    return { digest, serial, environment };
  }

  /** Append the line that `build` returns; never throws: what cannot be written is counted, the first reported. */
  append(build) {
    if (this.#options.log === null || !node) return;
    try {
      const line = build();
      const reason = takeOut(line);
      if (reason && !("promptci.unit" in line)) throw new Error(reason); // nothing would be left of a late mark
      const data = encoder.encode(`${this.#torn ? "\n" : ""}${JSON.stringify(line)}\n`);
      if (data.length > MAX_LINE_BYTES) throw new Error(`a line has ${data.length} bytes, over ${MAX_LINE_BYTES}`);
      const file = node.fs.openSync(this.#options.log, "a", 0o640);
      try {
        this.#torn = node.fs.writeSync(file, data) !== data.length; // then the next line begins with a line feed
      } finally {
        node.fs.closeSync(file);
      }
      if (this.#torn || reason) throw new Error(this.#torn ? "the disk is full" : reason);
    } catch (error) {
      this.dropped += 1;
      if (this.dropped === 1) this.#trouble(`the request log cannot be written: ${error.message}`);
    }
  }

  #look(name, key) {
    if (performance.now() >= this.#due) this.#fetchBehind();
    const entry = this.#content.entries.get(name);
    if (entry === undefined) throw new PromptError(`no bundle had the prompt \`${name}\``);
    return [entry, key === null || key === undefined ? "" : String(key)];
  }

  #trouble(message) {
    try {
      this.#options.onTrouble(message);
    } catch {
      // the application goes on
    }
  }

  #fetchBehind() {
    this.#due = performance.now() + this.#options.refresh * 1000;
    this.#fetching ??= this.#try("fresh", () => this.#fetch()).finally(() => { this.#fetching = null; });
  }

  async #fetch() {
    if (!this.#url.includes("://")) return readFile(this.#url);
    if (!/^https?:\/\//.test(this.#url)) throw new Error("the address must begin with https://");
    const stop = new AbortController();
    const whole = setTimeout(() => stop.abort(new Error("it took too long")), DEADLINE_MS);
    let wait;
    const waiting = () => {
      clearTimeout(wait);
      wait = setTimeout(() => stop.abort(new Error("the server sends nothing")), WAIT_MS);
    };
    try {
      waiting();
      const conditional = this.#etag ? { "If-None-Match": this.#etag } : {};
      const reply = await fetch(this.#url, { headers: { ...this.#options.headers, ...conditional }, signal: stop.signal });
      if (reply.status === 304 && this.#etag) return null;
      if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
      const chunks = [];
      let size = 0;
      for (const reader = reply.body.getReader(); ;) {
        waiting();
        const { done, value } = await reader.read();
        if (done) break;
        chunks.push(value);
        size += value.length;
        if (size > MAX_BYTES) throw new Error(`it is over ${MAX_BYTES} bytes`);
      }
      const data = new Uint8Array(size);
      chunks.reduce((at, chunk) => (data.set(chunk, at), at + chunk.length), 0);
      data.etag = reply.headers.get("ETag") ?? "";
      return data;
    } finally {
      clearTimeout(whole);
      clearTimeout(wait);
      stop.abort();
    }
  }

  /** Use a bundle where it is good; else the one in use stays. */
  async #try(source, read) {
    const isFetched = source === "fresh";
    try {
      const data = await read();
      if (data !== null) {
        this.#content = this.#successor(await readContent(data));
        this.#etag = data.etag ?? "";
        if (isFetched) this.#writeCopy(data);
      }
      this.#source = source;
      this.#failed = false;
      this.#confirmed = Date.now();
    } catch (error) {
      this.#failed ||= isFetched;
      this.#trouble(`bundle from ${isFetched ? this.#url : source}: ${error.message}`);
    }
  }

  #successor(fresh) {
    const old = this.#content;
    if (old === null || (old.environment !== fresh.environment && this.#source !== "fresh")) return fresh;
    if (old.environment !== fresh.environment || fresh.serial < old.serial) {
      const [now, then] = [fresh, old].map((one) => `${one.environment} ${one.serial}`);
      throw new Error(`it is ${now} (environment and serial), which does not follow ${then}, in use`);
    }
    const gone = [...old.entries.keys()].filter((name) => !fresh.entries.has(name)).sort();
    if (gone.length) this.#trouble(`${gone.join(", ")}: no longer in the bundle; the version before stays in use`);
    fresh.entries = new Map([...old.entries, ...fresh.entries]);
    return fresh;
  }

  #writeCopy(data) {
    const copy = this.#options.copy;
    if (copy === null || !node) return;
    const temporary = node.path.join(node.path.dirname(copy), `.${node.path.basename(copy)}.${globalThis.process.pid}`);
    try {
      if (node.fs.existsSync(copy) && node.fs.readFileSync(copy).equals(data)) return;
      node.fs.writeFileSync(temporary, data, { flush: true });
      node.fs.renameSync(temporary, copy);
    } catch (error) {
      this.#trouble(`the copy ${copy} cannot be written: ${error.message}`);
      node.fs.rmSync(temporary, { force: true });
    }
  }
}
