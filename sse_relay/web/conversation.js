/** Questions and their answers, as plain data that survives a reload. */

import { Message } from "./message.js";
import { Metrics } from "./metrics.js";
import { ENDS } from "./turn.js";

/** One question and its answer. */
export class Exchange {
  question;
  message = new Message();
  metrics;
  /** What is needed to take the turn up again. */
  turn;
  /** The request, as long as the relay is not known to have it: a repetition must be the same. */
  request = /** @type {import("./turn.js").Question | null} */ (null);
  state = /** @type {import("./turn.js").TurnState} */ ("connecting");
  error = /** @type {import("./turn.js").TurnError | null} */ (null);

  /** @param {string} question @param {string} turnId @param {number} now */
  constructor(question, turnId, now) {
    this.question = question;
    this.metrics = new Metrics(now);
    const phase = /** @type {import("./turn.js").TurnState} */ ("connecting");
    this.turn = { id: turnId, accepted: false, lastEventId: "", phase, resumable: false };
  }

  get ended() {
    return ENDS.has(this.state);
  }

  /** @param {any} saved */
  static fromJSON(saved) {
    const exchange = new Exchange(saved.question, saved.turn.id, 0);
    exchange.message = Message.fromJSON(saved.message);
    exchange.metrics = Metrics.fromJSON(saved.metrics);
    exchange.turn = saved.turn;
    exchange.request = saved.request;
    exchange.state = saved.state;
    exchange.error = saved.error;
    return exchange;
  }
}

/**
 * The `messages` of the next request.  Of earlier answers only the text goes along: thinking would
 * need its signatures, a tool call its result.  A message without content is refused by the API.
 *
 * @param {Exchange[]} exchanges the last one is the question to ask
 */
export function requestMessages(exchanges) {
  return exchanges.flatMap((exchange, place) => {
    const question = { role: "user", content: exchange.question };
    if (place === exchanges.length - 1) return [question];
    return [question, { role: "assistant", content: exchange.message.text.trimEnd() || "(no text)" }];
  });
}
