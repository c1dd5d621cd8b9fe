/**
 * One view for each kind of block.  `update` shows what has come since the last one, and leaves
 * alone what is there already.
 */

import { element, icon, setIcon, setText } from "./dom.js";
import { TextView } from "./text-view.js";

/** @typedef {import("./message.js").Block} Block */
/** @typedef {{ element: HTMLElement, update(): void }} BlockView */

/** The pieces of a block that a view has not taken yet. */
class Pieces {
  #taken = 0;

  /** @param {Block} block */
  take(block) {
    const fresh = block.pieces.slice(this.#taken).join("");
    this.#taken = block.pieces.length;
    return fresh;
  }
}

/** @implements {BlockView} */
export class TextBlockView {
  #text = new TextView();
  #pieces = new Pieces();
  #block;
  element = this.#text.element;

  /** @param {Block} block */
  constructor(block) {
    this.#block = block;
  }

  update() {
    this.#text.append(this.#pieces.take(this.#block));
    if (this.#block.state !== "open") this.#text.finish();
  }
}

/** How the state of a tool call is called and drawn. */
const TOOL_STATES = {
  open: { label: "receiving arguments", icon: "writing" },
  complete: { label: "complete", icon: "done" },
  incomplete: { label: "incomplete", icon: "cut-off" },
};

/** @implements {BlockView} */
export class ToolView {
  #block;
  #pieces = new Pieces();
  #icon = icon("writing");
  #label = element("span");
  #arguments = element("pre", { class: "arguments", tabindex: "0", role: "group", "aria-label": "Arguments" });
  element;

  /** @param {Block} block */
  constructor(block) {
    this.#block = block;
    const name = element("code", { class: "name" }, block.name || "(unnamed)");
    const status = element("span", { class: "status" }, this.#icon, this.#label);
    const head = element("div", { class: "card-head" }, icon("tool"), name, status);
    this.element = element("section", { class: "card tool", "aria-label": `Tool call ${block.name}` });
    this.element.append(head, this.#arguments);
  }

  update() {
    const { state, input } = this.#block;
    const fresh = this.#pieces.take(this.#block);
    if (fresh !== "") this.#arguments.append(fresh);
    if (this.element.dataset.state === state) return;
    this.element.dataset.state = state;
    setIcon(this.#icon, TOOL_STATES[state].icon);
    setText(this.#label, TOOL_STATES[state].label);
    if (state === "complete") setText(this.#arguments, JSON.stringify(input, null, 2));
  }
}

/** The text of a thinking block.  @implements {BlockView} */
export class ThoughtsView {
  #block;
  #pieces = new Pieces();
  #text = new TextView();
  element = element("div", { class: "thoughts", tabindex: "0", role: "group", "aria-label": "Thinking" });

  /** @param {Block} block */
  constructor(block) {
    this.#block = block;
    this.element.append(this.#text.element);
  }

  update() {
    this.#text.append(this.#pieces.take(this.#block));
  }
}

/** Thinking that comes after the answer has begun.  @implements {BlockView} */
export class ThinkingView {
  #thoughts;
  element;

  /** @param {Block} block */
  constructor(block) {
    this.#thoughts = new ThoughtsView(block);
    const summary = element("summary", {}, icon("chevron"), element("span", {}, "More thinking"));
    this.element = element("details", { class: "thinking", open: "" }, summary, this.#thoughts.element);
  }

  update() {
    this.#thoughts.update();
  }
}

/** Events that are gone.  @implements {BlockView} */
export class GapView {
  element = note("cut-off", "A part is missing here", "The relay no longer had it when the page came back.");
  update() {}
}

/** A block that has no view of its own: its kind, and what it began with. @implements {BlockView} */
export class OtherView {
  element;

  /** @param {Block} block */
  constructor(block) {
    const text = JSON.stringify(block.start, null, 2);
    const body = element("pre", { class: "arguments", tabindex: "0", role: "group", "aria-label": "Content" }, text);
    const summary = element("summary", {}, icon("chevron"), element("code", { class: "name" }, block.type));
    this.element = element("details", { class: "card" }, summary, body);
  }

  update() {}
}

/**
 * A remark about the answer, between its blocks or below them.
 *
 * @param {string} kind its picture and its tone
 * @param {string} title
 * @param {string} text
 * @param {string} [code] what programs call it
 */
export function note(kind, title, text, code = "") {
  const words = element("span", {}, element("strong", {}, title), " ", text);
  if (code !== "") words.append(" ", element("code", {}, code));
  return element("p", { class: "note", "data-kind": kind }, icon(kind), words);
}

/** @param {Block} block @returns {BlockView} */
export function viewOf(block) {
  if (block.type === "text") return new TextBlockView(block);
  if (block.type === "thinking") return new ThinkingView(block);
  if (block.type === "gap") return new GapView();
  return block.isTool ? new ToolView(block) : new OtherView(block);
}
