// From places to SVG. Text from the model only ever becomes the text of a node, never markup.
const SVG = "http://www.w3.org/2000/svg";
const canvas = document.getElementById("canvas"), world = document.getElementById("world");
let shown = new Map();             // "group:node" -> element
const view = { x: 0, y: 0, k: 1 };
// Measured rarely: asking for it after nodes were inserted lays out every text at once.
const frame = { w: canvas.clientWidth, h: canvas.clientHeight };

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
    make("path", { id: "long", d: long.join("") }),
    make("path", { id: "wires", d: wires.join("") }),
    make("path", { id: "heads", d: heads.join("") }),
  ];
}

function paint() {
  const visible = layoutAll(), nodes = document.createDocumentFragment();
  shown = new Map();
  measureColours(visible);
  paintColourBar();
  for (const g of visible) data.groups[g].nodes.forEach((_, n) => paintNode(g, n, nodes));
  const headings = data.sides.length > 1
    ? data.sides.map((side) => make("text", { class: "heading", x: side.x, y: 8 }, `${side.role}: ${side.name}`)) : [];
  // Wires lie above the frames of opened nodes, or those would hide them.
  const layer = make("g", {});
  layer.append(nodes);
  world.replaceChildren(layer, ...paintWires(visible), make("path", { id: "path" }), make("path", { id: "links" }), ...headings);
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

function paintPairs() {
  const links = data.pairs.map((pair, i) => {
    const ends = pairEnds(i);
    if (!ends) return "";
    const [a, b] = ends.map(([g, n]) => boxOf(g, n));
    return curve([[a.x + a.w, a.y + a.h / 2], [b.x, b.y + b.h / 2]]);
  });
  document.getElementById("links").setAttribute("d", links.join(""));
}

function pairEnds(i) {
  const pair = data.pairs[i], a = writer(0, pair.student), b = writer(1, pair.teacher);
  return a === undefined || b === undefined ? null : [visibleNode(a), visibleNode(b)];
}

function move() {
  world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
  canvas.classList.toggle("far", view.k < 0.28);
}

function zoom(factor, x = frame.w / 2, y = frame.h / 2) {
  const k = Math.min(8, Math.max(0.01, view.k * factor));
  view.x = x - (x - view.x) * (k / view.k);
  view.y = y - (y - view.y) * (k / view.k);
  view.k = k;
  move();
}

function fitView() {
  const places = data.roots.flat().map((g) => data.groups[g]);
  const w = Math.max(1, ...places.map((g) => g.at[0] + g.place.w)), h = Math.max(1, ...places.map((g) => g.at[1] + g.place.h));
  view.k = Math.max(0.01, Math.min(2, (frame.w - 30) / w, (frame.h - 30) / h));
  view.x = (frame.w - w * view.k) / 2;
  view.y = 15;
  move();
}

function centre(boxes) {
  const left = Math.min(...boxes.map((b) => b.x)), right = Math.max(...boxes.map((b) => b.x + b.w));
  const top = Math.min(...boxes.map((b) => b.y)), low = Math.max(...boxes.map((b) => b.y + b.h));
  view.k = Math.min(Math.max(view.k, 1.3), (frame.w - 40) / (right - left + 1), (frame.h - 40) / (low - top + 1), 2.5);
  view.x = frame.w / 2 - ((left + right) / 2) * view.k;
  view.y = frame.h / 2 - ((top + low) / 2) * view.k;
  move();
}
