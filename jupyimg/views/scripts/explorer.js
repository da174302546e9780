// The page of an explorer: a list of which only the visible rows exist, one image in full, and a line to run.
//
// It asks Python by numbered messages and draws what comes back. All text becomes text nodes, never markup; nothing
// is loaded from anywhere. The list and the image that is looked at stand in files of their own.

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
  const say = speaker(model);
  const state = { say, rows: [], shown: [], at: -1, kind: "", hay: [], seen: "", platform: "", doing: false, asked: {} };
  const parts = layout(id, say);
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
    refresh: () => { busy(state, parts, say("reading…")); ask("list"); },
    back: () => ask("list", { back: true }),
    open: (row) => {
      if (state.kind !== "catalog") { parts.sight.focus(); return; }
      busy(state, parts, say("reading the tags of {name}…", { name: row[TEXT] }));
      parts.list.setAttribute("aria-busy", "true"); // what it shows is about to be replaced
      ask("list", { key: row[KEY] });
    },
    look: (platform) => {
      const row = state.shown[state.at];
      if (!row) return;
      if (platform !== undefined || state.seen !== row[KEY]) state.platform = platform ?? "";
      busy(state, parts, say("reading {name}…", { name: row[TEXT] }));
      ask("look", { key: row[KEY], platform: state.platform });
    },
    run: (line) => {
      state.doing = true;
      busy(state, parts, say("running {line}", { line }), true);
      parts.error.replaceChildren();
      parts.said.textContent = "";
      ask("do", { line });
    },
  };
  parts.list.textContent = "";
  listen(state, parts, actions);
  model.on("msg:custom", hear);
  fold(el);
  ask("rows");
  return () => model.off("msg:custom", hear);
}

function layout(id, say) {
  const parts = {};
  const keep = (name, element) => (parts[name] = element);
  const option = ([value, [label]]) => make("option", { value, textContent: label });
  const bar = make("div", { className: "jie-bar", role: "group", "aria-label": say("what is listed") },
    keep("back", button(`‹ ${say("repositories")}`, () => {}, { hidden: true })),
    keep("place", make("strong", { className: "jie-place" })),
    keep("search", make("input", { type: "search", placeholder: say("search ( / )"), "aria-label": say("search in the list"), "aria-controls": `${id}-list` })),
    keep("sort", make("select", { "aria-label": say("sort") }, ...Object.entries(sorts(say)).map(option))),
    keep("filter", make("select", { "aria-label": say("filter") })),
    keep("refresh", button(say("Refresh"), () => {})),
    keep("count", make("span", { className: "jie-faint", role: "status" })));
  keep("list", make("div", { id: `${id}-list`, className: "jie-list", role: "listbox", tabIndex: 0, "aria-label": say("what there is") }));
  keep("space", make("div", { className: "jie-space", role: "presentation" }));
  keep("notes", make("div", { className: "jie-notes jie-faint" }));
  keep("head", make("div", { className: "jie-head" }));
  keep("sight", make("div", { className: "jie-sight", role: "region", tabIndex: 0, "aria-label": say("the selected one") },
    make("p", { className: "jie-faint", textContent: unselected(say, "") })));
  parts.act = actBar(keep, say);
  parts.status = make("div", { className: "jie-status" },
    keep("work", make("div", { className: "jie-work", hidden: true },
      keep("progress", make("progress", { "aria-label": say("how far it is") })),
      keep("working", make("span", { role: "status" })), keep("stop", button(say("Stop"), () => {})))),
    keep("said", make("div", { className: "jie-said", role: "status" })),
    keep("error", make("div", { className: "jie-error", role: "alert" })));
  const right = make("div", { className: "jie-right" }, parts.head, parts.act, parts.status, parts.sight);
  parts.root = make("div", { id, className: "jie", role: "region", "aria-label": say("explorer of images") },
    bar, make("div", { className: "jie-split" }, make("div", { className: "jie-left" }, parts.list, parts.notes), right));
  parts.root.dataset.lmSuppressShortcuts = "true"; // JupyterLab would take arrows and letters for its own
  return parts;
}

/** The line that a button runs, to be read, changed, copied or run. */
function actBar(keep, say) {
  return make("form", { className: "jie-act", hidden: true },
    keep("note", make("div", { className: "jie-faint" })),
    make("div", { className: "jie-line" },
      keep("line", make("input", { type: "text", spellcheck: false, autocomplete: "off", "aria-label": say("the line to run") })),
      keep("run", make("button", { type: "submit", textContent: say("Run") })),
      keep("copy", button(say("Copy as code"), () => {})),
      keep("cancel", button(say("Cancel"), () => {}))));
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
    if (acting) { parts.working.textContent = state.say("stopping…"); return; }
    state.asked.list = state.asked.look = 0; // what still comes of these is of no interest
    parts.list.removeAttribute("aria-busy");
    quiet(state, parts);
  };
  parts.cancel.onclick = () => { parts.act.hidden = true; parts.list.focus(); };
  parts.copy.onclick = () => copy(state, parts);
  parts.act.onsubmit = (event) => { event.preventDefault(); parts.act.hidden = true; actions.run(parts.line.value); parts.stop.focus(); };
  parts.act.onkeydown = (event) => {
    if (event.key === "Escape") parts.cancel.click();
    else if (event.key === "Enter" && event.target === parts.line) parts.act.requestSubmit(); // a notebook stops the browser's own
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

/** Draw what Python says; answers to questions that were asked again since are of no interest. */
function answer(message, state, parts, actions) {
  const mine = Object.entries(state.asked).find(([, number]) => number && number === message.id)?.[0];
  if (message.is === "rows" && (mine || message.id === 0)) { // 0: nobody asked; the line was run again
    quiet(state, parts);
    if (mine === "list") parts.list.removeAttribute("aria-busy");
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
  const lines = [make("div", {}, make("strong", { textContent: message.stopped ? "" : state.say("It failed: ") }), foreign(message.text)),
    message.hint ? make("div", {}, foreign(message.hint)) : null].filter(Boolean);
  if (mine === "do") state.doing = false;
  if (mine === "list") parts.list.removeAttribute("aria-busy");
  quiet(state, parts);
  if (mine === "look") {
    parts.head.replaceChildren();
    parts.sight.replaceChildren(make("div", { className: "jie-error", role: "alert" }, ...lines));
    return;
  }
  parts.said.textContent = "";
  parts.error.replaceChildren(button(state.say("Dismiss"), () => parts.error.replaceChildren(), { className: "jie-dismiss" }), ...lines);
}

export default { render };
