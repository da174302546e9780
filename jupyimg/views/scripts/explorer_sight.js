// One image of an explorer: what it says of itself, its layers, and the line that a button offers to run.

const NUMBER = "jie-number"; // the class of what is over numbers
/** What can be done with an image, by the subcommand. */
const acts = (say) => ({ pull: say("Pull"), tag: say("Tag…"), push: say("Push"), save: say("Save…"), rmi: say("Remove…") });

function sight(message, state, parts, actions) {
  const { say } = state;
  const act = (name) => offer(name, message.lines[name], state, parts);
  const buttons = Object.entries(acts(say)).map(([name, label]) => button(label, () => act(name), {
    disabled: !message.lines[name], className: name === "rmi" ? "jie-danger" : "",
    title: message.lines[name]?.line ?? say("not for this one: it is not here, or has no name") }));
  parts.head.replaceChildren(
    make("div", { className: "jie-title" }, foreign(message.title)),
    make("div", { className: "jie-faint", textContent: message.summary.join(" · ") }),
    make("div", { className: "jie-buttons", role: "group", "aria-label": say("what can be done with it") }, ...buttons));
  if (state.seen !== message.key) { parts.act.hidden = true; parts.sight.scrollTop = 0; }
  state.seen = message.key;
  const many = message.platforms.length > 1;
  const sections = [
    many && section(say("Platforms"), true, platforms(message, say, actions)),
    section(say("Layers ({count})", { count: message.layers.length }), true, ...layers(message, say)),
    message.sharers.length > 0 && section(shared(message, say), true, sharers(message, say)),
    section(say("Config"), true, pairs([...message.facts, ...message.config], "jie-keys")),
    message.env.length > 0 && section(say("Environment ({count})", { count: message.env.length }), true, pairs(message.env)),
    message.labels.length > 0 && section(say("Labels ({count})", { count: message.labels.length }), true, pairs(message.labels)),
    section(say("History ({count})", { count: message.history.length }), false, steps(message, say)),
  ];
  parts.sight.replaceChildren(...sections.filter(Boolean));
}

function shared({ remote, sharers }, say) {
  const count = sharers.length;
  return remote ? say("Layers already here, in ({count})", { count }) : say("Shares layers with ({count})", { count });
}

function offer(name, offered, { say }, parts) {
  parts.act.hidden = false;
  parts.act.dataset.act = name;
  parts.note.textContent = offered.note;
  parts.line.value = offered.line;
  parts.run.textContent = name === "rmi" ? say("Remove") : say("Run");
  parts.run.className = name === "rmi" ? "jie-danger" : "jie-go";
  parts.line.focus();
  parts.line.setSelectionRange(offered.from, offered.to);
}

function section(title, open, ...content) {
  return make("details", { open }, make("summary", { textContent: title }), ...content);
}

function platforms(message, say, actions) {
  return make("div", { className: "jie-platforms", role: "group", "aria-label": say("platforms") },
    ...message.platforms.map(([name, current, held]) => button(name, () => actions.look(name), {
      disabled: !held, "aria-pressed": String(current), title: held ? say("show this platform") : say("not held here") })));
}

function layers(message, say) {
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
    make("td", {}, others.length ? make("span", { className: "jie-mark", title: others.join("\n"), textContent: message.remote ? say("here") : say("shared") }) : ""),
    make("td", { className: "jie-code jie-long" }, foreign(madeBy))));
  const legend = message.layers.some((layer) => layer[3].length) ?
    make("div", { className: "jie-faint" }, make("span", { className: "jie-key jie-box" }), ` ${message.remote ? say("to be fetched") : say("only this image")} `, make("span", { className: "jie-key jie-box jie-shared" }), ` ${message.remote ? say("already here") : say("also in other images here")}`) : null;
  return [make("div", { className: "jie-map", "aria-hidden": "true" }, ...boxes.filter(Boolean)), legend,
    table([[say("layer")], [say("size"), NUMBER], [""], [say("made by")]], rows)];
}

function sharers(message, say) {
  return table([[say("image")], [say("layers"), NUMBER], [say("bytes"), NUMBER]], message.sharers.map(([name, count, words]) => make("tr", {},
    make("td", {}, foreign(name)), make("td", { className: "jie-number", textContent: String(count) }), make("td", { className: "jie-number", textContent: words }))));
}

function steps(message, say) {
  return table([[say("when")], [say("size"), NUMBER], [say("step")]], message.history.map(([text, when, size, layer]) => make("tr", { className: layer ? "" : "jie-faint" },
    make("td", { className: "jie-when", textContent: when }), make("td", { className: "jie-number", textContent: size }), make("td", { className: "jie-code jie-long" }, foreign(text)))));
}

function pairs(given, className = "") {
  return make("table", { className: `jie-table ${className}` }, make("tbody", {}, ...given.map(([key, value]) => make("tr", {},
    make("th", { scope: "row" }, foreign(key)), make("td", { className: "jie-code jie-long" }, foreign(value))))));
}

function table(heads, rows) {
  return make("table", { className: "jie-table" },
    make("thead", {}, make("tr", {}, ...heads.map(([textContent, className = ""]) => make("th", { scope: "col", textContent, className })))), make("tbody", {}, ...rows));
}

async function copy({ say }, parts) {
  try {
    await navigator.clipboard.writeText(parts.line.value);
  } catch {
    parts.line.select(); // a page without leave to write may still copy what is selected
    document.execCommand("copy");
  }
  parts.note.textContent = say("Copied.");
}
