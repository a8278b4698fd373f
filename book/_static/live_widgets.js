// Starts the anywidgets of a page that has no kernel. myst-nb leaves a <script> with the model's id at each widget's place,
// and the page carries the models' state as JSON (book/_ext/site_widgets.py). A widget's own module does the rest: it is
// imported from its text, so this works from a server and from a file alike, and asks no other host for anything.
(() => {
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const models = new Map(), modules = new Map(), styles = new Set();

  // Bytes travel as base64 beside the state; a widget gets them as a DataView, as it does from anywidget.
  const decode = ({ data }) => new DataView(Uint8Array.from(atob(data), (c) => c.charCodeAt(0)).buffer);

  // What a widget's render function may ask of its model: the part of anywidget's interface that makes sense without Python.
  class Model {
    #state; #changed = new Set(); #listeners = new Map();
    constructor({ state, buffers = [] }) {
      this.#state = { ...state };
      for (const buffer of buffers) {
        let holder = this.#state;
        for (const key of buffer.path.slice(0, -1)) holder = holder[key];
        holder[buffer.path.at(-1)] = decode(buffer);
      }
      this.widget_manager = { get_model: (id) => Promise.resolve(models.get(String(id).replace("IPY_MODEL_", ""))) };
    }
    get(name) { return this.#state[name]; }
    set(name, value) {
      const values = typeof name === "string" ? { [name]: value } : name;
      for (const [key, next] of Object.entries(values)) {
        if (this.#state[key] === next) continue;
        this.#state[key] = next;
        this.#changed.add(key);
        this.#emit(`change:${key}`, next);
      }
      if (this.#changed.size) { this.#changed.clear(); this.#emit("change"); }
    }
    on(events, listener) {
      for (const event of events.split(/\s+/)) {
        if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
        this.#listeners.get(event).add(listener);
      }
    }
    off(events, listener) {
      for (const event of events ? events.split(/\s+/) : [...this.#listeners.keys()]) {
        if (listener) this.#listeners.get(event)?.delete(listener);
        else this.#listeners.delete(event);
      }
    }
    #emit(event, ...details) { for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(this, ...details); }
    save_changes() {}
    send() {}
  }

  const load = (text) => {
    if (!modules.has(text)) modules.set(text, import(URL.createObjectURL(new Blob([text], { type: "text/javascript" }))));
    return modules.get(text);
  };

  const style = (text) => {
    if (!text || styles.has(text)) return;
    styles.add(text);
    document.head.append(Object.assign(document.createElement("style"), { textContent: text }));
  };

  const mount = async (place) => {
    const model = models.get(JSON.parse(place.textContent).model_id);
    if (!model?.get("_esm")) return;
    const el = Object.assign(document.createElement("div"), { className: "live-widget" });
    place.after(el);
    try {
      style(model.get("_css"));
      let widget = (await load(model.get("_esm"))).default;
      if (typeof widget === "function") widget = await widget();
      await widget.initialize?.({ model });
      await widget.render?.({ model, el });
    } catch (error) {
      el.textContent = "This interactive part could not start in your browser.";
      console.error(error);
    }
  };

  for (const script of document.querySelectorAll(STATE)) {
    for (const [id, entry] of Object.entries(JSON.parse(script.textContent).state)) models.set(id, new Model(entry));
  }
  document.querySelectorAll(VIEW).forEach(mount);
})();
