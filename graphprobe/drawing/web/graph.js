// The graph without its picture: what holds what, which nodes are open, where everything is.

import { HEAD, layOut, PAD } from "./layout.js";

/** @import { Box, Group, Node, NodeId, Page, Place, Point } from "./types.d.ts" */

/** Between the outermost groups of a side. */
const APART = 50;

export class Graph {
  /** @param {Page} page */
  constructor(page) {
    this.page = page;
    /** @type {Set<number>} groups that are shown inside their node */
    this.opened = new Set();
    /** @type {Map<number, NodeId>} a group and the node that opens into it */
    this.parentOf = new Map();
    /** @type {Map<number, NodeId>} an op and its finest node */
    this.home = new Map();
    /** @type {Map<number, number>} the op that belongs to an op of the other side */
    this.partnerOf = new Map();
    /** @type {Map<string, number>[]} by side: the last op that writes a variable */
    this.writers = page.sides.map(() => new Map());
    /** @type {Map<string, number>[]} by side: the first op that reads one */
    this.readers = page.sides.map(() => new Map());
    /** @type {number[]} the groups that are shown, from outside in */
    this.visible = [];
    /** @type {Map<number, Place>} */
    this.places = new Map();
    /** @type {Map<number, Point>} the corner of each group that is shown */
    this.corners = new Map();
    this.index();
  }

  index() {
    const { groups, ops, partners } = this.page;
    groups.forEach((group, g) =>
      group.nodes.forEach((node, n) => {
        if (node.child >= 0) this.parentOf.set(node.child, [g, n]);
        else for (const op of node.ops) this.home.set(op, [g, n]);
      })
    );
    ops.forEach((op, at) => {
      for (const name of Object.values(op.o).flat()) this.writers[op.s].set(name, at);
      for (const name of Object.values(op.i).flat()) {
        if (!this.readers[op.s].has(name)) this.readers[op.s].set(name, at);
      }
    });
    for (const [a, b] of partners) this.partnerOf.set(a, b).set(b, a);
  }

  /** @param {NodeId} id @returns {Node} */
  node([g, n]) {
    return this.page.groups[g].nodes[n];
  }

  /** @param {number} side @param {string} name @returns {number | undefined} */
  writer(side, name) {
    return this.writers[side]?.get(name);
  }

  /** @param {Node} node */
  isOpen(node) {
    return node.child >= 0 && this.opened.has(node.child);
  }

  /**
   * Close a group and everything inside it.
   *
   * @param {number} g
   */
  close(g) {
    const queue = [g];
    for (const at of queue) {
      this.opened.delete(at);
      for (const node of this.page.groups[at].nodes) if (node.child >= 0) queue.push(node.child);
    }
  }

  /**
   * Open every visible node by one level, as far as there is room.
   *
   * @param {number} most nodes
   * @returns {{ added: number, full: boolean }}
   */
  openLevel(most) {
    const { groups } = this.page, visible = this.visibleGroups();
    let count = visible.reduce((sum, g) => sum + groups[g].nodes.length, 0), added = 0;
    for (const node of visible.flatMap((g) => groups[g].nodes)) {
      if (node.child < 0 || this.opened.has(node.child)) continue;
      count += groups[node.child].nodes.length;
      if (count > most) return { added, full: true };
      this.opened.add(node.child);
      added++;
    }
    return { added, full: false };
  }

  /** The groups that are shown, from outside in. */
  visibleGroups() {
    const found = this.page.roots.flat();
    for (const g of found) {
      for (const node of this.page.groups[g].nodes) if (this.isOpen(node)) found.push(node.child);
    }
    return found;
  }

  /**
   * The place of a group that is shown.
   *
   * @param {number} g
   * @returns {Place}
   */
  place(g) {
    const found = this.places.get(g);
    if (!found) throw new Error(`group ${g} is not shown`);
    return found;
  }

  /**
   * The corner of a group that is shown.
   *
   * @param {number} g
   * @returns {Point}
   */
  corner(g) {
    const found = this.corners.get(g);
    if (!found) throw new Error(`group ${g} is not shown`);
    return found;
  }

  /**
   * The size of a node: its own, or that of the group it is opened into.
   *
   * @param {Node} node
   * @returns {[w: number, h: number]}
   */
  sizeOf(node) {
    if (!this.isOpen(node)) return [node.w, node.h];
    const inner = this.place(node.child);
    return [Math.max(node.w, inner.w + 2 * PAD), inner.h + HEAD + 2 * PAD];
  }

  /** Lay out every visible group: sizes from inside out, corners from outside in. */
  layOut() {
    const { groups, roots } = this.page;
    this.visible = this.visibleGroups();
    this.places.clear();
    this.corners.clear();
    for (const g of this.visible.slice().reverse()) {
      this.places.set(g, layOut(groups[g], groups[g].nodes.map((node) => this.sizeOf(node))));
    }
    for (const mine of roots) {
      let y = 0;
      for (const g of mine) {
        this.corners.set(g, [0, y]);
        y += this.place(g).h + APART;
      }
    }
    for (const g of this.visible) this.placeInside(g, groups[g]);
  }

  /** @param {number} g @param {Group} group */
  placeInside(g, group) {
    group.nodes.forEach((node, n) => {
      if (!this.isOpen(node)) return;
      const box = this.boxOf([g, n]), inner = this.place(node.child);
      this.corners.set(node.child, [box.x + (box.w - inner.w) / 2, box.y + HEAD + PAD]);
    });
  }

  /**
   * Where a node is, in the coordinates of its side.
   *
   * @param {NodeId} id
   * @returns {Box}
   */
  boxOf([g, n]) {
    const place = this.place(g), [x, y] = this.corner(g), [w, h] = place.size[n];
    return { x: x + place.x[n], y: y + place.y[n], w, h };
  }

  /**
   * Every op inside a node, however deep.
   *
   * @param {NodeId} id
   * @returns {number[]}
   */
  allOps(id) {
    const node = this.node(id);
    if (node.child < 0) return node.ops;
    return this.page.groups[node.child].nodes.flatMap((_, inner) =>
      this.allOps([node.child, inner])
    );
  }

  /**
   * A node and what holds it, from outside in.
   *
   * @param {NodeId} id
   * @returns {NodeId[]}
   */
  holders(id) {
    const chain = [id];
    for (let at = this.parentOf.get(id[0]); at; at = this.parentOf.get(at[0])) chain.unshift(at);
    return chain;
  }

  /**
   * The innermost node that is shown and holds an op; null for an op that no node holds.
   *
   * @param {number} op
   * @returns {NodeId | null}
   */
  visibleNode(op) {
    const home = this.home.get(op);
    if (!home) return null;
    const chain = this.holders(home);
    return chain.find((id) => !this.isOpen(this.node(id))) ?? home;
  }

  /**
   * Open what holds a node.
   *
   * @param {NodeId} id
   */
  reveal(id) {
    for (const holder of this.holders(id).slice(0, -1)) this.opened.add(this.node(holder).child);
  }

  /**
   * The visible nodes at both ends of a pair; null where one end is not on the page.
   *
   * @param {number} i
   * @returns {[NodeId, NodeId] | null}
   */
  pairEnds(i) {
    const pair = this.page.pairs[i];
    const a = this.writer(0, pair.student), b = this.writer(1, pair.teacher);
    const from = a === undefined ? null : this.visibleNode(a);
    const to = b === undefined ? null : this.visibleNode(b);
    return from && to && [from, to];
  }

  /**
   * Pairs of visible nodes, one of either side, that belong together.
   *
   * @returns {[NodeId, NodeId][]}
   */
  linkedNodes() {
    /** @type {Map<string, [NodeId, NodeId]>} */
    const found = new Map();
    for (const [a, b] of this.page.partners) {
      const from = this.visibleNode(a), to = this.visibleNode(b);
      if (from && to) found.set(`${from} ${to}`, [from, to]);
    }
    if (this.page.partners.length) return [...found.values()];
    return this.page.pairs.map((_, i) => this.pairEnds(i)).filter((ends) => ends !== null);
  }

  /**
   * The visible nodes of the other side that belong to a node.
   *
   * @param {NodeId} id
   * @returns {NodeId[]}
   */
  twinsOf(id) {
    /** @type {(NodeId | null | undefined)[]} */
    const found = this.allOps(id).map((op) => {
      const twin = this.partnerOf.get(op);
      return twin === undefined ? null : this.visibleNode(twin);
    });
    const there = 1 - this.page.groups[id[0]].side;
    for (const badge of this.node(id).p) found.push(this.pairEnds(pairNumber(badge))?.[there]);
    /** @type {Map<string, NodeId>} */
    const once = new Map();
    for (const twin of found) if (twin) once.set(twin.join(), twin);
    return [...once.values()];
  }
}

/**
 * The pair that a badge such as P1 names.
 *
 * @param {string} badge
 */
export function pairNumber(badge) {
  return Number(badge.slice(1)) - 1;
}
