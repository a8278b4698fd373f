// The page of TransformerWriter: puts everything into `root` and returns what changes later.
function buildWriter(root, words, net, choose) {
  const keys = unique(), parts = {}, button = (parent, text, kind = "") => make(parent, "button", kind, { type: "button" }, text);
  make(root, "p", "dl-try", {}, words.try);
  const prompt = make(root, "label", "dl-tw-prompt");
  make(prompt, "span", "dl-small", {}, words.prompt);
  parts.prompt = make(prompt, "textarea", "", { rows: 2, maxlength: 200, spellcheck: "false", autocomplete: "off", autocapitalize: "off" });
  parts.note = make(root, "p", "dl-small dl-tw-note");
  const sliders = make(root, "div", "dl-tw-sliders");
  for (const [name, low, high, step, ends] of [["temperature", 0, 2, 0.05, ["cold", "hot"]], ["topK", 1, net.tokens.length, 1, ["one_left", "all"]], ["topP", 0.05, 1, 0.05, ["few", "most"]]]) {
    const box = make(sliders, "div"), label = make(box, "label"), head = make(label, "span", "dl-small", {}, `${words[name]} `);
    parts[`${name}Shown`] = make(head, "strong");
    parts[name] = make(label, "input", "", { type: "range", min: low, max: high, step });
    const scale = make(box, "p", "dl-small dl-tw-scale", { "aria-hidden": "true" });
    for (const end of ends) make(scale, "span", "", {}, words[end]);
  }
  const bar = make(root, "div", "dl-tw-bar");
  parts.play = button(bar, words.play, "dl-tw-play");
  for (const name of ["step", "back", "reset", "other"]) parts[name] = button(bar, words[name]);
  const look = make(root, "div", "dl-tw-look");
  parts.colours = make(look, "div");
  parts.speeds = make(look, "div");

  const main = make(root, "div", "dl-tw-main"), left = make(main, "div"), right = make(main, "div");
  parts.text = make(left, "div", "dl-tw-text", { tabindex: 0, role: "region", "aria-label": words.text, "aria-describedby": keys });
  const legend = make(left, "div", "dl-tw-legend");
  for (const [kind, ends] of [["attention", ["0", "50 %"]], ["surprise", ["0", `${MOST_BITS}`]]]) {
    const row = make(legend, "p", `dl-small dl-tw-legend-${kind}`);
    make(row, "span", "", {}, words[`legend_${kind}`]);
    for (const [text, style] of [[ends[0], ""], ["", "dl-tw-ramp"], [`${ends[1]}+`, ""]]) make(row, "span", style, {}, text);
  }
  parts.count = make(left, "p", "dl-tw-count");
  parts.caption = make(right, "p", "dl-tw-caption");
  parts.bars = nextBars(right, words, net.tokens, BARS);
  parts.one = make(right, "p", "dl-tw-one");
  make(right, "p", "dl-small", {}, words.tick);

  const heads = make(root, "div", "dl-tw-heads");
  parts.maps = headMaps(make(heads, "div"), net, words, choose);
  const says = make(heads, "div");
  parts.head = make(says, "p", "dl-tw-caption");
  parts.does = make(says, "p", "dl-tw-does");
  parts.reads = make(says, "p", "dl-tw-caption");
  parts.read = readRows(says, words, READ);

  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  parts.seed = make(foot, "p", "dl-small");
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  make(foot, "p", "dl-small", {}, fill(words.small_print, { most: net.max_length, kept: Math.floor(net.max_length / 2), count: net.tokens.length }));
  parts.status = make(root, "p", "dl-hidden", { role: "status" });
  return parts;
}
