import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStreamDecoder } from "../../sse_relay/web/event-stream.js";
import { Message } from "../../sse_relay/web/message.js";
import { begin, bytes, delta, end, fragment, recordings, start, stop, text, thinking } from "./support.mjs";

function messageOf(...events) {
  const message = new Message();
  for (const event of events) message.receive(event);
  return message;
}

function isJson(characters) {
  try {
    JSON.parse(characters);
    return true;
  } catch {
    return false;
  }
}

const tool = { type: "tool_use", id: "toolu_1", name: "get_weather", input: {} };

test("every recording becomes the provider's own message", (context) => {
  const all = recordings("anthropic");
  if (all.length === 0) return context.skip("shared folder missing");
  for (const [name, stream, expected] of all) {
    const message = new Message();
    // Some recordings lack the last blank line, as editors like to cut it off.
    for (const event of new EventStreamDecoder().receive(Buffer.concat([stream, bytes("\n\n")]))) {
      message.receive(JSON.parse(event.data));
    }
    const kinds = (blocks) => blocks.map((block) => block.type);
    assert.deepEqual(kinds(message.blocks), kinds(expected.content), name);
    for (const [place, block] of expected.content.entries()) {
      const ours = message.blocks[place];
      if (block.type === "text") assert.equal(ours.characters, block.text, name);
      if (block.type === "thinking") assert.equal(ours.characters, block.thinking, name);
      const whole = !ours.isTool || ours.characters === "" || isJson(ours.characters);
      assert.equal(ours.state, whole ? "complete" : "incomplete", name);
      // The SDK that made the expected message guesses at arguments that are cut.  We never do.
      if (ours.isTool) assert.deepEqual(ours.input, whole ? block.input : undefined, name);
    }
    assert.equal(message.stopReason, expected.stop_reason, name);
    assert.equal(message.outputTokens, expected.usage.output_tokens, name);
    assert.equal(message.ended, true, name);
  }
});

test("arguments are raw until the block is complete, and parsed exactly once", (context) => {
  const parse = context.mock.method(JSON, "parse");
  const message = messageOf(start, begin(0, tool), fragment(0, '{"city": "Par'), fragment(0, 'is"}'));
  const [block] = message.blocks;
  assert.equal(parse.mock.callCount(), 0, "the prefix must not be parsed");
  assert.deepEqual([block.characters, block.state, block.input], ['{"city": "Paris"}', "open", undefined]);
  message.receive(end(0));
  assert.equal(parse.mock.callCount(), 1);
  assert.deepEqual([block.state, block.input], ["complete", { city: "Paris" }]);
  message.receive(stop);
  assert.equal(parse.mock.callCount(), 1);
});

test("arguments that are no JSON, or that are cut, are incomplete and have no value", () => {
  const invalid = messageOf(begin(0, tool), fragment(0, '{"city": '), end(0)).blocks[0];
  assert.deepEqual([invalid.state, invalid.input], ["incomplete", undefined]);
  const cut = messageOf(begin(0, tool), fragment(0, "{}"));
  cut.finish();
  assert.deepEqual([cut.blocks[0].state, cut.blocks[0].input], ["incomplete", undefined]);
  const unfinished = messageOf(begin(0, tool), fragment(0, "{}"), stop).blocks[0];
  assert.equal(unfinished.state, "incomplete");
});

test("a tool without fragments has the arguments of its start", () => {
  assert.deepEqual(messageOf(begin(0, { ...tool, input: { a: 1 } }), end(0)).blocks[0].input, { a: 1 });
  assert.deepEqual(messageOf(begin(0, tool), end(0)).blocks[0].input, {});
});

test("only text is the answer's text; thinking and tools are not", () => {
  const message = messageOf(
    start, begin(0, { type: "thinking", thinking: "" }), thinking(0, "hm"), end(0),
    begin(1, { type: "text", text: "A" }), text(1, "b"), end(1), begin(2, tool), end(2), stop,
  );
  assert.equal(message.text, "Ab");
  assert.equal(message.blocks[0].characters, "hm");
});

test("what grew is said by its type, and nothing else counts as a piece of the answer", () => {
  const message = new Message();
  const grown = [
    start, { type: "ping" }, begin(0, { type: "text", text: "" }), text(0, ""), text(0, "a"),
    delta(0, { type: "citations_delta", citation: {} }), delta(0, { type: "signature_delta", signature: "s" }),
    begin(1, tool), fragment(1, "{"), { type: "unheard_of" }, { type: "content_block_delta" },
    delta(0, { type: "text_delta", text: { toString: "not a string" } }),
  ].map((event) => message.receive(event));
  assert.deepEqual(grown.filter((type) => type !== null), ["text", "tool_use"]);
  assert.equal(message.text, "a");
});

test("a message is visible once a reader could have seen something of it", () => {
  assert.equal(messageOf(start, begin(0, { type: "text", text: "" })).visible, false);
  assert.equal(messageOf(start, begin(0, { type: "text", text: "" }), text(0, "a")).visible, true);
  assert.equal(messageOf(start, begin(0, tool)).visible, true);
  assert.equal(messageOf({ type: "gap" }).visible, false);
});

test("after a gap with a snapshot the message begins anew", () => {
  const message = messageOf(
    start, begin(0, { type: "text", text: "" }), text(0, "before"), { type: "gap", from: 4, to: 9, snapshot: 3 },
    start, begin(0, { type: "text", text: "" }), text(0, "before and "), text(0, "after"),
  );
  assert.equal(message.text, "before and after");
  assert.deepEqual(message.blocks.map((block) => block.type), ["text"]);
});

test("after a gap the rest continues in blocks of its own, and a tool without its start never completes", () => {
  const message = messageOf(
    start, begin(0, { type: "text", text: "" }), text(0, "before"), { type: "gap", from: 4, to: 9 },
    text(0, "after"), end(0), fragment(1, '"x"'), end(1), stop,
  );
  const shown = message.blocks.map((block) => [block.type, block.characters, block.state]);
  assert.deepEqual(shown, [
    ["text", "before", "incomplete"], ["gap", "", "open"], ["text", "after", "complete"], ["tool_use", '"x"', "incomplete"],
  ]);
});

test("a message that was put away as JSON goes on as if it had not been", () => {
  const events = [
    start, begin(0, { type: "text", text: "" }), text(0, "a"), text(0, "b\n"), end(0), begin(1, tool),
    fragment(1, '{"a"'), fragment(1, ": 1}"), end(1), { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 7 } }, stop,
  ];
  const expected = JSON.stringify(messageOf(...events));
  for (let at = 0; at <= events.length; at += 1) {
    const put = Message.fromJSON(JSON.parse(JSON.stringify(messageOf(...events.slice(0, at)))));
    for (const event of events.slice(at)) put.receive(event);
    assert.equal(JSON.stringify(put), expected, `put away after ${at} events`);
  }
});

test("a message that was given up can be taken up again where it was", () => {
  const message = messageOf(begin(0, tool), fragment(0, "{"), begin(1, tool), fragment(1, "{"), end(1));
  message.finish();
  message.reopen();
  message.receive(fragment(0, "}"));
  message.receive(end(0));
  assert.deepEqual(message.blocks.map((block) => block.state), ["complete", "incomplete"]);
});
