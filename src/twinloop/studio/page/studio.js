// The page: what the person writes goes to /api, what comes back is drawn. No state that the server does not hold,
// but which plan is being asked and which are left out of the comparison.

import { draw } from "./editor.js";

const $ = (id) => document.getElementById(id);
const text = $("text");
const WAIT_MS = { check: 250, ask: 120, poll: 500 };

const make = (name, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};

const say = (words) => { $("said").textContent = words; };

const call = async (method, path, body) => {
  const options = body === undefined ? { method } :
    { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("the studio has ended: start `twinloop studio` again");
  }
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.error ?? `${response.status} ${response.statusText}`);
};

const attempt = async (work) => {
  try {
    say("");
    return await work();
  } catch (error) {
    say(error.message);
    return null;
  }
};

const save = (name, content) => {
  const link = make("a", { href: URL.createObjectURL(new Blob([content], { type: "application/yaml" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

// Figures

const money = (usd) => {
  const [size, suffix] = Math.abs(usd) >= 1e9 ? [1e9, "B"] : Math.abs(usd) >= 1e6 ? [1e6, "M"] : [1e3, "k"];
  return `USD\u202f${(usd / size).toFixed(Math.abs(usd) / size < 100 ? 3 : 1)}\u202f${suffix}`;
};
const whole = (value) => value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en").replaceAll(",", "\u202f");
const known = (show) => (value) => (value === null || value === undefined ? "—" : show(value));
const share = (first, value) => {
  if (first === null || value === null || !first || Math.abs(value - first) < 5e-5 * Math.abs(first)) return "";
  const part = 100 * (value / first - 1);
  return `${part > 0 ? "+" : "−"}${Math.abs(part).toFixed(Math.abs(part) < 10 ? 2 : 0)} %`;
};
/** A share of a temperature means nothing: its zero is a convention. */
const kelvin = (first, value) => {
  if (first === null || value === null || Math.abs(value - first) < 0.05) return "";
  return `${value > first ? "+" : "−"}${Math.abs(value - first).toFixed(1)}\u202fK`;
};
const FIGURES = [
  ["cost of ownership", "tco_usd", money],
  ["energy a year", "facility_energy_mwh_per_year", (v) => `${whole(v)}\u202fMWh`],
  ["PUE", "pue", (v) => v.toFixed(3)],
  ["site water a year", "water_m3_per_year", (v) => `${whole(v)}\u202fm³`],
  ["CO2e a year", "carbon_t_per_year", (v) => `${whole(v)}\u202ft`],
  ["hottest junction", "peak_junction_c", (v) => `${v.toFixed(1)}\u202f°C`, kelvin],
];

/** On a narrow screen each row is a card, and each cell says what it is of. */
const table = (caption, head, rows) => {
  for (const each of rows) [...each.querySelectorAll("td")].forEach((cell, i) => { cell.dataset.of = head[i]; });
  return make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: caption },
    make("table", {}, make("caption", { textContent: caption }),
      make("thead", {}, make("tr", {}, make("td", { className: "corner" }), ...head.map((each) => make("th", { scope: "col", textContent: each })))),
      make("tbody", {}, ...rows)));
};

const row = (name, cells, differs = false) => make("tr", { className: differs ? "differs" : "" },
  make("th", { scope: "row", textContent: differs ? `${name} ≠` : name }),
  ...cells.map(({ value, change: moved }) => make("td", {}, value, ...(moved ? [" ", make("small", { textContent: moved })] : []))));

// The scenario

let checks = 0;
let timer = 0;

const check = async () => {
  const mine = ++checks;
  const found = await attempt(() => call("POST", "/api/check", { text: text.value }));
  if (found === null || mine !== checks) return;
  draw(found.faults);
  const count = found.faults.length;
  $("verdict").className = found.ok ? "ok" : "bad";
  $("verdict").textContent = found.ok ? `✓ ${found.name}: ${found.holds}` : `✗ ${count} fault${count === 1 ? "" : "s"}`;
  $("plan").disabled = !found.ok;
};

const changed = () => {
  $("plan").disabled = true;
  $("verdict").className = "";
  $("verdict").textContent = "checking…";
  draw([]);
  clearTimeout(timer);
  timer = setTimeout(check, WAIT_MS.check);
};

let safe = text.value;
text.addEventListener("input", changed);
addEventListener("beforeunload", (event) => { if (text.value !== safe) event.preventDefault(); });
$("download").addEventListener("click", () => { save("scenario.yaml", text.value); safe = text.value; });
$("save").addEventListener("click", () => attempt(async () => {
  const mine = text.value;
  const { file } = await call("POST", "/api/save", { text: mine });
  safe = mine;
  say(`saved ${file}`);
}));
$("plan").addEventListener("click", () => attempt(async () => {
  await call("POST", "/api/plans", { text: text.value });
  await refresh();
}));

// The plans

const left = new Set();
const drawn = new Map();
let asked = null;
let compared = "";
let polling = 0;

const refresh = async () => {
  clearTimeout(polling);
  const plans = await attempt(() => call("GET", "/api/plans"));
  if (plans === null) return;
  $("none").hidden = plans.length > 0;
  for (const plan of plans) show(plan);
  for (const [id, card] of drawn) {
    if (!plans.some((plan) => plan.id === id)) { card.node.remove(); drawn.delete(id); }
  }
  if (asked !== null && !plans.some((plan) => plan.id === asked && plan.asks)) close();
  await compare(plans.filter((plan) => plan.state === "planned" && !left.has(plan.id)).map((plan) => plan.id));
  if (plans.some((plan) => plan.state === "running")) polling = setTimeout(refresh, WAIT_MS.poll);
};

const WORDS = {
  running: "planning", planned: "planned", infeasible: "no plan satisfies all constraints", faults: "faults in the scenario",
  failed: "failed", cancelled: "cancelled",
};

/** Draw a card anew only when its state changes, so that focus stays where it is. */
const show = (plan) => {
  const card = drawn.get(plan.id) ?? { node: $("list").appendChild(make("li")), state: "" };
  drawn.set(plan.id, card);
  const state = `${plan.state} ${plan.asks}`;
  if (card.state !== state) {
    card.state = state;
    fill(card, plan);
  }
  card.time.textContent = `${WORDS[plan.state]}, ${plan.seconds.toFixed(1)} s`;
  if (card.step && plan.steps.length) {
    card.step.textContent = `step ${plan.steps.length}: ${plan.steps.at(-1)[0]}`;
  }
};

const fill = (card, plan) => {
  card.time = make("span");
  card.step = null;
  const top = make("div", { className: "top" }, make("h3", { textContent: `${plan.id} ${plan.name}` }), card.time);
  const parts = plan.state === "running" ? running(card, plan) : ended(plan);
  card.node.replaceChildren(top, ...parts);
};

const act = (words, work, label) => {
  const button = make("button", { type: "button", textContent: words, ariaLabel: label });
  button.addEventListener("click", () => attempt(work));
  return button;
};

const end = (plan) => async () => {
  await call("DELETE", `/api/plans/${plan.id}`);
  await refresh();
};

const running = (card, plan) => {
  card.step = make("p", { textContent: "starting" });
  return [card.step, make("progress", { ariaLabel: `plan ${plan.id} is being computed` }),
    make("div", { className: "acts" }, act("Cancel", end(plan), `Cancel plan ${plan.id}`))];
};

const file = (plan, name, words) => make("a", { href: `/plans/${plan.id}/${name}`, textContent: words, ariaLabel: `${words} of plan ${plan.id}` });

const ended = (plan) => {
  const acts = make("div", { className: "acts" });
  if (plan.report) {
    acts.append(Object.assign(file(plan, "report", "Report"), { target: "_blank", rel: "noopener" }),
      file(plan, "plan.json", "plan.json"), file(plan, "equipment.csv", "equipment.csv"));
  }
  acts.append(file(plan, "scenario.yaml", "YAML"));
  if (plan.asks) acts.append(act("What if", () => open(plan), `What if, plan ${plan.id}`));
  if (plan.state === "planned") acts.append(tick(plan));
  acts.append(act("Remove", end(plan), `Remove plan ${plan.id}`));
  const steps = plan.steps.map(([step, at]) => make("li", { textContent: `${at.toFixed(1)} s: ${step}` }));
  const told = make(plan.state === "planned" ? "p" : "pre", { textContent: plan.message });
  return [...(plan.message ? [told] : []), acts,
    ...(steps.length ? [make("details", {}, make("summary", { textContent: "Steps" }), make("ol", {}, ...steps))] : [])];
};

const tick = (plan) => {
  const box = make("input", { type: "checkbox", checked: !left.has(plan.id) });
  box.addEventListener("change", () => {
    if (box.checked) left.delete(plan.id); else left.add(plan.id);
    refresh();
  });
  return make("label", {}, box, `compare ${plan.id}`);
};

const compare = async (ids) => {
  $("beside").hidden = ids.length === 0;
  const key = ids.join(",");
  if (!ids.length || key === compared) return;
  const found = await attempt(() => call("GET", `/api/compare?ids=${key}`));
  if (found === null || !found.names) return;
  compared = key;
  const part = (caption, rows) => table(caption, found.names, rows.map((each) => row(each.name, each.cells, each.differs)));
  $("comparison").replaceChildren(part("Figures", found.figures), part("What was chosen", found.choices),
    ...(found.inputs.length ? [part("Inputs that differ: the cause", found.inputs)] : []));
};

// What if

let moved = {};
let pending = false;
let busy = false;
let wait = 0;

const close = () => { asked = null; $("whatif").hidden = true; };

const open = (plan) => {
  asked = plan.id;
  moved = {};
  $("whatif").hidden = false;
  $("h-whatif").textContent = `What if: plan ${plan.id} ${plan.name}`;
  $("answer").replaceChildren();
  $("levers").replaceChildren(...plan.levers.map(slider));
  $("h-whatif").focus();
  ask();
};

const slider = (lever) => {
  const id = `lever-${lever.name}`;
  const shown = make("output", { htmlFor: id });
  const input = make("input", { type: "range", id, min: lever.low, max: lever.high, step: lever.step, value: lever.value });
  const words = () => `${Number(input.value)} ${lever.unit}`;
  const update = () => { shown.textContent = words(); input.setAttribute("aria-valuetext", words()); };
  input.addEventListener("input", () => {
    update();
    moved[lever.name] = Number(input.value);
    clearTimeout(wait);
    $("computing").textContent = "computing…";
    wait = setTimeout(ask, WAIT_MS.ask);
  });
  update();
  const write = lever.path === null ? make("small", { textContent: "chosen by the plan" }) :
    act("Write into the scenario", async () => {
      const { text: now } = await call("POST", "/api/set", { text: text.value, path: lever.path, value: words() });
      text.value = now;
      changed();
    }, `Write into the scenario: ${lever.label}`);
  return make("div", { className: "lever" }, make("label", { htmlFor: id, textContent: lever.label }), shown, input, write);
};

/** Ask with the latest positions; while an answer is on its way only the newest question waits. */
const ask = async () => {
  if (busy) { pending = true; return; }
  busy = true;
  $("computing").textContent = "computing…";
  const id = asked;
  const answer = await attempt(() => call("POST", `/api/plans/${id}/ask`, { moved }));
  busy = false;
  if (pending) { pending = false; ask(); return; }
  if (id !== asked) return;
  $("computing").textContent = answer === null ? "" : answer.error ?? `answered by the twin in ${answer.seconds.toFixed(1)} s`;
  if (answer !== null && !answer.error) tell(answer);
};

const tell = (answer) => {
  const { plan, kept, best, changes } = answer;
  const cell = (figures, key, show, change) => ({ value: known(show)(figures[key]), change: change(plan[key], figures[key]) });
  const columns = best === null || !(kept.broken.length || changes.length) ? [kept] : [kept, best];
  const rows = FIGURES.map(([name, key, show, change = share]) =>
    row(name, [{ value: known(show)(plan[key]) }, ...columns.map((each) => cell(each, key, show, change))]));
  const head = ["the plan", "the same plan there", "the best choice there"].slice(0, 1 + columns.length);
  const notes = kept.broken.map((each) => make("li", { className: "bad" }, "The same plan breaks a limit there: ", make("b", { textContent: each })));
  const choice = best === null ? ["No stored choice satisfies the limits there."] : changes.length ? changes : ["The choice stays as it is."];
  notes.push(...choice.map((each) => make("li", { textContent: each })));
  $("answer").replaceChildren(make("ul", { className: "changes" }, ...notes),
    table("The answer", head, rows));
};

// Start

const scenario = await attempt(() => call("GET", "/api/scenario"));
if (scenario !== null) {
  text.value = scenario.text;
  safe = scenario.text;
  $("file").textContent = scenario.saves ? scenario.file : "a starter, in no file yet";
  $("save").hidden = !scenario.saves;
  draw([]);
  await check();
  await refresh();
}
