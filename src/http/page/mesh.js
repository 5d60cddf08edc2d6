// The drawing of the mesh: this node and its peers, a line for each link.
import { byId, count, setText, svg } from "/words.js";

const BOX = { width: 126, height: 54 };
const GAP = 14; // between boxes
const places = new Map(); // name -> [x, y]
let drawn = "";

// How this node stands with a peer, over all folders: [class, word for the node, word for the link].
export function stand(status, peer) {
  const shares = status.folders.flatMap((folder) => folder.peers.filter((each) => each.name === peer.name));
  if (!peer.connected) {
    const counted = shares.some((each) => each.counted);
    return counted ? ["bad", "not connected", "no connection"] : ["quiet", "away", "comes when it pushes"];
  }
  const files = shares.reduce((sum, each) => sum + each.behind_files, 0);
  const round = peer.rtt_ms === null ? "" : ` · ${peer.rtt_ms < 10 ? peer.rtt_ms.toFixed(1) : Math.round(peer.rtt_ms)} ms`;
  if (shares.every((each) => each.in_sync || !each.counted)) return ["good", "in sync", `in sync${round}`];
  if (shares.some((each) => each.counted && !each.accepts)) return ["busy", "takes nothing", "halted or paused there"];
  return ["busy", "catching up", files ? `${count(files, "file")} behind` : "catching up"];
}

// "paused" where that is why it is halted: somebody wanted it.
export const stateOf = (folder) => (folder.paused ? "paused" : folder.state);

function ownStand(status) {
  if (status.folders.some((folder) => stateOf(folder) === "halted")) return ["bad", "this node: halted"];
  if (status.folders.some((folder) => folder.paused)) return ["busy", "this node: paused"];
  if (status.folders.some((folder) => folder.state !== "idle")) return ["busy", "this node: busy"];
  return ["good", "this node"];
}

// Whether something so large around a place lies over the box of a node.
const coversNode = ([x, y], width, height, but) => [...places].some(([name, [nx, ny]]) =>
  name !== but && Math.abs(nx - x) < (BOX.width + width) / 2 && Math.abs(ny - y) < (BOX.height + height) / 2);

function placeOnEllipse(names, width, height) {
  const [rx, ry] = [Math.min(width / 2 - BOX.width / 2 - 4, 330), height / 2 - BOX.height / 2 - 4];
  names.forEach((name, at) => {
    const angle = (2 * Math.PI * at) / names.length - Math.PI / 2;
    places.set(name, [width / 2 + rx * Math.cos(angle), height / 2 + ry * Math.sin(angle)]);
  });
}

// This node above, the others below it in as many columns as there is room for.
function placeInColumns([self, ...others], width) {
  const columns = Math.max(1, Math.floor(width / (BOX.width + GAP)));
  const top = BOX.height / 2 + 4;
  places.set(self, [width / 2, top]);
  others.forEach((name, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    places.set(name, [(column + 0.5) * (width / columns), top + BOX.height * 1.8 + row * (BOX.height + GAP)]);
  });
}

function place(names, width) {
  places.clear();
  placeOnEllipse(names, width, Math.max(270, 52 * names.length));
  if ([...places].some(([name, at]) => coversNode(at, BOX.width, BOX.height, name))) placeInColumns(names, width);
  // Three stand on a triangle, which leaves room below them; it is not drawn.
  const low = Math.max(...[...places.values()].map(([, y]) => y));
  return low + BOX.height / 2 + 6;
}

function link(from, to, look, word) {
  const [[x1, y1], [x2, y2]] = [places.get(from), places.get(to)];
  const parts = [svg("line", { x1, y1, x2, y2, class: look })];
  const [x, y, width] = [(x1 + x2) / 2, (y1 + y2) / 2, word.length * 7 + 12];
  if (word && !coversNode([x, y], width, 22)) {
    parts.push(svg("rect", { x: x - width / 2, y: y - 11, width, height: 22, rx: 4, class: "tag" }));
    parts.push(svg("text", { x, y: y + 4.5, class: `small ${look}` }, word));
  }
  return parts;
}

function node(name, look, word, self) {
  const [x, y] = places.get(name);
  const shown = name.length > 15 ? `${name.slice(0, 14)}…` : name;
  return svg("g", { class: self ? "self" : "peer", "data-node": name, "data-state": look },
    svg("title", {}, name),
    svg("rect", { x: x - BOX.width / 2, y: y - BOX.height / 2, width: BOX.width, height: BOX.height, rx: 12 }),
    svg("text", { x, y: y - 4, class: "name" }, shown),
    svg("text", { x, y: y + 15, class: `small ${look}` }, word));
}

export function drawMesh(status) {
  const picture = byId("mesh");
  const width = Math.max(picture.clientWidth, 260);
  const own = ownStand(status);
  const roomy = width >= 440; // else the words beside the names must do
  const peers = status.peers.map((peer) => ({ peer, stands: stand(status, peer) }));
  const others = [];
  for (const { peer } of peers) {
    for (const name of peer.connected_to) {
      if (name > peer.name && peers.some((each) => each.peer.name === name && each.peer.connected_to.includes(peer.name)))
        others.push([peer.name, name]);
    }
  }
  const wanted = JSON.stringify([width, status.node, own, others, peers.map(({ peer, stands }) => [peer.name, stands])]);
  if (wanted === drawn) return;
  drawn = wanted;
  const names = [status.node, ...peers.map(({ peer }) => peer.name)];
  const height = place(names, width);
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("height", height);
  picture.replaceChildren(
    ...others.flatMap(([a, b]) => link(a, b, "quiet", "")),
    ...peers.flatMap(({ peer, stands }) => link(status.node, peer.name, stands[0], roomy ? stands[2] : "")),
    node(status.node, own[0], own[1], true),
    ...peers.map(({ peer, stands }) => node(peer.name, stands[0], stands[1], false)));
  setText(byId("mesh-words"), [`${status.node} is this node`,
    ...peers.map(({ peer, stands }) => `${peer.name}: ${stands[1]}`)].join("; "));
}

// A change on its way. Only where there is room for the eye, and nobody asked for less motion.
export function showChange(from, to) {
  const [start, end, picture] = [places.get(from), places.get(to), byId("mesh")];
  if (!start || !end || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  if (document.hidden || picture.querySelectorAll("circle").length > 8) return;
  const dot = svg("circle", { r: 5, cx: start[0], cy: start[1] });
  picture.insertBefore(dot, picture.querySelector("g"));
  const way = `translate(${end[0] - start[0]}px, ${end[1] - start[1]}px)`;
  const motion = dot.animate([{ transform: "none", opacity: 1 }, { transform: way, opacity: 0.4 }],
    { duration: 700, easing: "ease-in-out" });
  motion.onfinish = motion.oncancel = () => dot.remove();
}
