/** When to try again, and when not to any more. */

/** Milliseconds. */
export const TIMES = {
  firstDelay: 250,
  longestDelay: 5_000,
  giveUp: 60_000, // without a connection
  silence: 45_000, // without a byte on an open stream: three of the relay's heartbeats
};

/**
 * How long to wait before an attempt: doubling, bounded, and spread over its upper half so that
 * many pages do not come back at the same moment.
 *
 * @param {number} attempt 1 for the first repetition
 * @param {number} chance from 0 up to 1
 * @returns {number} milliseconds
 */
export function backoff(attempt, chance) {
  const delay = Math.min(TIMES.firstDelay * 2 ** (attempt - 1), TIMES.longestDelay);
  return delay * (0.5 + chance / 2);
}
