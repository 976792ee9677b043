import assert from "node:assert/strict";
import { curve } from "../../../graphprobe/drawing/web/geometry.js";
import { way, wirePoints } from "../../../graphprobe/drawing/web/wires.js";
import { documentOf, graphOf, groupOf, nested, nodeOf, random } from "./pages.js";

/** @import { NodeData, NodeId, Point, Wire } from "../../../graphprobe/drawing/web/types.d.ts" */

/**
 * Points on a path of straight starts and curves.
 *
 * @param {string} path
 * @returns {[x: number, y: number][]}
 */
function along(path) {
  const [start, ...steps] = path.split("C").map((t) => t.replace("M", "").split(" ").map(Number));
  /** @type {[x: number, y: number][]} */
  const found = [];
  let [x0, y0] = start;
  for (const [x1, y1, x2, y2, x3, y3] of steps) {
    for (let t = 0; t <= 1; t += 0.05) {
      const u = 1 - t, [a, b, c, d] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
      found.push([a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3]);
    }
    [x0, y0] = [x3, y3];
  }
  return found;
}

Deno.test("no wire crosses a box on its way, however large boxes have become", () => {
  const next = random(6);
  for (let round = 0; round < 100; round++) {
    /** @type {NodeData[]} */
    const nodes = [];
    const rows = Array.from({ length: 4 }, (_, r) =>
      [0, 1, 2].map((i) => {
        const size = { w: 30 + next() * 200, h: 10 + next() * 90 };
        return nodes.push(nodeOf({ x: 100 * i + next() * 50, r, ...size })) - 1;
      }));
    /** @type {Wire[]} */
    const wires = [[0, 10, [next() * 400, next() * 400]], [2, 4, []], [5, 11, [next() * 400]]];
    const group = groupOf(nodes, { rows, wires });
    const graph = graphOf(documentOf({ groups: [group], roots: [[0]] }));
    graph.layOut();
    for (const wire of wires) {
      const points = wirePoints(graph, 0, wire);
      const from = graph.boxOf([0, wire[0]]), to = graph.boxOf([0, wire[1]]);
      assert.deepEqual(points[0], [from.x + from.w / 2, from.y + from.h]);
      assert.deepEqual(points[points.length - 1], [to.x + to.w / 2, to.y]);
      nodes.forEach((_, n) => {
        const box = graph.boxOf([0, n]);
        for (const [x, y] of along(curve(points))) {
          const beside = x <= box.x + 0.1 || x >= box.x + box.w - 0.1;
          assert.ok(beside || y <= box.y + 0.1 || y >= box.y + box.h - 0.1, `${wire} over ${n}`);
        }
      });
    }
  }
});

Deno.test("a wire over many rows goes straight to its end", () => {
  const graph = graphOf(nested());
  graph.layOut();
  assert.equal(wirePoints(graph, 0, [0, 2, null]).length, 2);
});

Deno.test("a way goes along the wire between two nodes, or between what holds them", () => {
  const page = nested();
  page.groups[0].wires = [[0, 1, []], [1, 2, []]];
  page.groups[2].wires = [[0, 1, []]];
  const graph = graphOf(page);
  graph.reveal([2, 1]);
  graph.layOut();
  /** @param {NodeId} id @returns {Point} */
  const top = (id) => [graph.boxOf(id).x + graph.boxOf(id).w / 2, graph.boxOf(id).y];
  /** @param {NodeId} id @returns {Point} */
  const low = (id) => [top(id)[0], top(id)[1] + graph.boxOf(id).h];
  const direct = way(graph, [2, 0], [2, 1]);
  assert.deepEqual([direct[0], direct.at(-1)], [low([2, 0]), top([2, 1])]);
  // Out of two nodes that are open, along the wire of the outermost, to the next.
  const out = way(graph, [2, 1], [0, 2]);
  assert.deepEqual([out[0], out[1], out.at(-1)], [low([2, 1]), low([0, 1]), top([0, 2])]);
  assert.deepEqual(out.slice(1, -1), wirePoints(graph, 0, [1, 2, []]));
  // Without a wire, and from a node to what it holds, straight.
  assert.deepEqual(way(graph, [0, 0], [0, 2]), [low([0, 0]), top([0, 2])]);
  assert.deepEqual(way(graph, [1, 0], [1, 1]), [low([1, 0]), top([1, 1])]);
  assert.deepEqual(way(graph, [0, 1], [2, 1]), [low([0, 1]), top([2, 1])]);
});
