// Two panes that move and select together: pairs of student and teacher, or ops before and after.
let synced = data.partners.length > 0;
let anchors = null;                // heights of what belongs together: [in pane 0, in pane 1], rising

// The op that belongs to an op of the other side.
const partnerOf = new Map();
for (const [a, b] of data.partners) { partnerOf.set(a, b); partnerOf.set(b, a); }

// Pairs of visible nodes, one of either pane, that belong together.
function linkedNodes() {
  if (data.partners.length) {
    const seen = new Set(), found = [];
    for (const [a, b] of data.partners) {
      if (!home.has(a) || !home.has(b)) continue;
      const nodes = [visibleNode(a), visibleNode(b)], key = nodes.join();
      if (!seen.has(key)) { seen.add(key); found.push(nodes); }
    }
    return found;
  }
  return data.pairs.map((_, i) => pairEnds(i)).filter(Boolean);
}

// Heights that belong together, both rising, so that any height can be looked up between two.
function rising(points) {
  const found = [];
  for (const [a, b] of points.slice().sort((p, q) => p[0] - q[0] || p[1] - q[1])) {
    const last = found[found.length - 1];
    if (!last || (a > last[0] && b > last[1])) found.push([a, b]);
  }
  return found;
}

// The height in the other pane that belongs to a height in this one (`from` is 0 or 1).
function heightThere(points, from, y) {
  const to = 1 - from;
  if (!points.length) return y;
  if (y <= points[0][from]) return points[0][to] + (y - points[0][from]);
  const last = points[points.length - 1];
  if (y >= last[from]) return last[to] + (y - last[from]);
  let low = 0, high = points.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][from] <= y) low = middle; else high = middle;
  }
  const [a, b] = [points[low], points[high]];
  return a[to] + ((y - a[from]) / (b[from] - a[from])) * (b[to] - a[to]);
}

// Move `there` so that what belongs together stands at one height, as large as in `here`.
function follow(here, there) {
  if (anchors === null) {
    anchors = rising(linkedNodes().map((nodes) => nodes.map(([g, n]) => { const b = boxOf(g, n); return b.y + b.h / 2; })));
  }
  const mine = here.view, other = there.view;
  const widths = [here, there].map((pane) => Math.max(1, ...data.roots[pane.side].map((g) => data.groups[g].place.w)));
  const across = (here.w / 2 - mine.x) / mine.k - widths[0] / 2;
  const y = heightThere(anchors, here.side, (here.h / 2 - mine.y) / mine.k);
  other.k = mine.k;
  other.x = there.w / 2 - (widths[1] / 2 + across) * other.k;
  other.y = there.h / 2 - y * other.k;
  place(there);
}

// The nodes of the other pane that belong to a node.
function twinsOf(g, n) {
  const node = data.groups[g].nodes[n], found = new Map();
  for (const op of allOps(g, n)) {
    const twin = partnerOf.get(op);
    if (twin !== undefined && home.has(twin)) { const at = visibleNode(twin); found.set(at.join(), at); }
  }
  for (const badge of node.p) {
    const ends = pairEnds(Number(badge.slice(1)) - 1);
    if (ends) { const at = ends[1 - data.groups[g].side]; found.set(at.join(), at); }
  }
  return [...found.values()];
}

// Every op inside a node, however deep.
function allOps(g, n) {
  const node = data.groups[g].nodes[n];
  if (node.child < 0) return node.ops;
  return data.groups[node.child].nodes.flatMap((_, inner) => allOps(node.child, inner));
}

function toggleSync() {
  synced = !synced;
  panel("sync").setAttribute("aria-pressed", String(synced));
  if (synced) move(active);
}

// What is on the screen as an SVG of its own: all panes beside each other, with the page's colours.
function viewAsSvg() {
  const box = panesBox.getBoundingClientRect();
  const whole = make("svg", { xmlns: SVG, width: box.width, height: box.height, viewBox: `0 0 ${box.width} ${box.height}` });
  whole.append(make("style", {}, document.querySelector("style").textContent), make("rect", { width: "100%", height: "100%", fill: "#fff" }));
  for (const pane of panes) {
    const at = pane.svg.getBoundingClientRect();
    const part = make("svg", { x: at.left - box.left, y: at.top - box.top, width: at.width, height: at.height, class: pane.svg.getAttribute("class") });
    part.append(pane.world.cloneNode(true));
    whole.append(part);
  }
  whole.append(document.getElementById("links").cloneNode(true));
  whole.setAttribute("font-family", getComputedStyle(document.body).fontFamily);
  return new XMLSerializer().serializeToString(whole);
}

function viewAsPng() {
  const box = panesBox.getBoundingClientRect(), image = new Image();
  return new Promise((resolve, reject) => {
    image.onload = () => {
      const sheet = document.createElement("canvas");
      sheet.width = 2 * box.width;
      sheet.height = 2 * box.height;
      sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
      resolve(sheet.toDataURL("image/png"));
    };
    image.onerror = () => reject(new Error("the view cannot be made a picture"));
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(viewAsSvg())}`;
  });
}

function save(address, name) {
  const link = html("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
const saveSvg = () => save(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(viewAsSvg())}`, "graph.svg");
const savePng = () => viewAsPng().then((address) => save(address, "graph.png"), (error) => say(error.message));
