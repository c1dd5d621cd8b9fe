import assert from "node:assert/strict";
import { test } from "node:test";

import { Exchange, requestMessages } from "../../sse_relay/web/conversation.js";
import { load, save } from "../../sse_relay/web/store.js";
import { begin, end, start, text, thinking } from "./support.mjs";

function exchange(question, ...events) {
  const made = new Exchange(question, `turn_${question.padEnd(16, "_")}`, 0);
  for (const event of events) made.message.receive(event);
  return made;
}

/** Storage with room for so many characters. */
class Room {
  values = new Map();
  constructor(room) {
    this.room = room;
  }
  getItem(key) {
    return this.values.get(key) ?? null;
  }
  setItem(key, value) {
    if (value.length > this.room) throw new Error("QuotaExceededError");
    this.values.set(key, value);
  }
}

test("earlier answers go along as text alone, never empty, and the last question ends the request", () => {
  const thought = [begin(0, { type: "thinking", thinking: "" }), thinking(0, "hm"), end(0)];
  const messages = requestMessages([
    exchange("one", start, ...thought, begin(1, { type: "text", text: "" }), text(1, "answer\n")),
    exchange("two", ...thought),
    exchange("three"),
  ]);
  assert.deepEqual(messages, [
    { role: "user", content: "one" },
    { role: "assistant", content: "answer" },
    { role: "user", content: "two" },
    { role: "assistant", content: "(no text)" },
    { role: "user", content: "three" },
  ]);
});

test("what is saved is what is loaded", () => {
  const room = new Room(1e6);
  const running = exchange("one", start, begin(0, { type: "text", text: "" }), text(0, "so far"));
  running.turn.lastEventId = "turn_one-3";
  running.request = { headers: { a: "b" }, body: "{}" };
  save(room, { exchanges: [running], draft: "next", settings: { "Sim-Tokens": "7" } });
  const loaded = load(room);
  assert.equal(JSON.stringify(loaded.exchanges), JSON.stringify([running]));
  assert.equal(loaded.exchanges[0].message.text, "so far");
  assert.deepEqual([loaded.draft, loaded.settings], ["next", { "Sim-Tokens": "7" }]);
});

test("where there is no room for all, the newest exchanges are kept", () => {
  const exchanges = Array.from({ length: 9 }, (_, number) => exchange(`q${number}`));
  const room = new Room(JSON.stringify({ exchanges: exchanges.slice(-3), draft: "", settings: {} }).length);
  save(room, { exchanges, draft: "", settings: {} });
  assert.deepEqual(load(room).exchanges.map(({ question }) => question), ["q7", "q8"]);
});

test("storage that is forbidden, full or full of nonsense is no reason to fail", () => {
  const empty = { exchanges: [], draft: "", settings: {} };
  const forbidden = { getItem: () => { throw new Error("SecurityError"); }, setItem: () => { throw new Error("SecurityError"); } };
  assert.deepEqual(load(forbidden), empty);
  save(forbidden, { exchanges: [exchange("one")], draft: "", settings: {} });
  for (const nonsense of ["", "{", "null", "[]", '{"exchanges": 5}', '{"exchanges": [{}]}']) {
    const room = new Room(1e6);
    room.values.set("sse-relay", nonsense);
    assert.deepEqual(load(room), empty, nonsense);
  }
});
