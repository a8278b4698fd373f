// What every widget of the course shares; assets.py puts this text before each widget's own, for a page can load only one file.

const make = (parent, tag, className = "", attributes = {}, text = "") => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  parent.append(node);
  return node;
};
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const number = (v, digits = 2) => {
  const text = Math.abs(v) < 0.5 * 10 ** -digits ? "0" : String(Number(v.toFixed(digits)));
  return text.replace("-", "−");
};
const unique = () => `dl-${Math.random().toString(36).slice(2)}`;

// A row of exclusive buttons; returns a function that shows which one is chosen.
function choices(parent, label, options, choose) {
  const group = make(parent, "fieldset", "dl-choice"), name = unique();
  make(group, "legend", "dl-small", {}, label);
  const row = make(group, "div"), inputs = new Map();
  for (const [value, text] of options) {
    const option = make(row, "label"), input = make(option, "input", "", { type: "radio", name, value });
    make(option, "span", "", {}, text);
    input.addEventListener("change", () => choose(value));
    inputs.set(value, input);
  }
  return (value) => { const input = inputs.get(value); if (input) input.checked = true; };
}

// Whether the page around is dark: the lightness of its ink decides.
const isDark = (root) => {
  const [r, g, b] = getComputedStyle(root).color.match(/[\d.]+/g).map(Number);
  return r + g + b > 384;
};

// Calls `repaint` whenever the size of `root` or the theme of the page changes, until `signal` is aborted.
function onLook(root, repaint, signal) {
  const sizes = new ResizeObserver(repaint), themes = new MutationObserver(repaint);
  sizes.observe(root);
  for (const node of [document.documentElement, document.body])
    themes.observe(node, { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, { signal });
  signal.addEventListener("abort", () => { sizes.disconnect(); themes.disconnect(); });
}
