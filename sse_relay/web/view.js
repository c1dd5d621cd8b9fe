/** The conversation on the page.  Whatever comes from a stream is shown as text, never as markup. */

import { note, viewOf } from "./block-views.js";
import { element, icon, setIcon, setText } from "./dom.js";
import { formatMilliseconds, formatSeconds } from "./metrics.js";
import { ProgressView } from "./progress-view.js";
import { STATES } from "./states.js";

/**
 * @typedef {import("./conversation.js").Exchange} Exchange
 * @typedef {object} Actions what the buttons below an answer do
 * @property {(exchange: Exchange) => void} again asks the question anew
 * @property {(exchange: Exchange) => void} resume takes the same turn up again
 */

const METRICS = [
  { name: "TTFT", title: "Time to first token", value: timeToFirstToken },
  { name: "TPOT", title: "Time per output token after the first", value: timePerOutputToken },
  { name: "Tokens", title: "Output tokens", value: tokens },
];

/** Why a message ended, where that is worth a remark. */
const STOP_REASONS = new Map([
  ["max_tokens", "The answer reached the greatest length allowed."],
  ["model_context_window_exceeded", "The conversation fills the model's context window."],
  ["refusal", "The model declined to answer."],
]);

/** Titles of what went wrong, by the end it led to. */
const TITLES = new Map([
  ["failed", "No complete answer."],
  ["cut-off", "The answer was cut off."],
  ["stopped", "Stopped."],
]);

/** One question and its answer. */
export class ExchangeView {
  #exchange;
  #actions;
  #progress;
  #blocks = element("div", { class: "blocks" });
  #views = /** @type {(import("./block-views.js").BlockView | null)[]} */ ([]);
  /** The blocks that are shown: others take their place when the message begins anew. */
  #shown = /** @type {import("./message.js").Block[] | null} */ (null);
  #icon = icon("connecting");
  #label = element("span");
  #values = METRICS.map(() => element("dd"));
  #buttons = element("div", { class: "buttons" });
  #answer = element("article", { class: "answer", "aria-label": "Answer" });
  #settled = false;
  element = element("section", { class: "exchange" });

  /** @param {Exchange} exchange @param {Actions} actions */
  constructor(exchange, actions) {
    this.#exchange = exchange;
    this.#actions = actions;
    this.#progress = new ProgressView(exchange);
    const question = element("article", { class: "question", "aria-label": "Your question" }, exchange.question);
    this.#answer.append(this.#progress.element, this.#blocks, this.#footer());
    this.element.append(question, this.#answer);
  }

  #footer() {
    const state = element("span", { class: "state" }, this.#icon, this.#label);
    const rows = METRICS.map(({ name, title }, place) =>
      element("div", {}, element("dt", {}, element("abbr", { title }, name)), this.#values[place]),
    );
    const metrics = element("dl", { class: "metrics" }, ...rows);
    return element("footer", {}, state, metrics, this.#buttons);
  }

  /** Shows what has come since the last update. @param {number} now */
  update(now) {
    const { message, metrics, state, ended, turn } = this.#exchange;
    this.#answer.dataset.state = state;
    this.#answer.dataset.turn = turn.id;
    // A screen reader waits with a part of the page that is busy, instead of reading each token.
    this.#answer.setAttribute("aria-busy", String(!ended));
    this.#progress.update(now);
    this.#updateBlocks(message);
    setIcon(this.#icon, STATES[state].icon);
    setText(this.#label, STATES[state].label);
    for (const [place, { value }] of METRICS.entries()) setText(this.#values[place], value(metrics));
    if (ended && !this.#settled) this.#settle();
  }

  /** @param {import("./message.js").Message} message */
  #updateBlocks(message) {
    if (message.blocks !== this.#shown) this.#forgetBlocks(message.blocks);
    for (const block of message.blocks.slice(this.#views.length)) {
      const view = this.#progress.shows(block) ? null : viewOf(block);
      this.#views.push(view);
      if (view !== null) this.#blocks.append(view.element);
    }
    for (const view of this.#views) view?.update();
  }

  /** The message began anew, or is shown for the first time. @param {import("./message.js").Block[]} blocks */
  #forgetBlocks(blocks) {
    for (const view of this.#views) view?.element.remove();
    this.#views = [];
    this.#shown = blocks;
  }

  /** The turn is over: say how it ended, and offer what can be done. */
  #settle() {
    this.#settled = true;
    const { state, error, message, turn } = this.#exchange;
    const remark = STOP_REASONS.get(message.stopReason ?? "");
    if (error !== null) {
      this.#blocks.append(note(state, TITLES.get(state) ?? "", error.message, error.type));
    } else if (remark !== undefined) {
      this.#blocks.append(note("cut-off", "Note.", remark));
    }
    this.#buttons.append(...this.#offers(message.text, state, turn.resumable));
  }

  /** @param {string} text @param {string} state @param {boolean} resumable */
  #offers(text, state, resumable) {
    const offers = [];
    if (resumable) offers.push(button("reconnecting", "Resume", () => this.#actions.resume(this.#exchange)));
    if (state !== "done") offers.push(button("again", "Ask again", () => this.#actions.again(this.#exchange)));
    if (text !== "") offers.push(copyButton(text));
    return offers;
  }
}

/** All exchanges, in a log that follows its end as long as the reader is there. */
export class ConversationView {
  #log;
  #jump;
  #welcome;
  #views = /** @type {ExchangeView[]} */ ([]);
  #following = true;
  #scrollTop = 0;

  /** @param {HTMLElement} log @param {HTMLElement} jump @param {HTMLElement} welcome */
  constructor(log, jump, welcome) {
    this.#log = log;
    this.#jump = jump;
    this.#welcome = welcome;
    log.addEventListener("scroll", () => this.#look(), { passive: true });
    jump.addEventListener("click", () => this.follow());
    new ResizeObserver(() => this.#keepUp()).observe(log);
  }

  /** @param {ExchangeView} view */
  add(view) {
    this.#views.push(view);
    this.#log.append(view.element);
    this.#welcome.hidden = true;
  }

  /** Takes the last exchange away. */
  removeLast() {
    this.#views.pop()?.element.remove();
    this.#welcome.hidden = this.#views.length > 0;
  }

  clear() {
    while (this.#views.length > 0) this.removeLast();
  }

  /** Only the last exchange can change. @param {number} now */
  update(now) {
    this.#views.at(-1)?.update(now);
    this.#keepUp();
  }

  /** Goes to the end, and stays there. */
  follow() {
    this.#following = true;
    this.#keepUp();
  }

  #keepUp() {
    if (this.#following && this.#views.length > 0) this.#log.scrollTop = this.#log.scrollHeight;
    this.#look();
  }

  /** Whether the reader is at the end, or has gone up to read something again. */
  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    const below = scrollHeight - clientHeight - scrollTop; // a fraction at some zoom levels
    const movedUp = scrollTop < this.#scrollTop;
    this.#scrollTop = scrollTop;
    if (below < 2) this.#following = true;
    else if (movedUp) this.#following = false;
    this.#jump.hidden = this.#following || below < 48;
  }
}

/** @param {string} picture @param {string} text @param {() => void} act */
function button(picture, text, act) {
  const made = element("button", { type: "button", class: "quiet" }, icon(picture), element("span", {}, text));
  made.addEventListener("click", act);
  return made;
}

/** @param {string} text */
function copyButton(text) {
  const made = button("copy", "Copy", async () => {
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    setText(/** @type {Element} */ (made.lastElementChild), copied ? "Copied" : "Not allowed");
  });
  return made;
}

/** @param {import("./metrics.js").Metrics} metrics */
function timeToFirstToken(metrics) {
  return metrics.timeToFirstToken === null ? "–" : formatSeconds(metrics.timeToFirstToken);
}

/** @param {import("./metrics.js").Metrics} metrics */
function timePerOutputToken(metrics) {
  return metrics.timePerOutputToken === null ? "–" : formatMilliseconds(metrics.timePerOutputToken);
}

/** @param {import("./metrics.js").Metrics} metrics */
function tokens(metrics) {
  return metrics.tokens.toLocaleString("en");
}
