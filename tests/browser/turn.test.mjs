import assert from "node:assert/strict";
import { test } from "node:test";

import { newTurnId } from "../../sse_relay/web/browser.js";
import { TIMES, backoff } from "../../sse_relay/web/retry.js";
import { Turn } from "../../sse_relay/web/turn.js";
import { Clock, Relay, Stream, begin, event, settle, start, stop, text, thinking } from "./support.mjs";

const ID = "turn_0123456789abcdef";
const textBlock = begin(0, { type: "text", text: "" });

/** A turn under way, with all that happens to it written down. */
class Case {
  clock = new Clock();
  relay = new Relay();
  states = [];
  texts = [];
  others = [];

  constructor(options = {}) {
    this.turn = new Turn({
      id: ID,
      request: { headers: { "Content-Type": "application/json", "Sim-Tokens": "3" }, body: '{"stream":true}' },
      onEvent: (data) => this.#receive(data),
      onChange: () => this.#note(),
      env: {
        fetch: (url, init) => this.relay.fetch(url, init),
        now: () => this.clock.time,
        random: () => 1,
        setTimeout: (call, after) => this.clock.setTimeout(call, after),
        clearTimeout: (timer) => this.clock.clearTimeout(timer),
      },
      ...options,
    });
    this.running = this.turn.run();
  }

  #receive(data) {
    if (data.type === "content_block_delta" && data.delta.text !== undefined) this.texts.push(data.delta.text);
    else this.others.push(data.type);
    return data.type === "content_block_delta";
  }

  #note() {
    if (this.states.at(-1) !== this.turn.state) this.states.push(this.turn.state);
  }

  get text() {
    return this.texts.join("");
  }

  get requests() {
    return this.relay.requests.map(({ method, url }) => `${method} ${url}`);
  }

  /** The first connection, with an answer that has begun. */
  async begun() {
    const stream = await this.relay.open("POST");
    await stream.send(event(1, start), event(2, textBlock), event(3, text(0, "one ")));
    return stream;
  }

  async lostAfterBeginning() {
    const stream = await this.begun();
    await stream.cut();
  }

  /** Lets the delay before the next attempt pass. */
  wait() {
    return this.clock.advance(TIMES.longestDelay);
  }

  /** Nothing is left behind: no timer runs, and `run` has returned. */
  async over() {
    await this.running;
    assert.deepEqual(this.clock.pending, []);
  }
}

test("an answer is requested once and goes through its states to done", async () => {
  const { turn, relay, clock, ...rest } = new Case();
  const stream = await relay.open("POST");
  await stream.send(event(1, start), event(2, begin(0, { type: "thinking", thinking: "" })), event(3, thinking(0, "hm")));
  await stream.send(event(4, begin(1, { type: "text", text: "" })), event(5, text(1, "a")), event(6, stop));
  assert.deepEqual(rest.states, ["thinking", "writing", "done"]);
  assert.equal(relay.requests.length, 1);
  const [{ url, method, headers, body }] = relay.requests;
  assert.deepEqual([url, method, body], ["/v1/messages", "POST", '{"stream":true}']);
  assert.deepEqual(headers, {
    accept: "text/event-stream", "content-type": "application/json", "sim-tokens": "3", "turn-id": ID,
  });
  await rest.running;
  assert.deepEqual(clock.pending, []);
  assert.deepEqual([turn.error, turn.accepted, turn.lastEventId], [null, true, `${ID}-6`]);
});

for (const [how, lose] of [["breaks", (stream) => stream.cut()], ["closes without an end marker", (stream) => stream.end()]]) {
  test(`a connection that ${how} is taken up after the last event seen`, async () => {
    const it = new Case();
    const first = await it.begun();
    await lose(first);
    assert.deepEqual([it.turn.state, it.turn.attempt], ["reconnecting", 1]);
    await it.wait();
    assert.deepEqual(it.requests, ["POST /v1/messages", `GET /turns/${ID}`]);
    assert.equal(it.relay.last.headers["last-event-id"], `${ID}-3`);
    const second = await it.relay.open("GET");
    assert.equal(it.turn.state, "writing", "an open connection is seen before its first event");
    await second.send(event(4, text(0, "two")), event(5, stop));
    assert.deepEqual([it.text, it.turn.state, it.turn.attempt], ["one two", "done", 0]);
    await it.over();
  });
}

test("events that the relay repeats are not shown twice", async () => {
  const it = new Case();
  await it.lostAfterBeginning();
  await it.wait();
  const stream = await it.relay.open("GET");
  await stream.send(event(1, start), event(2, textBlock), event(3, text(0, "one ")), event(4, text(0, "two")), event(5, stop));
  assert.deepEqual([it.text, it.turn.state], ["one two", "done"]);
});

test("a gap is passed on though it has no id, and the turn goes on after it", async () => {
  const it = new Case();
  await it.lostAfterBeginning();
  await it.wait();
  const stream = await it.relay.open("GET");
  await stream.send(event(null, { type: "gap", from: 4, to: 8 }), event(9, text(0, "nine")), event(10, stop));
  assert.ok(it.others.includes("gap"));
  assert.deepEqual([it.text, it.turn.state], ["one nine", "done"]);
});

test("a question whose answer never began is sent again under the same id", async () => {
  const it = new Case();
  await settle();
  await it.relay.refuse("POST");
  assert.equal(it.turn.state, "reconnecting");
  await it.wait();
  assert.deepEqual(it.requests, ["POST /v1/messages", "POST /v1/messages"]);
  assert.equal(it.relay.last.headers["turn-id"], ID);
  await it.begun();
  assert.equal(it.turn.state, "writing");
});

test("an earlier page's turn is taken up without its question", async () => {
  const it = new Case({ accepted: true, lastEventId: `${ID}-3`, phase: "writing", visible: true });
  assert.equal(it.turn.state, "reconnecting");
  await settle();
  assert.deepEqual(it.requests, [`GET /turns/${ID}`]);
  const stream = await it.relay.open("GET");
  assert.equal(it.turn.state, "writing");
  await stream.send(event(4, stop));
  await it.over();
});

test("delays double up to a bound, spread over their upper half", () => {
  const longest = [1, 2, 3, 4, 5, 6, 50].map((attempt) => backoff(attempt, 1));
  assert.deepEqual(longest, [250, 500, 1000, 2000, 4000, 5000, 5000]);
  for (const attempt of [1, 3, 9]) assert.equal(backoff(attempt, 0), backoff(attempt, 1) / 2);
});

test("the attempts are counted, and come at growing intervals", async () => {
  const it = new Case();
  await it.lostAfterBeginning();
  const delays = [];
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    assert.equal(it.turn.attempt, attempt);
    delays.push(it.clock.pending[0]);
    await it.wait();
    await it.relay.refuse("GET");
  }
  assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 5000]);
});

for (const [seen, lose, end] of [["something", (it) => it.lostAfterBeginning(), "cut-off"], ["nothing", (it) => it.relay.refuse("POST"), "failed"]]) {
  test(`without a connection it gives up in the end; with ${seen} to see it is ${end}, and can be resumed`, async () => {
    const it = new Case();
    await settle();
    await lose(it);
    const from = it.clock.time;
    while (!it.turn.ended) {
      await it.wait();
      const { method } = it.relay.last;
      await it.relay.refuse(method);
    }
    const took = it.clock.time - from;
    assert.ok(took > TIMES.giveUp && took < TIMES.giveUp + 2 * TIMES.longestDelay, `gave up after ${took} ms`);
    assert.deepEqual([it.turn.state, it.turn.resumable], [end, true]);
    await it.over();
  });
}

test("a network that has come back ends the waiting", async () => {
  const it = new Case();
  await it.lostAfterBeginning();
  it.turn.hurry();
  await settle();
  assert.equal(it.requests.length, 2);
  assert.deepEqual(it.clock.pending, []);
});

for (const [outcome, end] of [["stopped", "stopped"], ["truncated", "cut-off"], ["failed", "failed"], ["expired", "failed"], [undefined, "failed"]]) {
  test(`an error event with the outcome ${outcome} ends the turn as ${end}`, async () => {
    const it = new Case();
    const stream = await it.begun();
    await stream.send(event(4, { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, outcome }));
    assert.equal(it.turn.state, end);
    const error = end === "stopped" ? null : { type: "overloaded_error", message: "Overloaded" };
    assert.deepEqual(it.turn.error, error);
    assert.equal(it.turn.resumable, false);
    await it.over();
  });
}

test("a question that is refused has failed, for the reason given", async () => {
  const refusals = [
    [429, { type: "error", error: { type: "rate_limit_error", message: "Slow down." } }, "rate_limit_error", "Slow down."],
    [502, "<h1>Bad gateway</h1>", "http_error", "The relay answered with status 502."],
    [400, "null", "http_error", "The relay answered with status 400."],
    [400, { error: "no object" }, "api_error", "The relay did not say why."],
  ];
  for (const [status, body, type, message] of refusals) {
    const it = new Case();
    await settle();
    await it.relay.answer("POST", status, body);
    assert.deepEqual([it.turn.state, it.turn.error], ["failed", { type, message }]);
    await it.over();
  }
});

for (const [status, body] of [[404, { error: { type: "not_found_error", message: "No such turn." } }], [410, {}], [204, ""]]) {
  test(`the rest of the answer is lost when the relay answers ${status}`, async () => {
    for (const [visible, end] of [[true, "cut-off"], [false, "failed"]]) {
      const it = new Case({ accepted: true, visible });
      await settle();
      await it.relay.answer("GET", status, body);
      assert.equal(it.turn.state, end);
      await it.over();
    }
  });
}

test("a gateway's 503 is waited out; the relay's own is final", async () => {
  const it = new Case({ accepted: true });
  await settle();
  await it.relay.answer("GET", 503, "<h1>Service unavailable</h1>");
  assert.equal(it.turn.state, "reconnecting");
  await it.wait();
  const error = { type: "overloaded_error", message: "Overloaded" };
  await it.relay.answer("GET", 503, { type: "error", error }, { "turn-id": ID });
  assert.deepEqual([it.turn.state, it.turn.error], ["failed", error]);
  await it.over();
});

test("what is no event stream, and what is no event, has failed, and the connection is closed", async () => {
  const page = new Stream(200, { "content-type": "text/html" });
  const garbage = new Stream();
  const huge = new Stream();
  for (const [stream, sent] of [[page, ""], [garbage, "data: no json\n\n"], [huge, `data: ${"x".repeat(17 * 2 ** 20)}`]]) {
    const it = new Case();
    await settle();
    await it.relay.open("POST", stream);
    if (sent !== "") await stream.send(sent);
    assert.deepEqual([it.turn.state, it.turn.error.type], ["failed", "protocol_error"]);
    await it.over();
  }
  assert.deepEqual([garbage.cancelled, huge.cancelled], [true, true]);
});

test("a connection that is silent for too long is given up; heartbeats keep it", async () => {
  const it = new Case();
  const stream = await it.begun();
  for (let beat = 0; beat < 5; beat += 1) {
    await it.clock.advance(TIMES.silence - 1);
    await stream.send(": ping\n");
  }
  assert.equal(it.requests.length, 1);
  await it.clock.advance(TIMES.silence);
  assert.equal(it.turn.state, "reconnecting");
});

test("a mistake in the page itself is not taken for a broken connection", async () => {
  const it = new Case({
    onEvent: () => {
      throw new TypeError("a bug");
    },
  });
  const failed = assert.rejects(it.running, /a bug/);
  await it.begun();
  await failed;
  assert.equal(it.turn.state, "failed");
});

test("stop asks the relay, and the turn is stopped when it says so", async () => {
  const it = new Case();
  await it.begun();
  it.turn.stop();
  await settle();
  assert.equal(it.turn.state, "stopping");
  const { url, method, keepalive } = it.relay.last;
  assert.deepEqual([method, url], ["DELETE", `/turns/${ID}`]);
  assert.equal(keepalive, true, "it goes through even if the page is closed right now");
  await it.relay.answer("DELETE", 200, { outcome: "stopped" });
  assert.deepEqual([it.turn.state, it.turn.error], ["stopped", null]);
  await it.over();
});

test("a stop that the stream confirms first is a stop as well", async () => {
  const it = new Case();
  const stream = await it.begun();
  it.turn.stop();
  await stream.send(event(4, { type: "error", error: { type: "stopped", message: "" }, outcome: "stopped" }));
  assert.equal(it.turn.state, "stopped");
  await it.relay.answer("DELETE", 200, { outcome: "stopped" });
  await it.over();
});

test("a stop that comes too late lets the answer come to its own end", async () => {
  const it = new Case();
  const stream = await it.begun();
  it.turn.stop();
  await settle();
  await it.relay.answer("DELETE", 200, { outcome: "completed" });
  assert.equal(it.turn.state, "writing");
  await stream.send(event(4, text(0, "two")), event(5, stop));
  assert.deepEqual([it.turn.state, it.text], ["done", "one two"]);
  await it.over();
});

test("a stop that comes too late changes nothing about an end that was seen", async () => {
  const it = new Case();
  const stream = await it.begun();
  it.turn.stop();
  await stream.send(event(4, stop));
  await it.relay.answer("DELETE", 200, { outcome: "completed" });
  assert.equal(it.turn.state, "done");
  await it.over();
});

test("a turn is stopped before the relay has even answered", async () => {
  const it = new Case();
  await settle();
  it.turn.stop();
  await settle();
  await it.relay.answer("DELETE", 404, {}); // the question is still under way
  assert.equal(it.turn.state, "stopping");
  await it.wait();
  await it.relay.answer("DELETE", 200, { outcome: "stopped" });
  assert.equal(it.turn.state, "stopped");
  assert.deepEqual(it.requests, ["POST /v1/messages", `DELETE /turns/${ID}`, `DELETE /turns/${ID}`]);
  await it.over();
});

test("a question that did not get through is not sent again only to be stopped", async () => {
  const it = new Case();
  await settle();
  await it.relay.refuse("POST");
  it.turn.stop();
  await settle();
  await it.relay.refuse("DELETE");
  await it.wait();
  assert.deepEqual(it.requests.filter((request) => request.startsWith("POST")).length, 1);
  await it.relay.answer("DELETE", 404, {});
  assert.equal(it.turn.state, "stopped");
  await it.over();
});

test("stop during a reconnection ends it", async () => {
  const it = new Case();
  await it.lostAfterBeginning();
  it.turn.stop();
  await settle();
  assert.equal(it.turn.state, "stopping");
  await it.relay.answer("DELETE", 200, { outcome: "stopped" });
  assert.equal(it.turn.state, "stopped");
  await it.over();
});

test("a stop that cannot reach the relay is tried again, and given up with an honest word", async () => {
  const it = new Case();
  await it.lostAfterBeginning();
  it.turn.stop();
  while (!it.turn.ended) {
    for (const method of ["DELETE", "GET"]) await it.relay.refuse(method).catch(() => {});
    await it.wait();
  }
  assert.ok(it.requests.filter((request) => request.startsWith("DELETE")).length > 5);
  assert.notEqual(it.turn.error, null);
  await it.over();
});

test("stop is requested once, and not at all when it is over", async () => {
  const it = new Case();
  await it.begun();
  it.turn.stop();
  it.turn.stop();
  await settle();
  await it.relay.answer("DELETE", 200, { outcome: "stopped" });
  it.turn.stop();
  await settle();
  assert.equal(it.requests.filter((request) => request.startsWith("DELETE")).length, 1);
});

test("an end is final, whatever comes after it", async () => {
  const it = new Case();
  const stream = await it.begun();
  await stream.send(event(4, stop) + event(5, text(0, "more")));
  assert.deepEqual([it.turn.state, it.text], ["done", "one "]);
  assert.equal(stream.cancelled, true);
});

test("ids are long, random, and of the characters that the relay takes", () => {
  const ids = new Set(Array.from({ length: 100 }, newTurnId));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{16,64}$/);
});
