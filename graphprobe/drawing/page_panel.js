// Search, details, pairs, legend and notes.
const panel = (id) => document.getElementById(id);
const home = new Map();            // op -> [group, node] of its finest node
const writers = data.sides.map(() => new Map()), readers = data.sides.map(() => new Map());
data.groups.forEach((group, g) => group.nodes.forEach((node, n) => {
  if (node.child < 0) for (const op of node.ops) home.set(op, [g, n]);
}));
data.ops.forEach((op, at) => {
  for (const slot in op.o) for (const name of op.o[slot]) writers[op.s].set(name, at);
  for (const slot in op.i) for (const name of op.i[slot]) if (!readers[op.s].has(name)) readers[op.s].set(name, at);
});
const writer = (side, name) => writers[side] && writers[side].get(name);
let selected = null;               // [group, node]

function html(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  element.append(...children);     // strings become text nodes
  return element;
}

function say(text) { panel("status").textContent = text; }

// Everything that a search can find: [words, op].
let index = null;
function searchIndex() {
  if (index) return index;
  index = [];
  const seen = new Set();
  const add = (side, what, name, op) => {
    const key = `${side} ${what} ${name}`;
    if (!seen.has(key)) { seen.add(key); index.push([name, what, side, op]); }
  };
  data.ops.forEach((op, at) => {
    index.push([op.t, "op", op.s, at]);
    for (const slot in op.i) for (const name of op.i[slot]) {
      const known = data.sides[op.s].vars[name];
      add(op.s, known && known[2] ? "parameter" : "variable", name, writers[op.s].has(name) ? writers[op.s].get(name) : at);
    }
    for (const slot in op.o) for (const name of op.o[slot]) {
      const known = data.sides[op.s].vars[name];
      add(op.s, known && known[2] ? "parameter" : "variable", name, at);
    }
  });
  return index;
}

// What a query finds: words, /a regular expression/, type:OP or shape:1,2,3; null where it is wrong.
function matcher(query) {
  const [, kind, rest] = query.match(/^(type|shape):(.*)$/) || [null, "", query];
  if (kind === "shape") {
    const sizes = rest.replace(/[\[\]\s]/g, "");
    return ([name, , side]) => {
      const known = data.sides[side].vars[name];
      return sizes !== "" && known !== undefined && `,${known[0].replace(/[\[\]\s]/g, "")},`.includes(`,${sizes},`);
    };
  }
  const expression = rest.match(/^\/(.+)\/$/);
  let test = (name) => name.toLowerCase().includes(rest.toLowerCase());
  if (expression) {
    try {
      const compiled = new RegExp(expression[1], "i");
      test = (name) => compiled.test(name);
    } catch { return null; }
  }
  return kind === "type" ? ([name, what]) => what === "op" && test(name) : ([name]) => test(name);
}

function search(text) {
  document.querySelectorAll(".node.found").forEach((e) => e.classList.remove("found"));
  const results = panel("results");
  results.replaceChildren();
  const matches = matcher(text.trim());
  if (!text.trim()) { say(""); return; }
  if (!matches) { say("not a regular expression"); return; }
  const wanted = text.trim().toLowerCase();
  const hits = searchIndex().filter(matches);
  hits.sort((a, b) => (a[0].toLowerCase() !== wanted) - (b[0].toLowerCase() !== wanted));
  for (const [name, what, side, op] of hits.slice(0, 100)) {
    const role = data.sides[side].role ? `${data.sides[side].role} ` : "";
    const entry = html("li", { tabindex: 0, role: "button" }, name, html("span", { class: "faint" }, ` ${role}${what}`));
    const go = () => reveal(op);
    entry.addEventListener("click", go);
    entry.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
    results.append(entry);
  }
  for (const hit of hits.slice(0, 2000)) {
    const [g, n] = visibleNode(hit[3]);
    shown.get(`${g}:${n}`).classList.add("found");
  }
  say(`${hits.length} found${hits.length > 100 ? ", the first 100 are listed" : ""}`);
}

// Open what is needed to show an op, then select it.
function reveal(op) {
  if (!home.has(op)) return;
  const [g, n] = home.get(op);
  for (let at = parentOf.get(g), child = g; at; child = at[0], at = parentOf.get(child)) opened.add(child);
  paint();
  select(g, n);
  centre([[g, n]]);
}

// The name that an address can hold: the main variable of the last op of a node.
function addressOf(g, n) {
  const ops = data.groups[g].nodes[n].ops, last = data.ops[ops[ops.length - 1]];
  if (!last) return "";
  const name = (last.o.Output || last.o.Out || last.o.Y || Object.values(last.o)[0] || [""])[0];
  const role = data.sides[last.s].role;
  return `#${role ? `${role}:` : ""}${encodeURIComponent(name)}`;
}

// Open the address of a node: #name, or #student:name and #teacher:name.
function followAddress() {
  const [, role, name] = decodeURIComponent(location.hash.slice(1)).match(/^(student:|teacher:|before:|after:)?(.*)$/s);
  if (!name) return;
  const sides = role ? [role === "teacher:" || role === "after:" ? 1 : 0] : data.sides.map((_, side) => side);
  for (const side of sides) {
    const op = writer(side, name) !== undefined ? writer(side, name) : readers[side] && readers[side].get(name);
    if (op !== undefined) { reveal(op); return; }
  }
  say("the page has no variable of that name");
}

function select(g, n) {
  selected = [g, n];
  const address = addressOf(g, n);
  // A frame without an address of its own (a report) keeps no history.
  if (address && address !== location.hash && location.protocol !== "about:") history.pushState(null, "", address);
  document.querySelectorAll(".node.selected, .node.hot, .node.twin").forEach((e) => e.classList.remove("selected", "hot", "twin"));
  document.querySelectorAll(".path").forEach((e) => e.setAttribute("d", ""));
  active = paneOf(g);
  const element = shown.get(`${g}:${n}`);
  if (element) { element.classList.add("selected"); element.focus({ preventScroll: true }); }
  for (const at of twinsOf(g, n)) shown.get(at.join(":")).classList.add("twin");
  describe(g, n);
  paintCrumbs(g, n);
}

// The nodes that hold a node, from outside in.
function holders(g, n) {
  const chain = [[g, n]];
  for (let at = parentOf.get(g); at; at = parentOf.get(at[0])) chain.unshift(at);
  return chain;
}

function paintCrumbs(g, n) {
  const side = data.sides[data.groups[g].side], parts = [side.role || side.name];
  for (const [group, node] of holders(g, n)) {
    const at = data.groups[group].nodes[node], crumb = html("button", {}, `${at.n} ${at.t}`);
    crumb.addEventListener("click", () => { select(group, node); centre([[group, node]]); });
    parts.push(" › ", crumb);
  }
  panel("crumbs").replaceChildren(...parts);
}

// Select what holds the selected node.
function selectHolder() {
  const at = selected && parentOf.get(selected[0]);
  if (at) { select(...at); centre([at]); } else say(selected ? "nothing holds this node" : "select a node first");
}

function toggle(g, n) {
  const child = data.groups[g].nodes[n].child;
  if (child < 0) { say("this node has nothing inside"); return; }
  if (opened.has(child)) closeGroup(child); else opened.add(child);
  paint();
  select(g, n);
}

function closeGroup(g) {
  const queue = [g];
  for (const at of queue) {
    opened.delete(at);
    for (const node of data.groups[at].nodes) if (node.child >= 0) queue.push(node.child);
  }
}

function describe(g, n) {
  const node = data.groups[g].nodes[n], side = data.sides[data.groups[g].side];
  const parts = [html("h2", {}, `${node.n} ${node.full}`)];
  if (node.l.length) parts.push(html("p", { class: "faint" }, node.l.join(" · ")));
  for (const badge of node.p) parts.push(pairEntry(Number(badge.slice(1)) - 1));
  for (const at of node.ops) if (data.ops[at].d) parts.push(html("p", { class: "change" }, changeWord(data.ops[at])));
  for (const at of node.ops.slice(0, 40)) parts.push(...opParts(data.ops[at], side, node.count <= 3));
  if (node.count > 40) parts.push(html("p", {}, `and ${node.count - 40} more ops: open the node`));
  panel("details").replaceChildren(...parts);
  const op = node.ops.map((at) => data.ops[at]).find((o) => o.i.Filter && side.convs[o.i.Filter[0]]);
  if (op && node.ops.filter((at) => data.ops[at].i.Filter).length === 1) showPath(data.groups[g].side, side.convs[op.i.Filter[0]].path);
}

function opParts(op, side, full) {
  const table = html("table", {});
  const row = (key, value) => table.append(html("tr", {}, html("td", {}, key), html("td", {}, value)));
  const shape = (name) => { const v = side.vars[name]; return v ? `${name} ${v[0]} ${v[1]}` : name; };
  for (const slot in op.i) row(slot, op.i[slot].map(shape).join(", "));
  for (const slot in op.o) row(`→ ${slot}`, op.o[slot].map(shape).join(", "));
  if (full) for (const key in op.a || {}) row(key, op.a[key]);
  const parts = [html("h2", {}, op.t)];
  const filter = op.i.Filter && side.convs[op.i.Filter[0]];
  if (filter) {
    const colour = data.legend.find(([word]) => word === filter.word);
    const swatch = html("span", { class: "swatch" });
    swatch.style.background = colour ? colour[1] : "#999";
    parts.push(html("p", { class: "prune" }, swatch, `${filter.status}${filter.reason ? `: ${filter.reason}` : ""}${filter.at ? ` at ${filter.at}` : ""}`,
      html("br", {}), filter.detail || "", filter.path.length ? html("span", { class: "faint" }, ` ${filter.path.join(" → ")}`) : ""));
  }
  parts.push(table);
  return parts;
}

// What became of an op, in words.
function changeWord(op) {
  const [kind, words] = op.d, swatch = html("span", { class: "swatch" }), entry = data.legend.find(([word]) => word === kind);
  swatch.style.background = entry ? entry[1] : "#999";
  return html("span", {}, swatch, `${kind}: ${op.t}${words.length ? ` ${words.join("; ")}` : ""}`);
}

// The way from a convolution to what stops it, over what is visible.
function showPath(side, path) {
  const nodes = [];
  for (const name of path) {
    const op = writer(side, name);
    if (op === undefined) continue;
    const at = visibleNode(op);
    if (!nodes.length || nodes[nodes.length - 1].join() !== at.join()) nodes.push(at);
  }
  for (const [g, n] of nodes) { const e = shown.get(`${g}:${n}`); if (e) e.classList.add("hot"); }
  const lines = [];
  for (let i = 1; i < nodes.length; i++) {
    const a = boxOf(...nodes[i - 1]), b = boxOf(...nodes[i]);
    lines.push(curve([[a.x + a.w / 2, a.y + a.h], [b.x + b.w / 2, b.y]]));
  }
  panes[side].world.querySelector(".path").setAttribute("d", lines.join(""));
}

function pairEntry(i) {
  const pair = data.pairs[i];
  const entry = html("li", { class: "pair", tabindex: 0, role: "button", "data-pair": i },
    `P${i + 1} ${pair.student} ↔ ${pair.teacher}`, html("br", {}),
    html("span", { class: "faint" }, `${pair.role}${pair.part ? `, ${pair.part}` : ""} · ${pair.loss} · ${pair.shapes} · ${pair.why}`));
  const go = () => showPair(i);
  entry.addEventListener("click", go);
  entry.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
  return entry;
}

function showPair(i) {
  const ends = pairEnds(i);
  if (!ends) { say("one end of this pair is not on the page"); return; }
  document.querySelectorAll(".node.hot").forEach((e) => e.classList.remove("hot"));
  for (const [g, n] of ends) shown.get(`${g}:${n}`).classList.add("hot");
  for (const end of ends) centre([end]);
  const pair = data.pairs[i];
  say(`P${i + 1}: ${pair.student} and ${pair.teacher}. ${pair.evidence.join("; ")}`);
}

// A table whose rows do something when they are clicked or entered.
function tableOf(kind, rows) {
  const table = html("table", { class: `rows ${kind}` });
  for (const [cells, go] of rows) {
    const row = html("tr", { tabindex: 0, role: "button" }, ...cells.map((cell) => html("td", {}, cell)));
    row.addEventListener("click", go);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
    table.append(row);
  }
  return table;
}
const foldable = (title, table) => html("details", {}, html("summary", {}, title), table);

// Every convolution of a program in a table whose rows select.
function convolutionTable() {
  const parts = [];
  data.sides.forEach((side, at) => {
    const found = data.ops.map((op, number) => [op, number]).filter(([op]) => op.s === at && op.i.Filter);
    if (!found.length) return;
    const rows = found.map(([op, number]) => {
      const param = op.i.Filter[0], conv = side.convs[param], shape = side.vars[param];
      return [[param, shape ? shape[0] : "", conv ? conv.word : op.d ? op.d[0] : ""], () => reveal(number)];
    });
    parts.push(foldable(`${side.role ? `${side.role}: ` : ""}${rows.length} convolutions`, tableOf("convs", rows)));
  });
  return parts;
}

// Every op that differs by itself between two versions.
function changeTable() {
  const found = data.ops.map((op, number) => [op, number]).filter(([op]) => op.d && (op.s === 0 || op.d[0] === "new"));
  if (!found.length) return [];
  const rows = found.map(([op, number]) => [[changeWord(op), (op.i.Filter || Object.values(op.o)[0] || [""])[0]], () => reveal(number)]);
  const table = foldable(`${rows.length} ops differ`, tableOf("differ", rows));
  table.open = true;
  return [table];
}

function pairTable() {
  const rows = data.pairs.map((pair, i) => [[`P${i + 1}`, `${pair.student} ↔ ${pair.teacher}`, `${pair.role} · ${pair.loss}`], () => showPair(i)]);
  const table = foldable(`${rows.length} pairs`, tableOf("pairs", rows));
  table.open = true;
  return table;
}

function paintColourBar() {
  const old = panel("colour-bar");
  if (old) old.remove();
  if (colourBy < 0) return;
  const bar = html("div", { id: "colour-bar" }, html("h2", {}, data.colours[colourBy][1]));
  const cells = html("div", { class: "bar" });
  for (const colour of data.scale) { const cell = html("span", {}); cell.style.background = colour; cells.append(cell); }
  const short = (n) => (n >= 1e9 ? `${(n / 1e9).toPrecision(3)} G` : n >= 1e6 ? `${(n / 1e6).toPrecision(3)} M` : n >= 1e3 ? `${(n / 1e3).toPrecision(3)} k` : n >= 100 || !n ? String(Math.round(n)) : n.toPrecision(3));
  bar.append(cells, html("div", { class: "ticks" }, ...[0, 0.25, 0.5, 0.75, 1].map((t) => html("span", {}, short(t * t * colourTop)))), html("p", { class: "faint" }, "grey: not known"));
  panel("legend").prepend(bar);
}

function fillPanel() {
  const menu = panel("colour-by");
  menu.append(html("option", { value: -1 }, data.partners.length ? "what differs" : "prune status"), ...data.colours.map(([, title], i) => html("option", { value: i }, title)));
  menu.value = String(colourBy);
  menu.addEventListener("change", () => { colourBy = Number(menu.value); paint(); });
  panel("convolutions").append(...convolutionTable());

  if (data.pairs.length) panel("pairs").append(pairTable());
  panel("changes").append(...changeTable());
  panel("sync").hidden = panes.length < 2;
  panel("sync").setAttribute("aria-pressed", String(synced));
  const used = new Set(data.groups.flatMap((g) => g.nodes.flatMap((n) => n.b.map(([colour]) => colour))));
  const legend = data.legend.filter(([, colour]) => used.has(colour)).map(([word, colour, meaning]) => {
    const swatch = html("span", { class: "swatch" });
    swatch.style.background = colour;
    return html("div", {}, swatch, `${word}: ${meaning}`);
  });
  if (legend.length) panel("legend").append(html("h2", {}, data.partners.length ? "Before and after" : "Convolutions"), ...legend);
  panel("notes").append(html("h2", {}, "What is drawn"),
    ...data.sides.map((s) => html("p", {}, s.role ? html("b", {}, `${s.role}: `) : "", s.counts)),
    ...data.notes.map((note) => html("p", {}, note)));
}
