/** The simulated provider's settings, each of them a header of the request. */

import { setText } from "./dom.js";

/** Ready-made settings to try, by the name that their button carries. */
/** @type {Record<string, Record<string, string>>} */
const SCENES = {
  plain: {},
  tool: { "Sim-Thinking": "2", "Sim-Tool": "on", "Sim-Tokens": "80" },
  retry: { "Sim-Fault": "status=429,retry-after=1,times=1", "Sim-Tokens": "80" },
  cut: { "Sim-Fault": "cut-after=40" },
};

/** @type {Record<string, string>} */
const DEFAULTS = {
  "Sim-Tokens": "200",
  "Sim-Rate": "40",
  "Sim-TTFT": "0.5",
  "Sim-Thinking": "0",
  "Sim-Tool": "",
  "Sim-Fault": "",
};

export class Simulator {
  #panel;
  #fields;

  /** @param {HTMLElement} panel the settings; its fields are named like the headers */
  constructor(panel) {
    this.#panel = panel;
    this.#fields = /** @type {NodeListOf<HTMLInputElement | HTMLSelectElement>} */ (
      panel.querySelectorAll("[name]")
    );
    panel.addEventListener("input", () => this.#summarize());
    this.settings = DEFAULTS;
  }

  /** @returns {Record<string, string>} */
  get settings() {
    return Object.fromEntries(Array.from(this.#fields, (field) => [field.name, valueOf(field)]));
  }

  set settings(values) {
    for (const field of this.#fields) {
      const value = { ...DEFAULTS, ...values }[field.name] ?? "";
      if (isCheckbox(field)) field.checked = value !== "";
      else field.value = value;
    }
    this.#summarize();
  }

  /** Sets everything for one of the scenes. @param {string} name */
  play(name) {
    this.settings = SCENES[name] ?? {};
  }

  /** What the request carries; a field that is empty or out of its range is left out. */
  get headers() {
    const valid = Array.from(this.#fields).filter((field) => field.validity.valid);
    const headers = valid.map((field) => [field.name, valueOf(field) === "on" ? "1" : valueOf(field)]);
    return Object.fromEntries(headers.filter(([, value]) => value !== ""));
  }

  #summarize() {
    const { "Sim-Tokens": tokens, "Sim-Rate": rate, "Sim-Fault": fault } = this.headers;
    const speed = Number(rate) > 0 ? `${rate} a second` : "at full speed";
    const words = [`${tokens ?? "?"} tokens`, speed, ...(fault ? [fault.split(",")[0]] : [])];
    setText(/** @type {Element} */ (this.#panel.querySelector(".summary")), words.join(" · "));
  }
}

/** @param {HTMLInputElement | HTMLSelectElement} field */
function valueOf(field) {
  return isCheckbox(field) ? (field.checked ? "on" : "") : field.value.trim();
}

/** @param {Element} field @returns {field is HTMLInputElement} */
function isCheckbox(field) {
  return field instanceof HTMLInputElement && field.type === "checkbox";
}
