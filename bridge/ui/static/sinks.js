// The view of all sinks: where every accepted sample is.

import { getSinks, Poll } from "./api.js";
import { byId, h, KeyedChildren, setText } from "./dom.js";
import { count, span } from "./text.js";

const PAUSE_MS = 2000;
const KINDS = { up: "good", "catching up": "warn", retrying: "warn", held: "bad", stopped: "idle" };
const FIGURES = ["accepted", "sent", "pending", "dead_lettered", "unrepresentable", "expired"];
const COLUMNS = ["sink", "state", ...FIGURES, "lag", "last problem"];

const heading = (column) => column.replaceAll("_", "-");

export class SinksView {
  /** `failed` is told why the sinks cannot be read. */
  constructor(failed) {
    const heads = COLUMNS.map((column) => {
      const properties = {
        scope: "col",
        role: "columnheader",
        class: FIGURES.includes(column) || column === "lag" ? "number" : "",
      };
      return h("th", properties, heading(column));
    });
    byId("sinks-head").replaceChildren(...heads);
    this.rows = new KeyedChildren(byId("sinks-rows"), () => new SinkRow());
    this.poll = new Poll(
      async () => this.#show(await getSinks()),
      () => PAUSE_MS,
      failed,
    );
  }

  #show(sinks) {
    this.rows.show(sinks.map((sink) => [sink.name, sink]));
    byId("sinks-table").hidden = sinks.length === 0;
    byId("sinks-empty").hidden = sinks.length > 0;
    const note = byId("sinks-note");
    const [kind, text] = worst(sinks);
    note.className = `note ${kind}`;
    setText(note, text);
  }
}

/** What a reader of another view should know: the worst state that a sink is in, and how many sinks are. */
function worst(sinks) {
  for (const state of ["held", "retrying", "catching up", "stopped"]) {
    const those = sinks.filter((sink) => sink.state === state);
    if (those.length > 0) return [KINDS[state], `${those.length} ${state}`];
  }
  return sinks.length > 0 ? ["good", `${sinks.length} up`] : ["", ""];
}

/** A sink for KeyedChildren: a row, or on a narrow screen a card whose cells name their columns. */
class SinkRow {
  constructor() {
    this.cells = Object.fromEntries(COLUMNS.map((column) => [column, cell(column)]));
    this.element = h("tr", { role: "row" }, ...Object.values(this.cells));
    this.name = h("b");
    this.target = h("span", { class: "hint" });
    this.cells.sink.append(this.name, this.target);
    this.state = h("span");
    this.cells.state.append(this.state);
    this.reasons = h("span", { class: "hint" });
    this.unrepresentable = h("span");
    this.cells.unrepresentable.append(h("div", {}, this.unrepresentable, this.reasons));
  }

  update(sink) {
    setText(this.name, sink.name);
    setText(this.target, sink.target);
    this.state.className = `badge ${KINDS[sink.state] ?? "idle"}`;
    setText(this.state, sink.state);
    for (const figure of FIGURES) {
      const place = figure === "unrepresentable" ? this.unrepresentable : this.cells[figure];
      setText(place, count(sink[figure]));
    }
    const reasons = Object.entries(sink.unrepresentable_by_reason);
    setText(this.reasons, reasons.map(([reason, n]) => `${count(n)} ${reason}`).join(", "));
    this.cells.dead_lettered.classList.toggle("bad", sink.dead_lettered > 0);
    setText(this.cells.lag, sink.pending > 0 ? span(sink.lag_seconds) : "none");
    const doubt = sink.identity_holds ? "" : "These figures do not add up: please report it. ";
    setText(this.cells["last problem"], doubt + sink.problem);
  }
}

function cell(column) {
  const isNumber = FIGURES.includes(column) || column === "lag";
  const kind = isNumber ? "number" : column === "last problem" ? "problem" : "";
  return h("td", { role: "cell", class: kind, "data-column": heading(column) });
}
