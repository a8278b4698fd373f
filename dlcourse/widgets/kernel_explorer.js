// A 3×3 kernel to edit and the sliding inner product it computes, one output pixel at a time.

const SIZE = 3, ROOM = 3; // side of the kernel; the largest padding, for which the pictures keep room

// Returns the size of the output along an axis of `size` pixels.
export function outputSize(size, { stride, padding, dilation }) {
  return Math.floor((size + 2 * padding - dilation * (SIZE - 1) - 1) / stride) + 1;
}

// Cross-correlates x (height × width numbers, row by row) with nine weights, as torch.nn.functional.conv2d does.
export function convolve(x, height, width, kernel, settings) {
  const { stride, padding, dilation } = settings, rows = outputSize(height, settings), columns = outputSize(width, settings);
  const values = new Float32Array(rows * columns);
  for (let m = 0; m < SIZE; m++) for (let n = 0; n < SIZE; n++) {
    const weight = kernel[m * SIZE + n];
    if (weight === 0) continue;
    for (let i = 0; i < rows; i++) {
      const r = i * stride - padding + m * dilation;
      if (r < 0 || r >= height) continue;
      for (let j = 0, c = n * dilation - padding; j < columns; j++, c += stride)
        if (c >= 0 && c < width) values[i * columns + j] += weight * x[r * width + c];
    }
  }
  return { rows, columns, values };
}

// Returns the nine places of the input under the kernel for output (i, j), with their values; outside the image they are 0.
export function receptive(x, height, width, i, j, { stride, padding, dilation }) {
  return Array.from({ length: SIZE * SIZE }, (_, k) => {
    const row = i * stride - padding + Math.floor(k / SIZE) * dilation, column = j * stride - padding + (k % SIZE) * dilation;
    const inside = row >= 0 && row < height && column >= 0 && column < width;
    return { row, column, value: inside ? x[row * width + column] : 0 };
  });
}

// Colours of signed values (-1 to 1: low, middle, high) and of grey ones (0 to 1), as tables of the 32-bit numbers in an ImageData.
const SIGNED = { light: [[176, 72, 0], [248, 247, 244], [0, 88, 145]], dark: [[250, 150, 84], [20, 23, 26], [104, 190, 240]] };
const table = (count, colour) => Uint32Array.from({ length: count }, (_, level) => {
  const [r, g, b] = colour(level / (count - 1));
  return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
});
const GREY = table(256, (v) => [255 * v, 255 * v, 255 * v]);
const signedTable = ([low, middle, high]) => table(511, (v) => {
  const part = Math.abs(2 * v - 1), end = v < 0.5 ? low : high;
  return middle.map((m, k) => Math.round(m + (end[k] - m) * part));
});
const TABLES = { light: signedTable(SIGNED.light), dark: signedTable(SIGNED.dark) };

// Returns a canvas of one pixel per value; `low` and `high` get the ends of the table, and so does what lies beyond.
function picture(values, rows, columns, colours, low, high) {
  const canvas = document.createElement("canvas");
  canvas.width = columns; canvas.height = rows;
  const image = new ImageData(columns, rows), pixels = new Uint32Array(image.data.buffer), last = colours.length - 1, scale = last / (high - low);
  for (let p = 0; p < values.length; p++) pixels[p] = colours[Math.min(Math.max(Math.round((values[p] - low) * scale), 0), last)];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

function render({ model, el }) {
  const words = model.get("words"), root = make(el, "div", "dl-widget dl-kernel", { role: "group", "aria-label": words.title });
  const stop = new AbortController(), on = { signal: stop.signal };
  let x, height, width, grey, output, chosen = null, mode = "signed", frame = 0;
  const settings = () => Object.fromEntries(["stride", "padding", "dilation"].map((name) => [name, model.get(name)]));

  make(root, "p", "dl-try", {}, words.try);
  const main = make(root, "div", "dl-kernel-main");
  const keys = unique();
  const panel = (name, label, role) => {
    const part = make(main, "div", `dl-kernel-${name}`), caption = make(part, "p", "dl-kernel-caption");
    return { caption, canvas: make(part, "canvas", "dl-kernel-canvas", { role, "aria-label": label }), part };
  };
  const input = panel("input", fill(words.input_label, { image: model.get("label") }), "img");
  const middle = make(main, "div", "dl-kernel-middle");
  make(middle, "p", "dl-kernel-caption", {}, words.kernel);
  const grid = make(middle, "div", "dl-kernel-table", { role: "group", "aria-label": words.kernel });
  const cells = Array.from({ length: SIZE * SIZE }, (_, k) => make(grid, "input", "dl-cell", {
    type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": fill(words.weight, { row: Math.floor(k / SIZE) + 1, column: k % SIZE + 1 }),
  }));
  const result = panel("output", words.output_label, "application");
  result.canvas.tabIndex = 0;
  result.canvas.setAttribute("aria-describedby", keys);
  result.canvas.setAttribute("aria-roledescription", words.output_role);

  const presets = make(root, "div", "dl-kernel-presets", { role: "group", "aria-label": words.presets });
  const presetButtons = model.get("presets").map((preset) => {
    const button = make(presets, "button", "", { type: "button" }, words[`preset_${preset.name}`] ?? preset.name);
    button.addEventListener("click", () => { mode = preset.signed ? "signed" : "grey"; send({ kernel: preset.kernel }); }, on);
    return { button, preset };
  });
  const controls = make(root, "div", "dl-kernel-controls");
  const numbers = (values) => values.map((v) => [v, String(v)]);
  const setters = {
    stride: choices(controls, words.stride, numbers([1, 2, 3]), (stride) => send({ stride })),
    padding: choices(controls, words.padding, numbers([0, 1, 2, 3]), (padding) => send({ padding })),
    dilation: choices(controls, words.dilation, numbers([1, 2, 3]), (dilation) => send({ dilation })),
  };
  const setMode = choices(middle, words.colours, [["signed", words.signed], ["grey", words.grey]], (value) => { mode = value; update(); });
  const formula = make(root, "p", "dl-kernel-formula");
  const sum = make(root, "div", "dl-kernel-sum");
  const sumTitle = make(sum, "p");
  const products = make(sum, "div", "dl-kernel-products");
  const terms = Array.from({ length: SIZE * SIZE }, () => {
    const term = make(products, "div");
    return { term, factors: make(term, "span", "dl-small"), product: make(term, "span") };
  });
  const total = make(sum, "p", "dl-kernel-total");
  const foot = make(root, "div", "dl-notice");
  make(foot, "p", "", {}, words.notice);
  make(foot, "p", "dl-small", { id: keys }, words.keys);
  if (model.get("credit")) make(foot, "p", "dl-small", {}, model.get("credit"));
  const status = make(root, "p", "dl-hidden", { role: "status" });

  const send = (values) => { model.set(values); model.save_changes(); soon(); };

  const load = () => {
    height = model.get("height"); width = model.get("width");
    const view = model.get("pixels");
    if (view.byteLength !== height * width) return; // the size has come and the pixels have not
    x = Float32Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), (level) => level / 255);
    grey = picture(x, height, width, GREY, 0, 1);
    chosen = null;
    update();
  };

  const strongest = () => { // a place to start from: where the output is largest, away from the frame
    let best = -1, place = { i: 0, j: 0 };
    for (let i = 1; i < output.rows - 1; i++) for (let j = 1; j < output.columns - 1; j++) {
      const size = Math.abs(output.values[i * output.columns + j]);
      if (size > best) { best = size; place = { i, j }; }
    }
    return place;
  };

  const scale = () => input.canvas.width / (Math.max(height, width) + 2 * ROOM); // device pixels per pixel of the image
  const origin = (rows, columns) => { // the picture is centred on its square canvas
    const side = input.canvas.width, s = scale();
    return { left: Math.floor((side - columns * s) / 2), top: Math.floor((side - rows * s) / 2) };
  };

  const paint = () => {
    const dark = isDark(root), style = getComputedStyle(root), colour = (name) => style.getPropertyValue(`--dl-${name}`);
    const ratio = window.devicePixelRatio || 1;
    for (const { canvas } of [input, result]) {
      const side = Math.max(1, Math.round(canvas.clientWidth * ratio));
      if (canvas.width !== side) canvas.width = canvas.height = side;
    }
    const s = scale(), { padding, dilation } = settings(), line = Math.max(1, Math.round(1.5 * ratio));
    const clean = (canvas) => {
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingEnabled = s < 3; // small pixels of uneven size would make patterns of their own
      return context;
    };
    const outline = (context, left, top, side, stroke, thick = line) => { // paper around ink: seen on any picture
      context.lineWidth = 3 * thick; context.strokeStyle = colour("paper"); context.strokeRect(left, top, side, side);
      context.lineWidth = thick; context.strokeStyle = stroke; context.strokeRect(left, top, side, side);
    };

    let context = clean(input.canvas), at = origin(height, width);
    const frame = padding * s;
    if (padding) {
      context.fillStyle = "#000";
      context.fillRect(at.left - frame, at.top - frame, width * s + 2 * frame, height * s + 2 * frame);
      context.setLineDash([4 * ratio, 3 * ratio]);
      context.strokeStyle = colour("warm"); context.lineWidth = ratio;
      context.strokeRect(at.left - frame, at.top - frame, width * s + 2 * frame, height * s + 2 * frame);
      context.setLineDash([]);
    }
    context.drawImage(grey, at.left, at.top, width * s, height * s);
    if (!padding) { context.strokeStyle = colour("line"); context.lineWidth = ratio; context.strokeRect(at.left, at.top, width * s, height * s); }
    const taps = receptive(x, height, width, chosen.i, chosen.j, settings());
    const span = (dilation * (SIZE - 1) + 1) * s;
    outline(context, at.left + taps[0].column * s, at.top + taps[0].row * s, span, colour("accent"), line);
    if (dilation > 1) for (const tap of taps) {
      context.lineWidth = line; context.strokeStyle = colour("accent");
      context.strokeRect(at.left + tap.column * s, at.top + tap.row * s, s, s);
    }

    context = clean(result.canvas); at = origin(output.rows, output.columns);
    const largest = 0.6 * output.values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1, theme = dark ? "dark" : "light";
    const look = mode === "signed" ? [TABLES[theme], -largest, largest] : [GREY, 0, 1];
    const shown = picture(output.values, output.rows, output.columns, ...look);
    context.drawImage(shown, at.left, at.top, output.columns * s, output.rows * s);
    context.strokeStyle = colour("line"); context.lineWidth = ratio;
    context.strokeRect(at.left, at.top, output.columns * s, output.rows * s);
    outline(context, at.left + chosen.j * s, at.top + chosen.i * s, s, colour("accent"), line);
    result.caption.textContent = fill(words.output, { rows: output.rows, columns: output.columns });
    input.caption.textContent = fill(words.input, { rows: height, columns: width });
    range.textContent = mode === "signed" ? fill(words.range_signed, { largest: number(largest) }) : words.range_grey; // beyond: the end colour
    range.className = `dl-small dl-kernel-range dl-kernel-${mode}`;
    range.style.setProperty("--dl-low", `rgb(${SIGNED[theme][0]})`);
    range.style.setProperty("--dl-middle", `rgb(${SIGNED[theme][1]})`);
    range.style.setProperty("--dl-high", `rgb(${SIGNED[theme][2]})`);
  };
  const range = make(result.part, "p", "dl-small dl-kernel-range");
  make(input.part, "p", "dl-small dl-kernel-zeros", {}, words.zeros);

  const describe = () => { // the chosen output pixel as nine products and their sum
    const taps = receptive(x, height, width, chosen.i, chosen.j, settings()), kernel = model.get("kernel");
    const value = output.values[chosen.i * output.columns + chosen.j];
    taps.forEach((tap, k) => {
      const { term, factors, product } = terms[k];
      factors.textContent = `${number(tap.value)} × ${number(kernel[k])}`;
      product.textContent = number(tap.value * kernel[k]);
      term.classList.toggle("dl-kernel-idle", tap.value * kernel[k] === 0);
    });
    const place = { row: chosen.i, column: chosen.j, value: number(value) };
    sumTitle.textContent = fill(words.sum, place);
    total.textContent = fill(words.total, place);
    return fill(words.status, place);
  };

  let announcement = "";
  const update = () => {
    frame = 0;
    const start = performance.now(), kernel = model.get("kernel"), chosenSettings = settings();
    output = convolve(x, height, width, kernel, chosenSettings);
    chosen ??= strongest();
    chosen = { i: Math.min(chosen.i, output.rows - 1), j: Math.min(chosen.j, output.columns - 1) };
    cells.forEach((cell, k) => {
      if (document.activeElement !== cell) { cell.value = number(kernel[k], 3); cell.removeAttribute("aria-invalid"); }
      const size = Math.min(Math.abs(kernel[k]) / Math.max(...kernel.map(Math.abs), 1e-9), 1);
      cell.style.setProperty("--dl-tint", `${Math.round(28 * size)}%`);
      cell.classList.toggle("dl-negative", kernel[k] < 0);
    });
    for (const [name, set] of Object.entries(setters)) set(chosenSettings[name]);
    setMode(mode);
    for (const { button, preset } of presetButtons)
      button.setAttribute("aria-pressed", String(preset.kernel.every((v, k) => Math.abs(v - kernel[k]) < 1e-9)));
    const { stride: s, padding: p, dilation: d } = chosenSettings;
    const line = (size) => `⌊(${size} + 2·${p} − ${d}·(3 − 1) − 1) / ${s}⌋ + 1 = ${outputSize(size, chosenSettings)}`;
    formula.textContent = "";
    make(formula, "span", "", {}, words.formula);
    for (const [name, size] of height === width ? [[words.both, height]] : [[words.height, height], [words.width, width]])
      make(formula, "span", "", {}, `${name} ${line(size)}`);
    paint();
    announcement = describe();
    root.dataset.updateMs = (performance.now() - start).toFixed(2);
  };
  const soon = () => { if (!frame) frame = requestAnimationFrame(update); };

  // -- the kernel's cells
  const parse = (text) => {
    const value = Number(text.trim().replace("−", "-").replace(",", "."));
    return text.trim() === "" || !Number.isFinite(value) || Math.abs(value) > 1000 ? null : value;
  };
  cells.forEach((cell, k) => {
    const set = (value) => send({ kernel: model.get("kernel").map((old, at) => (at === k ? value : old)) });
    cell.addEventListener("input", () => {
      const value = parse(cell.value);
      if (value === null) cell.setAttribute("aria-invalid", "true");
      else { cell.removeAttribute("aria-invalid"); set(value); }
    }, on);
    cell.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const value = Number((model.get("kernel")[k] + step * (event.shiftKey ? 1 : 0.25)).toFixed(4));
      if (Math.abs(value) > 1000) return;
      cell.value = number(value, 3);
      cell.removeAttribute("aria-invalid");
      set(value);
    }, on);
    cell.addEventListener("focus", () => cell.select(), on);
    cell.addEventListener("blur", () => soon(), on); // what is no number gives way to the value in force
  });

  // -- the chosen output pixel
  const choose = (i, j) => {
    chosen = { i: Math.min(Math.max(i, 0), output.rows - 1), j: Math.min(Math.max(j, 0), output.columns - 1) };
    paint();
    announcement = describe();
  };
  const under = (canvas, event, rows, columns) => {
    const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width, at = origin(rows, columns), s = scale();
    return [((event.clientY - box.top) * ratio - at.top) / s, ((event.clientX - box.left) * ratio - at.left) / s];
  };
  for (const name of ["pointermove", "pointerdown"]) {
    result.canvas.addEventListener(name, (event) => {
      const [row, column] = under(result.canvas, event, output.rows, output.columns);
      choose(Math.floor(row), Math.floor(column));
    }, on);
    input.canvas.addEventListener(name, (event) => {
      const [row, column] = under(input.canvas, event, height, width), { stride, padding, dilation } = settings();
      choose(Math.round((Math.floor(row) + padding - dilation) / stride), Math.round((Math.floor(column) + padding - dilation) / stride));
    }, on);
  }
  result.canvas.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const step = event.shiftKey ? 5 : 1;
    choose(chosen.i + step * move[0], chosen.j + step * move[1]);
    status.textContent = announcement;
  }, on);

  // -- the world around
  const loadSoon = () => queueMicrotask(load);
  const images = ["pixels", "height", "width"], others = ["kernel", "stride", "padding", "dilation"];
  for (const name of images) model.on(`change:${name}`, loadSoon);
  for (const name of others) model.on(`change:${name}`, soon);
  onLook(root, soon, stop.signal);

  mode = presetButtons.find(({ preset }) => preset.kernel.every((v, k) => v === model.get("kernel")[k]))?.preset.signed === false ? "grey" : "signed";
  load();
  return () => {
    stop.abort(); cancelAnimationFrame(frame);
    for (const name of images) model.off(`change:${name}`, loadSoon);
    for (const name of others) model.off(`change:${name}`, soon);
  };
}

export default { render };
