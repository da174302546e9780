// A login form. What is typed as a password goes out once, in a message of its own, and is in no state on either side.

export default {
  render({ model, el }) {
    const say = speaker(model);
    const id = crypto.randomUUID?.() ?? String(Math.random());
    const name = tell("input", { type: "text", id: `${id}-u`, autocomplete: "off", spellcheck: false });
    name.value = model.get("username");
    const secret = tell("input", { type: "password", id: `${id}-p`, autocomplete: "off" });
    const button = tell("button", { type: "submit", className: "jupyimg-main" }, say("Log in"));
    const said = tell("div", { role: "status", className: "jupyimg-said" });
    const fields = tell(
      "div",
      { className: "jupyimg-fields" },
      tell("label", { htmlFor: name.id }, say("User name")), name,
      tell("label", { htmlFor: secret.id }, say("Password or token")), secret,
      tell("span"), tell("div", {}, button),
    );
    const form = tell("form", { autocomplete: "off" });
    const title = tell("strong", {}, say("Log in to {host}", { host: model.get("server") }));
    form.append(title, fields, said);

    // Enter by itself does not submit a form inside of JupyterLab's notebooks
    fields.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target !== button && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (model.get("state") === "done") return;
      if (!name.value.trim() || !secret.value) {
        said.className = "jupyimg-said jupyimg-failed";
        said.replaceChildren(tell("div", {}, say("Both a user name and a password are needed.")));
        (name.value.trim() ? secret : name).focus();
        return;
      }
      const bytes = new TextEncoder().encode(secret.value); // no text, since loggers write down the text of messages
      model.send({ do: "login", username: name.value.trim() }, undefined, [bytes.buffer]);
      secret.value = "";
      button.disabled = true;
      said.className = "jupyimg-said";
      said.replaceChildren(tell("div", {}, say("Asking the registry…")));
    });

    const show = () => {
      const state = model.get("state");
      title.hidden = fields.hidden = state === "done";
      button.disabled = false;
      said.className = `jupyimg-said jupyimg-${state}`;
      said.replaceChildren(...model.get("lines").map((line) => tell("div", {}, line)));
    };
    const answered = () => {
      show();
      if (model.get("state") === "failed" && form.contains(document.activeElement)) secret.focus();
    };
    model.on("change:attempt", answered);
    show();
    el.classList.add("jupyimg-form");
    el.append(form);
    guard(el);
    fold(el);
    return () => model.off("change:attempt", answered);
  },
};
