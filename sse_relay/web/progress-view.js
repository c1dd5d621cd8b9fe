/**
 * The panel above an answer: how long it takes before the first token, what has happened on the
 * way, and the model's thinking as it comes.  It closes by itself when the answer begins, unless
 * the reader has touched it.
 */

import { ThoughtsView } from "./block-views.js";
import { element, icon, setText } from "./dom.js";
import { formatSeconds } from "./metrics.js";

/** @typedef {import("./conversation.js").Exchange} Exchange */

export class ProgressView {
  #exchange;
  #label = element("span", { class: "label" });
  #elapsed = element("span", { class: "elapsed", "aria-hidden": "true" });
  #steps = element("ol", { class: "steps" });
  #thoughts = /** @type {ThoughtsView | null} */ (null);
  #touched = false;
  element;

  /** @param {Exchange} exchange */
  constructor(exchange) {
    this.#exchange = exchange;
    const summary = element("summary", {}, icon("chevron"), this.#label, this.#elapsed);
    summary.addEventListener("click", () => (this.#touched = true));
    const bar = element("div", { class: "bar", "aria-hidden": "true" });
    this.element = element("details", { class: "thinking", open: "" }, summary, bar, this.#steps);
  }

  /** Whether the panel shows this block, so that the answer need not. */
  shows(/** @type {import("./message.js").Block} */ block) {
    return block.type === "thinking" && block === this.#exchange.message.blocks[0];
  }

  /** @param {number} now */
  update(now) {
    const { metrics, message, ended } = this.#exchange;
    const waiting = !ended && metrics.answeredAt === null;
    const first = message.blocks[0];
    if (first !== undefined && this.shows(first)) this.#showThoughts(first);
    this.#showSteps();
    this.#showSummary(waiting, now);
    this.element.dataset.waiting = String(waiting);
    if (!waiting && !this.#touched) this.element.open = false;
  }

  /** @param {import("./message.js").Block} block */
  #showThoughts(block) {
    if (this.#thoughts === null) {
      this.#thoughts = new ThoughtsView(block);
      this.element.append(this.#thoughts.element);
    }
    this.#thoughts.update();
  }

  #showSteps() {
    const { steps, askedAt } = this.#exchange.metrics;
    for (const step of steps.slice(this.#steps.childElementCount)) {
      const at = element("span", { class: "at" }, formatSeconds(step.at - askedAt));
      this.#steps.append(element("li", {}, at, " ", step.text));
    }
  }

  /** @param {boolean} waiting @param {number} now */
  #showSummary(waiting, now) {
    const { askedAt, firstAt, answeredAt, lastAt } = this.#exchange.metrics;
    const thought = this.#thoughts !== null && !waiting;
    const since = thought ? firstAt : askedAt;
    const until = waiting ? now : (answeredAt ?? lastAt);
    const known = since !== null && until !== null;
    setText(this.#label, this.#labelOf(waiting));
    setText(this.#elapsed, known ? formatSeconds(until - since) : "");
  }

  /** @param {boolean} waiting */
  #labelOf(waiting) {
    const thought = this.#thoughts !== null;
    if (waiting) return thought ? "Thinking" : "Waiting for the first token";
    if (thought) return "Thought for";
    return this.#exchange.metrics.firstAt === null ? "No token came" : "First token after";
  }
}
