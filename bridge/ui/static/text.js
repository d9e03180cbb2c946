// Numbers and times as people read them.

// Samples carry the bridge's time, so "3 min ago" is counted by the bridge's clock.
let skewMs = 0;

/** Learn the bridge's clock from a response. Its Date has whole seconds: less than two are no difference. */
export function learnClock(response) {
  const theirs = Date.parse(response.headers.get("date"));
  const skew = theirs - Date.now();
  skewMs = Math.abs(skew) < 2000 || Number.isNaN(skew) ? 0 : skew;
}

export const now = () => Date.now() + skewMs;

/** A number as the API writes it, which is Go's `%v`: `+Inf`, `1.5e+06`. */
export function parseNumber(text) {
  return text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text);
}

/** Go's `1.79544748204e+09` as `1795447482.04`; what JavaScript would write no better stays as it is. */
export function plainNumber(text) {
  if (!text.includes("e+")) return text;
  const plain = String(Number(text));
  return plain.includes("e") ? text : plain;
}

export const count = (n) => n.toLocaleString("en");

/** "1 group", "2 groups". */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

const two = (n) => String(n).padStart(2, "0");

/** `2026-01-31 15:04:05`, in the reader's time zone. */
export function clockTime(ms) {
  const t = new Date(ms);
  const day = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  return `${day} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

const UNITS = [
  ["d", 86400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

/** A length of time in its largest unit, or two: "42 s", "3 min", "1 h 20 min", "5 d 3 h". */
export function span(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const whole = Math.floor(seconds);
  const at = UNITS.findIndex(([, size]) => whole >= size);
  const [unit, size] = UNITS[at];
  const large = `${Math.floor(whole / size)} ${unit}`;
  if (unit === "s" || unit === "min") return large;
  const [smaller, smallerSize] = UNITS[at + 1];
  const small = Math.floor((whole % size) / smallerSize);
  return small ? `${large} ${small} ${smaller}` : large;
}

/** How long ago: "just now", "3 min ago", "in 2 h". */
export function ago(ms) {
  const seconds = (now() - ms) / 1000;
  if (Math.abs(seconds) < 2) return "just now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}
