// The table of all cases: filter, sort, link, open; by mouse or by keys alone. Only the rows in view are in the page.
const explorer = () => {
  const $ = (id) => document.getElementById(id);
  const grid = $("grid"), body = $("rows"), dialog = $("opened"), found = $("found");
  if (!grid) return;
  const FIELDS = { q: "find", show: "show", prompt: "of-prompt", tag: "tag", class: "class", sort: "sort" };
  const SPARE_ROWS = 6; // rows drawn above and below those in view
  const KINDS = { worse: ["broken", "rarer", "failing", "lower"], better: ["fixed", "oftener", "higher"] };
  const FLAGS = { critical: 1, flaky: 2, error: 4 };
  const LABELS = [[1, "critical", "label bad"], [2, "flaky", "label"], [8, "new", "label"], [16, "changed", "label"], [32, "excluded", "label"]];
  let index, packed, all = [], rows = [], active = 0, height = 0, opened = null, round = 0, collator = null;

  // Properties of a case, by its row in the index.
  const kindOf = (row) => index.kinds[index.kind[row]];
  const promptOf = (row) => index.prompts[index.prompt[row]];
  const classOf = (row) => index.classes[index.class[row]];
  const tagsOf = (row) => index.tags[index.tag[row]];
  const change = (row) => {
    const [before, after] = index.score;
    return before[row] === null || after[row] === null ? null : after[row] - before[row];
  };
  const ofHead = (column) => (row) => index[column][1][row];

  // Links
  const read = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
  const parseLink = () => {
    const pairs = location.hash.slice(1).split("&").map((part) => part.split(/=(.*)/s));
    const wanted = Object.fromEntries(pairs.filter(([name, value]) => (name in FIELDS || name === "case") && value !== undefined));
    return Object.keys(wanted).length ? wanted : null;
  };
  const caseLink = (row) => `case=${encodeURIComponent(promptOf(row))}/${encodeURIComponent(index.id[row])}`;
  const write = (push) => {
    const parts = Object.entries(FIELDS).filter(([, id]) => $(id).value)
      .map(([name, id]) => `${name}=${encodeURIComponent($(id).value.toWellFormed?.() ?? $(id).value)}`);
    if (opened !== null) parts.unshift(caseLink(opened));
    if (!parts.length && !parseLink()) return; // keep the link to a section
    history[push ? "pushState" : "replaceState"](null, "", `#${parts.join("&") || "cases"}`);
  };
  const linked = (value) => {
    const parts = value.split("/").map(read);
    const exact = parts.length === 2 ? all.find((row) => promptOf(row) === parts[0] && index.id[row] === parts[1]) : undefined;
    return exact ?? all.find((row) => `${promptOf(row)}/${index.id[row]}` === read(value));
  };

  // Filtering
  const passes = () => {
    const [show, prompt, tag, label] = ["show", "of-prompt", "tag", "class"].map((id) => $(id).value);
    const slugs = KINDS[show] ?? [show];
    return (row) =>
      (!show || (show in FLAGS ? index.flags[row] & FLAGS[show] : slugs.includes(kindOf(row)[0]))) &&
      (!prompt || promptOf(row) === prompt) && (!tag || tagsOf(row).includes(tag)) && (!label || classOf(row) === label);
  };
  const named = (row, wanted) =>
    [index.id[row], promptOf(row), classOf(row), ...tagsOf(row)].some((text) => text?.toLowerCase().includes(wanted));
  const showStatus = (progress) => {
    const filtered = Object.entries(FIELDS).some(([name, id]) => name !== "sort" && $(id).value);
    const some = packed.records < all.length && $("find").value ? ` (searched: the texts of ${count(packed.records)})` : "";
    found.textContent = (filtered ? `${count(rows.length)} of ${count(all.length)} cases` : `${count(all.length)} cases`) + some +
      (progress < 1 ? ` · searching, ${Math.floor(100 * progress)}%` : "");
    $("reset").disabled = !filtered && !$("sort").value;
  };
  const filter = async () => {
    const mine = ++round, wanted = $("find").value.trim().toLowerCase();
    const candidates = all.filter(passes());
    const hits = new Set(wanted ? candidates.filter((row) => named(row, wanted)) : candidates);
    settle(candidates, hits, wanted ? 0 : 1);
    if (!wanted) return;
    const open = new Set(candidates);
    let shown = performance.now();
    for await (const [matches, progress] of packed.search(wanted)) {
      if (mine !== round) return; // superseded by a newer search
      for (const row of matches) if (open.has(row)) hits.add(row);
      if (performance.now() - shown > 200 || progress === 1) {
        settle(candidates, hits, progress);
        shown = performance.now();
      }
    }
    if (!packed.templates.length) showStatus(1);
  };
  const settle = (candidates, hits, progress) => {
    const kept = rows[active];
    rows = sorted(candidates.filter((row) => hits.has(row)));
    active = Math.max(0, rows.indexOf(kept));
    grid.setAttribute("aria-rowcount", rows.length + 1);
    body.style.height = `${rows.length * height}px`;
    showStatus(progress);
    draw(true);
  };

  // Sorting: unknown values come last in either direction; equal ones keep the order "worst first".
  const KEYS = {
    prompt: promptOf, class: classOf, outcome: (row) => kindOf(row)[1], score: change, ms: ofHead("ms"), usd: ofHead("usd"),
  };
  let ranks = null;
  const rank = () => {
    collator ??= new Intl.Collator("en", { numeric: true });
    const order = [...all].sort((a, b) => collator.compare(index.id[a], index.id[b]));
    const made = new Int32Array(all.length);
    order.forEach((row, place) => { made[row] = place; });
    return made;
  };
  const sorted = (some) => {
    const [, minus, name] = /^(-?)(.*)$/.exec($("sort").value);
    for (const head of grid.querySelectorAll("[data-sort]")) {
      if (head.dataset.sort === name) head.setAttribute("aria-sort", minus ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    if (name === "id") ranks ??= rank();
    const key = name === "id" ? (row) => ranks[row] : KEYS[name];
    if (!key) return some;
    const keys = new Map(some.map((row) => [row, key(row) ?? null]));
    const direction = minus ? -1 : 1;
    return some.sort((a, b) => {
      const one = keys.get(a), other = keys.get(b);
      if (one === other) return a - b;
      if (one === null || other === null) return one === null ? 1 : -1;
      return one < other ? -direction : direction;
    });
  };

  // Drawing
  const cell = (name, ...children) => {
    const made = el("span", name, ...children);
    made.setAttribute("role", "gridcell");
    return made;
  };
  const drawRow = (place) => {
    const row = rows[place];
    const [, title, mood] = kindOf(row);
    const labels = LABELS.filter(([bit]) => index.flags[row] & bit).map(([, word, name]) => el("span", name, word));
    const difference = change(row), ms = ofHead("ms")(row), usd = ofHead("usd")(row);
    const input = cell("input soft");
    const made = el("div", "row case-row",
      cell("id", el("code", "", index.id[row]), ...labels),
      grid.classList.contains("with-prompt") ? cell("prompt-of", promptOf(row)) : null,
      cell(`kind ${mood}`, icon(mood), el("span", "", title)),
      grid.classList.contains("with-class") ? cell("class-of", classOf(row) ?? "") : null,
      input,
      cell("num", difference === null ? "–" : signed(difference)),
      cell("num", ms === null ? "–" : duration(ms)),
      cell("num", usd === null ? "–" : money(usd)));
    made.setAttribute("role", "row");
    made.setAttribute("aria-rowindex", place + 2);
    made.setAttribute("aria-selected", place === active);
    made.id = `row-${place}`;
    made.dataset.place = place;
    made.style.top = `${place * height}px`;
    packed.input(row).then((text) => { input.textContent = text === null ? "" : text.slice(0, 200); });
    return made;
  };
  let drawn = [0, 0];
  const draw = (force) => {
    const top = grid.scrollTop, heads = body.offsetTop;
    const first = Math.max(0, Math.floor((top - heads) / height) - SPARE_ROWS);
    const last = Math.min(rows.length, Math.ceil((top + grid.clientHeight) / height) + SPARE_ROWS);
    if (force || first !== drawn[0] || last !== drawn[1]) {
      drawn = [first, last];
      body.replaceChildren(...Array.from({ length: Math.max(0, last - first) }, (_, i) => drawRow(first + i)));
    }
    if (active >= first && active < last) grid.setAttribute("aria-activedescendant", `row-${active}`);
    else grid.removeAttribute("aria-activedescendant");
  };
  const measure = () => {
    const probe = el("div", "row case-row", el("span", "", " "));
    body.append(probe);
    height = probe.getBoundingClientRect().height;
    probe.remove();
    body.style.height = `${rows.length * height}px`;
  };
  const go = (place) => {
    if (!rows.length) return;
    active = Math.min(Math.max(place, 0), rows.length - 1);
    const top = active * height, room = grid.clientHeight - body.offsetTop;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + height > grid.scrollTop + room) grid.scrollTop = top + height - room;
    draw(true);
    if (opened !== null) open(rows[active], false);
  };

  // One case
  const open = async (row, push) => {
    opened = row;
    const place = rows.indexOf(row);
    $("opened-title").replaceChildren(el("span", "soft", `${promptOf(row)} / `), index.id[row]);
    const labels = LABELS.filter(([bit]) => index.flags[row] & bit).map(([, word, name]) => el("span", name, word));
    const tags = tagsOf(row).map((tag) => el("span", "label", tag));
    const [, title, mood] = kindOf(row);
    $("place").replaceChildren(
      el("span", `kind ${mood}`, icon(mood), el("strong", "", title)), ` ${index.results[index.result[row]]} `,
      ...labels, ...tags, el("span", "where", place < 0 ? "" : ` · case ${count(place + 1)} of ${count(rows.length)}`));
    $("link").href = `#${caseLink(row)}`;
    $("previous").disabled = place <= 0;
    $("next").disabled = place < 0 || place >= rows.length - 1;
    if (!dialog.open) {
      dialog.showModal();
      $("opened-title").focus();
    }
    write(push);
    const record = await packed.record(row);
    if (opened !== row) return;
    const numbers = [0, 1].map((side) => [index.ms[side][row], index.usd[side][row]]);
    $("opened-body").replaceChildren(...drawCase(record, numbers));
    dialog.scrollTop = 0;
  };
  const closed = () => {
    $("opened-body").replaceChildren();
    if (opened === null) return; // the link led elsewhere
    opened = null;
    write(false);
    grid.focus({ preventScroll: true });
  };

  // A link may filter by what no case has: it shows no case, and says so, rather than all of them.
  const choose = (select, name, value) => {
    if (name === "sort") { select.value = ""; return; }
    select.add(new Option(`${value.slice(0, 60)} (0)`, value));
    select.value = value;
    select.closest("label").hidden = false;
  };

  // Show what the link asks for
  const follow = async () => {
    const wanted = parseLink();
    if (!wanted) {
      if (opened !== null) { opened = null; dialog.close(); }
      return;
    }
    for (const [name, id] of Object.entries(FIELDS)) {
      $(id).value = read(wanted[name] ?? "");
      if ($(id).tagName === "SELECT" && $(id).selectedIndex < 0) choose($(id), name, read(wanted[name] ?? ""));
    }
    const searched = filter();
    if (wanted.case === undefined) {
      if (opened !== null) { opened = null; dialog.close(); }
      $("cases").scrollIntoView();
      await searched;
      return;
    }
    const row = linked(wanted.case);
    if (row === undefined) {
      await searched;
      found.textContent = `This report has no case ${read(wanted.case).slice(0, 300)}`;
      $("cases").scrollIntoView();
      return;
    }
    if (rows.includes(row)) go(rows.indexOf(row));
    await open(row, false);
  };

  // Mouse and keys
  const listen = () => {
    let waiting;
    const changed = () => { filter(); write(false); };
    $("find").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { grid.scrollTop = 0; changed(); }, 150); });
    for (const id of ["show", "of-prompt", "tag", "class", "sort"]) $(id).addEventListener("change", () => { grid.scrollTop = 0; changed(); });
    $("reset").addEventListener("click", () => {
      for (const id of Object.values(FIELDS)) $(id).value = "";
      grid.scrollTop = 0;
      changed();
    });
    for (const head of grid.querySelectorAll("[data-sort]")) {
      head.firstElementChild.addEventListener("click", () => {
        const name = head.dataset.sort, next = $("sort").value === name ? `-${name}` : name;
        if (![...$("sort").options].some((option) => option.value === next)) {
          const option = el("option", "", `${head.textContent.trim().toLowerCase()}, reversed`);
          option.value = next;
          $("sort").append(option);
        }
        $("sort").value = next;
        changed();
      });
    }
    let frame = 0;
    grid.addEventListener("scroll", () => { frame ||= requestAnimationFrame(() => { frame = 0; draw(false); }); });
    addEventListener("resize", () => { measure(); draw(true); });
    body.addEventListener("click", (event) => {
      const row = event.target.closest(".case-row");
      if (!row) return;
      active = Number(row.dataset.place);
      draw(true);
      open(rows[active], true);
    });
    $("previous").addEventListener("click", () => go(active - 1));
    $("next").addEventListener("click", () => go(active + 1));
    $("close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // outside of the sheet
    dialog.addEventListener("close", closed);
    addEventListener("hashchange", follow);
    document.addEventListener("keydown", keys);
  };
  const keys = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox";
    const single = $("single").checked && !typing;
    const inGrid = document.activeElement === grid, inDialog = opened !== null;
    const page = Math.max(1, Math.floor((grid.clientHeight - body.offsetTop) / height) - 1);
    const done = () => {
      if (event.key === "Escape" && event.target === $("find")) {
        if ($("find").value) { $("find").value = ""; filter(); write(false); } else grid.focus();
      } else if (event.key === "ArrowDown" && event.target === $("find")) grid.focus();
      else if (single && event.key === "/" && !inDialog) { $("find").focus(); $("find").select(); }
      else if (single && event.key === "?" && !inDialog) $("keys").open = !$("keys").open;
      else if (single && event.key === "j" && (inGrid || inDialog)) go(active + 1);
      else if (single && event.key === "k" && (inGrid || inDialog)) go(active - 1);
      else if (inGrid && event.key === "ArrowDown") go(active + 1);
      else if (inGrid && event.key === "ArrowUp") go(active - 1);
      else if (inGrid && event.key === "PageDown") go(active + page);
      else if (inGrid && event.key === "PageUp") go(active - page);
      else if (inGrid && event.key === "Home") go(0);
      else if (inGrid && event.key === "End") go(rows.length - 1);
      else if (inGrid && event.key === "Enter" && rows.length) open(rows[active], true);
      else return false;
      return true;
    };
    if (done()) event.preventDefault();
  };

  const start = async () => {
    index = await unpack($("index"));
    packed = new Packed(document.querySelectorAll("template.block"), await unpack($("starts")));
    all = index.id.map((_, row) => row);
    measure();
    listen();
    const shown = parseLink() ? follow() : filter();
    performance.mark("cases");
    await shown;
  };
  if (typeof DecompressionStream === "undefined") {
    found.textContent = "This browser cannot decompress the cases. They are in report.json.";
    return;
  }
  start();
};
explorer();
