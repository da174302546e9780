// What all our widgets share: building elements from text alone, and folding the static copy above a living widget.

/** An element; attributes are properties, children are elements or text, which is never read as markup. */
function tell(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** How a page speaks: English is the key of each phrase, and what has no entry is said in English. */
function speaker(model) {
  const known = model.get("phrases");
  return (phrase, places = {}) => (known[phrase] ?? phrase).replace(/\{(\w+)\}/g, (_, name) => places[name]);
}

/** Fold the static copies of this cell: on the page only, so that a saved notebook still shows them. */
function fold(el, tries = 40) {
  const area = el.isConnected && el.closest(".jp-OutputArea, .output_area, .output");
  if (area) {
    for (const twin of area.querySelectorAll("details.jupyimg-twin")) twin.open = false;
  } else if (tries > 0) {
    setTimeout(() => fold(el, tries - 1), 50);
  }
}

/** Keep the notebook's own shortcuts away while something in here has the focus: "x" on a tick box would cut the cell. */
function guard(el) {
  // on the very element, since JupyterLab looks from the innermost outwards and stops at the first that matches
  el.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
}
