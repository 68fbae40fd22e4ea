// Word diff of two texts, with the same result as promptci/present/word_diff.py: a longest common subsequence by
// Hyyrö's bit-parallel algorithm ("Bit-parallel LCS-length computation revisited", 2004), as RapidFuzz has it.
// Each Chinese or Japanese character is a word: no blanks stand between words there.
const UNSPACED = String.raw`\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\u{20000}-\u{3ffff}`;
const WORDS = new RegExp(
  String.raw`[${UNSPACED}]|(?:(?![${UNSPACED}])[\p{L}\p{N}_])+|\n|[^\S\n]+|[^\p{L}\p{N}_\s]`, "gu");

// One row of bits per word of `after`; a zero bit is a word of `before` that the subsequence can end with.
const lcsRows = (before, after) => {
  const positions = new Map();
  before.forEach((word, i) => positions.set(word, (positions.get(word) ?? 0n) | (1n << BigInt(i))));
  let row = (1n << BigInt(before.length)) - 1n;
  return after.map((word) => {
    const matches = row & (positions.get(word) ?? 0n);
    row = BigInt.asUintN(before.length, (row + matches) | (row - matches));
    return row;
  });
};

// Call `keep(i, j)` for each pair of positions of the longest common subsequence.
const walkBack = (rows, length, keep) => {
  const isSet = (row, i) => (row >> BigInt(i)) & 1n;
  let i = length, j = rows.length;
  while (i && j) {
    if (isSet(rows[j - 1], i - 1)) i--;
    else if (--j === 0 || isSet(rows[j - 1], i - 1)) keep(--i, j);
  }
};

// Join neighbouring words; a blank between two words that differ is marked too, which reads more calmly.
const joinWords = (words, common) => {
  const differs = words.map((_, i) => !common.has(i));
  for (let i = 1; i < words.length - 1; i++) {
    if (!words[i].trim() && differs[i - 1] && differs[i + 1]) differs[i] = true;
  }
  const pieces = [];
  words.forEach((word, i) => {
    if (i && differs[i] === differs[i - 1]) pieces.at(-1)[0] += word; else pieces.push([word, differs[i]]);
  });
  return pieces;
};

// Both texts as pieces `[text, differs]`.
const wordDiff = (before, after) => {
  const left = before.match(WORDS) ?? [], right = after.match(WORDS) ?? [];
  const shortest = Math.min(left.length, right.length);
  let start = 0, end = 0;
  while (start < shortest && left[start] === right[start]) start++;
  while (end < shortest - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const [commonLeft, commonRight] = [new Set(), new Set()];
  const keep = (i, j) => { commonLeft.add(i); commonRight.add(j); };
  for (let i = 0; i < start; i++) keep(i, i);
  for (let i = 1; i <= end; i++) keep(left.length - i, right.length - i);
  const middle = left.slice(start, left.length - end);
  const rows = lcsRows(middle, right.slice(start, right.length - end));
  walkBack(rows, middle.length, (i, j) => keep(start + i, start + j));
  return [joinWords(left, commonLeft), joinWords(right, commonRight)];
};

// The same, with nothing marked where the texts have too little in common to be compared.
const markDifferences = (before, after) => {
  const sides = wordDiff(before, after);
  const pieces = sides.flat();
  const size = (chosen) => chosen.reduce((sum, [text]) => sum + [...text].length, 0);
  const isUnlike = size(pieces.filter(([, differs]) => differs)) > 0.7 * size(pieces);
  return isUnlike ? [[[before, false]], [[after, false]]] : sides;
};
