/**
 * What the page keeps over a reload, in `sessionStorage`: one entry, of plain JSON.
 *
 * A running answer is kept together with the id of the last event in it, in one write, so that
 * the two always fit: the rest is asked for from exactly there.
 */

import { Exchange } from "./conversation.js";

const KEY = "sse-relay";

/**
 * @typedef {object} Saved
 * @property {Exchange[]} exchanges
 * @property {string} draft the question being typed
 * @property {Record<string, string>} settings of the simulated provider
 */

/** @param {Storage} storage @returns {Saved} */
export function load(storage) {
  try {
    const saved = JSON.parse(storage.getItem(KEY) ?? "{}");
    return {
      exchanges: (saved.exchanges ?? []).map(Exchange.fromJSON),
      draft: saved.draft ?? "",
      settings: saved.settings ?? {},
    };
  } catch {
    // Written by another version of the page, or storage is forbidden: begin afresh.
    return { exchanges: [], draft: "", settings: {} };
  }
}

/**
 * Keeps as much as there is room for: the oldest exchanges go first.
 *
 * @param {Storage} storage
 * @param {Saved} saved
 */
export function save(storage, saved) {
  for (let from = 0; from <= saved.exchanges.length; from = 2 * from + 1) {
    const exchanges = saved.exchanges.slice(from);
    try {
      storage.setItem(KEY, JSON.stringify({ ...saved, exchanges }));
      return;
    } catch {
      continue; // QuotaExceededError
    }
  }
}
