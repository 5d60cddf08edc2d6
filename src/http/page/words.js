// Elements and words. Whatever comes from the node goes in as text, never as markup: paths are chosen
// by whoever writes files.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
export const el = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);
export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// What would not be seen, or would turn the text around, is spelled out.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
export const visible = (text) =>
  text.replace(HIDDEN, (one) => `\\u{${one.codePointAt(0).toString(16)}}`);

// `commands` in backticks as code.
export function withCode(text) {
  return visible(text).split(/`([^`]+)`/).map((part, at) => (at % 2 ? el("code", {}, part) : part));
}

// One word for a shell. A path as JSON has it writes odd bytes as \xNN and a backslash as \\, which
// is what $'' takes.
export function shellWord(text) {
  if (/^[\w./,:@%+-]+$/.test(text)) return text;
  if (!text.includes("\\") && !text.match(HIDDEN)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = text.replaceAll("'", "\\'").replace(HIDDEN, (one) =>
    [...new TextEncoder().encode(one)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""));
  return `$'${escaped}'`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; count >= 999.5 && unit + 1 < units.length; ++unit) count /= 1000;
  return `${unit && count < 9.95 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const steps = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  for (const [large, name, small, other] of steps) {
    if (seconds < large) continue;
    const rest = Math.floor((seconds % large) / small);
    return `${Math.floor(seconds / large)} ${name}${rest ? ` ${rest} ${other}` : ""}`;
  }
  return `${Math.floor(seconds)} s`;
}

export const count = (number, one, many = `${one}s`) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

export const clock = (when) => new Date(when).toLocaleTimeString("en-GB");

// When, for people: with the date where it is not today.
export function moment(when) {
  const date = new Date(when);
  const today = date.toDateString() === new Date().toDateString();
  return today ? clock(when) : `${date.toLocaleDateString("en-CA")} ${clock(when)}`;
}
