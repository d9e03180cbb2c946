// Times that grow older while one looks at them.

import { h, setText } from "./dom.js";
import { ago, clockTime } from "./text.js";

const TICK_MS = 1000;

/** A <time> that shows a moment, in ms, and how long ago it was. `set` gives it another one. */
export class Moment {
  constructor(ms) {
    this.absolute = h("span", { class: "absolute" });
    this.relative = h("span", { class: "relative" });
    this.element = h("time", {}, this.absolute, " ", this.relative);
    this.set(ms);
  }

  set(ms) {
    const iso = new Date(ms).toISOString();
    if (this.element.dateTime === iso) return;
    this.element.dateTime = iso;
    this.element.title = iso;
    setText(this.absolute, clockTime(ms));
    setText(this.relative, ago(ms));
  }
}

/** Keep every moment on the page true. Those in closed groups are not there yet, so this walks over little. */
export function startClock() {
  setInterval(() => {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[datetime]")) {
      setText(time.querySelector(".relative"), ago(Date.parse(time.dateTime)));
    }
  }, TICK_MS);
}
