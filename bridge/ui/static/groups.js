// The view of all push groups: filter, order, the list itself, deletion.

import { address, deleteGroup, getGroupsText, Poll, wipe } from "./api.js";
import { confirm, toast } from "./dialog.js";
import { byId, h, Pages, setText } from "./dom.js";
import { GroupView } from "./group.js";
import { chip } from "./label.js";
import { choose, Group } from "./model.js";
import { Remembered } from "./remembered.js";
import { count, plural } from "./text.js";

const SHOWN = 200; // groups at a time
const PAUSE_MS = 5000;
const SHARE = 20; // reading thousands of groups takes a while: rest that many times as long

export class GroupsView {
  #groups = null; // until they have been read
  #text = "";

  /** `flags` are the bridge's settings, `failed` is told why the groups cannot be read. */
  constructor(flags, failed) {
    this.flags = flags;
    this.opened = new Remembered("open groups");
    this.pages = new Pages(
      byId("groups-list"),
      SHOWN,
      (n) => plural(n, "group"),
      (group) => {
        return new GroupView(group, this.opened, (chosen) => this.#delete(chosen));
      },
    );
    this.filter = byId("groups-filter");
    this.order = byId("groups-order");
    this.onlyFailed = byId("groups-failed");
    for (const control of [this.filter, this.order, this.onlyFailed]) {
      control.addEventListener("input", () => this.#chosenAnew());
    }
    byId("groups-refresh").addEventListener("click", () => this.poll.now());
    byId("groups-wipe").addEventListener("click", () => this.#wipe());
    byId("groups-example").textContent = `echo "rows 42" | curl --data-binary @- ${address("metrics/job/backup")}`;
    this.poll = new Poll(
      () => this.#load(),
      (took) => Math.max(PAUSE_MS, took * SHARE),
      failed,
    );
  }

  async #load() {
    const text = await getGroupsText();
    if (text === this.#text) return;
    this.#groups = JSON.parse(text).data.map((object) => new Group(object));
    this.#text = text;
    const keys = new Set(this.#groups.map((group) => group.key));
    this.opened.keep((key) => keys.has(key));
    this.draw();
  }

  #chosenAnew() {
    this.pages.rewind();
    this.draw();
  }

  draw() {
    if (this.#groups === null) return;
    const all = this.#groups.length;
    const wanted = { filter: this.filter.value, order: this.order.value, onlyFailed: this.onlyFailed.checked };
    const chosen = choose(this.#groups, wanted);
    this.pages.show(chosen.map((group) => [group.key, group]));
    const failed = this.#groups.filter((group) => group.failed).length;
    const failures = failed ? `, the last push of ${count(failed)} failed` : "";
    const part = `${count(chosen.length)} of ${plural(all, "group")}`;
    setText(byId("groups-count"), chosen.length === all ? plural(all, "group") + failures : part);
    byId("groups-empty").hidden = all > 0;
    byId("groups-wipe").hidden = all === 0 || this.flags["web.enable_admin_api"] !== "True";
    setText(byId("groups-note"), count(all));
  }

  async #delete(group) {
    const what = h("p", { class: "key" }, ...group.pairs.map(([name, text]) => chip(name, text)));
    const text = [what, h("p", {}, "Its series end now. What was stored and forwarded so far stays.")];
    if (!(await confirm("Delete this group?", text, "Delete group"))) return;
    await this.#change(() => deleteGroup(group.labels, this.flags["push.utf8_names"] !== "False"), "Group deleted.");
  }

  async #wipe() {
    const all = plural(this.#groups.length, "group");
    const text = [
      h(
        "p",
        {},
        `This deletes ${all}, whether the filter shows them or not. What was stored and forwarded so far stays.`,
      ),
    ];
    if (!(await confirm("Delete all groups?", text, "Delete all"))) return;
    await this.#change(wipe, `${all} deleted.`);
  }

  /** Do something to the groups, tell how it went, and show what they are now. */
  async #change(action, done) {
    try {
      await action();
      toast(done);
    } catch (error) {
      toast(error.message, "bad");
    }
    await this.poll.now();
    byId("groups-title").focus({ preventScroll: true }); // what had the focus may have gone with its group
  }
}
