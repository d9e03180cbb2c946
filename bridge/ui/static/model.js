// What `/api/v1/metrics` says, in the shape that the page draws.

import { parseNumber } from "./text.js";

const PUSHED = "push_time_seconds";
const FAILED = "push_failure_time_seconds";

/** A grouping key and what was pushed under it. */
export class Group {
  #words = null;

  constructor(object) {
    const times = object[PUSHED];
    // The API puts families beside `labels`: one that is named so takes its place, but not its values' form.
    this.shadowed = Array.isArray(object.labels.metrics);
    this.labels = this.shadowed ? withoutEmptyInstance(times.metrics[0].labels) : object.labels;
    this.pairs = Object.entries(this.labels).sort(jobFirst);
    this.key = JSON.stringify(this.pairs);
    this.pushedMs = valueOf(times) * 1000;
    this.failedMs = valueOf(object[FAILED]) * 1000;
    this.object = object;
  }

  /** Whether the last push was refused. */
  get failed() {
    return this.failedMs > this.pushedMs;
  }

  /** Where families hide the key, nobody can tell whether `instance` is part of it. */
  get deletable() {
    return !this.shadowed || Object.hasOwn(this.labels, "instance");
  }

  /** `[name, family]` of all that was pushed, by name. */
  get families() {
    const families = Object.entries(this.object).filter(
      ([name, value]) => isFamily(value) && name !== PUSHED && name !== FAILED,
    );
    return families.sort(([a], [b]) => byText(a, b));
  }

  /** Whether each of these lower-case words is in a label pair `name=value` or a metric name. */
  matches(words) {
    return words.every((word) => (this.#words ??= this.#searchable()).includes(word));
  }

  /** Made when first asked for: it is as large as all label sets together, each pair once. */
  #searchable() {
    const found = new Set(this.pairs.map(([name, value]) => `${name}=${value}`));
    for (const [name, family] of this.families) {
      found.add(name);
      for (const { labels } of family.metrics) {
        for (const label in labels) found.add(`${label}=${labels[label]}`);
      }
    }
    return [...found].join("\n").toLowerCase();
  }
}

const isFamily = (value) => Array.isArray(value?.metrics);

const valueOf = (family) => parseNumber(family?.metrics[0]?.value ?? "0");

function withoutEmptyInstance({ instance, ...labels }) {
  return instance ? { ...labels, instance } : labels;
}

/** The order of strings by code units, which needs no tables of any language. */
export const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function jobFirst([a], [b]) {
  if (a === "job" || b === "job") return a === b ? 0 : a === "job" ? -1 : 1;
  return byText(a, b);
}

const BY = {
  labels: (a, b) => byText(a.key, b.key),
  newest: (a, b) => b.pushedMs - a.pushedMs || byText(a.key, b.key),
  oldest: (a, b) => a.pushedMs - b.pushedMs || byText(a.key, b.key),
};

/** The groups that have all words of a filter, in the order of one of the names above. */
export function choose(groups, { filter, order, onlyFailed }) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = groups.filter((group) => (!onlyFailed || group.failed) && group.matches(words));
  return chosen.sort(BY[order]);
}
