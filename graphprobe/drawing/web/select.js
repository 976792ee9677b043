// Selecting, opening, searching; the address and the way from the whole network to a node.

import { addressOf, opAt } from "./address.js";
import { describe } from "./details.js";
import {
  button,
  data,
  elementOf,
  graph,
  html,
  markOnly,
  panel,
  paneOf,
  say,
  state,
} from "./page.js";
import { paint } from "./paint.js";
import { find, searchIndex } from "./search.js";
import { centre, startView } from "./view.js";

/** @import { Hit, NodeId } from "./types.d.ts" */

/** Hits that are listed, and hits that are marked. */
const LISTED = 100;
const MARKED = 2000;
/** Open nodes that a browser still moves at once. */
const OPEN = 5000;

/**
 * @param {NodeId} id
 * @param {boolean} [follows] the address led here, so going back must not end here again
 */
export function select(id, follows = false) {
  unmark();
  state.selected = id;
  const address = addressOf(graph, id);
  // A frame without an address of its own (a report) keeps no history.
  if (address && address !== location.hash && location.protocol !== "about:") {
    if (follows) history.replaceState(id, "", address);
    else history.pushState(id, "", address);
  }
  markOnly("selected", [id]);
  markOnly("twin", graph.twinsOf(id));
  state.active = paneOf(id);
  const element = elementOf(id);
  if (element instanceof SVGElement) element.focus({ preventScroll: true });
  describe(id);
  paintCrumbs(id);
}

function unmark() {
  for (const name of ["selected", "hot", "twin"]) markOnly(name, []);
  for (const path of document.querySelectorAll(".path")) path.setAttribute("d", "");
}

function selectNothing() {
  state.selected = null;
  unmark();
  panel("details").replaceChildren();
  panel("crumbs").replaceChildren();
}

/** @param {NodeId} id @param {boolean} [follows] */
export function show(id, follows) {
  select(id, follows);
  centre(id);
}

/**
 * Open what hides a node, then select it.
 *
 * @param {NodeId | undefined} id
 * @param {boolean} [follows]
 */
function reveal(id, follows) {
  if (!id) return;
  graph.reveal(id);
  paint();
  show(id, follows);
}

/**
 * Select the finest node of an op.
 *
 * @param {number} op
 */
export function revealOp(op) {
  reveal(graph.home.get(op));
}

/** @param {NodeId} id */
function paintCrumbs(id) {
  const side = data.sides[data.groups[id[0]].side];
  /** @type {(string | Element)[]} */
  const parts = [side.role || side.name];
  for (const holder of graph.holders(id)) {
    const node = graph.node(holder), crumb = html("button", {}, `${node.n} ${node.t}`);
    crumb.addEventListener("click", () => show(holder));
    parts.push(" › ", crumb);
  }
  panel("crumbs").replaceChildren(...parts);
}

/** Select what holds the selected node. */
export function selectHolder() {
  const holder = state.selected && graph.parentOf.get(state.selected[0]);
  if (holder) show(holder);
  else say(state.selected ? "nothing holds this node" : "select a node first");
}

/** @param {NodeId} id */
export function toggle(id) {
  const { child } = graph.node(id);
  if (child < 0) {
    say("this node has nothing inside");
    return;
  }
  if (graph.opened.has(child)) graph.close(child);
  else graph.opened.add(child);
  paint();
  select(id);
}

export function toggleSelected() {
  if (state.selected) toggle(state.selected);
  else say("select a node first");
}

export function openAll() {
  const { added, full } = graph.openLevel(OPEN);
  if (full) say("5,000 nodes are open: open single nodes instead");
  if (!added) return;
  paint();
  startView();
}

export function closeAll() {
  graph.opened.clear();
  paint();
  selectNothing();
  startView();
}

/**
 * The node that was selected when the address was made, where this page has it.
 *
 * @returns {NodeId | undefined}
 */
function remembered() {
  const [g, n] = Array.isArray(history.state) ? history.state : [];
  if (!data.groups[g]?.nodes[n]) return undefined;
  return addressOf(graph, [g, n]) === location.hash ? [g, n] : undefined;
}

/** Go to the node that the address names. */
export function followAddress() {
  const op = opAt(graph, location.hash);
  if (op === undefined) say("the page has no variable of that name");
  else if (op === null) selectNothing();
  else reveal(remembered() ?? graph.home.get(op), true);
}

/** @type {Hit[] | null} */
let index = null;

/** @param {string} text */
export function search(text) {
  const query = text.trim(), results = panel("results");
  markOnly("found", []);
  results.replaceChildren();
  if (!query) {
    say("");
    return;
  }
  index ??= searchIndex(graph);
  const hits = find(query, index, data);
  if (!hits) {
    say("not a regular expression");
    return;
  }
  results.append(...hits.slice(0, LISTED).map(hitEntry));
  const nodes = hits.slice(0, MARKED).map((hit) => graph.visibleNode(hit.op));
  markOnly("found", nodes.filter((id) => id !== null));
  say(`${hits.length} found${hits.length > LISTED ? `, the first ${LISTED} are listed` : ""}`);
}

/** @param {Hit} hit */
function hitEntry(hit) {
  const role = data.sides[hit.side].role, what = role ? `${role} ${hit.what}` : hit.what;
  const entry = html("li", {}, hit.name, html("span", { class: "faint" }, ` ${what}`));
  return button(entry, () => revealOp(hit.op));
}
