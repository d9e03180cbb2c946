// One metric family: its name, type, help, and its values as a table.

import { h, Pages } from "./dom.js";
import { chip } from "./label.js";
import { byText } from "./model.js";
import { count, parseNumber, plainNumber, plural } from "./text.js";
import { Moment } from "./time.js";

const ROWS = 100; // series of a family at first
const HISTOGRAMS = 10; // the same for histograms, which take a table each

/** A view for KeyedChildren: `{name, family, group}`, drawn again only when it has changed. */
function makeFamily({ name }) {
  const element = h("article", { class: "family" });
  let drawn = "";
  return {
    element,
    update({ family, group }) {
      // A POST replaces some families of a group: the others are older than its last push.
      const pushedMs = Date.parse(family.time_stamp);
      const olderMs = pushedMs < group.pushedMs - 1000 ? pushedMs : null;
      const text = JSON.stringify([family, olderMs]);
      if (text !== drawn) element.replaceChildren(...draw(name, family, olderMs, group.labels));
      drawn = text;
    },
  };
}

/** What it is on the left, what it holds on the right. */
function draw(name, family, olderMs, groupLabels) {
  const metrics = family.metrics.map((metric) => ({ ...metric, own: ownLabels(metric.labels, groupLabels) }));
  const type = h("span", { class: "pill" }, family.type.toLowerCase());
  const help = family.help ? h("p", { class: "help" }, family.help) : null;
  const older = olderMs === null ? null : h("p", { class: "help" }, "pushed ", new Moment(olderMs).element);
  return [h("header", {}, h("h3", {}, name), type, help, older), values(name, metrics)];
}

function values(name, metrics) {
  if (metrics.some((metric) => metric.buckets)) return histograms(metrics);
  if (metrics.some((metric) => metric.quantiles)) return summaries(metrics);
  const isSingle = metrics.length === 1 && metrics[0].own.length === 0;
  return isSingle ? h("p", {}, ...value(name, metrics[0].value)) : series(name, metrics);
}

/** The labels that tell a series from others of its group; every series has an `instance`, so an empty one tells nothing. */
function ownLabels(labels, groupLabels) {
  const own = Object.entries(labels).filter(
    ([name, value]) => !Object.hasOwn(groupLabels, name) && !(name === "instance" && !value),
  );
  return own.sort(([a], [b]) => byText(a, b));
}

/** A sample's value; of a Unix time also the moment that it stands for. */
function value(name, text) {
  const number = h("data", { value: text }, plainNumber(text));
  const seconds = parseNumber(text);
  const isMoment = /_(time|timestamp|created)(_seconds)?$/.test(name) && seconds > 5e8 && seconds < 5e9;
  return isMoment ? [number, h("span", { class: "hint" }, " ", new Moment(seconds * 1000).element)] : [number];
}

// -- counters, gauges, untyped -----------------------------------------------------------------------------------------

function series(name, metrics) {
  return labelTable(metrics, ["value"], (metric) => [h("td", { class: "number" }, ...value(name, metric.value))]);
}

// -- summaries ---------------------------------------------------------------------------------------------------------

/** A row a series, with a column for each quantile that any of them has. */
function summaries(metrics) {
  const quantiles = [...new Set(metrics.flatMap((metric) => Object.keys(metric.quantiles)))];
  quantiles.sort((a, b) => parseNumber(a) - parseNumber(b));
  const columns = [...quantiles.map((quantile) => `q ${quantile}`), "count", "sum"];
  return labelTable(metrics, columns, (metric) => {
    const values = [...quantiles.map((quantile) => metric.quantiles[quantile] ?? ""), metric.count, metric.sum];
    return values.map((text) => numberCell(plainNumber(text)));
  });
}

/** A table with a column for each label and then the named ones, for which `cells(metric)` gives the cells. */
function labelTable(metrics, columns, cells) {
  const labels = [...new Set(metrics.flatMap(({ own }) => own.map(([label]) => label)))].sort(byText);
  const heads = [...labels.map((label) => h("th", { scope: "col" }, label)), ...columns.map(numberHead)];
  return table(
    heads,
    metrics,
    (n) => `${count(n)} series`,
    (metric) => {
      const own = new Map(metric.own);
      return [...labels.map((label) => h("td", {}, own.get(label) ?? "")), ...cells(metric)];
    },
  );
}

/** A table with a row for each item, whose cells `cells(item)` gives; `word(n)` names n of them. */
function table(heads, items, word, cells) {
  const body = h("tbody");
  const scroll = h(
    "div",
    { class: "scroll" },
    h("table", { class: "values" }, h("thead", {}, h("tr", {}, ...heads)), body),
  );
  const rows = new Pages(body, ROWS, word, (item) => ({ element: h("tr", {}, ...cells(item)), update() {} }));
  rows.show(items.map((item, at) => [at, item]));
  return scroll;
}

const numberHead = (text) => h("th", { scope: "col", class: "number" }, text);
const numberCell = (text) => h("td", { class: "number" }, text);

// -- histograms --------------------------------------------------------------------------------------------------------

function histograms(metrics) {
  const list = h("div", { class: "histograms" });
  const box = h("div", {}, list);
  const pages = new Pages(
    list,
    HISTOGRAMS,
    (n) => plural(n, "histogram"),
    (metric) => {
      return { element: histogram(metric), update() {} };
    },
  );
  pages.show(metrics.map((metric, at) => [at, metric]));
  return box;
}

/** Labels, count, sum and mean; then what each bucket holds, with a bar for its share of the fullest one. */
function histogram({ own, buckets, count: all, sum }) {
  const mean = parseNumber(sum) / parseNumber(all);
  const facts = [`count ${plainNumber(all)}`, `sum ${plainNumber(sum)}`];
  if (Number.isFinite(mean)) facts.push(`mean ${Number(mean.toPrecision(4))}`);
  const caption = h("figcaption", {}, ...own.map(([name, text]) => chip(name, text)), facts.join(" · "));
  const isNative = Array.isArray(buckets);
  const rows = isNative ? nativeRows(buckets) : classicRows(buckets, all);
  if (rows.length === 0) return h("figure", {}, caption);
  const most = rows.reduce((most, { held }) => Math.max(most, held), 0);
  const heads = ["bucket", "count", "", ...(isNative ? [] : ["cumulative"])].map(numberHead);
  const drawn = table(
    heads,
    rows,
    (n) => plural(n, "bucket"),
    ({ range, held, upTo }) => {
      const cells = [numberCell(range), numberCell(count(held)), h("td", {}, bar(most > 0 ? held / most : 0))];
      return isNative ? cells : [...cells, numberCell(plainNumber(upTo))];
    },
  );
  return h("figure", {}, caption, drawn);
}

/** A bar of some share, 0 to 1, of its full length. Cumulative counts that fall, which is a client's fault, show none. */
function bar(share) {
  const element = h("span", { class: "bar" });
  element.style.setProperty("--share", String(Math.max(share, 0)));
  return element;
}

/** Cumulative counts by upper bound, as pushed; clients may leave out the last one, whose count is that of all. */
function classicRows(buckets, all) {
  const bounds = Object.entries(buckets).sort(([a], [b]) => parseNumber(a) - parseNumber(b));
  if (bounds.length > 0 && bounds.at(-1)[0] !== "+Inf") bounds.push(["+Inf", all]);
  let below = 0;
  return bounds.map(([bound, upTo]) => {
    const held = parseNumber(upTo) - below;
    below += held;
    return { range: `≤ ${plainNumber(bound)}`, held, upTo };
  });
}

const BOUNDARIES = [
  ["(", "]"],
  ["[", ")"],
  ["(", ")"],
  ["[", "]"],
]; // by the API's rule number

/** Buckets of a native histogram: `[rule, lower, upper, count]`. */
function nativeRows(buckets) {
  return buckets.map(([rule, lower, upper, held]) => {
    const [open, close] = BOUNDARIES[rule];
    const range = `${open}${plainNumber(lower)}, ${plainNumber(upper)}${close}`;
    return { range, held: parseNumber(held) };
  });
}

/** All families of a group, the first of them at once. */
export class Families {
  constructor(parent, step) {
    this.pages = new Pages(parent, step, (n) => plural(n, "metric"), makeFamily);
  }

  show(group) {
    this.pages.show(group.families.map(([name, family]) => [name, { name, family, group }]));
  }
}
