// Moving: one pane, or both together so that what belongs together stays at one height.

import { heightThere, rising } from "./geometry.js";
import { data, graph, panel, paneOf, panes, state } from "./page.js";
import { hideAway, paintPairs } from "./paint.js";

/** @import { NodeId, Pane } from "./types.d.ts" */

/** Below this scale lines cannot be read: nodes show their number and title in large letters. */
const FAR = 0.45;
/** On a phone what is shown first can be read at least so well. */
const READABLE = 0.8;
const PHONE = 500;

/** @param {Pane} pane */
export function place(pane) {
  const { x, y, k } = pane.view;
  pane.world.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
  pane.svg.classList.toggle("far", k < FAR);
  hideAway(pane);
}

/**
 * Show a pane where its view says; the other pane follows where they are linked.
 *
 * @param {Pane} pane
 */
export function move(pane = state.active) {
  place(pane);
  if (state.synced && panes.length > 1) follow(pane, panes[1 - pane.side]);
  paintPairs();
}

/** @param {number} dx @param {number} dy */
export function shift(dx, dy) {
  state.active.view.x += dx;
  state.active.view.y += dy;
  move();
}

/** @param {number} factor */
export function zoom(factor, pane = state.active, x = pane.w / 2, y = pane.h / 2) {
  const view = pane.view, k = Math.min(8, Math.max(0.01, view.k * factor));
  view.x = x - (x - view.x) * (k / view.k);
  view.y = y - (y - view.y) * (k / view.k);
  view.k = k;
  move(pane);
}

/** @param {Pane} pane */
function widthOf(pane) {
  return Math.max(1, ...data.roots[pane.side].map((g) => graph.corner(g)[0] + graph.place(g).w));
}

/** @param {Pane} pane */
export function fitPane(pane) {
  const view = pane.view, w = widthOf(pane), top = panes.length > 1 ? 32 : 15;
  const h = Math.max(1, ...data.roots[pane.side].map((g) => graph.corner(g)[1] + graph.place(g).h));
  view.k = Math.max(0.01, Math.min(2, (pane.w - 30) / w, (pane.h - top - 15) / h));
  view.x = (pane.w - w * view.k) / 2;
  view.y = top;
  place(pane);
}

/**
 * What is shown at first: everything, or on a phone the beginning.
 *
 * @param {Pane} pane
 */
export function startPane(pane) {
  fitPane(pane);
  const view = pane.view, [first] = data.roots[pane.side];
  if (pane.w > PHONE || view.k >= READABLE || !data.groups[first]?.nodes.length) return;
  const box = graph.boxOf([first, data.groups[first].rows[0][0]]), w = widthOf(pane) * READABLE;
  view.k = READABLE;
  view.x = pane.w / 2 - (box.x + box.w / 2) * READABLE;
  if (w < pane.w) view.x = (pane.w - w) / 2;
  place(pane);
}

export function startView() {
  panes.forEach(startPane);
  paintPairs();
}

export function fitView() {
  panes.forEach(fitPane);
  paintPairs();
}

/**
 * Bring a node into the middle, large enough to be read.
 *
 * @param {NodeId} id
 */
export function centre(id) {
  const pane = paneOf(id), view = pane.view, box = graph.boxOf(id);
  view.k = Math.min(
    Math.max(view.k, 1.3),
    (pane.w - 40) / (box.w + 1),
    (pane.h - 40) / (box.h + 1),
    2.5,
  );
  view.x = pane.w / 2 - (box.x + box.w / 2) * view.k;
  view.y = pane.h / 2 - (box.y + box.h / 2) * view.k;
  move(pane);
}

/**
 * Move `there` so that what belongs together stands at one height, as large as in `here`.
 *
 * @param {Pane} here
 * @param {Pane} there
 */
function follow(here, there) {
  state.anchors ??= rising(graph.linkedNodes().map(([a, b]) => [middle(a), middle(b)]));
  const mine = here.view, other = there.view;
  const across = (here.w / 2 - mine.x) / mine.k - widthOf(here) / 2;
  const y = heightThere(state.anchors, here.side, (here.h / 2 - mine.y) / mine.k);
  other.k = mine.k;
  other.x = there.w / 2 - (widthOf(there) / 2 + across) * other.k;
  other.y = there.h / 2 - y * other.k;
  place(there);
}

/** @param {NodeId} id */
function middle(id) {
  const box = graph.boxOf(id);
  return box.y + box.h / 2;
}

export function toggleSync() {
  state.synced = !state.synced;
  panel("sync").setAttribute("aria-pressed", String(state.synced));
  if (state.synced) move();
}
