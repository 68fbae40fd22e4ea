// What the site's pages do where JavaScript is on. Nothing is fetched: all data is in the page.
(() => {
  const byId = (id) => document.getElementById(id);
  const make = (name, text = "", className = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"]];
  const ago = (seconds) => {
    const [size, name] = units.find(([unit]) => seconds >= unit) || [60, "minute"];
    const count = Math.max(0, Math.floor(seconds / size));
    return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  };

  // Age: a page that is not built again turns red by itself.
  const built = byId("built");
  const showAges = () => {
    for (const element of document.querySelectorAll(".age")) {
      const seconds = (Date.now() - Date.parse(element.dataset.since)) / 1000;
      if (!Number.isNaN(seconds)) element.textContent = `, ${ago(seconds)}`;
    }
    const seconds = (Date.now() - Date.parse(built.dateTime)) / 1000;
    if (Number.isNaN(seconds)) return;
    byId("built-age").textContent = `, ${ago(seconds)}`;
    if (seconds > Number(built.dataset.limit) && !document.body.classList.contains("stale")) {
      document.body.classList.add("stale");
      byId("age-box").classList.add("bad");
      byId("age-box").querySelector("use").setAttribute("href", "#icon-bad");
      const hours = Math.round(Number(built.dataset.limit) / 360) / 10;
      const note = make("p", `This page was not built for ${ago(seconds).replace(" ago", "")}; it should be every ${hours} hours. What it says may be out of date.`, "stale-note");
      note.setAttribute("role", "status");
      document.querySelector(".masthead").after(note);
    }
  };
  showAges();
  setInterval(showAges, 60000);

  // Search on the front page.
  const find = byId("find");
  if (find) {
    const rows = JSON.parse(byId("index").textContent);
    const hits = byId("hits");
    const search = () => {
      const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
      hits.replaceChildren();
      if (!words.length) return;
      const matching = rows.filter((row) => words.every((word) => `${row[0]} ${row[2]} ${row[3]} ${row[4]}`.toLowerCase().includes(word)));
      for (const [name, link, stage, version, note] of matching.slice(0, 8)) {
        const item = make("li");
        const anchor = make("a", `${name} `);
        anchor.href = link;
        anchor.append(make("span", `${stage} ${version}, ${note}`, "soft"));
        item.append(anchor);
        hits.append(item);
      }
      if (matching.length !== Math.min(matching.length, 8) || !matching.length) {
        const item = make("li");
        item.append(make("p", matching.length ? `and ${matching.length - 8} more` : "no prompt fits", "soft"));
        hits.append(item);
      }
    };
    find.addEventListener("input", search);
    find.addEventListener("keydown", (event) => {
      const first = hits.querySelector("a");
      if (event.key === "Escape") { find.value = ""; search(); }
      if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
      if (event.key === "Enter" && first) first.click();
    });
    hits.addEventListener("keydown", (event) => {
      const links = [...hits.querySelectorAll("a")];
      const place = links.indexOf(document.activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") { find.focus(); return; }
      if (!step || place < 0) return;
      event.preventDefault();
      (links[place + step] || find).focus();
    });
    document.addEventListener("keydown", (event) => {
      const typing = /^(input|select|textarea)$/i.test(document.activeElement.tagName);
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        find.focus();
      }
    });
  }

  // Filter of the audit log.
  const prompt = byId("filter-prompt");
  if (prompt) {
    const what = byId("filter-what"), from = byId("filter-from"), to = byId("filter-to"), count = byId("filter-count");
    const entries = [...document.querySelectorAll(".entry")];
    const filter = () => {
      let shown = 0;
      for (const entry of entries) {
        const { prompt: name = "", what: kind = "", day = "" } = entry.dataset;
        const fits = name.toLowerCase().includes(prompt.value.trim().toLowerCase()) && (!what.value || kind === what.value)
          && (!from.value || day >= from.value) && (!to.value || (day && day <= to.value));
        entry.hidden = !fits;
        shown += fits;
      }
      count.textContent = shown === entries.length ? "" : `${shown} of ${entries.length} on this page`;
    };
    for (const field of [prompt, what, from, to]) field.addEventListener("input", filter);
  }

  // Values of the charts' points.
  const series = byId("series");
  const data = series ? JSON.parse(series.textContent) : {};
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const points = (data[figure.dataset.chart] || []).slice().sort((a, b) => a[0] - b[0]);
    if (!points.length) continue;
    const canvas = figure.querySelector(".canvas"), drawing = canvas.querySelector("svg");
    const tip = make("div", "", "tip");
    tip.hidden = true;
    tip.setAttribute("role", "status");
    const spot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [key, value] of [["r", "4.5"], ["fill", "none"], ["stroke", "var(--ink)"], ["stroke-width", "1.6"], ["visibility", "hidden"]]) spot.setAttribute(key, value);
    drawing.append(spot);
    canvas.append(tip);
    drawing.setAttribute("tabindex", "0");
    const width = drawing.viewBox.baseVal.width;
    let place = points.length - 1;
    const show = (next) => {
      place = Math.min(Math.max(next, 0), points.length - 1);
      const [x, y, words] = points[place];
      spot.setAttribute("cx", x);
      spot.setAttribute("cy", y);
      spot.setAttribute("visibility", "visible");
      tip.textContent = words;
      tip.hidden = false;
      const scale = canvas.clientWidth / width;
      const left = Math.min(Math.max(x * scale - tip.offsetWidth / 2, 0), canvas.clientWidth - tip.offsetWidth);
      tip.style.left = `${left}px`;
      tip.style.top = `${Math.max(y * scale - tip.offsetHeight - 10, -tip.offsetHeight)}px`;
    };
    const hide = () => { tip.hidden = true; spot.setAttribute("visibility", "hidden"); };
    drawing.addEventListener("pointermove", (event) => {
      const box = drawing.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * width, y = ((event.clientY - box.top) / box.width) * width;
      let best = 0, distance = Infinity;
      points.forEach((point, number) => {
        const away = Math.abs(point[0] - x) + Math.abs(point[1] - y) / 20;
        if (away < distance) [best, distance] = [number, away];
      });
      show(best);
    });
    drawing.addEventListener("pointerleave", hide);
    drawing.addEventListener("focus", () => { if (drawing.matches(":focus-visible")) show(place); });
    drawing.addEventListener("blur", hide);
    drawing.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -points.length, End: points.length }[event.key];
      if (step) { event.preventDefault(); show(place + step); }
      if (event.key === "Escape") hide();
    });
  }
})();
