/** What the module tests share: vectors and recordings if they are there, a clock, a relay made up. */

import { existsSync, readFileSync, readdirSync } from "node:fs";

const SHARED = new URL("../../../shared/", import.meta.url);

/** A file of the folder beside the checkout, or null. */
export function sharedJson(path) {
  const file = new URL(path, SHARED);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
}

/** Recorded streams that have an expected message: [name, bytes, message]. */
export function recordings(folder) {
  const place = new URL(`fixtures/${folder}/`, SHARED);
  if (!existsSync(place)) return [];
  const names = readdirSync(place).filter((name) => name.endsWith(".sse"));
  const withMessage = names.filter((name) => existsSync(new URL(expected(name), place)));
  return withMessage.map((name) => [
    name,
    readFileSync(new URL(name, place)),
    JSON.parse(readFileSync(new URL(expected(name), place), "utf8")),
  ]);
}

function expected(name) {
  return name.replace(/\.sse$/, ".expected.json");
}

export const bytes = (text) => new TextEncoder().encode(text);

/** Lets everything that waits for nothing but promises run. */
export async function settle() {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that goes on only by command. */
export class Clock {
  time = 0;
  #timers = new Set();

  setTimeout(call, after) {
    const timer = { call, at: this.time + after };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer) {
    this.#timers.delete(timer);
  }

  /** Milliseconds of the timers that run, in order. */
  get pending() {
    return [...this.#timers].map((timer) => timer.at - this.time).sort((a, b) => a - b);
  }

  async advance(milliseconds) {
    const end = this.time + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.time = due.at;
      this.#timers.delete(due);
      due.call();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

/** One answer of the relay whose body comes when the test says so. */
export class Stream {
  #controller;
  cancelled = false;

  constructor(status = 200, headers = { "content-type": "text/event-stream" }) {
    const body = new ReadableStream({
      start: (controller) => (this.#controller = controller),
      cancel: () => (this.cancelled = true),
    });
    this.response = new Response(body, { status, headers });
  }

  send(...events) {
    for (const event of events) this.#controller.enqueue(bytes(event));
    return settle();
  }

  end() {
    this.#controller.close();
    return settle();
  }

  /** The page has given the request up. */
  abort() {
    this.cancelled = true;
    try {
      this.#controller.error(new DOMException("aborted", "AbortError"));
    } catch {
      // The body was cancelled or ended before.
    }
  }

  /** The network breaks. */
  cut() {
    this.#controller.error(new TypeError("network error"));
    return settle();
  }
}

/** A made-up relay: the test answers each request when it wants to. */
export class Relay {
  requests = [];

  fetch(url, init) {
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init.headers));
      const { method, body, signal, keepalive } = init;
      const request = { url, method, headers, body, signal, keepalive, resolve, reject };
      init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.requests.push(request);
    });
  }

  get last() {
    return this.requests.at(-1);
  }

  /** Answers the newest request of this method with a stream, which the test then feeds. */
  async open(method, stream = new Stream()) {
    const request = this.#newest(method);
    request.signal.addEventListener("abort", () => stream.abort());
    request.resolve(stream.response);
    await settle();
    return stream;
  }

  async answer(method, status, body, headers = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    this.#newest(method).resolve(new Response(status === 204 ? null : text, { status, headers }));
    await settle();
  }

  /** The newest request of this method finds no network. */
  async refuse(method) {
    this.#newest(method).reject(new TypeError("Failed to fetch"));
    await settle();
  }

  #newest(method) {
    return this.requests.findLast((request) => request.method === method);
  }
}

/** An event as the relay writes it. */
export function event(sequence, data) {
  const id = sequence === null ? "" : `id: turn_0123456789abcdef-${sequence}\n`;
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n${id}\n`;
}

export const start = { type: "message_start", message: { model: "m", usage: { output_tokens: 1 } } };
export const stop = { type: "message_stop" };

export const begin = (index, block) => ({ type: "content_block_start", index, content_block: block });
export const end = (index) => ({ type: "content_block_stop", index });
export const delta = (index, piece) => ({ type: "content_block_delta", index, delta: piece });
export const text = (index, piece) => delta(index, { type: "text_delta", text: piece });
export const thinking = (index, piece) => delta(index, { type: "thinking_delta", thinking: piece });
export const fragment = (index, piece) => delta(index, { type: "input_json_delta", partial_json: piece });
