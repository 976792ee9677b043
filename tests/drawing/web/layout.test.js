import assert from "node:assert/strict";
import { GAP_X, GAP_Y, layOut, wayX } from "../../../graphprobe/drawing/web/layout.js";
import { documentOf, graphOf, groupOf, nodeOf, random } from "./pages.js";

/** @import { GroupData } from "../../../graphprobe/drawing/web/types.d.ts" */

/** @param {GroupData} group */
const whole = (group) => graphOf(documentOf({ groups: [group], roots: [[0]] })).page.groups[0];

/**
 * A group of random boxes in rows, with wires past some of them.
 *
 * @param {() => number} next
 */
function anyGroup(next) {
  const nodes = [], rows = [];
  for (let r = 0; r < 1 + next() * 5; r++) {
    /** @type {number[]} */
    const row = [];
    const x = Array.from({ length: 1 + Math.floor(next() * 5) }, () => next() * 300).sort((a, b) =>
      a - b
    );
    for (const at of x) {
      row.push(nodes.length);
      nodes.push(nodeOf({ w: 20 + next() * 120, h: 10 + next() * 60, x: at, r }));
    }
    rows.push(row);
  }
  /** @type {[number, number, number[]][]} */
  const wires = [[0, nodes.length - 1, rows.slice(1, -1).map(() => next() * 400 - 50)]];
  return whole(groupOf(nodes, { rows, wires }));
}

Deno.test("boxes keep their order, their distance and their row, and stay in the group", () => {
  const next = random(4);
  for (let round = 0; round < 200; round++) {
    const group = anyGroup(next);
    const place = layOut(group, group.nodes.map((node) => [node.w, node.h]));
    group.rows.forEach((row, r) => {
      row.forEach((n, i) => {
        const [w, h] = place.size[n];
        assert.ok(place.x[n] >= -1e-9 && place.x[n] + w <= place.w + 1e-9);
        assert.ok(place.y[n] >= place.tops[r] - 1e-9 && place.y[n] + h <= place.bottoms[r] + 1e-9);
        if (i) {
          const before = row[i - 1];
          assert.ok(place.x[n] - (place.x[before] + place.size[before][0]) >= GAP_X - 1e-9);
        }
      });
      if (r) assert.ok(Math.abs(place.tops[r] - place.bottoms[r - 1] - GAP_Y) < 1e-9);
    });
    assert.ok(Math.abs(place.h - place.bottoms[place.bottoms.length - 1]) < 1e-9);
    for (const way of group.wires[0][2] ?? []) {
      assert.ok(way - place.left >= 0 && way - place.left <= place.w);
    }
  }
});

Deno.test("a box that has grown pushes its neighbours, not their order", () => {
  const group = whole(
    groupOf([nodeOf({ x: 0 }), nodeOf({ x: 80 }), nodeOf({ x: 160 })], { rows: [[0, 1, 2]] }),
  );
  const small = layOut(group, [[60, 20], [60, 20], [60, 20]]);
  assert.deepEqual(small.x, [0, 80, 160]);
  const large = layOut(group, [[60, 20], [300, 90], [60, 20]]);
  assert.deepEqual(large.x, [0, 72, 384]);
  assert.equal(large.h, 90);
  assert.equal(large.y[0], 35);
});

Deno.test("a group of nothing has no size", () => {
  const place = layOut(whole(groupOf([])), []);
  assert.deepEqual([place.w, place.h, place.left], [0, 0, 0]);
});

Deno.test("a wire passes every row beside its boxes", () => {
  const next = random(5);
  for (let round = 0; round < 200; round++) {
    const group = anyGroup(next);
    const place = layOut(group, group.nodes.map((node) => [node.w * (1 + next()), node.h]));
    const row = Math.floor(next() * group.rows.length), want = next() * 500 - 100;
    const at = wayX(group, place, row, want);
    for (const n of group.rows[row]) {
      assert.ok(at <= place.x[n] - 3 || at >= place.x[n] + place.size[n][0] + 3);
    }
    const free = group.rows[row].every((n) =>
      want - place.left <= place.x[n] - 3 || want - place.left >= place.x[n] + place.size[n][0] + 3
    );
    if (free) assert.equal(at, want - place.left);
  }
});
