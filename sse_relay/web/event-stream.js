/**
 * Bytes of a `text/event-stream` body to events, by the algorithm of WHATWG HTML, 9.2.6.
 *
 * `EventSource` itself can neither POST nor send headers, so the page reads the body of a `fetch`.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

/** The stream is larger than the reader is willing to hold. */
export class EventStreamError extends Error {}

/** The connection could not be made, or broke; `cause` says what the browser said. */
export class TransportError extends Error {}

/**
 * @typedef {object} ServerSentEvent
 * @property {string} type "message" unless the event named itself
 * @property {string} data the lines of data, joined by U+000A
 * @property {string} lastEventId the stream's last event ID when this event was dispatched
 * @property {boolean} hasId whether the event has an id of its own, not one left from before
 */

export class EventStreamDecoder {
  // Decodes as "UTF-8 decode" asks: one leading BOM is dropped, what is no UTF-8 becomes U+FFFD,
  // and a character that is split over two chunks waits for its second half.
  #utf8 = new TextDecoder("utf-8");
  #line = /** @type {string[]} */ ([]); // pieces of the line whose end has not come yet
  #endedWithCR = false;
  #data = /** @type {string[]} */ ([]);
  #type = "";
  #id;
  #hasId = false;
  #size = 0; // characters held for the event that is not complete yet
  #maxEventLength;

  /** The last event ID as of the last blank line; send it as `Last-Event-ID` to resume. */
  lastEventId;

  /** Milliseconds that the server asked to wait before a reconnection; null if it did not. */
  reconnectionTime = /** @type {number | null} */ (null);

  /**
   * @param {object} [options]
   * @param {string} [options.lastEventId] where an earlier connection had come to
   * @param {number} [options.maxEventLength] characters that one event may hold
   */
  constructor({ lastEventId = "", maxEventLength = 16 * 1024 * 1024 } = {}) {
    this.lastEventId = lastEventId;
    this.#id = lastEventId;
    this.#maxEventLength = maxEventLength;
  }

  /**
   * Takes the next bytes and gives the events that they complete.  An event that the stream's end
   * cuts off is never given: "discard the event".
   *
   * @param {Uint8Array} bytes
   * @returns {ServerSentEvent[]}
   * @throws {EventStreamError} an event is longer than `maxEventLength`
   */
  receive(bytes) {
    let text = this.#utf8.decode(bytes, { stream: true });
    if (text === "") return [];
    // CR ends a line at once; the LF of a CRLF pair may be the first character of the next chunk.
    if (this.#endedWithCR && text.startsWith("\n")) text = text.slice(1);
    this.#endedWithCR = text === "" ? false : text.endsWith("\r");

    const events = /** @type {ServerSentEvent[]} */ ([]);
    const lines = text.split(/\r\n|\r|\n/);
    const rest = /** @type {string} */ (lines.pop());
    for (const line of lines) {
      this.#hold(line);
      const whole = this.#line.join("");
      this.#line = [];
      if (whole === "") this.#dispatch(events);
      else this.#field(whole);
    }
    if (rest !== "") this.#hold(rest);
    return events;
  }

  /** @param {string} piece */
  #hold(piece) {
    this.#size += piece.length;
    if (this.#size > this.#maxEventLength) {
      throw new EventStreamError(`an event is longer than maxEventLength (${this.#maxEventLength})`);
    }
    this.#line.push(piece);
  }

  /** @param {string} line */
  #field(line) {
    const colon = line.indexOf(":");
    if (colon === 0) this.#size -= line.length; // a comment: "Ignore the line."
    const name = colon === -1 ? line : line.slice(0, colon);
    const rest = colon === -1 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest; // one space, not all of them

    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#setId(value);
    else if (name === "retry" && /^[0-9]+$/.test(value)) this.reconnectionTime = Number(value);
  }

  /** @param {string} id */
  #setId(id) {
    this.#id = id;
    this.#hasId = true;
  }

  /** @param {ServerSentEvent[]} events */
  #dispatch(events) {
    // "Set the last event ID string of the event source to the value of the last event ID buffer",
    // and only then: "If the data buffer is an empty string, [...] return."
    this.lastEventId = this.#id;
    if (this.#data.length > 0) {
      const [type, data] = [this.#type || "message", this.#data.join("\n")];
      events.push({ type, data, lastEventId: this.lastEventId, hasId: this.#hasId });
    }
    this.#data = [];
    this.#type = "";
    this.#hasId = false;
    this.#size = 0;
  }
}

/**
 * The events of a `fetch` body, as they come.  Leaving the loop early cancels the body.
 *
 * @param {ReadableStream<Uint8Array>} body
 * @param {EventStreamDecoder} decoder
 * @param {() => void} [onBytes] called for every chunk: a heartbeat comment is a sign of life too
 * @returns {AsyncGenerator<ServerSentEvent, void, void>}
 * @throws {TransportError} the connection broke
 * @throws {EventStreamError} an event is too long
 */
export async function* readEvents(body, decoder, onBytes = () => {}) {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(transportError);
      if (done) return;
      onBytes();
      yield* decoder.receive(value);
    }
  } finally {
    reader.cancel().catch(() => {}); // it failed already, and whoever reads has been told
  }
}

/**
 * Rejects with a `TransportError`: what a broken connection is called by `fetch` (a TypeError) is
 * also the name of a programming error, and the two must not be taken for one another.
 *
 * @param {unknown} cause
 * @returns {never}
 */
export function transportError(cause) {
  throw new TransportError("the connection was lost", { cause });
}
