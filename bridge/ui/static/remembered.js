// Texts that outlive a reload of the page, but not its tab.

const PREFIX = "pushbridge ";

/** A set of strings that is kept in sessionStorage. */
export class Remembered {
  #set;

  constructor(name) {
    this.name = PREFIX + name;
    this.#set = new Set(this.#read());
  }

  has(text) {
    return this.#set.has(text);
  }

  add(text) {
    if (this.#set.has(text)) return;
    this.#set.add(text);
    this.#write();
  }

  delete(text) {
    if (this.#set.delete(text)) this.#write();
  }

  /** Forget all others. */
  keep(wanted) {
    const before = this.#set.size;
    this.#set = new Set([...this.#set].filter(wanted));
    if (this.#set.size !== before) this.#write();
  }

  #read() {
    try {
      return JSON.parse(sessionStorage.getItem(this.name)) ?? [];
    } catch {
      return []; // storage is refused, or somebody else wrote there: nothing depends on it
    }
  }

  #write() {
    try {
      sessionStorage.setItem(this.name, JSON.stringify([...this.#set]));
    } catch {
      // full or refused: then a reload forgets
    }
  }
}
