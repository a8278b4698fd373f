// What stands on the page of Pronouncer around its two pictures.

const BEAMS = [1, 2, 3, 4, 5], RUNNERS = 6; // RUNNERS: how many phonemes have a bar

// Puts everything into `root` and returns what changes later.
function buildPronouncer(root, words, names, examples) {
  const keys = unique(), parts = {}, button = (parent, text, kind = "") => make(parent, "button", kind, { type: "button" }, text);
  make(root, "p", "dl-try", {}, words.try);
  const top = make(root, "div", "dl-pron-top"), label = make(top, "label");
  make(label, "span", "dl-small", {}, words.word);
  parts.word = make(label, "input", "", { type: "text", spellcheck: "false", autocomplete: "off", autocapitalize: "off", enterkeyhint: "done" });
  const offers = make(top, "div", "dl-pron-examples", { role: "group", "aria-label": words.examples });
  make(offers, "p", "dl-small", { "aria-hidden": "true" }, words.examples);
  const row = make(offers, "div");
  parts.examples = examples.map((example) => [example, button(row, example)]);
  parts.note = make(root, "p", "dl-pron-note");
  const picture = (parent, name) => make(make(parent, "div", "dl-pron-scroll"), "canvas", "", {
    tabindex: 0, role: "application", "aria-label": words[name], "aria-roledescription": words.picture_role, "aria-describedby": keys,
  });
  parts.ribbons = picture(root, "picture");
  const bar = make(root, "div", "dl-pron-bar");
  parts.play = button(bar, words.play, "dl-pron-play");
  parts.next = button(bar, words.step);
  const roughly = make(bar, "p", "dl-pron-roughly");
  make(roughly, "span", "dl-small", {}, `${words.roughly} `);
  parts.respelt = make(roughly, "strong");
  parts.says = make(root, "p", "dl-pron-says");

  const main = make(root, "div", "dl-pron-main"), left = make(main, "div"), right = make(main, "div");
  make(left, "p", "dl-small", {}, words.weights);
  parts.map = picture(left, "map");
  for (const name of ["title", "taken"]) parts[name] = make(right, "p", `dl-pron-${name}`);
  parts.bars = nextBars(right, words, names, RUNNERS);
  parts.reads = make(right, "p", "dl-pron-reads");

  const search = make(root, "div", "dl-pron-search"), about = make(search, "div"), found = make(search, "fieldset", "dl-pron-found"), group = unique();
  parts.beam = make(about, "div");
  parts.about = make(about, "p", "dl-small dl-pron-about");
  make(found, "legend", "dl-small", {}, words.candidates);
  parts.found = BEAMS.map((_, k) => {
    const one = make(found, "label"), input = make(one, "input", "", { type: "radio", name: group, value: k }), line = make(one, "span", "dl-pron-one");
    return { one, input, text: make(line, "span", "dl-pron-text"), bar: make(make(line, "span", "dl-pron-track", { "aria-hidden": "true" }), "span"), percent: make(line, "span", "dl-pron-percent") };
  });
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  make(foot, "p", "dl-small", {}, words.small_print);
  parts.status = make(root, "p", "dl-hidden", { role: "status" });
  return parts;
}
