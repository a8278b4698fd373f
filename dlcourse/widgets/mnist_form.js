// A drawing in MNIST's form: the mirror of mnist_form.py.

const SIDE = 28, BOX = 20, PEN = 2.6, FINE = 4, LARGEST_SCALE = 112; // as there, which says why

export function toMnist(strokes) {
  const image = new Uint8Array(SIDE * SIDE);
  let left = Infinity, right = -Infinity, top = Infinity, bottom = -Infinity;
  for (const stroke of strokes) for (const [x, y] of stroke) {
    left = Math.min(left, x); right = Math.max(right, x);
    top = Math.min(top, y); bottom = Math.max(bottom, y);
  }
  if (left > right) return image;
  const extent = Math.max(right - left, bottom - top);
  const scale = extent > 0 ? Math.min(LARGEST_SCALE, (BOX - PEN) / extent) : LARGEST_SCALE;
  const shiftX = BOX / 2 - scale * (left + right) / 2, shiftY = BOX / 2 - scale * (top + bottom) / 2;

  const ink = new Uint8Array((BOX * FINE) ** 2);
  for (const stroke of strokes) {
    const path = stroke.map(([x, y]) => [(scale * x + shiftX) * FINE, (scale * y + shiftY) * FINE]);
    for (let i = Math.min(1, path.length - 1); i < path.length; i++) inkSegment(ink, path[Math.max(i - 1, 0)], path[i]);
  }

  const grey = new Uint8Array(BOX * BOX);
  let total = 0, rows = 0, columns = 0;
  for (let r = 0; r < BOX; r++) for (let c = 0; c < BOX; c++) {
    let count = 0;
    for (let i = 0; i < FINE; i++) for (let j = 0; j < FINE; j++) count += ink[(r * FINE + i) * BOX * FINE + c * FINE + j];
    const level = Math.floor(count * 255 / FINE ** 2 + 0.5);
    grey[r * BOX + c] = level;
    total += level; rows += r * level; columns += c * level;
  }
  const row = placement(rows / total), column = placement(columns / total);
  for (let r = 0; r < BOX; r++) image.set(grey.subarray(r * BOX, (r + 1) * BOX), (r + row) * SIDE + column);
  return image;
}

function placement(centre) {
  return Math.min(Math.max(Math.floor(SIDE / 2 - centre + 0.5), 0), SIDE - BOX);
}

function inkSegment(ink, [x0, y0], [x1, y1]) {
  const size = BOX * FINE, radius = PEN / 2 * FINE, dx = x1 - x0, dy = y1 - y0, squaredLength = dx * dx + dy * dy;
  const firstRow = Math.max(Math.floor(Math.min(y0, y1) - radius), 0), endRow = Math.min(Math.ceil(Math.max(y0, y1) + radius), size);
  const firstColumn = Math.max(Math.floor(Math.min(x0, x1) - radius), 0), endColumn = Math.min(Math.ceil(Math.max(x0, x1) + radius), size);
  for (let r = firstRow; r < endRow; r++) for (let c = firstColumn; c < endColumn; c++) {
    const x = c + 0.5 - x0, y = r + 0.5 - y0;
    const along = squaredLength > 0 ? Math.min(Math.max((x * dx + y * dy) / squaredLength, 0), 1) : 0;
    const offX = x - along * dx, offY = y - along * dy;
    if (offX * offX + offY * offY <= radius * radius) ink[r * size + c] = 1;
  }
}
