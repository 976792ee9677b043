// The page's elements and what changes while it is looked at. Text from the model only ever becomes
// the text of an element, never markup.

import { Graph } from "./graph.js";
import { unpack } from "./unpack.js";

/** @import { NodeId, Pane, Point } from "./types.d.ts" */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element of the page by its id.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function panel(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found;
}

/**
 * @template {Element} Kind
 * @param {ParentNode} inside
 * @param {string} selector
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function part(inside, selector, kind) {
  const found = inside.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** @param {string} text */
export function say(text) {
  panel("status").textContent = text;
}

/**
 * An element of SVG.
 *
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElement}
 */
export function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, String(attributes[key]));
  if (text !== undefined) element.textContent = text;
  return /** @type {SVGElement} */ (element);
}

/**
 * An element of HTML; strings become text nodes.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number>} attributes
 * @param {(string | Element)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function html(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const key in attributes) element.setAttribute(key, String(attributes[key]));
  element.append(...children);
  return element;
}

/**
 * A square of a colour.
 *
 * @param {string} colour
 */
export function swatch(colour) {
  const square = html("span", { class: "swatch" });
  square.style.background = colour;
  return square;
}

/**
 * Let an element be clicked and entered like a button.
 *
 * @template {HTMLElement} Kind
 * @param {Kind} element
 * @param {() => void} run
 * @returns {Kind}
 */
export function button(element, run) {
  element.tabIndex = 0;
  element.setAttribute("role", "button");
  element.addEventListener("click", run);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter") run();
  });
  return element;
}

export const graph = new Graph(unpack(JSON.parse(panel("data").textContent ?? "")));
export const data = graph.page;
export const panesBox = panel("panes");

/**
 * The name of a program, which stays where it is when the graph moves below it.
 *
 * @param {number} side
 */
function heading(side) {
  const { role, name } = data.sides[side], element = make("g", { class: "heading" });
  const under = make("rect", { width: "100%", height: 25 });
  element.append(under, make("text", { x: 10, y: 17 }, `${role}: ${name}`));
  return element;
}

/**
 * A pane for each program.
 *
 * @returns {Pane[]}
 */
function makePanes() {
  const first = part(panesBox, "#canvas", SVGSVGElement);
  const all = [first];
  for (let side = 1; side < data.sides.length; side++) {
    const svg = /** @type {SVGSVGElement} */ (first.cloneNode(true));
    svg.id = `canvas-${side}`;
    part(svg, "title", SVGTitleElement).id = `canvas-title-${side}`;
    svg.setAttribute("aria-labelledby", `canvas-title-${side}`);
    panesBox.insertBefore(svg, panel("between"));
    all.push(svg);
  }
  return all.map((svg, side) => {
    svg.dataset.side = String(side);
    if (all.length > 1) svg.append(heading(side));
    const world = part(svg, ".world", SVGGElement);
    return { svg, world, side, view: { x: 0, y: 0, k: 1 }, nodes: [], w: 0, h: 0 };
  });
}
export const panes = makePanes();

/**
 * Ask a pane for its size; not between inserting nodes and showing them, or every text is laid out.
 *
 * @param {Pane} pane
 */
export function measure(pane) {
  pane.w = pane.svg.clientWidth;
  pane.h = pane.svg.clientHeight;
}

/** @param {number} n @param {string} word */
export const count = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

export const state = {
  /** The pane that keys move. */
  active: panes[0],
  /** @type {NodeId | null} */
  selected: null,
  /** The number that nodes are coloured by, or -1, and the largest one that is visible. */
  colourBy: data.colours.findIndex(([key]) => key === data.colourBy),
  colourTop: 0,
  /** Whether both panes move together. */
  synced: data.partners.length > 0,
  /** @type {Point[] | null} heights of what belongs together in both panes, rising */
  anchors: null,
  /** @type {Map<string, Element>} the elements of nodes, by group and number */
  shown: new Map(),
};

/** @param {NodeId} id */
export const elementOf = ([g, n]) => state.shown.get(`${g}:${n}`);

/** @param {NodeId} id */
export const paneOf = ([g]) => panes[data.groups[g].side];

/**
 * Give nodes a class and take it from all others.
 *
 * @param {string} name
 * @param {Iterable<NodeId>} ids
 */
export function markOnly(name, ids) {
  for (const element of document.querySelectorAll(`.node.${name}`)) element.classList.remove(name);
  for (const id of ids) elementOf(id)?.classList.add(name);
}
