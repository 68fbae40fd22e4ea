// Turns the header red when the newest line of the log is too old: a page that is not built again says so by itself.
(() => {
  const header = document.getElementById("freshness");
  const age = document.getElementById("age");
  const newest = Date.parse(header.dataset.newest);
  const limit = Number(header.dataset.limit) * 1000;
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"]];
  const words = (seconds) => {
    const [size, name] = units.find(([unit]) => seconds >= unit) || [60, "minute"];
    const count = Math.floor(seconds / size);
    return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  };
  const update = () => {
    const passed = Date.now() - newest;
    if (Number.isNaN(passed)) return;
    age.textContent = `, ${words(Math.max(0, passed / 1000))}`;
    if (passed > limit) {
      header.classList.remove("mute");
      header.classList.add("bad");
      header.querySelector(".word").textContent = "No data";
      header.querySelector("use").setAttribute("href", "#icon-bad");
    }
  };
  update();
  setInterval(update, 60000);
})();
