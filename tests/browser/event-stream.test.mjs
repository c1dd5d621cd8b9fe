import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import {
  EventStreamDecoder,
  EventStreamError,
  TransportError,
  readEvents,
} from "../../sse_relay/web/event-stream.js";
import { Stream, bytes, settle, sharedJson } from "./support.mjs";

/** Feeds a decoder in chunks of `size` bytes. */
function decode(input, size, options) {
  const decoder = new EventStreamDecoder(options);
  const events = [];
  for (let at = 0; at < input.length; at += size) events.push(...decoder.receive(input.subarray(at, at + size)));
  return { decoder, events };
}

function data(input, size = input.length || 1) {
  return decode(typeof input === "string" ? bytes(input) : input, size).events.map((event) => event.data);
}

function inputOf(vector) {
  if (vector.input_b64 !== null && vector.input_b64 !== undefined) return Buffer.from(vector.input_b64, "base64");
  const parts = vector.input_parts.map(({ b64, repeat }) => Array(repeat ?? 1).fill(Buffer.from(b64, "base64")));
  return Buffer.concat(parts.flat());
}

for (const suite of ["whatwg_spec", "wpt_eventsource", "eventsource_parser"]) {
  const vectors = sharedJson(`vectors/${suite}.json`);
  test(`every vector of ${suite}, whole and split`, { skip: vectors === null && "shared folder missing" }, () => {
    for (const vector of vectors) {
      const input = inputOf(vector);
      const expected = vector.spec_expected;
      // A byte at a time takes long for megabytes, and shows nothing more than for kilobytes.
      const sizes = input.length > 100_000 ? [65_536, input.length] : [1, 2, 3, 7, input.length || 1];
      for (const size of sizes) {
        const options = { lastEventId: vector.initial_last_event_id ?? "" };
        const { decoder, events } = decode(input, size, options);
        const got = events.map(({ type, data, lastEventId }) => ({ type, data, lastEventId }));
        const name = `${vector.name}, ${size} bytes at a time`;
        if (expected === undefined) {
          assert.deepEqual(got.map(hashed), vector.expected, name);
        } else {
          assert.deepEqual(got, expected.events, name);
          assert.equal(decoder.lastEventId, expected.last_event_id, name);
          assert.equal(decoder.reconnectionTime, expected.retry, name);
        }
      }
    }
  });
}

/** An event too large to be written down. */
function hashed({ type, data }) {
  const data_sha256 = createHash("sha256").update(data).digest("hex");
  return { type, data_len: data.length, data_sha256 };
}

test("CR, LF and CRLF end a line, wherever the bytes are split", () => {
  for (const end of ["\r", "\n", "\r\n"]) {
    const stream = `data: a${end}data: b${end}${end}data: c${end}${end}`;
    for (let size = 1; size <= stream.length; size += 1) assert.deepEqual(data(stream, size), ["a\nb", "c"]);
  }
});

test("an event that ends with CR is there at once, and the LF that may follow adds nothing", () => {
  const decoder = new EventStreamDecoder();
  assert.equal(decoder.receive(bytes("data: a\r\r")).length, 1);
  assert.deepEqual(decoder.receive(bytes("\n")), []);
  assert.equal(decoder.receive(bytes("data: b\n\n"))[0].data, "b");
});

test("a character split over chunks is whole; one BOM is dropped; what is no UTF-8 is replaced", () => {
  assert.deepEqual(data("data: h\u00e9 \u{1F324}\n\n", 1), ["h\u00e9 \u{1F324}"]);
  assert.deepEqual(data("\u{FEFF}data: a\n\n", 1), ["a"]);
  assert.deepEqual(data("\u{FEFF}\u{FEFF}data: a\n\n", 1), []);
  assert.deepEqual(data(Buffer.concat([bytes("data: "), Buffer.from([0xff]), bytes("\n\n")]), 1), ["\u{FFFD}"]);
});

test("an event says whether it has an id of its own", () => {
  const { events } = decode(bytes("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"), 5);
  assert.deepEqual(events.map(({ lastEventId, hasId }) => [lastEventId, hasId]), [["1", true], ["1", false], ["", true]]);
});

test("what the stream's end cuts off is no event, and its id does not count", () => {
  const { decoder, events } = decode(bytes("id: 1\ndata: a\n\nid: 2\ndata: b\n"), 4);
  assert.deepEqual([events.length, decoder.lastEventId], [1, "1"]);
});

test("an event beyond the bound is refused, in one line or in many, by name of the bound", () => {
  for (const filler of ["x".repeat(200), "data: x\n".repeat(30)]) {
    const decoder = new EventStreamDecoder({ maxEventLength: 100 });
    assert.throws(() => decoder.receive(bytes(filler)), { constructor: EventStreamError, message: /maxEventLength/ });
  }
});

test("comments do not count towards the bound of the event around them", () => {
  const decoder = new EventStreamDecoder({ maxEventLength: 100 });
  decoder.receive(bytes("data: a\n"));
  for (let beat = 0; beat < 1000; beat += 1) assert.deepEqual(decoder.receive(bytes(": ping\n")), []);
  assert.equal(decoder.receive(bytes("\n"))[0].data, "a");
});

test("a line that comes a byte at a time costs no more than linear time", () => {
  const elapsed = (length) => {
    const chunk = bytes("x");
    const decoder = new EventStreamDecoder();
    const started = performance.now();
    for (let at = 0; at < length; at += 1) decoder.receive(chunk);
    decoder.receive(bytes("\n\n"));
    return performance.now() - started;
  };
  const best = (length) => Math.min(elapsed(length), elapsed(length), elapsed(length));
  const ratio = best(400_000) / best(50_000);
  assert.ok(ratio < 32, `eight times the bytes took ${ratio.toFixed(1)} times as long`);
});

test("a broken connection is distinguished from everything else, after the events before it", async () => {
  const stream = new Stream();
  const got = [];
  const reading = (async () => {
    for await (const event of readEvents(stream.response.body, new EventStreamDecoder())) got.push(event.data);
  })();
  const failed = assert.rejects(reading, TransportError);
  await stream.send("data: a\n\ndata: b");
  await stream.cut();
  await failed;
  assert.deepEqual(got, ["a"]);
});

test("leaving the loop cancels the body", async () => {
  const stream = new Stream();
  await stream.send("data: a\n\ndata: b\n\n");
  for await (const event of readEvents(stream.response.body, new EventStreamDecoder())) {
    assert.equal(event.data, "a");
    break;
  }
  await settle();
  assert.equal(stream.cancelled, true);
});
