// Making elements and keeping them. Text becomes text nodes and nothing else: no string on this page is parsed as markup.

/**
 * An element. A property that is a function is a listener for the event of that name; true and false set and leave out an
 * attribute, everything else is its text. Children that are null are left out.
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element of index.html with this id. */
export const byId = (id) => document.getElementById(id);

/** Set a text only where it differs: what has not changed keeps a reader's selection. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * The children of an element, one for each key. A key that stays keeps its element, and with it focus, selection and what a
 * reader has opened, while its content is brought up to date.
 */
export class KeyedChildren {
  #views = new Map();

  /** `make(value)` gives `{element, update(value)}`; `update` is called right after it, too. */
  constructor(parent, make) {
    this.parent = parent;
    this.make = make;
  }

  /** Show exactly these `[key, value]` pairs, in this order. */
  show(pairs) {
    const views = new Map();
    for (const [key, value] of pairs) {
      const view = this.#views.get(key) ?? this.make(value);
      view.update(value);
      views.set(key, view);
    }
    for (const [key, view] of this.#views) {
      if (!views.has(key)) view.element.remove();
    }
    let next = this.parent.firstChild;
    for (const { element } of views.values()) {
      if (element === next) next = next.nextSibling;
      else this.parent.insertBefore(element, next);
    }
    this.#views = views;
  }
}

/**
 * The first `step` of many `[key, value]` pairs as keyed children, and a button for the next ones: a browser takes long over
 * ten thousand rows, and so does their reader.
 */
export class Pages {
  #pairs = [];

  /** `word(n)` names n of them, as in "12 series"; `parent` stands in its table or its parent already. */
  constructor(parent, step, word, make) {
    this.step = step;
    this.limit = step;
    this.word = word;
    this.children = new KeyedChildren(parent, make);
    this.rest = h("p", { class: "rest", hidden: true });
    (parent.closest("table") ?? parent).after(this.rest);
  }

  /** Begin at the first page again. */
  rewind() {
    this.limit = this.step;
  }

  show(pairs) {
    this.#pairs = pairs;
    this.children.show(pairs.slice(0, this.limit));
    const hidden = pairs.length - this.limit;
    this.rest.hidden = hidden <= 0;
    if (hidden <= 0) return;
    const next = Math.min(hidden, this.step);
    this.rest.replaceChildren(
      `Not shown: ${this.word(hidden)}. `,
      h("button", { type: "button", click: () => this.#more() }, `Show ${next.toLocaleString("en")} more`),
    );
  }

  #more() {
    this.limit += this.step;
    this.show(this.#pairs);
    this.rest.querySelector("button")?.focus();
  }
}
