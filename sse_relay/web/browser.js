/** What a turn needs of its surroundings: the network, a clock, timers, chance. */

export const browser = {
  fetch: (/** @type {string} */ url, /** @type {RequestInit} */ init) => fetch(url, init),
  now: () => performance.timeOrigin + performance.now(), // milliseconds; goes on over a reload
  random: () => Math.random(),
  setTimeout: (/** @type {() => void} */ call, /** @type {number} */ after) => setTimeout(call, after),
  clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
};

/** A new turn's id: 128 random bits, so that nobody guesses another's. @returns {string} */
export function newTurnId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `turn_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
