/**
 * Text that grows: what is there is never rebuilt, so nothing flickers and a selection stays.
 *
 * Each line is an element of its own, line end included, which keeps layout cheap and the text
 * identical to what was sent.  Lines between ``` fences stand in a <pre>.
 */

import { element } from "./dom.js";

export class TextView {
  element = element("div", { class: "text" });
  #home = /** @type {HTMLElement} */ (this.element); // where the next line goes
  #line = /** @type {HTMLElement | null} */ (null);
  #pieces = /** @type {string[]} */ ([]);
  #fence = ""; // the marks that opened the code block we are in

  /** @param {string} characters */
  append(characters) {
    for (const piece of characters.split(/(?<=\n)/)) {
      if (piece === "") continue;
      if (this.#line === null) {
        this.#line = element("span", { class: "line" });
        this.#home.append(this.#line);
      }
      this.#line.append(piece);
      this.#pieces.push(piece);
      if (piece.endsWith("\n")) this.#endLine(this.#line);
    }
  }

  /** No more will come: the last line may lack its end. */
  finish() {
    if (this.#line !== null) this.#endLine(this.#line);
  }

  /** @param {HTMLElement} line */
  #endLine(line) {
    const text = this.#pieces.join("");
    this.#line = null;
    this.#pieces = [];
    const marks = /^ {0,3}(`{3,})([^`]*)$/.exec(text);
    if (text.trim() === "") line.classList.add("blank");
    if (marks === null) return;
    if (this.#fence === "") this.#openCode(line, text, marks[1]);
    else if (marks[2].trim() === "" && marks[1].length >= this.#fence.length) this.#closeCode(line);
  }

  /** @param {HTMLElement} line @param {string} text @param {string} marks */
  #openCode(line, text, marks) {
    const end = text.indexOf(marks) + marks.length;
    const fence = element("span", { class: "visually-hidden" }, text.slice(0, end));
    line.replaceChildren(fence, text.slice(end));
    line.classList.add("fence");
    const code = element("pre", { class: "code", tabindex: "0", role: "group", "aria-label": "Code" });
    line.replaceWith(code);
    code.append(line);
    this.#fence = marks;
    this.#home = code;
  }

  /** @param {HTMLElement} line */
  #closeCode(line) {
    line.classList.add("visually-hidden");
    this.#fence = "";
    this.#home = this.element;
  }
}
