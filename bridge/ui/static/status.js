// The view of the process: version, start, settings.

import { address } from "./api.js";
import { byId, h } from "./dom.js";
import { plural } from "./text.js";
import { Moment } from "./time.js";

export class StatusView {
  #settings = [];
  #shown = "";

  constructor() {
    this.filter = byId("status-filter");
    this.filter.addEventListener("input", () => this.#draw());
  }

  /** Show what `/api/v1/status` says. */
  show(status) {
    const text = JSON.stringify(status);
    if (text === this.#shown) return;
    this.#shown = text;
    const { build_information: build, start_time: started, flags } = status;
    const metrics = address(flags["web.telemetry_path"].slice(1));
    const facts = [
      ["Version", build.version],
      ["Python", build.pythonVersion],
      ["Started", new Moment(Date.parse(started)).element],
      ["Metrics", h("a", { href: metrics }, metrics)],
    ];
    byId("status-facts").replaceChildren(...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
    this.#settings = Object.entries(flags);
    this.#draw();
  }

  #draw() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = this.#settings.filter(([name, value]) => {
      const text = `${name} ${value}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    byId("status-rows").replaceChildren(
      ...chosen.map(([name, value]) => h("tr", {}, h("td", {}, name), h("td", {}, value))),
    );
    const all = plural(this.#settings.length, "setting");
    byId("status-count").textContent = chosen.length === this.#settings.length ? all : `${chosen.length} of ${all}`;
  }
}
