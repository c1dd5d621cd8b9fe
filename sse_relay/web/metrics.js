/** When an answer's parts came, and how fast.  All times are milliseconds by one clock. */

const MOST_STEPS = 50;

export class Metrics {
  askedAt;
  /** The first piece of the answer, thinking included. */
  firstAt = /** @type {number | null} */ (null);
  /** The first piece that is not thinking. */
  answeredAt = /** @type {number | null} */ (null);
  lastAt = /** @type {number | null} */ (null);
  /** Pieces of the answer seen: most providers send one token in each. */
  pieces = 0;
  /** The provider's own count of tokens; null as long as it has not said. */
  reported = /** @type {number | null} */ (null);
  /** What happened on the way, for a person. */
  steps = /** @type {{ at: number, text: string }[]} */ ([]);

  /** @param {number} askedAt */
  constructor(askedAt) {
    this.askedAt = askedAt;
  }

  /** @param {number} now @param {string} text */
  step(now, text) {
    if (this.steps.length < MOST_STEPS) this.steps.push({ at: now, text });
  }

  /** A piece of the answer has come. @param {number} now @param {string} blockType */
  piece(now, blockType) {
    this.firstAt ??= now;
    this.lastAt = now;
    if (blockType !== "thinking") this.answeredAt ??= now;
    this.pieces += 1;
  }

  /** Tokens: the provider's count if it is known, else the pieces seen. */
  get tokens() {
    return this.reported ?? this.pieces;
  }

  /** Time to first token, in milliseconds; null before it. */
  get timeToFirstToken() {
    return this.firstAt === null ? null : this.firstAt - this.askedAt;
  }

  /** Time per output token after the first one, in milliseconds; null before the second. */
  get timePerOutputToken() {
    if (this.firstAt === null || this.lastAt === null || this.tokens < 2) return null;
    return (this.lastAt - this.firstAt) / (this.tokens - 1);
  }

  toJSON() {
    return { ...this };
  }

  /** @param {any} saved what `toJSON` gave, by way of JSON */
  static fromJSON(saved) {
    return Object.assign(new Metrics(saved.askedAt), saved);
  }
}

/** Milliseconds for a person: "0.52 s", "12.3 s", "2 min 5 s". @param {number} milliseconds */
export function formatSeconds(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Milliseconds for one token: "19.8 ms", "0.120 ms", "1.20 s". @param {number} milliseconds */
export function formatMilliseconds(milliseconds) {
  if (milliseconds >= 999.5) return formatSeconds(milliseconds);
  if (milliseconds >= 99.95) return `${Math.round(milliseconds)} ms`;
  return `${milliseconds.toPrecision(3)} ms`;
}
