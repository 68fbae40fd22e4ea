// Which words of two texts differ, as promptci/present/word_diff.py finds them: Myers' algorithm, bounded in time.
const MOST_EDITS = 300;
const WORDS = /[\p{L}\p{N}_]+|\n|[^\S\n]+|[^\p{L}\p{N}_\s]/gu;

const commonWords = (left, right) => {
  const n = left.length, m = right.length;
  const rounds = [];
  const furthest = new Map([[1, 0]]);
  const goesDown = (at, edits, diagonal) =>
    diagonal === -edits || (diagonal !== edits && (at.get(diagonal - 1) ?? -1) < (at.get(diagonal + 1) ?? -1));
  for (let edits = 0; edits <= Math.min(n + m, MOST_EDITS); edits++) {
    rounds.push(new Map(furthest));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = goesDown(furthest, edits, diagonal) ? furthest.get(diagonal + 1) : furthest.get(diagonal - 1) + 1;
      while (x < n && x - diagonal < m && left[x] === right[x - diagonal]) x++;
      furthest.set(diagonal, x);
      if (x >= n && x - diagonal >= m) return walkedBack(rounds, goesDown, n, m);
    }
  }
  return [];
};

const walkedBack = (rounds, goesDown, x, y) => {
  const kept = [];
  for (let edits = rounds.length - 1; edits >= 0; edits--) {
    const diagonal = x - y;
    const previous = goesDown(rounds[edits], edits, diagonal) ? diagonal + 1 : diagonal - 1;
    const fromX = edits ? rounds[edits].get(previous) : 0;
    const fromY = edits ? fromX - previous : 0;
    while (x > fromX && y > fromY) kept.push([--x, --y]);
    x = fromX;
    y = fromY;
  }
  return kept;
};

// Words that are alike together; a blank between two words that differ differs too, for a quieter picture.
const joined = (words, shared) => {
  const differs = words.map((_, i) => !shared.has(i));
  for (let i = 1; i < words.length - 1; i++) {
    if (!words[i].trim() && differs[i - 1] && differs[i + 1]) differs[i] = true;
  }
  const pieces = [];
  words.forEach((word, i) => {
    if (i && differs[i] === differs[i - 1]) pieces.at(-1)[0] += word; else pieces.push([word, differs[i]]);
  });
  return pieces;
};

// Both texts in pieces `[text, differs]`.
const wordDiff = (before, now) => {
  const left = before.match(WORDS) ?? [], right = now.match(WORDS) ?? [];
  const least = Math.min(left.length, right.length);
  let start = 0, end = 0;
  while (start < least && left[start] === right[start]) start++;
  while (end < least - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const [ofLeft, ofRight] = [new Set(), new Set()];
  const keep = (i, j) => { ofLeft.add(i); ofRight.add(j); };
  for (let i = 0; i < start; i++) keep(i, i);
  for (let i = 1; i <= end; i++) keep(left.length - i, right.length - i);
  const middle = commonWords(left.slice(start, left.length - end), right.slice(start, right.length - end));
  middle.forEach(([i, j]) => keep(start + i, start + j));
  return [joined(left, ofLeft), joined(right, ofRight)];
};
