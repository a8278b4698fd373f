// A slider over the steps with buttons to play, pause and go by one; stops by itself when nobody can see it.
export function timeline(parent, words, { root, speed, show, settle }, signal) {
  const on = { signal }, row = make(parent, "div", "dl-time", { role: "group", "aria-label": words.timeline });
  const play = make(row, "button", "dl-time-play", { type: "button" });
  const back = make(row, "button", "dl-time-step", { type: "button", "aria-label": words.back }, "‹");
  const forward = make(row, "button", "dl-time-step", { type: "button", "aria-label": words.forward }, "›");
  const slider = make(row, "input", "dl-slider", { type: "range", min: 0, step: 1, "aria-label": words.scrub });
  const text = make(row, "span", "dl-time-text dl-number", { "aria-hidden": "true" });
  let now = 0, steps = 1, running = 0, before = 0;
  const paint = () => {
    slider.max = steps; slider.value = Math.floor(now);
    text.textContent = fill(words.step_of, { step: Math.floor(now), steps });
    slider.setAttribute("aria-valuetext", text.textContent);
    slider.style.setProperty("--dl-part", now / steps);
    play.textContent = running ? words.pause : words.play;
  };
  const stop = () => { cancelAnimationFrame(running); running = 0; root.dataset.state = "still"; };
  const go = (step) => { now = Math.min(Math.max(step, 0), steps); paint(); show(now); };
  const tick = (time) => {
    const next = now + Math.min((time - before) / 1000, 0.1) * speed();
    before = time;
    if (next >= steps) { stop(); go(steps); return settle(); }
    running = requestAnimationFrame(tick);
    go(next);
  };
  const pause = () => { if (running) { stop(); go(Math.floor(now)); } };
  play.addEventListener("click", () => {
    if (running) { pause(); return settle(); }
    if (now >= steps) now = 0;
    before = performance.now();
    running = requestAnimationFrame(tick);
    root.dataset.state = "playing";
    go(now);
  }, on);
  const jump = (step) => { stop(); go(step); settle(); };
  back.addEventListener("click", () => jump(Math.ceil(now) - 1), on);
  forward.addEventListener("click", () => jump(Math.floor(now) + 1), on);
  slider.addEventListener("input", () => jump(Number(slider.value)), on);
  const seen = new IntersectionObserver(([entry]) => { if (!entry.isIntersecting) pause(); });
  seen.observe(root);
  document.addEventListener("visibilitychange", () => { if (document.hidden) pause(); }, on);
  signal.addEventListener("abort", () => { stop(); seen.disconnect(); });
  return { now: () => now, limit: (count) => { steps = count; now = Math.min(now, steps); paint(); }, go: (step) => { stop(); go(step); } };
}

// Returns a function that writes a text into the status line once nothing new has come for a moment.
export function quietly(status, signal) {
  let timer = 0;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (text) => { clearTimeout(timer); timer = setTimeout(() => { status.textContent = text; }, 300); };
}
