/// <reference lib="deno.ns" />
// Small pages, and numbers that are equally random every time.

import { Graph } from "../../../graphprobe/drawing/web/graph.js";
import { unpack } from "../../../graphprobe/drawing/web/unpack.js";

/** @import { GroupData, NodeData, OpData, PageDocument, SideData } from "../../../graphprobe/drawing/web/types.d.ts" */

/** @param {Partial<SideData>} more @returns {SideData} */
export function sideOf(more = {}) {
  return { role: "", name: "net", counts: "", vars: {}, convs: {}, ...more };
}

/** @param {Partial<PageDocument>} more @returns {PageDocument} */
export function documentOf(more = {}) {
  return {
    title: "net",
    notes: [],
    sides: [sideOf()],
    roots: [[]],
    groups: [],
    ops: [],
    names: [],
    attrs: [],
    partners: [],
    pairs: [],
    colours: [["flops", "multiply-adds"]],
    scale: ["#000000", "#777777", "#ffffff"],
    unknown: "#cccccc",
    colourBy: "status",
    legend: [],
    ...more,
  };
}

/** @param {Partial<NodeData>} more @returns {NodeData} */
export function nodeOf(more = {}) {
  return { n: "1", t: "conv", w: 60, h: 20, x: 0, ops: [], ...more };
}

/** @param {NodeData[]} nodes @param {Partial<GroupData>} more @returns {GroupData} */
export function groupOf(nodes, more = {}) {
  return { title: "", side: 0, nodes, wires: [], rows: nodes.map((_, n) => [n]), ...more };
}

/**
 * A chain of ops, each of which writes `NAME0`, `NAME1`, ... and reads what is before it.
 *
 * @param {number} many
 * @param {string} name
 * @param {number} side
 * @param {number} first the number of the first name
 * @returns {OpData[]}
 */
export function chain(many, name, side = 0, first = 0) {
  return Array.from({ length: many }, (_, at) => {
    /** @type {OpData} */
    const op = { t: `${name}_op`, i: {}, o: { Out: [first + at] } };
    if (at) op.i.X = [first + at - 1];
    if (side) op.s = side;
    return op;
  });
}

/**
 * Six ops in two levels: 0 | 1 2 (3 4) | 5, where group 1 is inside of node 1 and group 2 inside it.
 *
 * @param {Partial<PageDocument>} more
 */
export function nested(more = {}) {
  const outer = groupOf([
    nodeOf({ n: "1", ops: [0] }),
    nodeOf({ n: "2", ops: [1, 2, 3, 4], child: 1, r: 1 }),
    nodeOf({ n: "3", ops: [5], r: 2 }),
  ]);
  const middle = groupOf([
    nodeOf({ n: "2.1", ops: [1] }),
    nodeOf({ n: "2.2", ops: [2], r: 1 }),
    nodeOf({ n: "2.3", ops: [3, 4], child: 2, r: 2 }),
  ]);
  const inner = groupOf([nodeOf({ n: "2.3.1", ops: [3] }), nodeOf({ n: "2.3.2", ops: [4], r: 1 })]);
  const names = ["a0", "a1", "a2", "a3", "a4", "a5"];
  return documentOf({
    roots: [[0]],
    groups: [outer, middle, inner],
    ops: chain(6, "a"),
    names,
    ...more,
  });
}

/** Two sides of three ops, the last two of each inside a node. */
export function twoSides() {
  /** @param {number} side @param {number} child */
  const groups = (side, child) => [
    groupOf([
      nodeOf({ ops: [3 * side] }),
      nodeOf({ ops: [3 * side + 1, 3 * side + 2], child, r: 1 }),
    ], { side }),
    groupOf([nodeOf({ ops: [3 * side + 1] }), nodeOf({ ops: [3 * side + 2], r: 1 })], { side }),
  ];
  return documentOf({
    sides: [sideOf({ role: "student" }), sideOf({ role: "teacher" })],
    roots: [[0], [2]],
    groups: [...groups(0, 1), ...groups(1, 3)],
    ops: [...chain(3, "s"), ...chain(3, "t", 1, 3)],
    names: ["s0", "s1", "s2", "t0", "t1", "t2"],
  });
}

/** @param {PageDocument} document */
export const graphOf = (document) => new Graph(unpack(document));

/**
 * Numbers from 0 to 1 by a seed (a linear congruential generator).
 *
 * @param {number} seed
 */
export function random(seed) {
  let at = seed;
  return () => {
    at = (Math.imul(at, 1664525) + 1013904223) >>> 0;
    return at / 2 ** 32;
  };
}
