// The page's start: three views, one of which is seen, and what each of them reads while it is.

import { getStatus, Poll } from "./api.js";
import { byId, setText } from "./dom.js";
import { GroupsView } from "./groups.js";
import { SinksView } from "./sinks.js";
import { StatusView } from "./status.js";
import { clockTime } from "./text.js";
import { startClock } from "./time.js";

const VIEWS = { groups: "Push groups", sinks: "Sinks", status: "Status" };
const STATUS_PAUSE_MS = 30_000;

/** The line above all views: what keeps any of them from being read, and since when what they show is old. */
class Trouble {
  #problems = new Map();

  /** A place for the problems of one reader. */
  of(reader) {
    return (error) => {
      if (error === null) this.#problems.delete(reader);
      else if (!this.#problems.has(reader)) this.#problems.set(reader, { error, since: Date.now() });
      const [first] = this.#problems.values();
      const line = byId("trouble");
      line.hidden = first === undefined;
      if (first) setText(line, `${first.error.message} What is shown is from before ${clockTime(first.since)}.`);
    };
  }
}

/** The view that the address names: `#sinks`; without one, `/status` is the status and everything else the groups. */
function chosenView() {
  const name = location.hash.slice(1);
  if (Object.hasOwn(VIEWS, name)) return name;
  return location.pathname.endsWith("/status") ? "status" : "groups";
}

function start() {
  const trouble = new Trouble();
  const flags = {};
  const groups = new GroupsView(flags, trouble.of("groups"));
  const sinks = new SinksView(trouble.of("sinks"));
  const status = new StatusView();

  async function readStatus() {
    const read = await getStatus();
    Object.assign(flags, read.flags);
    status.show(read);
    groups.draw(); // its buttons depend on the flags
  }

  function turn() {
    const chosen = chosenView();
    for (const name of Object.keys(VIEWS)) {
      byId(`view-${name}`).hidden = name !== chosen;
      const link = document.querySelector(`nav a[href="#${name}"]`);
      if (name === chosen) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${VIEWS[chosen]} · pushbridge`;
    groups.poll.wanted = chosen === "groups";
  }

  addEventListener("hashchange", turn);
  turn();
  groups.poll.now();
  sinks.poll.now(); // for all views: their state is in the header
  new Poll(readStatus, () => STATUS_PAUSE_MS, trouble.of("status")).now();
  startClock();
}

start();
