// Blocks of compressed JSON in <template> elements (promptci/report/html/compressed_index.py); only shown ones are opened.
const MAX_OPEN_BLOCKS = 40;

const unpack = async (template) => {
  const letters = atob(template.content.textContent);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};

// Returns the number of the block that holds a record (column 0) or a text (column 1).
const blockOf = (starts, column, number) => {
  let low = 0, high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle][column] <= number) low = middle; else high = middle - 1;
  }
  return low;
};

const NEXT_TEXT = -1;
// Replaces every text of a record by `change(text)`, in the order in which they were packed.
const answerTexts = (answer, change) => {
  if (!answer) return null;
  const [text, length, error, passed, flags, marks, origin, usage] = answer;
  return [
    change(text), length, change(error), passed, flags.map(change),
    marks.map(([name, ...rest]) => [change(name), ...rest.slice(0, 3), change(rest[3])]),
    origin.map(change), usage,
  ];
};
const recordTexts = ([input, expected, excluded, before, after], change) => [
  change(input), change(expected), change(excluded), answerTexts(before, change), answerTexts(after, change),
];

class Packed {
  constructor(templates, [records, starts]) {
    Object.assign(this, { templates, records, starts, open: new Map() });
  }

  // Returns texts and records of a block; a record holds the numbers of its texts, or short texts themselves.
  block(number) {
    const block = this.open.get(number) ?? this.read(number);
    this.open.delete(number); // most recently used last
    this.open.set(number, block);
    if (this.open.size > MAX_OPEN_BLOCKS) this.open.delete(this.open.keys().next().value);
    return block;
  }

  async read(number) {
    const [texts, records] = await unpack(this.templates[number]);
    let next = this.starts[number][1];
    return { texts, records: records.map((record) => recordTexts(record, (text) => (text === NEXT_TEXT ? next++ : text))) };
  }

  async text(number) {
    const block = blockOf(this.starts, 1, number);
    return (await this.block(block)).texts[number - this.starts[block][1]];
  }

  // Returns a case's record with its texts; null if the page does not hold them.
  async record(row) {
    if (row >= this.records) return null;
    const number = blockOf(this.starts, 0, row);
    const record = (await this.block(number)).records[row - this.starts[number][0]];
    const texts = new Map();
    recordTexts(record, (text) => { if (typeof text === "number") texts.set(text, null); });
    for (const text of texts.keys()) texts.set(text, await this.text(text));
    return recordTexts(record, (text) => (typeof text === "number" ? texts.get(text) : text));
  }

  async input(row) {
    if (row >= this.records) return null;
    const number = blockOf(this.starts, 0, row);
    const [input] = (await this.block(number)).records[row - this.starts[number][0]];
    return typeof input === "number" ? this.text(input) : input;
  }

  // Yields, block by block, the rows whose texts contain `needle` (in lower case), and the progress of the search.
  async *search(needle) {
    const hits = new Set();
    for (let number = 0; number < this.templates.length; number++) {
      const { texts, records } = this.open.has(number) ? await this.open.get(number) : await this.read(number);
      const [row, first] = this.starts[number];
      texts.forEach((text, i) => { if (text.toLowerCase().includes(needle)) hits.add(first + i); });
      const rows = [];
      records.forEach((record, i) => {
        let isHit = false;
        const look = (text) => {
          isHit ||= typeof text === "number" ? hits.has(text) : text !== null && text.toLowerCase().includes(needle);
        };
        recordTexts(record, look);
        if (isHit) rows.push(row + i);
      });
      yield [rows, (number + 1) / this.templates.length];
    }
  }
}
