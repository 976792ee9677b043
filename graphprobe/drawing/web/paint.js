// From places to SVG.

import { fillOf, highest } from "./colours.js";
import { curve } from "./geometry.js";
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
import { way, wirePoints } from "./wires.js";

/** @import { Box, Node, NodeId, Pane } from "./types.d.ts" */

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
  if (node.p.length) {
    element.append(
      make("text", { class: "badge", x: box.w - 4, y: 11, "text-anchor": "end" }, node.p.join(" ")),
    );
  }
  if (!isOpen) element.append(...paintLines(node), paintFar(node));
  if (node.child >= 0) {
    element.setAttribute("aria-expanded", String(isOpen));
    element.append(paintOpener(box, isOpen));
  }
  into.append(element);
  paneOf(id).nodes.push({ element, box, away: false });
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

/**
 * What opens and closes a node: at the corner, where no words are; it can be hit beside it too.
 *
 * @param {Box} box
 * @param {boolean} isOpen
 */
function paintOpener({ w, h }, isOpen) {
  const opener = make("g", { class: "opener" });
  opener.append(
    make("circle", { class: "around", cx: w, cy: h, r: 9 }),
    make("circle", { cx: w, cy: h, r: 4.2 }),
    make("path", { d: `M${w - 2.2} ${h}h4.4${isOpen ? "" : `M${w} ${h - 2.2}v4.4`}` }),
  );
  return opener;
}

/**
 * Number and title in letters that can be read where all others are too small.
 *
 * @param {Node} node
 */
function paintFar(node) {
  const size = Math.min(16, node.h * 0.7), room = Math.floor((node.w - 10) / (0.6 * size));
  const words = `${node.n} ${node.t}`;
  const text = words.length > room
    ? `${words.slice(0, Math.max(room - 1, node.n.length))}…`
    : words;
  const element = make("text", { class: "overview", x: 7, y: (node.h + size * 0.7) / 2 }, text);
  element.style.fontSize = `${size.toFixed(1)}px`;
  return element;
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
      const points = wirePoints(graph, g, wire), [x, y] = points[points.length - 1];
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
    const nodes = document.createDocumentFragment();
    pane.nodes = [];
    for (const g of mine) data.groups[g].nodes.forEach((_, n) => paintNode([g, n], nodes));
    // Wires lie above the frames of opened nodes, or those would hide them.
    const layer = make("g", {});
    layer.append(nodes);
    pane.world.replaceChildren(layer, ...paintWires(mine), make("path", { class: "path" }));
  }
  if (state.selected) markOnly("selected", [state.selected]);
  panes.forEach(hideAway);
  paintPairs();
}

/** Below this scale not even large letters can be read. */
const TINY = 0.14;

/**
 * Hide the words of nodes that are out of sight: a browser lays out every text at each zoom.
 *
 * @param {Pane} pane
 */
export function hideAway(pane) {
  const { x, y, k } = pane.view;
  for (const node of pane.nodes) {
    const { box } = node, left = x + box.x * k, top = y + box.y * k;
    const beside = left > pane.w || left + box.w * k < 0 || top > pane.h || top + box.h * k < 0;
    const away = beside || k < TINY;
    if (away === node.away) continue;
    node.away = away;
    node.element.classList.toggle("away", away);
  }
}

/** Lines from pane to pane, in the coordinates of the screen. */
export function paintPairs() {
  if (!data.pairs.length || panes.length < 2) return;
  const origin = panesBox.getBoundingClientRect();
  const [first, second] = panes.map((pane) => pane.svg.getBoundingClientRect());
  const below = second.top > first.top;
  /** @param {[NodeId, NodeId]} ends */
  const line = (ends) => {
    const [a, b] = ends.map(onScreen);
    // Of a pair whose ends are both out of sight, nothing is to be seen.
    if (!(a.w && a.h) && !(b.w && b.h)) return "";
    for (const box of [a, b]) {
      box.x -= origin.left;
      box.y -= origin.top;
    }
    return below
      ? curve([[a.x + a.w / 2, a.y + a.h], [b.x + b.w / 2, b.y]])
      : curve([[a.x + a.w, a.y + a.h / 2], [b.x, b.y + b.h / 2]]);
  };
  const ends = data.pairs.map((_, i) => graph.pairEnds(i)).filter((found) => found !== null);
  const lines = ends.map(line);
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
  const lines = nodes.slice(1).map((id, i) => curve(way(graph, nodes[i], id)));
  part(panes[side].world, ".path", SVGPathElement).setAttribute("d", lines.join(""));
}
