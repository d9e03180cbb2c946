// Asking before something that cannot be undone, and telling how it went.

import { byId, h } from "./dom.js";

const TOAST_MS = 6000;
let toastTimer = 0;

/**
 * Ask; true when the answer is `yes`, the text of the button. `content` are nodes. Escape means no. Each question is a dialog of
 * its own, so that a late "close" of one never answers the next.
 */
export function confirm(title, content, yes) {
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "question" }, title),
    ...content,
    h(
      "p",
      { class: "buttons" },
      h("button", { value: "no", autofocus: true }, "Cancel"),
      h("button", { value: "yes", class: "danger solid" }, yes),
    ),
  );
  const dialog = h("dialog", { "aria-labelledby": "question" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** A line at the foot of the page for a few seconds; it is read out, too. */
export function toast(text, kind = "good") {
  const line = byId("toast");
  line.textContent = text;
  line.className = `${kind} shown`;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => line.classList.remove("shown"), TOAST_MS);
}
