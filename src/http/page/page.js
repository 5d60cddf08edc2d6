// Keeps the page as the node is: asks for its status once a second and after each event, and follows
// the events.
import { drawMesh, showChange, stand, stateOf } from "/mesh.js";
import { byId, bytes, clock, count, duration, el, moment, setText, shellWord, visible, withCode } from "/words.js";

const MOST_CHANGES = 100;
const KINDS = { // class, words
  sent: ["good", "sent"], applied: ["good", "applied"], refused: ["bad", "refused"],
  conflict: ["busy", "conflict"], halted: ["bad", "halted"], paused: ["busy", "paused"], resumed: ["good", "resumed"],
  connected: ["quiet", "connected"], disconnected: ["bad", "disconnected"],
  error: ["bad", "error"], repaired: ["good", "repaired"],
};
const STATES = {
  scanning: ["busy", "Comparing with the disk"], syncing: ["busy", "Syncing"], idle: ["good", "Idle"],
  halted: ["bad", "Halted"], paused: ["busy", "Paused"],
};

let status = null;
let lostSince = 0;
let listed = null; // the conflicts that are shown
const rendered = new Map();

// Replaces the children of an element, but only where what they show has changed.
function show(id, what, children) {
  const text = JSON.stringify(what);
  if (rendered.get(id) === text) return;
  rendered.set(id, text);
  byId(id).replaceChildren(...children());
}

const chip = ([look, words]) => el("span", { class: `state ${look}` }, words);

function overall() {
  const away = status.peers.filter((peer) => stand(status, peer)[0] === "bad").length;
  if (status.folders.some((folder) => stateOf(folder) === "halted")) return ["bad", "Halted"];
  if (away) return ["bad", `${count(away, "node")} not connected`];
  if (status.folders.some((folder) => folder.paused)) return ["busy", "Paused"];
  if (!status.in_sync) return ["busy", "Catching up"];
  return ["good", "Everything in sync"];
}

// -- what needs somebody ------------------------------------------------------------------------

function problems() {
  const list = [];
  const add = (where, what, mild = false) => list.push({ where, what, mild });
  for (const folder of status.folders) {
    if (folder.state_reason) {
      add(`Folder ${folder.name}`, folder.state_reason, stateOf(folder) !== "halted");
    }
    for (const error of folder.errors) add(error.path, `${error.error} (since ${moment(error.since)})`);
  }
  for (const peer of status.peers) {
    if (peer.connected || stand(status, peer)[0] !== "bad") continue;
    const seen = peer.last_seen ? `last seen ${moment(peer.last_seen)}` : "not seen since this node started";
    add(`Node ${peer.name}`, `${peer.trouble || "not connected"} (${seen})`);
  }
  for (const hook of status.hooks) {
    if (hook.last_error) {
      add(`Hook on ${hook.on} of ${hook.folder}`, `${hook.run[0]}: ${hook.last_error} (${moment(hook.last_end)})`, true);
    }
  }
  for (const warning of status.warnings) add(`Node ${status.node}`, warning, true);
  return list;
}

function showProblems() {
  const list = problems();
  byId("attention").hidden = list.length === 0;
  show("problems", list, () => list.map(({ where, what, mild }) =>
    el("li", { class: mild ? "card mild" : "card" }, el("h3", {}, visible(where)), el("p", {}, ...withCode(what)))));
}

// -- folders ------------------------------------------------------------------------------------

function peerRow(folder, peer) {
  const about = status.peers.find((each) => each.name === peer.name) ?? { connected: false };
  const row = el("li", {}, el("strong", {}, peer.name));
  if (!about.connected) {
    row.append(chip(peer.counted ? ["bad", "not connected"] : ["quiet", "away"]));
  } else if (!peer.accepts) {
    row.append(chip(["bad", "takes nothing"]));
  } else {
    row.append(chip(peer.in_sync ? ["good", "in sync"] : ["busy", "behind"]));
  }
  if (!peer.in_sync && (peer.behind_files || peer.lag_seconds >= 1)) {
    const lag = peer.lag_seconds >= 1 ? `, for ${duration(peer.lag_seconds)}` : "";
    row.append(el("span", { class: "muted" }, `lacks ${count(peer.behind_files, "file")}, ${bytes(peer.behind_bytes)}${lag}`));
  }
  return row;
}

function folderCard(folder) {
  const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));
  const facts = [fact("Files", folder.files.toLocaleString("en")), fact("Size", bytes(folder.bytes)),
    fact("Pending", folder.pending_changes.toLocaleString("en")), fact("Conflicts", folder.conflicts.toLocaleString("en"))];
  if (folder.drift) facts.push(fact("Drift", folder.drift.toLocaleString("en")));
  const state = STATES[stateOf(folder)] ?? ["quiet", folder.state];
  return el("article", { class: "card", "data-folder": folder.name },
    el("div", { class: "top" }, el("h3", {}, folder.name), chip(state)),
    el("p", { class: "muted" }, el("code", {}, visible(folder.path)), folder.mode === "sync" ? "" : ` · ${folder.mode}`),
    el("dl", { class: "facts" }, ...facts),
    el("ul", { class: "plain peers" }, ...folder.peers.map((peer) => peerRow(folder, peer))));
}

function showFolders() {
  const seen = status.folders.map((folder) => [folder.name, folder.path, folder.mode, stateOf(folder), folder.files,
    folder.bytes, folder.pending_changes, folder.conflicts, folder.drift,
    folder.peers.map((peer) => [peer, status.peers.find((each) => each.name === peer.name)?.connected])]);
  show("folders", seen, () => status.folders.map(folderCard));
}

// -- conflicts ----------------------------------------------------------------------------------

function conflictCard(one) {
  const command = `dagsync restore --folder ${shellWord(one.folder)} --version ${shellWord(one.id)} -- ${shellWord(one.path)}`;
  return el("article", { class: "card" },
    el("h3", {}, visible(one.path)),
    el("p", { class: "muted" }, `A ${one.kind} of ${bytes(one.size)}, from ${one.origin}, lost against a younger edit, `
      + `and has been kept here since ${moment(one.kept_at)}. This brings it back as the newest:`),
    el("code", { class: "command" }, visible(command)));
}

async function showConflicts() {
  const now = JSON.stringify(status.folders.map((folder) => [folder.name, folder.conflicts]));
  if (now === listed) return;
  const list = status.folders.some((folder) => folder.conflicts) ? await ask("/conflicts.json") : [];
  listed = now;
  show("conflicts", list, () => list.length ? list.map(conflictCard)
    : [el("p", { class: "muted" }, "None. Where two nodes change a file at the same time, the younger edit wins, and the other one is kept and listed here.")]);
}

// -- changes ------------------------------------------------------------------------------------

let waiting = []; // events that are not shown yet
let paused = false;
const isNew = (event) => Date.now() - Date.parse(event.time) < 3000;

function aboutChange({ kind, what, node }) {
  if (!node) return what;
  if (kind === "conflict") return `the edit on ${node} ${what}`;
  return [what, `${{ sent: "to ", applied: "from " }[kind] ?? ""}${node}`].filter(Boolean).join(", ");
}

function changeRow(event) {
  const [look, word] = KINDS[event.kind] ?? ["quiet", event.kind];
  const where = event.path && event.path !== "." ? visible(event.path) : event.folder ?? "";
  const what = el("span", { class: "what" }, el("strong", {}, where || event.node || ""));
  const more = where ? aboutChange(event) : event.what;
  if (more) what.append(" ", el("span", { class: "muted" }, ...withCode(more)));
  return el("li", { class: isNew(event) ? "fresh" : "", "data-kind": event.kind }, el("time", { datetime: event.time }, clock(event.time)),
    el("span", { class: `state ${look}` }, word), what);
}

function showChanges() {
  if (paused || !waiting.length) return;
  const list = byId("changes");
  const rows = waiting.splice(0).map(changeRow).reverse();
  list.prepend(...rows);
  while (list.children.length > MOST_CHANGES) list.lastChild.remove();
  byId("no-changes").hidden = true;
}

function follow() {
  const events = new EventSource("/events?recent=50");
  events.onmessage = (message) => {
    const event = JSON.parse(message.data);
    waiting.push(event);
    if (waiting.length > MOST_CHANGES) waiting.shift();
    if (waiting.length === 1) requestAnimationFrame(showChanges);
    if (status && isNew(event)) {
      for (const peer of (event.node ?? "").split(", ")) {
        if (event.kind === "sent") showChange(status.node, peer);
        if (event.kind === "applied") showChange(peer, status.node);
      }
    }
    refreshSoon();
  };
  // The node cut us off: we were too slow.
  events.addEventListener("end", () => { events.close(); setTimeout(follow, 1000); });
}

// -- the whole ----------------------------------------------------------------------------------

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

function showAll() {
  const now = overall();
  document.title = `${status.node}: ${now[1]} – dagsync`;
  setText(byId("node"), status.node);
  setText(byId("about"), `dagsync ${status.version} · up for ${duration(status.uptime_seconds)}`);
  byId("overall").className = `state ${now[0]}`;
  setText(byId("overall"), now[1]);
  showProblems();
  drawMesh(status);
  showFolders();
}

let asking = false;
let again = false;
async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  try {
    status = await ask("/status.json");
    lostSince = 0;
    byId("lost").hidden = true;
    showAll();
    await showConflicts();
  } catch {
    lostSince ||= Date.now();
    byId("overall").className = "state bad";
    setText(byId("overall"), "No answer");
    setText(byId("lost"), `This node has not answered since ${clock(lostSince)}. What you see is from before. Trying again …`);
    byId("lost").hidden = false;
  }
  asking = false;
  if (again) { again = false; refreshSoon(); }
}

let soon = 0;
function refreshSoon() {
  soon ||= setTimeout(() => { soon = 0; refresh(); }, 100);
}

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", paused);
  setText(byId("pause"), paused ? "Go on" : "Pause");
  showChanges();
});
addEventListener("resize", () => status && drawMesh(status));
addEventListener("visibilitychange", () => document.hidden || refreshSoon());
setInterval(() => document.hidden || refresh(), 1000);
refresh();
follow();
