/**
 * One turn: from the question to its one end, over as many connections as that takes.
 *
 * The page chooses the turn's id, so that it can stop or resume a turn whose answer has not even
 * begun.  Every event has an id; after a lost connection the page asks for what came after the
 * last one it saw.  A stream that closes before its end marker is a lost connection.
 *
 * Nothing here knows of a document: what waits (`fetch`, timers) is handed in.
 */

import { browser } from "./browser.js";
import * as eventStream from "./event-stream.js";
import { TIMES, backoff } from "./retry.js";

/**
 * @typedef {"connecting" | "thinking" | "writing" | "reconnecting" | "stopping"
 *   | "done" | "stopped" | "cut-off" | "failed"} TurnState
 * @typedef {{ type: string, message: string }} TurnError
 * @typedef {{ headers: Record<string, string>, body: string }} Question
 */

/** The states that a turn never leaves. */
export const ENDS = new Set(["done", "stopped", "cut-off", "failed"]);

/** What the outcome in an error event means for the answer. */
const END_OF_OUTCOME = new Map([
  ["stopped", "stopped"],
  ["truncated", "cut-off"],
]);

export class Turn {
  id;
  state;
  error = /** @type {TurnError | null} */ (null);
  /** How many times the connection has been tried again since the last event. */
  attempt = 0;
  /** Whether the relay has answered: from then on the turn can be resumed without its question. */
  accepted;
  lastEventId;
  /** Whether it ended only because no connection came about: another Turn may take it up. */
  resumable = false;
  /** What the model was last seen doing: what to go back to after a reconnection. */
  phase;

  #request;
  #visible;
  #stopAsked = false;
  #connection = new AbortController();
  #questionUnderWay = false;
  #wakers = /** @type {Set<() => void>} */ (new Set());
  #lostAt = /** @type {number | null} */ (null);
  #onEvent;
  #onChange;
  #env;

  /**
   * @param {object} options
   * @param {string} options.id
   * @param {Question} options.request
   * @param {string} [options.lastEventId] what an earlier page has seen of this turn
   * @param {boolean} [options.accepted] whether the relay is known to have the question
   * @param {TurnState} [options.phase] what the model was seen doing by an earlier page
   * @param {boolean} [options.visible] whether a part of the answer is on the page already
   * @param {(data: any) => boolean} options.onEvent takes an event's data; says whether it was a
   *   piece of the answer
   * @param {() => void} [options.onChange] the state, the attempt or `accepted` changed
   * @param {typeof browser} [options.env]
   */
  constructor(options) {
    this.id = options.id;
    this.accepted = options.accepted ?? false;
    this.lastEventId = options.lastEventId ?? "";
    this.phase = options.phase ?? "connecting";
    this.state = /** @type {TurnState} */ (this.accepted ? "reconnecting" : "connecting");
    this.#request = options.request;
    this.#visible = options.visible ?? false;
    this.#onEvent = options.onEvent;
    this.#onChange = options.onChange ?? (() => {});
    this.#env = options.env ?? browser;
  }

  get ended() {
    return ENDS.has(this.state);
  }

  /** Runs to the end.  What goes wrong with the network or the relay is in `state` and `error`. */
  async run() {
    while (!this.ended) {
      await this.#attempt();
      if (!this.ended) await this.#waitToReconnect();
    }
  }

  /** Tries again at once instead of waiting on: the network has come back. */
  hurry() {
    for (const wake of this.#wakers) wake();
  }

  /** Stops the generation, in whatever state the turn is.  Harmless when it is over. */
  async stop() {
    if (this.ended || this.#stopAsked) return;
    this.#stopAsked = true;
    this.#change("stopping");
    const since = this.#env.now();
    for (let tried = 1; !this.ended && this.#stopAsked; tried += 1) {
      if (await this.#askToStop()) return;
      if (this.#env.now() - since > TIMES.giveUp) {
        const message = "The relay could not be reached. It stops the turn by itself, as nobody reads it.";
        this.#end("stopped", { type: "connection_error", message });
        return;
      }
      await this.#sleep(backoff(tried, this.#env.random()));
    }
  }

  /** One DELETE.  True when it has settled the matter. */
  async #askToStop() {
    let response;
    try {
      // keepalive: a page that closes right after the button was pressed stops the turn as well.
      response = await this.#env.fetch(this.#url, { method: "DELETE", keepalive: true });
    } catch {
      return false;
    }
    if (response.ok) {
      const { outcome } = await response.json().catch(() => ({ outcome: "stopped" }));
      if (outcome === "stopped") this.#end("stopped");
      else this.#goOn(); // it had ended before: the stream says how
      return true;
    }
    // Not known.  Is its question still under way?  Then ask again.  Else nothing is left to stop.
    if (response.status === 404 && !this.#questionUnderWay) this.#end("stopped");
    return this.ended;
  }

  /** One connection, from the request to its end. */
  async #attempt() {
    if (this.#stopAsked && !this.accepted) return; // do not ask a question to stop its answer
    this.#connection = new AbortController();
    try {
      const repeated = this.accepted;
      const response = await (repeated ? this.#resume() : this.#ask());
      if (this.ended) return;
      if (response.ok) this.#accept(response);
      if (response.status === 200) await this.#read(response);
      else if (response.status === 204) this.#lose(lost("The relay has nothing more of this answer."));
      else if (repeated) await this.#resumeRefused(response);
      else this.#end("failed", await errorOf(response));
    } catch (error) {
      if (error instanceof eventStream.TransportError) return; // the next attempt's business
      this.#end("failed", protocolError(String(error)));
      if (!(error instanceof eventStream.EventStreamError)) throw error;
    } finally {
      this.#connection.abort();
    }
  }

  /** Asking with the same id again attaches to the turn, if the first request did arrive. */
  async #ask() {
    const { body, headers } = this.#request;
    this.#questionUnderWay = true;
    try {
      return await this.#fetch("/v1/messages", "POST", { ...headers, "Turn-Id": this.id }, body);
    } finally {
      this.#questionUnderWay = false;
    }
  }

  #resume() {
    return this.#fetch(this.#url, "GET", {});
  }

  /** @param {string} url @param {string} method @param {Record<string, string>} more @param {string} [body] */
  #fetch(url, method, more, body) {
    const headers = new Headers({ Accept: "text/event-stream", ...more });
    if (this.lastEventId !== "") headers.set("Last-Event-ID", this.lastEventId);
    const { signal } = this.#connection;
    const response = this.#env.fetch(url, { method, headers, body, signal, cache: "no-store" });
    return response.catch(eventStream.transportError);
  }

  get #url() {
    return `/turns/${encodeURIComponent(this.id)}`;
  }

  /** @param {Response} response */
  #accept(response) {
    this.accepted = true;
    this.id = response.headers.get("turn-id") ?? this.id;
    this.#goBackTo(this.phase === "connecting" ? "thinking" : this.phase);
  }

  /** @param {Response} response */
  async #read(response) {
    const type = response.headers.get("content-type") ?? "";
    if (!type.startsWith("text/event-stream") || response.body === null) {
      this.#end("failed", protocolError(`The relay answered with ${type || "no content type"}.`));
      return;
    }
    const decoder = new eventStream.EventStreamDecoder({ lastEventId: this.lastEventId });
    const connection = this.#connection;
    let silence = this.#env.setTimeout(() => connection.abort(), TIMES.silence);
    const onBytes = () => {
      this.#env.clearTimeout(silence);
      silence = this.#env.setTimeout(() => connection.abort(), TIMES.silence);
    };
    try {
      for await (const event of eventStream.readEvents(response.body, decoder, onBytes)) {
        this.#receive(event);
        if (this.ended) return;
      }
    } finally {
      this.#env.clearTimeout(silence);
    }
  }

  /** @param {eventStream.ServerSentEvent} event */
  #receive(event) {
    const data = parseObject(event.data);
    if (data === null) {
      this.#end("failed", protocolError("The relay sent an event that is no JSON object."));
      return;
    }
    // No token twice, whatever the relay repeats.  (A gap has no id of its own.)
    if (event.hasId && !isAfter(event.lastEventId, this.lastEventId)) return;
    this.lastEventId = event.lastEventId;
    this.attempt = 0;
    this.#lostAt = null;
    if (this.#onEvent(data)) this.#visible = true;
    if (data.type === "error") this.#endWith(data);
    else if (data.type === "message_stop") this.#end("done");
    else this.#goBackTo(phaseAfter(data) ?? this.phase);
  }

  /** @param {any} data of an error event */
  #endWith(data) {
    const end = /** @type {TurnState} */ (END_OF_OUTCOME.get(data.outcome) ?? "failed");
    this.#end(end, end === "stopped" ? null : describeError(data));
  }

  /** The relay does not give us the rest. @param {Response} response */
  async #resumeRefused(response) {
    // A gateway in between may say so in passing.  The relay itself names the turn, and means it.
    const passing = response.status >= 500 || response.status === 429;
    if (passing && !response.headers.has("turn-id")) return;
    this.#lose(await errorOf(response));
  }

  /** The rest of the answer will never come. @param {TurnError} error */
  #lose(error) {
    this.#end(this.#visible ? "cut-off" : "failed", error);
  }

  async #waitToReconnect() {
    const now = this.#env.now();
    this.#lostAt ??= now;
    if (now - this.#lostAt > TIMES.giveUp) {
      this.resumable = true;
      this.#lose(lost("The connection to the relay could not be restored."));
      return;
    }
    this.attempt += 1;
    this.#change(this.#stopAsked ? "stopping" : "reconnecting");
    await this.#sleep(backoff(this.attempt, this.#env.random()));
  }

  /** Waits, unless it is hurried.  @param {number} milliseconds */
  async #sleep(milliseconds) {
    let wake = () => {};
    const woken = new Promise((resolve) => (wake = () => resolve(null)));
    const timer = this.#env.setTimeout(wake, milliseconds);
    this.#wakers.add(wake);
    await woken;
    this.#wakers.delete(wake);
    this.#env.clearTimeout(timer);
  }

  /** The stop came too late to matter. */
  #goOn() {
    this.#stopAsked = false;
    this.accepted = true;
    this.#change(this.phase);
  }

  /** @param {TurnState} phase */
  #goBackTo(phase) {
    this.phase = phase;
    const state = this.#stopAsked ? "stopping" : phase;
    if (state !== this.state) this.#change(state);
  }

  /** @param {TurnState} state @param {TurnError | null} [error] */
  #end(state, error = null) {
    if (this.ended) return;
    this.error = error;
    this.#change(state);
    this.#connection.abort();
    this.hurry();
  }

  /** @param {TurnState} state */
  #change(state) {
    if (this.ended) return;
    this.state = state;
    this.#onChange();
  }
}

/**
 * What the model is doing, as an event shows it; null if it does not show.
 *
 * @param {any} data
 * @returns {TurnState | null}
 */
function phaseAfter(data) {
  if (data.type === "message_start") return "thinking";
  if (data.type !== "content_block_start" && data.type !== "content_block_delta") return null;
  const type = String(data.content_block?.type ?? data.delta?.type ?? "");
  if (type === "signature_delta") return null;
  return type.includes("thinking") ? "thinking" : "writing";
}

/**
 * Ids are `turn-sequence`.  Ids of another shape are taken as they come.
 *
 * @param {string} id
 * @param {string} last
 */
function isAfter(id, last) {
  const sequence = /-([0-9]+)$/.exec(id);
  const seen = /-([0-9]+)$/.exec(last);
  return sequence === null || seen === null || Number(sequence[1]) > Number(seen[1]);
}

/** @param {string} text @returns {any} an object, or null */
function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** @param {any} data @returns {TurnError} */
function describeError(data) {
  const { type = "api_error", message = "The relay did not say why." } = data?.error ?? {};
  return { type: String(type), message: String(message) };
}

/** @param {string} message @returns {TurnError} */
function lost(message) {
  return { type: "connection_lost", message };
}

/** @param {string} message @returns {TurnError} */
function protocolError(message) {
  return { type: "protocol_error", message };
}

/** What a refused request says for itself. @param {Response} response */
async function errorOf(response) {
  const data = parseObject(await response.text().catch(() => ""));
  if (data !== null && data.error) return describeError(data);
  return { type: "http_error", message: `The relay answered with status ${response.status}.` };
}
