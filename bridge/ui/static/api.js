// Talking to the bridge, and nothing but: every request goes to where this file came from, whatever prefix that is under.

import { learnClock } from "./text.js";

const BASE = new URL("../", import.meta.url);
const TIMEOUT_MS = 60_000;

/** The absolute address of a path of the bridge. */
export const address = (path) => new URL(path, BASE).href;

/** The text of an answer. Throws an Error whose message can be shown. */
async function ask(method, path) {
  let response, text;
  try {
    response = await fetch(address(path), { method, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await response.text();
  } catch (error) {
    throw new Error(
      error.name === "TimeoutError" ? "The bridge takes too long to answer." : "The bridge does not answer.",
    );
  }
  learnClock(response);
  if (!response.ok) throw new Error(`The bridge answered ${response.status}: ${text.trim() || response.statusText}`);
  return text;
}

const getData = async (path) => JSON.parse(await ask("GET", path)).data;

/** Version, settings and start time. */
export const getStatus = () => getData("api/v1/status");

/** One object a sink. */
export const getSinks = async () => (await getData("api/v1/status/sinks")).sinks;

/** All groups as text: with thousands of them, comparing it tells sooner than reading it that nothing has changed. */
export const getGroupsText = () => ask("GET", "api/v1/metrics");

/** End one group. */
export const deleteGroup = (labels, utf8Names) => ask("DELETE", pushPath(labels, utf8Names));

/** End all of them. */
export const wipe = () => ask("PUT", "api/v1/admin/wipe");

/** The path of a group's push URL. Values go as base64, which alone can carry a slash or nothing at all. */
export function pushPath(labels, utf8Names) {
  const names = Object.keys(labels).filter((name) => name !== "job");
  const parts = names.map((name) => `/${pathName(name, utf8Names)}@base64/${base64(labels[name])}`);
  return `metrics/job@base64/${base64(labels.job)}${parts.join("")}`;
}

/** URL-safe base64 of the UTF-8 bytes; an empty value is a lone `=`, so that its part of the path is not empty. */
function base64(text) {
  const bytes = new TextEncoder().encode(text);
  const encoded = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return encoded.replaceAll("+", "-").replaceAll("/", "_") || "=";
}

/** A label name as a path has it: names beyond letters, digits and `_` in Prometheus' `U__` form, which is code points in hex. */
function pathName(name, utf8Names) {
  const isPlain = /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) && !name.startsWith("U__");
  if (isPlain || !utf8Names) return name;
  const escaped = Array.from(name, (char) => {
    if (char === "_") return "__";
    return /[a-zA-Z0-9]/.test(char) ? char : `_${char.codePointAt(0).toString(16)}_`;
  });
  return `U__${escaped.join("")}`;
}

/**
 * Runs a task over and over while the page can be seen, one run at a time. `pause(ms)` says how long to rest after a run that
 * took so long. `failed` is told what a run threw, or null.
 */
export class Poll {
  #timer = 0;
  #last = Promise.resolve();
  #queued = false;
  #wanted = true;

  constructor(task, pause, failed) {
    this.task = task;
    this.pause = pause;
    this.failed = failed;
    document.addEventListener("visibilitychange", () => this.now());
  }

  /** Go on, or rest until somebody wants it again. */
  set wanted(wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.now();
  }

  /** A run that begins after this call, so that it sees what the caller has just done. */
  now() {
    clearTimeout(this.#timer);
    if (document.hidden || !this.#wanted) return this.#last;
    if (!this.#queued) {
      this.#queued = true;
      this.#last = this.#last.then(() => this.#run());
    }
    return this.#last;
  }

  async #run() {
    this.#queued = false;
    const started = performance.now();
    try {
      await this.task();
      this.failed(null);
    } catch (error) {
      this.failed(error);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.now(), this.pause(performance.now() - started));
  }
}
