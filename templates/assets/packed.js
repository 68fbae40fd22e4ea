// Packed texts: blocks of compressed JSON in <template> elements (promptci/report/html/compressed_index.py); only what is shown is opened.
const MOST_OPEN = 40;

const unpack = async (template) => {
  const letters = atob(template.content.textContent);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};

// The number of the last start that is not beyond `wanted`.
const owner = (starts, column, wanted) => {
  let low = 0, high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle][column] <= wanted) low = middle; else high = middle - 1;
  }
  return low;
};

const NEXT = -1;
// Puts `change(text)` in the place of every text of a record, in the order in which they were packed.
const answerTexts = (answer, change) => {
  if (!answer) return null;
  const [text, length, error, passed, flags, marks, origin, usage] = answer;
  return [
    change(text), length, change(error), passed, flags.map(change),
    marks.map(([name, ...rest]) => [change(name), ...rest.slice(0, 3), change(rest[3])]),
    origin.map(change), usage,
  ];
};
const recordTexts = ([asked, expected, aside, before, now], change) => [
  change(asked), change(expected), change(aside), answerTexts(before, change), answerTexts(now, change),
];

class Packed {
  constructor(templates, [records, starts]) {
    Object.assign(this, { templates, records, starts, open: new Map() });
  }

  // Texts and records of a block; a record's texts are their numbers, or stand there where they are short.
  block(number) {
    const found = this.open.get(number) ?? this.read(number);
    this.open.delete(number); // the one used last comes last
    this.open.set(number, found);
    if (this.open.size > MOST_OPEN) this.open.delete(this.open.keys().next().value);
    return found;
  }

  async read(number) {
    const [texts, records] = await unpack(this.templates[number]);
    let next = this.starts[number][1];
    return { texts, records: records.map((one) => recordTexts(one, (text) => (text === NEXT ? next++ : text))) };
  }

  async text(number) {
    const block = owner(this.starts, 1, number);
    return (await this.block(block)).texts[number - this.starts[block][1]];
  }

  // A case's record with its texts; null where there was no room for them.
  async record(row) {
    if (row >= this.records) return null;
    const number = owner(this.starts, 0, row);
    const found = (await this.block(number)).records[row - this.starts[number][0]];
    const texts = new Map();
    recordTexts(found, (text) => { if (typeof text === "number") texts.set(text, null); });
    for (const text of texts.keys()) texts.set(text, await this.text(text));
    return recordTexts(found, (text) => (typeof text === "number" ? texts.get(text) : text));
  }

  async asked(row) {
    if (row >= this.records) return null;
    const number = owner(this.starts, 0, row);
    const [asked] = (await this.block(number)).records[row - this.starts[number][0]];
    return typeof asked === "number" ? this.text(asked) : asked;
  }

  // Gives, block by block, the rows in whose texts `wanted` (in small letters) stands, and how far the search has come.
  async *search(wanted) {
    const hits = new Set();
    for (let number = 0; number < this.templates.length; number++) {
      const { texts, records } = this.open.has(number) ? await this.open.get(number) : await this.read(number);
      const [row, first] = this.starts[number];
      texts.forEach((text, i) => { if (text.toLowerCase().includes(wanted)) hits.add(first + i); });
      const rows = [];
      records.forEach((record, i) => {
        let here = false;
        const look = (text) => {
          here ||= typeof text === "number" ? hits.has(text) : text !== null && text.toLowerCase().includes(wanted);
        };
        recordTexts(record, look);
        if (here) rows.push(row + i);
      });
      yield [rows, (number + 1) / this.templates.length];
    }
  }
}
