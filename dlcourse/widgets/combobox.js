// A text field that offers completions, as the ARIA practices describe a combobox with a list.

// `find(text)` gives the options as [value, text]; `typing(text)` hears every letter, `choose(value)` an option that was taken,
// `commit(text)` what stands in the field when it is left or Enter is pressed. Returns { input, set }.
export function combobox(parent, { label, list, find, typing, choose, commit, describedby = "" }, signal) {
  const box = make(parent, "div", "dl-combo"), id = unique(), on = { signal };
  make(box, "label", "dl-small", { for: id }, label);
  const input = make(box, "input", "", { id, type: "text", role: "combobox", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    enterkeyhint: "search", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list` });
  if (describedby) input.setAttribute("aria-describedby", describedby);
  const popup = make(box, "div", "dl-combo-list", { id: `${id}-list`, role: "listbox", "aria-label": list });
  let options = [], active = -1, dirty = false;
  popup.hidden = true;

  const close = () => {
    popup.hidden = true; active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (next) => {
    active = next;
    [...popup.children].forEach((option, k) => option.setAttribute("aria-selected", String(k === active)));
    if (active < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", popup.children[active].id);
    popup.children[active].scrollIntoView({ block: "nearest" });
  };
  const open = () => {
    options = find(input.value);
    popup.replaceChildren();
    options.forEach(([, text], k) => make(popup, "div", "", { id: `${id}-${k}`, role: "option", "aria-selected": "false" }, text));
    if (!options.length) return close();
    popup.hidden = false; active = -1;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
  };
  const take = (k) => {
    const [value, text] = options[k];
    input.value = text; dirty = false;
    close();
    choose(value);
  };
  const leave = () => {
    close();
    if (dirty) commit(input.value);
    dirty = false;
  };

  input.addEventListener("input", () => { dirty = true; open(); typing(input.value); }, on);
  input.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      if (popup.hidden) { open(); if (popup.hidden) return; }
      mark(active < 0 ? (move > 0 ? 0 : options.length - 1) : (active + move + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (active >= 0) return take(active);
      dirty = true;
      leave();
    } else if (event.key === "Escape" && !popup.hidden) {
      event.preventDefault();
      close();
    }
  }, on);
  input.addEventListener("focus", () => input.select(), on);
  input.addEventListener("blur", leave, on);
  popup.addEventListener("mousedown", (event) => event.preventDefault(), on); // the field keeps its focus
  popup.addEventListener("click", (event) => {
    const k = [...popup.children].indexOf(event.target.closest("[role=option]"));
    if (k >= 0) take(k);
  }, on);
  return { box, input, set: (text) => { input.value = text; dirty = false; close(); } };
}
