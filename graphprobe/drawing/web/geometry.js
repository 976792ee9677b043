// Positions and heights as numbers.

/** @import { Point } from "./types.d.ts" */

/**
 * The positions nearest to the wished-for ones that keep order and distance (isotonic regression).
 *
 * @param {number[]} wanted
 * @param {number[]} room the least distance of each from the one before; the first is not used
 * @returns {number[]}
 */
export function fit(wanted, room) {
  /** @type {number[]} */
  const offset = [];
  let total = 0;
  room.forEach((gap, i) => {
    total += i ? gap : 0;
    offset.push(total);
  });
  /** @type {[mean: number, count: number][]} */
  const pools = [];
  wanted.forEach((want, i) => {
    let mean = want - offset[i], count = 1;
    while (pools.length && pools[pools.length - 1][0] > mean) {
      const [other, many] = pools[pools.length - 1];
      pools.pop();
      mean = (mean * count + other * many) / (count + many);
      count += many;
    }
    pools.push([mean, count]);
  });
  /** @type {number[]} */
  const flat = [];
  for (const [mean, count] of pools) for (let i = 0; i < count; i++) flat.push(mean);
  return flat.map((at, i) => at + offset[i]);
}

/**
 * Heights that belong together, both rising, so that any height can be looked up between two.
 *
 * @param {Point[]} points
 * @returns {Point[]}
 */
export function rising(points) {
  /** @type {Point[]} */
  const found = [];
  for (const [a, b] of points.slice().sort((p, q) => p[0] - q[0] || p[1] - q[1])) {
    const last = found[found.length - 1];
    if (!last || (a > last[0] && b > last[1])) found.push([a, b]);
  }
  return found;
}

/**
 * The height in the other pane that belongs to a height in this one.
 *
 * @param {Point[]} points what `rising` gives
 * @param {number} from which of both numbers of a point is this pane's
 * @param {number} y
 * @returns {number}
 */
export function heightThere(points, from, y) {
  const to = 1 - from;
  if (!points.length) return y;
  if (y <= points[0][from]) return points[0][to] + (y - points[0][from]);
  const last = points[points.length - 1];
  if (y >= last[from]) return last[to] + (y - last[from]);
  let low = 0, high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][from] <= y) low = middle;
    else high = middle;
  }
  const [a, b] = [points[low], points[high]];
  return a[to] + ((y - a[from]) / (b[from] - a[from])) * (b[to] - a[to]);
}

/**
 * A path through points that leaves and enters each of them vertically.
 *
 * @param {Point[]} points
 * @returns {string}
 */
export function curve(points) {
  let path = `M${points[0][0].toFixed(1)} ${points[0][1].toFixed(1)}`;
  for (let i = 1; i < points.length; i++) {
    const [x1, y1] = points[i - 1], [x2, y2] = points[i], m = ((y1 + y2) / 2).toFixed(1);
    path += `C${x1.toFixed(1)} ${m} ${x2.toFixed(1)} ${m} ${x2.toFixed(1)} ${y2.toFixed(1)}`;
  }
  return path;
}
