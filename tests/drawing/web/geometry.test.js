import assert from "node:assert/strict";
import { curve, fit, heightThere, rising } from "../../../graphprobe/drawing/web/geometry.js";
import { random } from "./pages.js";

/** @import { Point } from "../../../graphprobe/drawing/web/types.d.ts" */

/**
 * Isotonic regression by its minimax formula: the i-th value is the largest, over what begins at or
 * before i, of the smallest mean, over what ends at or after it.
 *
 * @param {number[]} wanted
 */
function minimax(wanted) {
  return wanted.map((_, i) => {
    let most = -Infinity;
    for (let from = 0; from <= i; from++) {
      let least = Infinity;
      for (let to = i; to < wanted.length; to++) {
        const part = wanted.slice(from, to + 1);
        least = Math.min(least, part.reduce((sum, x) => sum + x, 0) / part.length);
      }
      most = Math.max(most, least);
    }
    return most;
  });
}

Deno.test("fit is isotonic regression of what is left when distances are taken off", () => {
  const next = random(1);
  for (let round = 0; round < 300; round++) {
    const many = 1 + Math.floor(next() * 9);
    const wanted = Array.from({ length: many }, () => Math.round(next() * 200 - 100));
    const room = wanted.map(() => Math.round(next() * 40));
    const offset = room.map((_, i) => room.slice(1, i + 1).reduce((sum, x) => sum + x, 0));
    const expected = minimax(wanted.map((want, i) => want - offset[i])).map((at, i) =>
      at + offset[i]
    );
    fit(wanted, room).forEach((at, i) => assert.ok(Math.abs(at - expected[i]) < 1e-9));
  }
});

Deno.test("fit keeps what already has room, and takes nothing and one", () => {
  assert.deepEqual(fit([0, 50, 100], [0, 50, 20]), [0, 50, 100]);
  assert.deepEqual(fit([], []), []);
  assert.deepEqual(fit([7], [99]), [7]);
  assert.deepEqual(fit([10, 10], [0, 4]), [8, 12]);
});

Deno.test("rising keeps the lowest points that rise in both panes", () => {
  assert.deepEqual(rising([[30, 300], [10, 100], [20, 90], [40, 310]]), [[10, 100], [30, 300], [
    40,
    310,
  ]]);
  assert.deepEqual(rising([[1, 5], [1, 2], [1, 9]]), [[1, 2]]);
  assert.deepEqual(rising([]), []);
});

Deno.test("rising rises, holds given points, and leaves what it was given", () => {
  const next = random(2);
  for (let round = 0; round < 100; round++) {
    /** @type {Point[]} */
    const points = Array.from(
      { length: 8 },
      () => [Math.floor(next() * 9), Math.floor(next() * 9)],
    );
    const before = structuredClone(points), found = rising(points);
    assert.deepEqual(points, before);
    for (const [a, b] of found) assert.ok(points.some((p) => p[0] === a && p[1] === b));
    for (let i = 1; i < found.length; i++) {
      assert.ok(found[i][0] > found[i - 1][0] && found[i][1] > found[i - 1][1]);
    }
    // Nothing more would fit behind the last one.
    const [x, y] = found[found.length - 1];
    assert.ok(!points.some((p) => p[0] > x && p[1] > y));
  }
});

Deno.test("a height goes to the other pane and back", () => {
  const next = random(3);
  for (let round = 0; round < 200; round++) {
    /** @type {Point[]} */
    const points = rising(Array.from({ length: 6 }, () => [next() * 100, next() * 300]));
    const y = next() * 160 - 30;
    assert.ok(Math.abs(heightThere(points, 1, heightThere(points, 0, y)) - y) < 1e-6);
    assert.ok(heightThere(points, 0, y + 1) > heightThere(points, 0, y));
  }
});

Deno.test("heights meet at what belongs together, keep their distance outside, and need none", () => {
  /** @type {Point[]} */
  const points = [[10, 100], [30, 300], [40, 310]];
  assert.deepEqual([0, 10, 20, 35, 50].map((y) => heightThere(points, 0, y)), [
    90,
    100,
    200,
    305,
    320,
  ]);
  assert.equal(heightThere([[10, 100], [30, 300]], 1, 200), 20);
  assert.equal(heightThere([], 0, 77), 77);
  assert.equal(heightThere([[5, 9]], 0, 6), 10);
});

Deno.test("a curve goes through its points and is vertical there", () => {
  /** @type {Point[]} */
  const points = [[0, 0], [50, 40], [50, 60], [-20.06, 100]];
  const path = curve(points);
  const [start, ...steps] = path.split("C").map((text) =>
    text.replace("M", "").split(" ").map(Number)
  );
  assert.deepEqual(start, [0, 0]);
  assert.deepEqual(steps.map((s) => s.slice(4)), [[50, 40], [50, 60], [-20.1, 100]]);
  steps.forEach(([x1, y1, x2, y2], i) => {
    // Both handles straight below and above their ends, in the middle of the height.
    assert.equal(x1, points[i][0]);
    assert.ok(Math.abs(x2 - points[i + 1][0]) <= 0.05);
    assert.equal(y1, (points[i][1] + points[i + 1][1]) / 2);
    assert.equal(y2, y1);
  });
  assert.equal(curve([[1, 2]]), "M1.0 2.0");
});
