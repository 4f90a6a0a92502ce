// Long names in little room: arguments go first, then folders, then what templates are made of, then the middle. No DOM here.
"use strict";

// `text` with the middle left out: the end of a name or a path tells more than its middle.
function cutMiddle(text, room) {
  const characters = text.length > room ? Array.from(text) : [];
  if (characters.length <= room) return text;
  const head = room < 10 ? room - 1 : Math.floor((room - 1) * 0.4), tail = room - 1 - head; // of little room the end says nothing
  return `${characters.slice(0, head).join("")}\u2026${tail > 0 ? characters.slice(-tail).join("") : ""}`;
}

// f(int, char*) const -> f(\u2026) const: only parentheses that end a name are arguments.
function dropArguments(name) {
  const match = name.includes("(") && /\)(( const)?( ?\[[^\]]*\])*)$/.exec(name);
  if (!match) return name;
  let depth = 0;
  for (let i = match.index; i > 0; i--) {
    if (name[i] === ")") depth++;
    else if (name[i] === "(" && --depth === 0)
      return match.index - i < 3 ? name : `${name.slice(0, i)}(\u2026)${match[1]}`;
  }
  return name;
}

// map<K, V>::find -> map<\u2026>::find; not of operator<, operator->, nor of a name that begins so (<T as Trait>::f).
function dropTemplates(name) {
  if (!name.includes("<")) return name;
  let out = "", depth = 0, from = 0;
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== "<" && name[i] !== ">") continue;
    const isOperator = /operator[<>=-]*$/.test(name.slice(Math.max(i - 12, 0), i)) || name[i - 1] === "-";
    if (name[i] === "<" && !isOperator && i > 0 && !depth++) {
      out += name.slice(from, i);
      from = i;
    } else if (name[i] === ">" && !isOperator && depth && !--depth) {
      out += i - from < 3 ? name.slice(from, i + 1) : "<\u2026>";
      from = i + 1;
    }
  }
  return depth ? name : out + name.slice(from);
}

// /src/http/serve.c -> serve.c; github.com/acme/http.Serve -> http.Serve
const dropFolders = (name) => (/^[^ <(]*\/[^/]+$/.test(name) ? name.slice(name.lastIndexOf("/") + 1) : name);

function shorten(name, room) {
  if (name.length <= room) return name;
  const whole = dropArguments(name), bare = whole.length <= room ? whole : dropFolders(whole);
  return cutMiddle(bare.length <= room ? bare : dropTemplates(bare), room);
}
