// Sizes and places. Rows and wished-for columns were computed beforehand; opening a node makes it
// larger, and its row and the rows below move apart.
const data = JSON.parse(document.getElementById("data").textContent);
const GAP_X = 12, GAP_Y = 19, PAD = 10, HEAD = 16, WAY = 8;
// Names and attributes that many ops share stand once; what is usual is not said.
for (const op of data.ops) {
  op.s = op.s || 0;
  for (const slots of [op.i, op.o]) for (const slot in slots) slots[slot] = slots[slot].map((at) => data.names[at]);
  op.a = op.a === undefined ? {} : data.attrs[op.a];
}
for (const side of data.sides) for (const name in side.vars) {
  if (side.vars[name].length === 1) side.vars[name].push("float32", "");
}
for (const group of data.groups) group.nodes = group.nodes.map((node) => ({
  c: [], b: [], p: [], k: "op", r: 0, child: -1, l: [], v: data.colours.map(() => 0), full: node.t, count: node.ops.length, ...node,
}));
const opened = new Set();          // groups that are shown inside their node
const parentOf = new Map();        // group -> [group, node] that opens into it
data.groups.forEach((group, g) => group.nodes.forEach((node, n) => {
  if (node.child >= 0) parentOf.set(node.child, [g, n]);
}));

// The positions nearest to the wished-for ones that keep order and distance (isotonic regression).
function fit(wanted, room) {
  const offset = [];
  let total = 0;
  room.forEach((gap, i) => { total += i ? gap : 0; offset.push(total); });
  const pools = [];
  wanted.forEach((want, i) => {
    let mean = want - offset[i], count = 1;
    while (pools.length && pools[pools.length - 1][0] > mean) {
      const [other, many] = pools.pop();
      mean = (mean * count + other * many) / (count + many);
      count += many;
    }
    pools.push([mean, count]);
  });
  const flat = [];
  for (const [mean, count] of pools) for (let i = 0; i < count; i++) flat.push(mean);
  return flat.map((at, i) => at + offset[i]);
}

// The size of a node: its own, or that of the group it is opened into.
function sizeOf(node) {
  if (node.child < 0 || !opened.has(node.child)) return [node.w, node.h];
  const inner = data.groups[node.child].place;
  return [Math.max(node.w, inner.w + 2 * PAD), inner.h + HEAD + 2 * PAD];
}

function layoutGroup(group) {
  const size = group.nodes.map(sizeOf), x = group.nodes.map(() => 0), y = x.slice();
  const tops = [], bottoms = [];
  let at = 0;
  group.rows.forEach((row) => {
    const high = row.reduce((most, n) => Math.max(most, size[n][1]), 0);
    row.forEach((n) => { y[n] = at + (high - size[n][1]) / 2; });
    tops.push(at);
    bottoms.push(at + high);
    at += high + GAP_Y;
    const room = row.map((n, i) => i ? (size[row[i - 1]][0] + size[n][0]) / 2 + GAP_X : 0);
    fit(row.map((n) => group.nodes[n].x), room).forEach((c, i) => { x[row[i]] = c - size[row[i]][0] / 2; });
  });
  let left = Infinity, right = -Infinity;
  group.nodes.forEach((_, n) => { left = Math.min(left, x[n]); right = Math.max(right, x[n] + size[n][0]); });
  for (const [, , ways] of group.wires) for (const way of ways || []) {
    left = Math.min(left, way - WAY / 2);
    right = Math.max(right, way + WAY / 2);
  }
  if (!group.nodes.length) { left = 0; right = 0; }
  group.place = { x: x.map((c) => c - left), y, size, tops, bottoms, left, w: right - left, h: Math.max(0, at - GAP_Y) };
}

// Way points give way to boxes that have grown over them.
function wayX(group, row, want) {
  const p = group.place;
  let at = want - p.left;
  for (const n of group.rows[row]) {
    if (at > p.x[n] - 3 && at < p.x[n] + p.size[n][0] + 3) {
      at = at < p.x[n] + p.size[n][0] / 2 ? p.x[n] - 5 : p.x[n] + p.size[n][0] + 5;
    }
  }
  return at;
}

// Lay out every visible group, innermost first; groups are numbered outside in.
function layoutAll() {
  const visible = visibleGroups();
  for (let i = visible.length - 1; i >= 0; i--) layoutGroup(data.groups[visible[i]]);
  for (const groups of data.roots) {
    let y = data.sides.length > 1 ? 22 : 0;
    for (const g of groups) {
      const group = data.groups[g];
      group.at = [0, y];
      y += group.place.h + 50;
    }
  }
  for (const g of visible) {
    const group = data.groups[g], p = group.place;
    group.nodes.forEach((node, n) => {
      if (node.child >= 0 && opened.has(node.child)) {
        const inner = data.groups[node.child];
        inner.at = [group.at[0] + p.x[n] + (p.size[n][0] - inner.place.w) / 2, group.at[1] + p.y[n] + HEAD + PAD];
      }
    });
  }
  return visible;
}

function visibleGroups() {
  const found = data.roots.flat();
  for (const g of found) for (const node of data.groups[g].nodes) {
    if (node.child >= 0 && opened.has(node.child)) found.push(node.child);
  }
  return found;
}
