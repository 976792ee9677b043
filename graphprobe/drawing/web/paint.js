// From places to SVG.

import { fillOf, highest } from "./colours.js";
import { curve } from "./geometry.js";
import { wayX } from "./layout.js";
import { paintColourBar } from "./legend.js";
import {
  data,
  elementOf,
  graph,
  make,
  markOnly,
  panel,
  paneOf,
  panes,
  panesBox,
  part,
  state,
} from "./page.js";

/** @import { Box, Node, NodeId, Point, Wire } from "./types.d.ts" */

/** Lines of text are this far apart. */
const LINE = 8.6;

/**
 * @param {NodeId} id
 * @param {DocumentFragment} into
 */
function paintNode(id, into) {
  const node = graph.node(id), box = graph.boxOf(id), isOpen = graph.isOpen(node);
  const words = [node.n, node.full, node.l.join(", "), node.c.map(([text]) => text).join(", ")];
  const element = make("g", {
    class: `node ${node.k}${isOpen ? " opened" : ""}`,
    tabindex: 0,
    role: "button",
    transform: `translate(${box.x.toFixed(1)} ${box.y.toFixed(1)})`,
    "data-g": id[0],
    "data-n": id[1],
    "aria-label": words.join(" "),
  });
  const frame = make("rect", {
    class: "frame",
    width: box.w.toFixed(1),
    height: box.h.toFixed(1),
    rx: 2.5,
  });
  if (!isOpen) frame.style.fill = fillOf(node, data, state.colourBy, state.colourTop);
  element.append(frame, ...paintBand(node, box), paintTitle(node));
  if (node.child >= 0) {
    element.setAttribute("aria-expanded", String(isOpen));
    element.append(make("text", { class: "soft", x: box.w - 9, y: box.h - 3 }, isOpen ? "−" : "+"));
  }
  if (node.p.length) {
    element.append(
      make("text", { class: "badge", x: box.w - 4, y: 11, "text-anchor": "end" }, node.p.join(" ")),
    );
  }
  if (!isOpen) element.append(...paintLines(node));
  into.append(element);
  state.shown.set(id.join(":"), element);
}

/** @param {Node} node @param {Box} box */
function paintBand(node, box) {
  let top = 1;
  return node.b.map(([fill, share]) => {
    const height = (box.h - 2) * share;
    top += height;
    return make("rect", { x: 0.6, y: top - height, width: 4, height, fill });
  });
}

/** @param {Node} node */
function paintTitle(node) {
  const title = make("text", { class: "title", x: 9, y: 11 });
  const plain = { class: "soft", "font-weight": "normal", "font-size": 7 };
  title.append(make("tspan", plain, `${node.n}  `), document.createTextNode(node.t));
  return title;
}

/** @param {Node} node */
function paintLines(node) {
  const low = 11 + LINE * node.l.length;
  const lines = node.l.map((line, i) =>
    make("text", { class: i ? "soft" : "", x: 9, y: 11 + LINE * (i + 1) }, line)
  );
  const chips = node.c.flatMap(([text, fill, x, row]) => {
    const y = low + LINE * (row + 1);
    return [
      make("rect", { x: 9 + x, y: y - 5.5, width: 5.5, height: 5.5, fill }),
      make("text", { x: 16.5 + x, y }, text),
    ];
  });
  return [...lines, ...chips];
}

/**
 * @param {number} g
 * @param {Wire} wire
 * @returns {Point[]}
 */
function wirePoints(g, [from, to, ways]) {
  const group = data.groups[g], place = graph.place(g), [left, top] = graph.corner(g);
  const a = graph.boxOf([g, from]), b = graph.boxOf([g, to]);
  /** @type {Point[]} */
  const points = [[a.x + a.w / 2, a.y + a.h]];
  (ways ?? []).forEach((want, i) => {
    const row = group.nodes[from].r + 1 + i, x = left + wayX(group, place, row, want);
    points.push([x, top + place.tops[row]], [x, top + place.bottoms[row]]);
  });
  points.push([b.x + b.w / 2, b.y]);
  return points;
}

/**
 * One path for all wires, one for all heads: thousands of edges stay two elements.
 *
 * @param {number[]} groups
 */
function paintWires(groups) {
  /** @type {string[]} */
  const wires = [];
  /** @type {string[]} */
  const long = [];
  /** @type {string[]} */
  const heads = [];
  for (const g of groups) {
    for (const wire of data.groups[g].wires) {
      const points = wirePoints(g, wire), [x, y] = points[points.length - 1];
      (wire[2] ? wires : long).push(curve(points));
      heads.push(`M${x.toFixed(1)} ${y.toFixed(1)}l-2.2-4.5h4.4z`);
    }
  }
  return [
    make("path", { class: "long", d: long.join("") }),
    make("path", { class: "wires", d: wires.join("") }),
    make("path", { class: "heads", d: heads.join("") }),
  ];
}

export function paint() {
  graph.layOut();
  state.shown = new Map();
  state.colourTop = highest(graph, state.colourBy);
  state.anchors = null;
  paintColourBar();
  for (const pane of panes) {
    const mine = graph.visible.filter((g) => data.groups[g].side === pane.side);
    const nodes = document.createDocumentFragment(), side = data.sides[pane.side];
    for (const g of mine) data.groups[g].nodes.forEach((_, n) => paintNode([g, n], nodes));
    const heading = make("text", { class: "heading", x: 0, y: 8 }, `${side.role}: ${side.name}`);
    // Wires lie above the frames of opened nodes, or those would hide them.
    const layer = make("g", {});
    layer.append(nodes);
    pane.world.replaceChildren(layer, ...paintWires(mine), make("path", { class: "path" }));
    if (panes.length > 1) pane.world.append(heading);
  }
  if (state.selected) markOnly("selected", [state.selected]);
  paintPairs();
}

/** Lines from pane to pane, in the coordinates of the screen. */
export function paintPairs() {
  if (!data.pairs.length || panes.length < 2) return;
  const origin = panesBox.getBoundingClientRect();
  const [first, second] = panes.map((pane) => pane.svg.getBoundingClientRect());
  const below = second.top > first.top;
  const lines = data.pairs.map((_, i) => graph.pairEnds(i)).filter((ends) => ends !== null).map(
    (ends) => {
      const [a, b] = ends.map(onScreen);
      /** @type {Point} */
      const from = below ? [a.x + a.w / 2, a.y + a.h] : [a.x + a.w, a.y + a.h / 2];
      /** @type {Point} */
      const to = below ? [b.x + b.w / 2, b.y] : [b.x, b.y + b.h / 2];
      return curve([
        [from[0] - origin.left, from[1] - origin.top],
        [to[0] - origin.left, to[1] - origin.top],
      ]);
    },
  );
  panel("links").setAttribute("d", lines.join(""));
}

/**
 * Where a node is in the window; a node that was moved out of its pane ends at the pane's edge.
 *
 * @param {NodeId} id
 * @returns {Box}
 */
export function onScreen(id) {
  const pane = paneOf(id), box = graph.boxOf(id), corner = pane.svg.getBoundingClientRect();
  const { x, y, k } = pane.view;
  /** @param {number} at @param {number} most */
  const inside = (at, most) => Math.min(Math.max(at, 0), most);
  const left = inside(x + box.x * k, corner.width);
  const right = inside(x + (box.x + box.w) * k, corner.width);
  const top = inside(y + box.y * k, corner.height);
  const low = inside(y + (box.y + box.h) * k, corner.height);
  return { x: corner.left + left, y: corner.top + top, w: right - left, h: low - top };
}

/**
 * The way from a convolution to what stops it, over what is visible.
 *
 * @param {number} side
 * @param {string[]} path variables
 */
export function paintPath(side, path) {
  /** @type {NodeId[]} */
  const nodes = [];
  for (const name of path) {
    const op = graph.writer(side, name), id = op === undefined ? null : graph.visibleNode(op);
    if (id && id.join() !== nodes[nodes.length - 1]?.join()) nodes.push(id);
  }
  for (const id of nodes) elementOf(id)?.classList.add("hot");
  const lines = nodes.slice(1).map((id, i) => {
    const a = graph.boxOf(nodes[i]), b = graph.boxOf(id);
    return curve([[a.x + a.w / 2, a.y + a.h], [b.x + b.w / 2, b.y]]);
  });
  part(panes[side].world, ".path", SVGPathElement).setAttribute("d", lines.join(""));
}
