// A table of itables whose library is asked from the kernel once for each page, instead of lying in every widget's state.

const loaded = (globalThis.jupyimgTables ??= new Map());

function library(model) {
  const version = model.get("_library");
  if (loaded.has(version)) return Promise.resolve(loaded.get(version));
  return new Promise((resolve, reject) => {
    const take = async (message) => {
      if (message?.library !== version) return;
      model.off("msg:custom", take);
      const url = URL.createObjectURL(new Blob([message.js], { type: "text/javascript" }));
      try {
        const module = await import(url);
        if (!loaded.has(version)) document.head.append(tell("style", { textContent: message.css }));
        loaded.set(version, module.default);
        resolve(module.default);
      } catch (error) {
        reject(error);
      } finally {
        URL.revokeObjectURL(url);
      }
    };
    model.on("msg:custom", take);
    model.send({ want: version });
  });
}

export default {
  async render({ model, el }) {
    const waiting = tell("em", { textContent: speaker(model)("The table appears when the kernel is free.") });
    el.append(waiting);
    const table = await library(model);
    waiting.remove();
    guard(el);
    fold(el);
    const done = await table.render({ model, el });
    const foot = tell("div", { className: "jupyimg-foot" });
    const show = () => foot.replaceChildren(model.get("foot"));
    model.on("change:foot", show);
    show();
    el.append(foot);
    return () => {
      model.off("change:foot", show);
      done?.();
    };
  },
};
