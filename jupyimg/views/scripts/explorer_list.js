// The list of an explorer: of its rows only those that are seen exist.
//
// Rows are arrays: key, text, platforms, bytes, time, bytes and time in words, mark.

const [KEY, TEXT, PLATFORMS, SIZE, TIME, SIZE_WORDS, TIME_WORDS, MARK] = [0, 1, 2, 3, 4, 5, 6, 7];
/** Pixels of a row: a repository is a name and nothing else. */
const height = ({ kind }) => (kind === "catalog" ? 28 : 46);
const BEYOND = 6; // rows that are made above and below what is seen
const PATIENCE = 120; // milliseconds on a row before it is asked for

/** How the list is sorted: what it is called, and the order. */
const sorts = (say) => ({
  listed: [say("as listed"), () => 0],
  name: [say("name"), (a, b) => a[TEXT].localeCompare(b[TEXT], undefined, { numeric: true })],
  largest: [say("largest first"), (a, b) => (b[SIZE] ?? -1) - (a[SIZE] ?? -1)],
  smallest: [say("smallest first"), (a, b) => (a[SIZE] ?? Infinity) - (b[SIZE] ?? Infinity)],
  newest: [say("newest first"), (a, b) => (b[TIME] ?? -1) - (a[TIME] ?? -1)],
  oldest: [say("oldest first"), (a, b) => (a[TIME] ?? Infinity) - (b[TIME] ?? Infinity)],
});

/** The marks that are words of ours; the type of an artefact is said as it is. */
const marked = (say, mark) => (mark === "dangling" ? say("dangling") : mark === "pinned" ? say("pinned") : mark);

function keys(event, state, parts, actions) {
  const page = Math.max(1, Math.floor(parts.list.clientHeight / height(state)) - 1);
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
  const top = state.at * height(state);
  if (top < parts.list.scrollTop) parts.list.scrollTop = top;
  const below = top + height(state) - parts.list.clientHeight;
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
  if (sort !== "listed") state.shown.sort(sorts(state.say)[sort][1]);
  state.at = state.shown.findIndex((row) => row[KEY] === key);
  const [some, all] = [state.shown.length, state.rows.length];
  parts.count.textContent = some === all ? `${all}` : state.say("{some} of {all}", { some, all });
  if (parts.space.parentNode !== parts.list) parts.list.replaceChildren(parts.space);
  parts.space.style.height = `${some * height(state)}px`;
  parts.list.scrollTop = Math.max(0, Math.min(parts.list.scrollTop, some * height(state) - parts.list.clientHeight));
  draw(state, parts);
  if (!some) {
    parts.space.append(make("p", { className: "jie-faint jie-none", textContent: nothing(state) }));
  }
}

function nothing({ say, rows, kind }) {
  if (rows.length) return say("Nothing fits the search.");
  return kind === "images" ? say("No images here yet: %image pull NAME fetches one.") : say("Nothing here.");
}

/** The rows that are seen, and a few more. */
function draw(state, parts) {
  const first = Math.max(0, Math.floor(parts.list.scrollTop / height(state)) - BEYOND);
  const last = Math.min(state.shown.length, Math.ceil((parts.list.scrollTop + (parts.list.clientHeight || 430)) / height(state)) + BEYOND);
  const made = [];
  for (let at = first; at < last; at += 1) made.push(item(state, parts, at));
  settle(parts.space, made);
  if (state.at >= first && state.at < last) parts.list.setAttribute("aria-activedescendant", `${parts.list.id}-${state.at}`);
  else parts.list.removeAttribute("aria-activedescendant");
}

/** Show these rows; those that are there already are not taken out: a click on an element that is would be lost. */
function settle(space, made) {
  const there = new Map([...space.children].map((each) => [each.dataset.key, each]));
  const rows = made.map((row) => {
    const old = there.get(row.dataset.key);
    if (!old || old.textContent !== row.textContent) return row;
    there.delete(row.dataset.key);
    for (const { name, value } of row.attributes) old.setAttribute(name, value);
    return old;
  });
  for (const each of there.values()) each.remove();
  rows.forEach((row, at) => { if (space.children[at] !== row) space.insertBefore(row, space.children[at] ?? null); });
}

function item(state, parts, at) {
  const row = state.shown[at];
  const [platform = "", ...more] = row[PLATFORMS];
  const several = { platform, rest: more.length, count: more.length + 1 };
  const facts = [more.length ? state.say("{platform} + {rest} more", several) : platform, row[SIZE_WORDS], row[TIME_WORDS]];
  return make("div", {
    id: `${parts.list.id}-${at}`, className: "jie-row", role: "option", title: row[TEXT],
    "aria-selected": String(at === state.at), "aria-setsize": String(state.shown.length), "aria-posinset": String(at + 1),
    "data-at": String(at), "data-key": row[KEY], style: { top: `${at * height(state)}px`, height: `${height(state)}px` },
  },
  make("div", { className: "jie-name" }, foreign(row[TEXT]), row[MARK] ? make("span", { className: "jie-mark", textContent: marked(state.say, row[MARK]) }) : null),
  state.kind === "catalog" ? null : make("div", { className: "jie-faint", textContent: facts.filter(Boolean).join(" · ") }));
}

function rows(message, state, parts, actions) {
  const before = message.kind === state.kind ? parts.filter.value : "";
  if (message.kind !== state.kind) { parts.search.value = ""; parts.list.scrollTop = 0; }
  const grew = state.kind !== "" && message.kind !== state.kind;
  Object.assign(state, { rows: message.rows, kind: message.kind });
  state.hay = state.rows.map((row) => [row[TEXT], ...row[PLATFORMS], row[KEY], row[MARK], marked(state.say, row[MARK])].join(" ").toLowerCase());
  const choices = [...new Set(state.rows.flatMap((row) => [...row[PLATFORMS], ...(row[MARK] ? [row[MARK]] : [])]))].sort();
  parts.filter.replaceChildren(make("option", { value: "", textContent: state.say("all") }), ...choices.map((value) => make("option", { value, textContent: marked(state.say, value) })));
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

const unselected = (say, kind) => (kind === "catalog" ? say("Select a repository to see its tags.") : say("Select a row to see it here."));

function empty(state, parts) {
  parts.head.replaceChildren();
  parts.act.hidden = true;
  parts.sight.replaceChildren(make("p", { className: "jie-faint", textContent: unselected(state.say, state.kind) }));
}
