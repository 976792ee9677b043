import assert from "node:assert/strict";
import { pairNumber } from "../../../graphprobe/drawing/web/graph.js";
import { chain, documentOf, graphOf, groupOf, nested, nodeOf, twoSides } from "./pages.js";

/** @import { NodeId, PageDocument, Pair } from "../../../graphprobe/drawing/web/types.d.ts" */

/** @type {Pair} */
const PAIR = {
  student: "s2",
  teacher: "t1",
  role: "feature",
  part: null,
  loss: "l2",
  shapes: "",
  why: "",
  evidence: [],
};

/** @param {PageDocument} page @param {Partial<Pair>[]} pairs @returns {PageDocument} */
const withPairs = (page, ...pairs) => ({
  ...page,
  pairs: pairs.map((more) => ({ ...PAIR, ...more })),
});

Deno.test("an op is seen in the innermost node that is shown", () => {
  const graph = graphOf(nested());
  assert.deepEqual([0, 1, 4, 5].map((op) => graph.visibleNode(op)), [[0, 0], [0, 1], [0, 1], [
    0,
    2,
  ]]);
  graph.opened.add(1);
  assert.deepEqual([1, 3, 4].map((op) => graph.visibleNode(op)), [[1, 0], [1, 2], [1, 2]]);
  graph.opened.add(2);
  assert.deepEqual([3, 4].map((op) => graph.visibleNode(op)), [[2, 0], [2, 1]]);
  assert.equal(graph.visibleNode(99), null);
});

Deno.test("revealing opens what holds a node and nothing else", () => {
  const graph = graphOf(nested());
  graph.reveal([0, 1]);
  assert.deepEqual([...graph.opened], []);
  graph.reveal([1, 1]);
  assert.deepEqual([...graph.opened], [1]);
  graph.reveal([2, 1]);
  assert.deepEqual([...graph.opened], [1, 2]);
});

Deno.test("closing closes everything inside", () => {
  const graph = graphOf(nested());
  graph.reveal([2, 1]);
  graph.close(1);
  assert.equal(graph.opened.size, 0);
  graph.reveal([2, 1]);
  graph.close(2);
  assert.deepEqual([...graph.opened], [1]);
});

Deno.test("levels open one by one until the page is full", () => {
  const graph = graphOf(nested());
  assert.deepEqual(graph.openLevel(100), { added: 1, full: false });
  assert.deepEqual([...graph.opened], [1]);
  assert.deepEqual(graph.openLevel(7), { added: 0, full: true });
  assert.deepEqual(graph.openLevel(8), { added: 1, full: false });
  assert.deepEqual(graph.openLevel(100), { added: 0, full: false });
});

Deno.test("what is open lies inside its node, below what is above it", () => {
  const graph = graphOf(nested());
  graph.reveal([2, 1]);
  graph.layOut();
  assert.deepEqual(graph.visible, [0, 1, 2]);
  for (const [outer, inside] of /** @type {[NodeId, number][]} */ ([[[0, 1], 1], [[1, 2], 2]])) {
    const box = graph.boxOf(outer);
    graph.page.groups[inside].nodes.forEach((_, n) => {
      const inner = graph.boxOf([inside, n]);
      assert.ok(inner.x > box.x && inner.x + inner.w < box.x + box.w);
      assert.ok(inner.y > box.y && inner.y + inner.h < box.y + box.h);
    });
  }
  const [first, second, third] = [0, 1, 2].map((n) => graph.boxOf([0, n]));
  assert.ok(first.y + first.h < second.y && second.y + second.h < third.y);
});

Deno.test("a group that is not shown has no place", () => {
  const graph = graphOf(nested());
  graph.layOut();
  assert.throws(() => graph.boxOf([2, 0]), /group 2 is not shown/);
  graph.reveal([2, 1]);
  graph.layOut();
  assert.ok(graph.boxOf([2, 0]).w > 0);
  graph.close(1);
  graph.layOut();
  assert.throws(() => graph.boxOf([2, 0]), /group 2 is not shown/);
});

Deno.test("holders and ops of a node", () => {
  const graph = graphOf(nested());
  assert.deepEqual(graph.holders([2, 1]), [[0, 1], [1, 2], [2, 1]]);
  assert.deepEqual(graph.holders([0, 0]), [[0, 0]]);
  assert.deepEqual(graph.allOps([0, 1]), [1, 2, 3, 4]);
  assert.deepEqual(graph.allOps([0, 2]), [5]);
});

Deno.test("several outermost groups stand below each other", () => {
  const page = documentOf({
    roots: [[0, 1]],
    groups: [groupOf([nodeOf({ ops: [0] })]), groupOf([nodeOf({ ops: [1] })])],
    ops: chain(2, "a"),
    names: ["a0", "a1"],
  });
  const graph = graphOf(page);
  graph.layOut();
  const [above, below] = [graph.boxOf([0, 0]), graph.boxOf([1, 0])];
  assert.ok(above.y + above.h < below.y);
});

Deno.test("pairs end where their variables are seen", () => {
  const graph = graphOf(withPairs(twoSides(), {}, { student: "gone" }));
  assert.deepEqual(graph.pairEnds(0), [[0, 1], [2, 1]]);
  assert.equal(graph.pairEnds(1), null);
  graph.reveal([3, 0]);
  assert.deepEqual(graph.pairEnds(0), [[0, 1], [3, 0]]);
  assert.deepEqual(graph.linkedNodes(), [[[0, 1], [3, 0]]]);
});

Deno.test("the other end of a pair is the twin of a node that has it", () => {
  const page = withPairs(twoSides(), {});
  page.groups[0].nodes[1].p = ["P1"];
  page.groups[2].nodes[1].p = ["P1"];
  const graph = graphOf(page);
  assert.deepEqual(graph.twinsOf([0, 1]), [[2, 1]]);
  assert.deepEqual(graph.twinsOf([2, 1]), [[0, 1]]);
  assert.deepEqual(graph.twinsOf([0, 0]), []);
});

Deno.test("two versions are linked by their ops, each pair of nodes once", () => {
  const graph = graphOf({ ...twoSides(), partners: [[0, 3], [1, 4], [2, 5], [99, 98]] });
  assert.deepEqual(graph.linkedNodes(), [[[0, 0], [2, 0]], [[0, 1], [2, 1]]]);
  assert.deepEqual(graph.twinsOf([0, 1]), [[2, 1]]);
  graph.reveal([3, 0]);
  assert.deepEqual(graph.twinsOf([0, 1]), [[3, 0], [3, 1]]);
  assert.deepEqual(graph.twinsOf([3, 1]), [[0, 1]]);
});

Deno.test("a badge names its pair", () => {
  assert.deepEqual(["P1", "P12"].map(pairNumber), [0, 11]);
});
