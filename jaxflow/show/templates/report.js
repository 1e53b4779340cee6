"use strict";
// All numbers are looked up in #data: what a panel shows at a horizon, what became of trials there.
const data = JSON.parse(document.getElementById("data").textContent);
const slider = document.getElementById("horizon");
let frame = data.last;

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const percent = (x) => x.toFixed(3).replace(/0+$/, "").replace(/\.$/, "");

function counts(i) {
  const ended = data.points[i].counts[frame];
  return { ended, trials: ended.reduce((a, b) => a + b, 0) };
}

function told(i) {
  const point = data.points[i], { ended, trials } = counts(i);
  const [low, high] = data.intervals[`${ended[0]}/${trials}`];
  const others = ended.slice(1).map((count, k) => [count, data.outcomes[k + 1]]).filter(([count]) => count);
  const counted = `${ended[0]} of ${trials} had the event, P = ${percent(ended[0] / trials)}`;
  const rest = others.length ? `; without it: ${others.map((one) => one.join(" ")).join(", ")}` : "";
  const label = data.labels[point.labels][frame];
  return {
    where: `${point.at}, within ${label}`,
    said: `${counted} [${percent(low)}, ${percent(high)}]${rest}`,
    command: point.command,
  };
}

function show(mark) {
  const readout = mark.closest("figure").querySelector(".readout");
  const { where, said, command } = told(Number(mark.dataset.point));
  readout.querySelector(".where").textContent = where;
  readout.querySelector(".told").textContent = said;
  readout.querySelector("code").textContent = command;
  readout.querySelector(".repeat").hidden = !command;
  readout.mark = mark;
}

function name(mark) {
  const { where, said } = told(Number(mark.dataset.point));
  mark.setAttribute("aria-label", `${where}: ${said}`);
}

function press(mark) {
  all("[aria-pressed=true]", mark.closest("svg")).forEach((m) => m.setAttribute("aria-pressed", "false"));
  mark.setAttribute("aria-pressed", "true");
  show(mark);
}

const place = (mark) => mark.getAttribute("transform").match(/translate\(([-\d.]+) ([-\d.]+)/).slice(1).map(Number);

// The nearest mark that way: a step aside costs more than one ahead.
function neighbour(mark, key) {
  const [x, y] = place(mark);
  const ways = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const [right, down] = ways[key];
  let best = null, least = Infinity;
  for (const other of all("[data-point]", mark.closest("svg"))) {
    const [a, b] = place(other);
    const ahead = (a - x) * right + (b - y) * down, aside = Math.abs((a - x) * down) + Math.abs((b - y) * right);
    const cost = ahead + 3 * aside;
    if (ahead > 0.05 && cost < least) [best, least] = [other, cost];
  }
  return best;
}

function go(from, to) {
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  name(to);
  to.focus();
}

function wire(svg) {
  const marks = all("[data-point]", svg);
  marks.forEach((mark, k) => {
    mark.setAttribute("role", "button");
    mark.setAttribute("aria-pressed", "false");
    mark.tabIndex = k ? -1 : 0;
    name(mark);
  });
  const on = (event, act) => svg.addEventListener(event, (e) => {
    const mark = e.target.closest("[data-point]");
    if (mark) act(mark, e);
  });
  on("pointerover", show);
  on("focusin", show);
  on("click", press);
  on("keydown", (mark, e) => {
    if (e.key.startsWith("Arrow")) go(mark, neighbour(mark, e.key));
    else if (e.key === "Home") go(mark, marks[0]);
    else if (e.key === "End") go(mark, marks.at(-1));
    else if (e.key === "Enter" || e.key === " ") press(mark);
    else return;
    e.preventDefault();
  });
  svg.addEventListener("pointerleave", () => {
    const kept = svg.querySelector("[aria-pressed=true]");
    if (kept) show(kept);
  });
}

function draw(svg) {
  const panel = data.panels[svg.dataset.key];
  if (!panel) return;
  const now = panel.frames[frame];
  for (const part of ["band", "line", "bars"]) {
    all(`[data-part=${part}]`, svg).forEach((path) => path.setAttribute("d", now[part]));
  }
  svg.querySelector("[data-part=map]").setAttribute("href", now.map || "data:,");
  all("[data-part=mark]", svg).forEach((mark, k) => mark.setAttribute("transform", now.marks[k]));
  for (const mark of all("[data-point]", svg)) {
    const { ended, trials } = counts(mark.dataset.point);
    mark.setAttribute("fill", data.palette[Math.round((ended[0] / trials) * (data.palette.length - 1))]);
    if (mark.tabIndex === 0) name(mark);
  }
  all(`[data-horizon="${svg.dataset.key}"]`).forEach((at) => { at.textContent = panel.labels[frame]; });
  all(`[data-thresholds="${svg.dataset.key}"] tbody tr`).forEach((row, k) => {
    all("td", row).forEach((cell, j) => { cell.textContent = now.text[k][j]; });
  });
}

function move() {
  frame = Number(slider.value);
  const label = data.panels[Object.keys(data.panels)[0]].labels[frame];
  slider.setAttribute("aria-valuetext", label);
  slider.parentElement.querySelector("output").textContent = label;
  all("svg[data-key]").forEach(draw);
  all(".cursor").forEach((line) => {
    line.setAttribute("transform", `translate(${line.dataset.times.split(" ")[frame]} 0)`);
  });
  all("#diagram .readout").forEach((readout) => { if (readout.mark) show(readout.mark); });
}

all("svg.plot").forEach(wire);
all(".readout, .horizon").forEach((part) => { part.hidden = false; });
all(".readout button").forEach((button) => button.addEventListener("click", async () => {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "copied";
  } catch {
    getSelection().selectAllChildren(code);
  }
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}));
if (slider) {
  slider.addEventListener("input", move);
  move();
}
