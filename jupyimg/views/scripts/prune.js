// The preview of a pruning: rows to tick; the kernel says what exactly this set frees, and acts on this set alone.

export default {
  render({ model, el }) {
    const say = speaker(model);
    const heads = [say("image"), say("image ID"), say("created"), say("size")];
    const rows = model.get("rows");
    const boxes = new Map();
    const lines = rows.map((row) => {
      const box = tell("input", { type: "checkbox", "aria-label": row.cells[0] });
      boxes.set(row.key, box);
      const cells = row.cells.map((text, at) => tell("td", { title: row.titles[at], className: `jupyimg-c${at}` }, text));
      return tell("tr", {}, tell("td", {}, box), ...cells);
    });
    const all = tell("input", { type: "checkbox", "aria-label": say("all that are shown") });
    const filter = tell("input", { type: "search", placeholder: say("filter"), "aria-label": say("filter") });
    const summary = tell("div", { role: "status", className: "jupyimg-said" });
    const confirm = tell("button", { type: "button", className: "jupyimg-main" });
    const cancel = tell("button", { type: "button" }, say("Cancel"));
    const head = tell("tr", {}, tell("th", {}, all), ...heads.map((text, at) => tell("th", { className: `jupyimg-c${at}` }, text)));
    const table = tell("table", {}, tell("thead", {}, head), tell("tbody", {}, ...lines));
    const choice = tell(
      "div",
      {},
      ...(rows.length > 10 ? [filter] : []),
      ...(rows.length ? [tell("div", { className: "jupyimg-rows" }, table)] : []),
    );
    const buttons = tell("div", { className: "jupyimg-buttons" }, confirm, cancel);
    let later = 0;

    const ticked = () => rows.map((row) => row.key).filter((key) => boxes.get(key).checked);
    const shown = () => rows.filter((_, at) => !lines[at].hidden);
    const mark = () => {
      const seen = shown().map((row) => boxes.get(row.key).checked);
      all.checked = seen.length > 0 && seen.every(Boolean);
      all.indeterminate = !all.checked && seen.some(Boolean);
    };
    const ask = () => {
      mark();
      confirm.disabled = true;
      summary.replaceChildren(tell("div", {}, say("Counting…")));
      clearTimeout(later);
      later = setTimeout(() => {
        model.set("ticked", ticked());
        model.save_changes();
        show();
      }, 60);
    };
    all.addEventListener("change", () => {
      for (const row of shown()) boxes.get(row.key).checked = all.checked;
      ask();
    });
    table.addEventListener("change", (event) => event.target !== all && ask());
    table.addEventListener("click", (event) => {
      const box = event.target.closest("tbody tr")?.querySelector("input");
      if (box && event.target !== box && !getSelection().toString()) box.click();
    });
    filter.addEventListener("input", () => {
      const wanted = filter.value.toLowerCase();
      rows.forEach((row, at) => { lines[at].hidden = !row.cells.join(" ").toLowerCase().includes(wanted); });
      mark();
    });
    confirm.addEventListener("click", () => {
      confirm.disabled = cancel.disabled = true;
      summary.replaceChildren(tell("div", {}, say("Removing…")));
      model.send({ do: "confirm", ticked: ticked() });
    });
    cancel.addEventListener("click", () => model.send({ do: "cancel" }));

    const show = () => {
      const open = model.get("state") === "open";
      const told = model.get("told");
      choice.hidden = buttons.hidden = !open;
      const counted = told.ticked.join() === ticked().join();
      if (open && !counted) return;
      confirm.disabled = !told.can;
      cancel.disabled = false;
      confirm.textContent = told.button;
      summary.className = `jupyimg-said jupyimg-${told.mood}`;
      summary.replaceChildren(...told.lines.map((line) => tell("div", {}, line)));
    };
    for (const key of model.get("ticked")) boxes.get(key).checked = true;
    model.on("change:told", show);
    model.on("change:state", show);
    mark();
    show();
    el.classList.add("jupyimg-form");
    el.append(tell("div", {}, choice, summary, buttons));
    guard(el);
    fold(el);
    return () => {
      clearTimeout(later);
      model.off("change:told", show);
      model.off("change:state", show);
    };
  },
};
