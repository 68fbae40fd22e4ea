// An opened case: input, both answers side by side with the words in which they differ, and their scores.
// Texts of others become text nodes, never markup.
const el = (tag, className, ...children) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (tag === "pre") made.dir = "auto";
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};
const icon = (mood) => {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${mood}`);
  made.append(use);
  return made;
};

// Numbers, formatted as in promptci/present/formatting.py.
const fixed = (number, decimals) => {
  const [whole, rest] = number.toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest ? `${grouped}.${rest}` : grouped;
};
const trimmed = (number, decimals = 2) => fixed(number, decimals).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
const count = (number) => fixed(number, 0);
const duration = (ms) => {
  if (ms === null) return "unknown";
  if (ms < 999.5) {
    const whole = Math.round(ms);
    return `${ms % 1 === 0.5 && whole % 2 ? whole - 1 : whole} ms`; // halves go to the even neighbour, as in Python
  }
  const seconds = ms / 1000;
  if (seconds < 59.95) return `${fixed(seconds, seconds < 9.995 ? 2 : 1).replace(/\.0+$/, "")} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
};
const money = (usd) => {
  if (usd === null) return "unknown";
  const size = Math.abs(usd), sign = usd < 0 ? "−" : "";
  if (!size) return "$0";
  const decimals = size >= 0.995 ? 2 : Math.min(2 - Math.floor(Math.log10(size)), 12);
  return `${sign}$${fixed(size, decimals)}`;
};
const signed = (number) => {
  const text = trimmed(Math.abs(number));
  return /[1-9]/.test(text) ? (number > 0 ? "+" : "−") + text : "0";
};

const prose = (text) =>
  el("span", "", ...text.split(/`([^`\n]+)`/).map((part, i) => (i % 2 ? el("code", "", part) : part)));
const mood = (passed) => (passed === null ? "mute" : passed ? "good" : "bad");
const line = (title, content) => el("div", "", el("dt", "", title), el("dd", "", content));

const drawMark = ([name, passed, score, advisory, reason]) => {
  const verdict = passed === null ? "not scored" : passed ? "passed" : "failed";
  const points = score !== null && score !== 0 && score !== 1 ? `, score ${trimmed(score)}` : "";
  const words = prose(reason);
  words.prepend(el("strong", "", name), ` ${verdict}${points}${advisory ? " (advisory)" : ""}: `);
  return el("li", mood(passed), icon(mood(passed)), words);
};

const drawAnswer = (title, answer, pieces, numbers) => {
  const [text, length, error, passed, flags, marks, [model, fingerprint, finish], [tokensIn, tokensOut, cached, result]] = answer;
  const [ms, usd] = numbers;
  const meta = [
    ms === null ? "" : duration(ms), usd === null ? "" : money(usd), cached ? "cached" : "",
    finish && finish !== "stop" ? `finish reason: ${finish}` : "",
  ].filter(Boolean).join(" · ");
  const who = el("p", "who", icon(mood(passed)), el("strong", "", title), " ", el("span", "", result), el("span", "soft meta", meta));
  const made = el("section", `answer ${mood(passed)}`, who);
  if (text === null) made.append(el("p", "none", "No answer."));
  else if (text === "") made.append(el("p", "none", "The answer is empty."));
  else {
    const tag = title === "Before" ? "del" : "ins";
    made.append(el("pre", "", ...pieces.map(([piece, differs]) => (differs ? el(tag, "", piece) : piece))));
  }
  if (length !== null) made.append(el("p", "soft", `Cut here. All ${count(length)} characters are in `, el("code", "", "report.json"), "."));
  for (const flag of flags) made.append(el("p", "flag", icon("warn"), prose(flag)));
  if (error !== null) made.append(el("p", "error", error));
  if (marks.length) made.append(el("ul", "marks", ...marks.map(drawMark)));
  const origin = [
    model, fingerprint, tokensIn === null ? null : `${count(tokensIn)} tokens in`, tokensOut === null ? null : `${count(tokensOut)} out`,
  ].filter((part) => part !== null).join(" · ");
  if (origin) made.append(el("p", "soft origin", origin));
  return made;
};

// Returns the nodes of a case; `numbers` are latency and cost of both answers.
const drawCase = (record, numbers) => {
  if (!record) return [el("p", "soft", "The texts of this case are not on this page, to limit its size. They are in ", el("code", "", "report.json"), ".")];
  const [input, expected, excluded, before, after] = record;
  const question = el("dl", "question", line("Input", el("pre", "", input)));
  if (excluded !== null) question.append(line("Excluded", prose(excluded)));
  if (expected !== null) question.append(line("Expected", el("pre", "", expected)));
  const texts = [before, after].map((answer) => answer?.[0] ?? null);
  const pieces = texts.includes(null) ? texts.map((text) => [[text ?? "", false]]) : markDifferences(...texts);
  const titles = before ? ["Before", "After"] : ["", "Answer"];
  const sides = [before, after].map((answer, i) => (answer ? drawAnswer(titles[i], answer, pieces[i], numbers[i]) : null));
  return [question, el("div", "answers", ...sides.filter(Boolean))];
};
