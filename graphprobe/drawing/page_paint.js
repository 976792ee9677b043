// From places to SVG. Text from the model only ever becomes the text of a node, never markup.
const SVG = "http://www.w3.org/2000/svg";
const panesBox = document.getElementById("panes"), canvas = document.getElementById("canvas");
let shown = new Map();             // "group:node" -> element

// A pane for each program: its SVG element, what moves in it, its scale and corner, and its size.
// The size is measured rarely: asking for it after nodes were inserted lays out every text at once.
function addPane(svg, side) {
  svg.dataset.side = side;
  return { svg, side, world: svg.querySelector(".world"), view: { x: 0, y: 0, k: 1 }, w: svg.clientWidth, h: svg.clientHeight };
}
for (let side = 1; side < data.sides.length; side++) {
  const svg = canvas.cloneNode(true);
  svg.id = `canvas-${side}`;
  svg.querySelector("title").id = `canvas-title-${side}`;
  svg.setAttribute("aria-labelledby", `canvas-title-${side}`);
  panesBox.insertBefore(svg, document.getElementById("between"));
}
const panes = [...panesBox.querySelectorAll(".pane")].map(addPane);
let active = panes[0];             // the pane that keys move
const paneOf = (g) => panes[data.groups[g].side];

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  return element;
}

function boxOf(g, n) {
  const group = data.groups[g], p = group.place;
  return { x: group.at[0] + p.x[n], y: group.at[1] + p.y[n], w: p.size[n][0], h: p.size[n][1] };
}

// The fill of a node by the chosen number; the darkest is the largest of what is visible.
let colourBy = data.colours.findIndex(([key]) => key === data.colourBy), colourTop = 0;
function fillOf(node) {
  if (colourBy < 0 || node.count === 0) return "";
  const value = node.v[colourBy];
  if (value === null) return data.unknown;
  return value && colourTop ? data.scale[Math.round(16 * Math.sqrt(value / colourTop))] : "";
}
function measureColours(visible) {
  colourTop = 0;
  if (colourBy < 0) return;
  for (const g of visible) for (const node of data.groups[g].nodes) {
    if (node.child < 0 || !opened.has(node.child)) colourTop = Math.max(colourTop, node.v[colourBy] || 0);
  }
}

function paintNode(g, n, into) {
  const node = data.groups[g].nodes[n], b = boxOf(g, n);
  const isOpen = node.child >= 0 && opened.has(node.child);
  const element = make("g", {
    class: `node ${node.k}${isOpen ? " opened" : ""}`, tabindex: 0, role: "button",
    transform: `translate(${b.x.toFixed(1)} ${b.y.toFixed(1)})`, "data-g": g, "data-n": n,
    "aria-label": `${node.n} ${node.full} ${node.l.join(", ")} ${node.c.map((c) => c[0]).join(", ")}`,
  });
  if (node.child >= 0) element.setAttribute("aria-expanded", String(isOpen));
  const frame = make("rect", { class: "frame", width: b.w.toFixed(1), height: b.h.toFixed(1), rx: 2.5 });
  if (!isOpen) frame.style.fill = fillOf(node);
  element.append(frame);
  let top = 1;
  for (const [colour, share] of node.b) {
    element.append(make("rect", { x: 0.6, y: top, width: 4, height: (b.h - 2) * share, fill: colour }));
    top += (b.h - 2) * share;
  }
  const title = make("text", { class: "title", x: 9, y: 11 });
  const number = make("tspan", { class: "soft", "font-weight": "normal", "font-size": 7 }, `${node.n}  `);
  title.append(number, document.createTextNode(node.t));
  element.append(title);
  if (node.child >= 0) element.append(make("text", { class: "soft", x: b.w - 9, y: b.h - 3 }, isOpen ? "−" : "+"));
  if (node.p.length) element.append(make("text", { class: "badge", x: b.w - 4, y: 11, "text-anchor": "end" }, node.p.join(" ")));
  if (!isOpen) paintLines(node, element);
  into.append(element);
  shown.set(`${g}:${n}`, element);
}

function paintLines(node, element) {
  let y = 11;
  node.l.forEach((line, i) => { y += 8.6; element.append(make("text", { class: i ? "soft" : "", x: 9, y }, line)); });
  for (const [text, colour, x, row] of node.c) {
    const base = y + 8.6 * (row + 1);
    element.append(make("rect", { x: 9 + x, y: base - 5.5, width: 5.5, height: 5.5, fill: colour }));
    element.append(make("text", { x: 16.5 + x, y: base }, text));
  }
}

function curve(points) {
  let path = `M${points[0][0].toFixed(1)} ${points[0][1].toFixed(1)}`;
  for (let i = 1; i < points.length; i++) {
    const [x1, y1] = points[i - 1], [x2, y2] = points[i], m = ((y1 + y2) / 2).toFixed(1);
    path += `C${x1.toFixed(1)} ${m} ${x2.toFixed(1)} ${m} ${x2.toFixed(1)} ${y2.toFixed(1)}`;
  }
  return path;
}

function wirePoints(g, wire) {
  const group = data.groups[g], [u, v, ways] = wire, a = boxOf(g, u), b = boxOf(g, v);
  const points = [[a.x + a.w / 2, a.y + a.h]];
  (ways || []).forEach((want, i) => {
    const row = group.nodes[u].r + 1 + i, x = group.at[0] + wayX(group, row, want);
    points.push([x, group.at[1] + group.place.tops[row]], [x, group.at[1] + group.place.bottoms[row]]);
  });
  points.push([b.x + b.w / 2, b.y]);
  return points;
}

// One path for all wires, one for all heads: thousands of edges stay two elements.
function paintWires(visible) {
  const wires = [], long = [], heads = [];
  for (const g of visible) for (const wire of data.groups[g].wires) {
    const points = wirePoints(g, wire), [x, y] = points[points.length - 1];
    (wire[2] ? wires : long).push(curve(points));
    heads.push(`M${x.toFixed(1)} ${y.toFixed(1)}l-2.2-4.5h4.4z`);
  }
  return [
    make("path", { class: "long", d: long.join("") }),
    make("path", { class: "wires", d: wires.join("") }),
    make("path", { class: "heads", d: heads.join("") }),
  ];
}

function paint() {
  const visible = layoutAll();
  shown = new Map();
  measureColours(visible);
  paintColourBar();
  for (const pane of panes) {
    const mine = visible.filter((g) => data.groups[g].side === pane.side), nodes = document.createDocumentFragment();
    for (const g of mine) data.groups[g].nodes.forEach((_, n) => paintNode(g, n, nodes));
    const side = data.sides[pane.side];
    const headings = panes.length > 1 ? [make("text", { class: "heading", x: 0, y: 8 }, `${side.role}: ${side.name}`)] : [];
    // Wires lie above the frames of opened nodes, or those would hide them.
    const layer = make("g", {});
    layer.append(nodes);
    pane.world.replaceChildren(layer, ...paintWires(mine), make("path", { class: "path" }), ...headings);
  }
  anchors = null;
  paintPairs();
}

// The innermost visible node that holds an op.
function visibleNode(op) {
  let [g, n] = home.get(op);
  const chain = [];
  for (let at = [g, n]; at; at = parentOf.get(at[0])) chain.push(at);
  for (const [group, node] of chain) if (shown.has(`${group}:${node}`)) {
    const child = data.groups[group].nodes[node].child;
    if (child < 0 || !opened.has(child)) return [group, node];
  }
  return chain[chain.length - 1];
}

// Lines from pane to pane, in the coordinates of the screen.
function paintPairs() {
  const ends = data.pairs.map((_, i) => pairEnds(i)).filter(Boolean);
  const origin = panesBox.getBoundingClientRect();
  const [first, second] = panes.map((pane) => pane.svg.getBoundingClientRect()), below = second && second.top > first.top;
  const lines = ends.map(([left, right]) => {
    const a = onScreen(left), b = onScreen(right);
    const from = below ? [a.x + a.w / 2, a.y + a.h] : [a.x + a.w, a.y + a.h / 2];
    const to = below ? [b.x + b.w / 2, b.y] : [b.x, b.y + b.h / 2];
    return curve([from, to].map(([x, y]) => [x - origin.left, y - origin.top]));
  });
  document.getElementById("links").setAttribute("d", lines.join(""));
}

// Where a node is in the window; a node that was moved out of its pane ends at the pane's edge.
function onScreen([g, n]) {
  const pane = paneOf(g), box = boxOf(g, n), corner = pane.svg.getBoundingClientRect(), { x, y, k } = pane.view;
  const inside = (at, low, high) => Math.min(Math.max(at, low), high);
  const left = inside(x + box.x * k, 0, corner.width), right = inside(x + (box.x + box.w) * k, 0, corner.width);
  const top = inside(y + box.y * k, 0, corner.height), low = inside(y + (box.y + box.h) * k, 0, corner.height);
  return { x: corner.left + left, y: corner.top + top, w: right - left, h: low - top };
}

function pairEnds(i) {
  const pair = data.pairs[i], a = writer(0, pair.student), b = writer(1, pair.teacher);
  return a === undefined || b === undefined ? null : [visibleNode(a), visibleNode(b)];
}

function place(pane) {
  const { x, y, k } = pane.view;
  pane.world.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
  pane.svg.classList.toggle("far", k < 0.28);
}

// Show a pane where its view says; the other pane follows where they are linked.
function move(pane = active) {
  place(pane);
  if (synced && panes.length > 1) follow(pane, panes[1 - pane.side]);
  if (data.pairs.length) paintPairs();
}

function zoom(factor, pane = active, x = pane.w / 2, y = pane.h / 2) {
  const view = pane.view, k = Math.min(8, Math.max(0.01, view.k * factor));
  view.x = x - (x - view.x) * (k / view.k);
  view.y = y - (y - view.y) * (k / view.k);
  view.k = k;
  move(pane);
}

function fitPane(pane) {
  const places = data.roots[pane.side].map((g) => data.groups[g]), view = pane.view;
  const w = Math.max(1, ...places.map((g) => g.at[0] + g.place.w)), h = Math.max(1, ...places.map((g) => g.at[1] + g.place.h));
  view.k = Math.max(0.01, Math.min(2, (pane.w - 30) / w, (pane.h - 30) / h));
  view.x = (pane.w - w * view.k) / 2;
  view.y = 15;
  place(pane);
}
function fitView() {
  panes.forEach(fitPane);
  if (data.pairs.length) paintPairs();
}

function centre(nodes) {
  const pane = paneOf(nodes[0][0]), view = pane.view, boxes = nodes.map(([g, n]) => boxOf(g, n));
  const left = Math.min(...boxes.map((b) => b.x)), right = Math.max(...boxes.map((b) => b.x + b.w));
  const top = Math.min(...boxes.map((b) => b.y)), low = Math.max(...boxes.map((b) => b.y + b.h));
  view.k = Math.min(Math.max(view.k, 1.3), (pane.w - 40) / (right - left + 1), (pane.h - 40) / (low - top + 1), 2.5);
  view.x = pane.w / 2 - ((left + right) / 2) * view.k;
  view.y = pane.h / 2 - ((top + low) / 2) * view.k;
  move(pane);
}
