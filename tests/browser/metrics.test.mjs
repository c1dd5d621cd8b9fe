import assert from "node:assert/strict";
import { test } from "node:test";

import { Metrics, formatMilliseconds, formatSeconds } from "../../sse_relay/web/metrics.js";

test("TTFT is from the question to the first piece, thinking included; TPOT is over the rest", () => {
  const metrics = new Metrics(1000);
  assert.deepEqual([metrics.timeToFirstToken, metrics.timePerOutputToken, metrics.tokens], [null, null, 0]);
  metrics.piece(1500, "thinking");
  assert.deepEqual([metrics.timeToFirstToken, metrics.timePerOutputToken, metrics.answeredAt], [500, null, null]);
  metrics.piece(1520, "text");
  metrics.piece(1560, "text");
  assert.deepEqual([metrics.timeToFirstToken, metrics.timePerOutputToken, metrics.tokens], [500, 30, 3]);
  assert.equal(metrics.answeredAt, 1520);
});

test("the provider's count is believed before the pieces seen", () => {
  const metrics = new Metrics(0);
  for (const now of [10, 20, 30]) metrics.piece(now, "text");
  metrics.reported = 11;
  assert.deepEqual([metrics.tokens, metrics.timePerOutputToken], [11, 2]);
});

test("metrics survive a reload", () => {
  const metrics = new Metrics(5);
  metrics.step(6, "Question sent");
  metrics.piece(7, "text");
  assert.deepEqual(Metrics.fromJSON(JSON.parse(JSON.stringify(metrics))), metrics);
});

test("the steps kept are bounded", () => {
  const metrics = new Metrics(0);
  for (let now = 0; now < 1000; now += 1) metrics.step(now, "Connection lost");
  assert.equal(metrics.steps.length, 50);
});

test("times are written for a person", () => {
  assert.deepEqual([0, 520, 9_994, 9_995, 59_949, 59_950, 125_000].map(formatSeconds), [
    "0.00 s", "0.52 s", "9.99 s", "10.0 s", "59.9 s", "1 min 0 s", "2 min 5 s",
  ]);
  assert.deepEqual([0.12, 19.84, 99.94, 99.95, 999.4, 999.5].map(formatMilliseconds), [
    "0.120 ms", "19.8 ms", "99.9 ms", "100 ms", "999 ms", "1.00 s",
  ]);
});
