// A label as the page shows it everywhere.

import { h } from "./dom.js";

/** A label pair. An empty value counts in a grouping key, so it is shown as a word. */
export function chip(name, text) {
  const shown = text === "" ? h("b", { class: "nothing" }, "empty") : h("b", {}, text);
  return h("span", { class: "chip" }, h("i", {}, name), shown);
}
