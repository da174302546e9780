// The page of an explorer: a list of which only the visible rows exist, one image in full, and a line to run.
//
// It asks Python by numbered messages and draws what comes back. All text becomes text nodes, never markup; nothing
// is loaded from anywhere. Rows are arrays: key, text, platforms, bytes, time, bytes and time in words, mark.

const [KEY, TEXT, PLATFORMS, SIZE, TIME, SIZE_WORDS, TIME_WORDS, MARK] = [0, 1, 2, 3, 4, 5, 6, 7];
const ROW_HEIGHT = 46;
const BEYOND = 6; // rows that are made above and below what is seen
const PATIENCE = 120; // milliseconds on a row before it is asked for
const ACTS = { pull: "Pull", tag: "Tag…", push: "Push", save: "Save…", rmi: "Remove…" };
const SORTS = {
  listed: ["as listed", () => 0],
  name: ["name", (a, b) => a[TEXT].localeCompare(b[TEXT], undefined, { numeric: true })],
  largest: ["largest first", (a, b) => (b[SIZE] ?? -1) - (a[SIZE] ?? -1)],
  smallest: ["smallest first", (a, b) => (a[SIZE] ?? Infinity) - (b[SIZE] ?? Infinity)],
  newest: ["newest first", (a, b) => (b[TIME] ?? -1) - (a[TIME] ?? -1)],
  oldest: ["oldest first", (a, b) => (a[TIME] ?? Infinity) - (b[TIME] ?? Infinity)],
};
const NUMBERS = ["size", "layers", "bytes"]; // heads over numbers
let views = 0;

/** An element with properties, attributes (those with a dash or "role") and children; strings become text. */
function make(name, settings = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(settings)) {
    if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (key === "style") Object.assign(element.style, value);
    else if (key.includes("-") || key === "role" || key === "dir") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text from outside: it has a direction of its own, so that it turns nothing around it. */
const foreign = (text, className = "") => make("bdi", { className, textContent: text });

function button(label, act, settings = {}) {
  return make("button", { type: "button", textContent: label, on: { click: act }, ...settings });
}

function render({ model, el }) {
  const id = `jupyimg-explorer-${++views}-${Date.now()}`;
  const state = { rows: [], shown: [], at: -1, kind: "", hay: [], seen: "", platform: "", doing: false, asked: {} };
  const parts = layout(id);
  el.replaceChildren(parts.root);

  let last = 0;
  const ask = (what, more = {}) => {
    last += 1;
    const number = views * 1e6 + last;
    state.asked[what] = number;
    model.send({ id: number, ask: what, ...more });
    return number;
  };
  const hear = (message) => answer(message, state, parts, actions);
  const actions = {
    ask,
    refresh: () => { busy(state, parts, "reading…"); ask("list"); },
    back: () => ask("list", { back: true }),
    open: (row) => {
      if (state.kind !== "catalog") { parts.sight.focus(); return; }
      busy(state, parts, `reading the tags of ${row[TEXT]}…`);
      ask("list", { key: row[KEY] });
    },
    look: (platform) => {
      const row = state.shown[state.at];
      if (!row) return;
      if (platform !== undefined || state.seen !== row[KEY]) state.platform = platform ?? "";
      busy(state, parts, `reading ${row[TEXT]}…`);
      ask("look", { key: row[KEY], platform: state.platform });
    },
    run: (line) => {
      state.doing = true;
      busy(state, parts, `running ${line}`, true);
      parts.error.replaceChildren();
      parts.said.textContent = "";
      ask("do", { line });
    },
  };
  parts.list.textContent = "";
  listen(state, parts, actions);
  model.on("msg:custom", hear);
  ask("rows");
  return () => model.off("msg:custom", hear);
}

function layout(id) {
  const parts = {};
  const keep = (name, element) => (parts[name] = element);
  const option = ([value, [label]]) => make("option", { value, textContent: label });
  const bar = make("div", { className: "jie-bar", role: "group", "aria-label": "what is listed" },
    keep("back", button("‹ repositories", () => {}, { hidden: true })),
    keep("place", make("strong", { className: "jie-place" })),
    keep("search", make("input", { type: "search", placeholder: "search ( / )", "aria-label": "search in the list", "aria-controls": `${id}-list` })),
    keep("sort", make("select", { "aria-label": "sort" }, ...Object.entries(SORTS).map(option))),
    keep("filter", make("select", { "aria-label": "filter" })),
    keep("refresh", button("Refresh", () => {})),
    keep("count", make("span", { className: "jie-faint", role: "status" })));
  keep("list", make("div", { id: `${id}-list`, className: "jie-list", role: "listbox", tabIndex: 0, "aria-label": "what there is" }));
  keep("space", make("div", { className: "jie-space", role: "presentation" }));
  keep("notes", make("div", { className: "jie-notes jie-faint" }));
  keep("head", make("div", { className: "jie-head" }));
  keep("sight", make("div", { className: "jie-sight", role: "region", tabIndex: 0, "aria-label": "the selected one" },
    make("p", { className: "jie-faint", textContent: "Select a row to see it here." })));
  parts.act = actBar(keep);
  parts.status = make("div", { className: "jie-status" },
    keep("work", make("div", { className: "jie-work", hidden: true },
      keep("progress", make("progress", { "aria-label": "how far it is" })),
      keep("working", make("span", { role: "status" })), keep("stop", button("Stop", () => {})))),
    keep("said", make("div", { className: "jie-said", role: "status" })),
    keep("error", make("div", { className: "jie-error", role: "alert" })));
  const right = make("div", { className: "jie-right" }, parts.head, parts.act, parts.status, parts.sight);
  parts.root = make("div", { id, className: "jie", role: "region", "aria-label": "explorer of images" },
    bar, make("div", { className: "jie-split" }, make("div", { className: "jie-left" }, parts.list, parts.notes), right));
  parts.root.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take arrows and letters for its own
  return parts;
}

/** The line that a button runs, to be read, changed, copied or run. */
function actBar(keep) {
  return make("form", { className: "jie-act", hidden: true },
    keep("note", make("div", { className: "jie-faint" })),
    make("div", { className: "jie-line" },
      keep("line", make("input", { type: "text", spellcheck: false, autocomplete: "off", "aria-label": "the line to run" })),
      keep("run", make("button", { type: "submit", textContent: "Run" })),
      keep("copy", button("Copy as code", () => {})),
      keep("cancel", button("Cancel", () => {}))));
}

function listen(state, parts, actions) {
  parts.back.onclick = actions.back;
  parts.refresh.onclick = actions.refresh;
  parts.search.oninput = () => arrange(state, parts);
  parts.sort.onchange = () => arrange(state, parts);
  parts.filter.onchange = () => arrange(state, parts);
  parts.list.onscroll = () => draw(state, parts);
  parts.search.onkeydown = (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); parts.list.focus(); if (state.at < 0) choose(state, parts, actions, 0); }
    if (event.key === "Escape" && parts.search.value) { event.stopPropagation(); parts.search.value = ""; arrange(state, parts); }
  };
  parts.list.onclick = (event) => {
    const row = event.target.closest("[role=option]");
    if (!row) return;
    parts.said.textContent = "";
    choose(state, parts, actions, Number(row.dataset.at));
    if (state.kind === "catalog") actions.open(state.shown[state.at]);
  };
  parts.list.onkeydown = (event) => keys(event, state, parts, actions);
  parts.stop.onclick = () => {
    const acting = parts.stop.dataset.acting === "true";
    actions.ask("stop", { acting });
    if (acting) { parts.working.textContent = "stopping…"; return; }
    state.asked.list = state.asked.look = 0; // what still comes of these is of no interest
    quiet(state, parts);
  };
  parts.cancel.onclick = () => { parts.act.hidden = true; parts.list.focus(); };
  parts.copy.onclick = () => copy(parts);
  parts.act.onsubmit = (event) => { event.preventDefault(); parts.act.hidden = true; actions.run(parts.line.value); parts.stop.focus(); };
  parts.act.onkeydown = (event) => {
    if (event.key === "Escape") parts.cancel.click();
    else if (event.key === "Enter" && event.target === parts.line) parts.act.requestSubmit(); // a notebook stops the browser's own
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function keys(event, state, parts, actions) {
  const page = Math.max(1, Math.floor(parts.list.clientHeight / ROW_HEIGHT) - 1);
  const to = { ArrowDown: state.at + 1, ArrowUp: state.at - 1, PageDown: state.at + page, PageUp: state.at - page, Home: 0, End: Infinity }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (to !== undefined) { parts.said.textContent = ""; choose(state, parts, actions, to); }
  else if (event.key === "Enter" && state.shown[state.at]) actions.open(state.shown[state.at]);
  else if ((event.key === "Backspace" || event.key === "ArrowLeft") && !parts.back.hidden) actions.back();
  else if (event.key === "/") parts.search.focus();
  else return;
  event.preventDefault();
}

/** Select a row, show it in the list, and ask for it when the hand has come to rest. */
function choose(state, parts, actions, at) {
  if (!state.shown.length) return;
  state.at = Math.max(0, Math.min(state.shown.length - 1, at));
  const top = state.at * ROW_HEIGHT;
  if (top < parts.list.scrollTop) parts.list.scrollTop = top;
  const below = top + ROW_HEIGHT - parts.list.clientHeight;
  if (below > parts.list.scrollTop) parts.list.scrollTop = below;
  draw(state, parts);
  clearTimeout(state.timer);
  const row = state.shown[state.at];
  if (state.kind === "catalog") actions.ask("choose", { key: row[KEY] });
  else state.timer = setTimeout(() => actions.look(), PATIENCE);
}

/** What of the rows is shown, and in which order. */
function arrange(state, parts, key = state.shown[state.at]?.[KEY]) {
  const words = parts.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const [sort, wanted] = [parts.sort.value || "listed", parts.filter.value];
  const passes = (row, at) => words.every((word) => state.hay[at].includes(word)) &&
    (!wanted || row[MARK] === wanted || row[PLATFORMS].includes(wanted));
  state.shown = state.rows.filter(passes);
  if (sort !== "listed") state.shown.sort(SORTS[sort][1]);
  state.at = state.shown.findIndex((row) => row[KEY] === key);
  const [some, all] = [state.shown.length, state.rows.length];
  parts.count.textContent = some === all ? `${all}` : `${some} of ${all}`;
  parts.list.replaceChildren(parts.space);
  parts.space.style.height = `${some * ROW_HEIGHT}px`;
  parts.list.scrollTop = Math.max(0, Math.min(parts.list.scrollTop, some * ROW_HEIGHT - parts.list.clientHeight));
  draw(state, parts);
  if (!some) {
    const text = all ? "Nothing fits the search." : state.kind === "images" ? "No images here yet: %image pull NAME fetches one." : "Nothing here.";
    parts.space.append(make("p", { className: "jie-faint jie-none", textContent: text }));
  }
}

/** The rows that are seen, and a few more. */
function draw(state, parts) {
  const first = Math.max(0, Math.floor(parts.list.scrollTop / ROW_HEIGHT) - BEYOND);
  const last = Math.min(state.shown.length, Math.ceil((parts.list.scrollTop + (parts.list.clientHeight || 430)) / ROW_HEIGHT) + BEYOND);
  const made = [];
  for (let at = first; at < last; at += 1) made.push(item(state, parts, at));
  parts.space.replaceChildren(...made);
  if (state.at >= first && state.at < last) parts.list.setAttribute("aria-activedescendant", `${parts.list.id}-${state.at}`);
  else parts.list.removeAttribute("aria-activedescendant");
}

function item(state, parts, at) {
  const row = state.shown[at];
  const [platform, ...more] = row[PLATFORMS];
  const facts = [platform ? platform + (more.length ? ` + ${more.length} more` : "") : "", row[SIZE_WORDS], row[TIME_WORDS]];
  return make("div", {
    id: `${parts.list.id}-${at}`, className: "jie-row", role: "option", title: row[TEXT],
    "aria-selected": String(at === state.at), "aria-setsize": String(state.shown.length), "aria-posinset": String(at + 1),
    "data-at": String(at), style: { top: `${at * ROW_HEIGHT}px`, height: `${ROW_HEIGHT}px` },
  },
  make("div", { className: "jie-name" }, foreign(row[TEXT]), row[MARK] ? make("span", { className: "jie-mark", textContent: row[MARK] }) : null),
  make("div", { className: "jie-faint", textContent: facts.filter(Boolean).join(" · ") }));
}

/** Draw what Python says; answers to questions that were asked again since are of no interest. */
function answer(message, state, parts, actions) {
  const mine = Object.entries(state.asked).find(([, number]) => number && number === message.id)?.[0];
  if (message.is === "rows" && (mine || message.id === 0)) { // 0: nobody asked; the line was run again
    quiet(state, parts);
    rows(message, state, parts, actions);
  } else if (message.is === "sight" && mine === "look") {
    quiet(state, parts);
    sight(message, state, parts, actions);
  } else if (message.is === "step" && mine && (mine === "do") === state.doing) {
    busy(state, parts, message.text, mine === "do", message.done, message.whole);
  } else if (message.is === "done" && mine === "do") {
    state.doing = false;
    quiet(state, parts);
    parts.said.textContent = message.text;
    actions.ask("list");
  } else if (message.is === "error" && mine) failed(message, mine, state, parts);
}

function rows(message, state, parts, actions) {
  const before = message.kind === state.kind ? parts.filter.value : "";
  if (message.kind !== state.kind) { parts.search.value = ""; parts.list.scrollTop = 0; }
  const grew = state.kind !== "" && message.kind !== state.kind;
  Object.assign(state, { rows: message.rows, kind: message.kind });
  state.hay = state.rows.map((row) => [row[TEXT], ...row[PLATFORMS], row[KEY], row[MARK]].join(" ").toLowerCase());
  const choices = [...new Set(state.rows.flatMap((row) => [...row[PLATFORMS], ...(row[MARK] ? [row[MARK]] : [])]))].sort();
  parts.filter.replaceChildren(make("option", { value: "", textContent: "all" }), ...choices.map((value) => make("option", { value, textContent: value })));
  parts.filter.value = choices.includes(before) ? before : "";
  parts.filter.hidden = choices.length < 2;
  parts.sort.hidden = message.kind === "catalog";
  parts.back.hidden = !message.below;
  parts.place.replaceChildren(foreign(message.below || message.place));
  parts.notes.replaceChildren(...message.notes.map((note) => make("div", {}, foreign(note))));
  const kept = message.chosen || state.shown[state.at]?.[KEY];
  arrange(state, parts, kept);
  if (grew) { parts.list.focus({ preventScroll: true }); empty(state, parts); }
  if (state.at >= 0 && message.kind !== "catalog") { choose(state, parts, actions, state.at); }
  else if (state.at < 0) empty(state, parts);
}

function empty(state, parts) {
  parts.head.replaceChildren();
  parts.act.hidden = true;
  const text = state.kind === "catalog" ? "Select a repository to see its tags." : "Select a row to see it here.";
  parts.sight.replaceChildren(make("p", { className: "jie-faint", textContent: text }));
}

/** Say what is under way; what is looked at does not talk over what is done. */
function busy(state, parts, text, acting = false, done = 0, whole = 0) {
  if (state.doing && !acting) return;
  parts.working.textContent = text;
  parts.work.hidden = false;
  parts.stop.dataset.acting = String(acting);
  if (whole > 0) { parts.progress.max = whole; parts.progress.value = Math.min(done, whole); }
  else parts.progress.removeAttribute("value");
}

function quiet(state, parts) {
  if (state.doing) return;
  if (document.activeElement === parts.stop) parts.list.focus();
  parts.working.textContent = "";
  parts.work.hidden = true;
}

function failed(message, mine, state, parts) {
  const lines = [make("div", {}, make("strong", { textContent: message.text === "stopped" ? "" : "It failed: " }), foreign(message.text)),
    message.hint ? make("div", {}, foreign(message.hint)) : null].filter(Boolean);
  if (mine === "do") state.doing = false;
  quiet(state, parts);
  if (mine === "look") {
    parts.head.replaceChildren();
    parts.sight.replaceChildren(make("div", { className: "jie-error", role: "alert" }, ...lines));
    return;
  }
  parts.said.textContent = "";
  parts.error.replaceChildren(button("Dismiss", () => parts.error.replaceChildren(), { className: "jie-dismiss" }), ...lines);
}

async function copy(parts) {
  try {
    await navigator.clipboard.writeText(parts.line.value);
  } catch {
    parts.line.select(); // a page without leave to write may still copy what is selected
    document.execCommand("copy");
  }
  parts.note.textContent = "Copied.";
}

// ---- one image

function sight(message, state, parts, actions) {
  const act = (name) => offer(name, message.lines[name], parts);
  const buttons = Object.entries(ACTS).map(([name, label]) => button(label, () => act(name), {
    disabled: !message.lines[name], className: name === "rmi" ? "jie-danger" : "",
    title: message.lines[name]?.line ?? "not for this one: it is not here, or has no name" }));
  parts.head.replaceChildren(
    make("div", { className: "jie-title" }, foreign(message.title)),
    make("div", { className: "jie-faint", textContent: message.summary.join(" · ") }),
    make("div", { className: "jie-buttons", role: "group", "aria-label": "what can be done with it" }, ...buttons));
  if (state.seen !== message.key) { parts.act.hidden = true; parts.sight.scrollTop = 0; }
  state.seen = message.key;
  const many = message.platforms.length > 1;
  const sections = [
    many && section("Platforms", true, platforms(message, actions)),
    section(`Layers (${message.layers.length})`, true, ...layers(message)),
    message.sharers.length > 0 && section(`${message.remote ? "Layers already here, in" : "Shares layers with"} (${message.sharers.length})`, true, sharers(message)),
    section("Config", true, pairs([...message.facts, ...message.config], "jie-keys")),
    message.env.length > 0 && section(`Environment (${message.env.length})`, true, pairs(message.env)),
    message.labels.length > 0 && section(`Labels (${message.labels.length})`, true, pairs(message.labels)),
    section(`History (${message.history.length})`, false, steps(message)),
  ];
  parts.sight.replaceChildren(...sections.filter(Boolean));
}

function offer(name, offered, parts) {
  parts.act.hidden = false;
  parts.act.dataset.act = name;
  parts.note.textContent = offered.note;
  parts.line.value = offered.line;
  parts.run.textContent = name === "rmi" ? "Remove" : "Run";
  parts.run.className = name === "rmi" ? "jie-danger" : "jie-go";
  parts.line.focus();
  parts.line.setSelectionRange(offered.from, offered.to);
}

function section(title, open, ...content) {
  return make("details", { open }, make("summary", { textContent: title }), ...content);
}

function platforms(message, actions) {
  return make("div", { className: "jie-platforms", role: "group", "aria-label": "platforms" },
    ...message.platforms.map(([name, current, held]) => button(name, () => actions.look(name), {
      disabled: !held, "aria-pressed": String(current), title: held ? "show this platform" : "not held here" })));
}

function layers(message) {
  const boxes = message.boxes.map(([x, y, width, height], at) => {
    const [digest, words, size, others, madeBy] = message.layers[at];
    const share = message.told && others.length > 0;
    return size > 0 && make("div", {
      className: share ? "jie-box jie-shared" : "jie-box", title: `${words}  ${digest}\n${madeBy}`,
      style: { left: `${x}%`, top: `${(y / 22) * 100}%`, width: `${width}%`, height: `${(height / 22) * 100}%` },
    }, width > 9 && height > 5 ? make("span", { textContent: words }) : null);
  });
  const rows = message.layers.map(([digest, words, , others, madeBy]) => make("tr", {},
    make("td", { className: "jie-code", title: digest, textContent: digest.split(":").pop().slice(0, 12) }),
    make("td", { className: "jie-number", textContent: words }),
    make("td", {}, others.length ? make("span", { className: "jie-mark", title: others.join("\n"), textContent: message.remote ? "here" : "shared" }) : ""),
    make("td", { className: "jie-code jie-long" }, foreign(madeBy))));
  const legend = message.layers.some((layer) => layer[3].length) ?
    make("div", { className: "jie-faint" }, make("span", { className: "jie-key jie-box" }), message.remote ? " to be fetched " : " only this image ", make("span", { className: "jie-key jie-box jie-shared" }), message.remote ? " already here" : " also in other images here") : null;
  return [make("div", { className: "jie-map", "aria-hidden": "true" }, ...boxes.filter(Boolean)), legend,
    table(["layer", "size", "", "made by"], rows)];
}

function sharers(message) {
  return table(["image", "layers", "bytes"], message.sharers.map(([name, count, words]) => make("tr", {},
    make("td", {}, foreign(name)), make("td", { className: "jie-number", textContent: String(count) }), make("td", { className: "jie-number", textContent: words }))));
}

function steps(message) {
  return table(["when", "size", "step"], message.history.map(([text, when, size, layer]) => make("tr", { className: layer ? "" : "jie-faint" },
    make("td", { className: "jie-when", textContent: when }), make("td", { className: "jie-number", textContent: size }), make("td", { className: "jie-code jie-long" }, foreign(text)))));
}

function pairs(given, className = "") {
  return make("table", { className: `jie-table ${className}` }, make("tbody", {}, ...given.map(([key, value]) => make("tr", {},
    make("th", { scope: "row" }, foreign(key)), make("td", { className: "jie-code jie-long" }, foreign(value))))));
}

function table(heads, rows) {
  return make("table", { className: "jie-table" },
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col", textContent: head, className: NUMBERS.includes(head) ? "jie-number" : "" })))), make("tbody", {}, ...rows));
}

export default { render };
