// Sizes and places. Rows and wished-for columns were computed beforehand; opening a node makes it
// larger, and its row and the rows below move apart.

import { fit } from "./geometry.js";

/** @import { Group, Place } from "./types.d.ts" */

export const GAP_X = 12;
export const GAP_Y = 19;
/** Around what is shown inside a node, and above it for the title. */
export const PAD = 10;
export const HEAD = 16;
/** What a wire needs at the side of a group. */
const WAY = 8;

/**
 * Where the nodes of a group go.
 *
 * @param {Group} group
 * @param {[w: number, h: number][]} size
 * @returns {Place}
 */
export function layOut(group, size) {
  const x = group.nodes.map(() => 0), y = x.slice();
  /** @type {number[]} */
  const tops = [];
  /** @type {number[]} */
  const bottoms = [];
  let at = 0;
  for (const row of group.rows) {
    const high = row.reduce((most, n) => Math.max(most, size[n][1]), 0);
    for (const n of row) y[n] = at + (high - size[n][1]) / 2;
    tops.push(at);
    bottoms.push(at + high);
    at += high + GAP_Y;
    const room = row.map((n, i) => i ? (size[row[i - 1]][0] + size[n][0]) / 2 + GAP_X : 0);
    fit(row.map((n) => group.nodes[n].x), room).forEach((middle, i) => {
      x[row[i]] = middle - size[row[i]][0] / 2;
    });
  }
  let left = Infinity, right = -Infinity;
  group.nodes.forEach((_, n) => {
    left = Math.min(left, x[n]);
    right = Math.max(right, x[n] + size[n][0]);
  });
  for (const [, , ways] of group.wires) {
    for (const way of ways ?? []) {
      left = Math.min(left, way - WAY / 2);
      right = Math.max(right, way + WAY / 2);
    }
  }
  if (!group.nodes.length) left = right = 0;
  return {
    x: x.map((edge) => edge - left),
    y,
    size,
    tops,
    bottoms,
    left,
    w: right - left,
    h: Math.max(0, at - GAP_Y),
  };
}

/**
 * The column of a wire in a row; it gives way to boxes that have grown over it.
 *
 * @param {Group} group
 * @param {Place} place
 * @param {number} row
 * @param {number} want
 * @returns {number}
 */
export function wayX(group, place, row, want) {
  let at = want - place.left;
  for (const n of group.rows[row]) {
    const left = place.x[n], wide = place.size[n][0];
    if (at > left - 3 && at < left + wide + 3) {
      at = at < left + wide / 2 ? left - 5 : left + wide + 5;
    }
  }
  return at;
}
