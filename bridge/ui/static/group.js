// One push group: a line that tells its key and its last push, and what it holds once it is opened.

import { h, setText } from "./dom.js";
import { Families } from "./family.js";
import { chip } from "./label.js";
import { plural } from "./text.js";
import { Moment } from "./time.js";

const FAMILIES = 100; // drawn at first in an open group

/** The group for KeyedChildren. `opened` is the set of keys that are open; `remove(group)` is called by its button. */
export class GroupView {
  #body = null;

  constructor(group, opened, remove) {
    this.group = group;
    this.remove = remove;
    this.failedAt = new Moment(group.failedMs);
    this.pushedAt = new Moment(group.pushedMs);
    this.badge = h("span", { class: "badge bad" }, "last push failed ", this.failedAt.element);
    this.size = h("span");
    this.pushed = h("span", {}, "pushed ", this.pushedAt.element);
    this.never = h("span", {}, "never pushed successfully");
    const key = h("span", { class: "key" }, ...group.pairs.map(([name, text]) => chip(name, text)));
    const facts = h("span", { class: "facts" }, this.size, this.pushed, this.never);
    const summary = h("summary", {}, key, this.badge, facts);
    this.element = h("details", { class: "group", toggle: () => this.#toggled(opened) }, summary);
    this.element.open = opened.has(group.key);
  }

  /** Newer content of the same group. */
  update(group) {
    this.group = group;
    this.badge.hidden = !group.failed;
    this.failedAt.set(group.failedMs);
    setText(this.size, plural(group.families.length, "metric"));
    this.never.hidden = group.pushedMs > 0;
    this.pushed.hidden = !this.never.hidden;
    this.pushedAt.set(group.pushedMs);
    if (this.element.open) this.#draw();
  }

  #toggled(opened) {
    if (this.element.open) {
      opened.add(this.group.key);
      this.#draw();
    } else {
      opened.delete(this.group.key);
    }
  }

  /** Draw what is inside, for the first time or again. */
  #draw() {
    this.#body ??= this.#makeBody();
    this.#body.families.show(this.group);
    this.#body.nothing.hidden = this.group.families.length > 0;
  }

  #makeBody() {
    const button = h(
      "button",
      { type: "button", class: "danger", click: () => this.remove(this.group) },
      "Delete group",
    );
    if (!this.group.deletable) {
      button.disabled = true;
      button.title = "One of its metrics is named “labels” and hides the grouping key in the API.";
    }
    const nothing = h("p", { class: "empty" }, "This group holds no metrics.");
    const list = h("div", { class: "families" });
    this.element.append(h("div", { class: "inside" }, list, nothing, h("p", { class: "buttons" }, button)));
    return { families: new Families(list, FAMILIES), nothing };
  }
}
