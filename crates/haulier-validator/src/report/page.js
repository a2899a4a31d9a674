"use strict";
(() => {
  const HEIGHT = 26;
  const tables = JSON.parse(document.getElementById("data").textContent);
  const main = document.getElementById("main");
  main.textContent = "";
  const make = (tag, text, to) => {
    const e = document.createElement(tag);
    if (text !== undefined) e.textContent = text;
    if (to) to.appendChild(e);
    return e;
  };
  const number = (n) => n.toLocaleString("en");
  const plain = (cell) => (cell === null ? "NULL" : cell === 0 ? "missing" : cell);
  // White space and invisible characters are shown, so that no difference looks like none.
  const seen = (text) => text.replace(/[\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff]/gu,
    (c) => (c === "\n" ? "\u23ce" : c === "\t" ? "\u21e5" : c === "\u00a0" ? "\u237d" : "\\u{" + c.codePointAt(0).toString(16) + "}"));
  const kind = (row) => (row[0] && row[1] ? "changed" : row[0] ? "missing" : "extra");
  const points = (text) => Array.from(text).map((c) => "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")).join(" ");

  // Puts a cell into an element, with the part that differs from the other side marked.
  const show = (to, cell, other) => {
    if (typeof cell !== "string") { to.className = "none"; to.textContent = plain(cell); return; }
    if (typeof other !== "string") { make("mark", seen(cell) || "\u2205", to); return; }
    const a = Array.from(cell), b = Array.from(other);
    let start = 0, end = 0;
    while (start < a.length && start < b.length && a[start] === b[start]) start++;
    while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
    const middle = a.slice(start, a.length - end).join("");
    to.appendChild(document.createTextNode(seen(a.slice(0, start).join(""))));
    if (middle || start !== b.length - end) make("mark", seen(middle).replace(/ /g, "\u00b7") || "\u2205", to);
    to.appendChild(document.createTextNode(seen(a.slice(a.length - end).join(""))));
  };

  const totals = make("table", undefined, main);
  totals.id = "summary";
  const head = make("tr", undefined, make("thead", undefined, totals));
  for (const name of ["entity", "rows a", "rows b", "equal", "missing", "extra", "changed", "form only", "doubled keys"]) make("th", name, head);
  const sums = make("tbody", undefined, totals);
  for (const t of tables) {
    const s = t.end.summary, tr = make("tr", undefined, sums);
    make("td", t.head.entity, tr);
    for (const n of [s.rows_a, s.rows_b, s.equal, s.missing, s.extra, s.changed, s.form_only, s.doubled_a + s.doubled_b]) make("td", number(n), tr);
    if (s.rows_a + s.rows_b === 0) make("td", "no rows on either side", tr).className = "bad";
    if (t.end.left_out) make("td", number(t.end.left_out) + " rows more stand in the CSV only", tr).className = "bad";
  }
  const doubled = tables.flatMap((t) => t.doubled.map((d) => [t.head.entity, d]));
  if (doubled.length) {
    const box = make("details", undefined, main);
    make("summary", number(doubled.length) + " doubled keys", box).className = "bad";
    const list = make("ul", undefined, box);
    for (const [entity, d] of doubled) make("li", entity + " " + d[0].map(plain).map(seen).join(", ") + ": " + d[1] + " / " + d[2], list);
  }

  // One line for each missing and extra row, one for each changed cell.
  const lines = [];
  const tenants = new Set();
  tables.forEach((t, ti) => t.rows.forEach((r, ri) => {
    if (t.head.tenant !== null) tenants.add(plain((r[0] || r[1])[t.head.tenant]));
    if (r[2].length) r[2].forEach((_, ci) => lines.push([ti, ri, ci])); else lines.push([ti, ri, -1]);
  }));

  const form = make("form", undefined, main);
  form.addEventListener("submit", (e) => e.preventDefault());
  const choose = (name, values) => {
    const label = make("label", name + " ", form), select = make("select", undefined, label);
    select.id = name;
    make("option", "all", select).value = "";
    for (const v of values) { const o = make("option", seen(v), select); o.value = "=" + v; }
    return select;
  };
  const entity = choose("entity", tables.map((t) => t.head.entity));
  const tenant = choose("tenant", [...tenants].sort());
  const which = choose("difference", ["missing", "extra", "changed"]);
  const formOnly = make("input", undefined, make("label", "without form only ", form));
  formOnly.type = "checkbox"; formOnly.id = "form-only";
  const search = make("input", undefined, form);
  search.type = "search"; search.id = "search"; search.placeholder = "key, column or value";
  search.setAttribute("aria-label", "search");
  const count = make("span", undefined, form);
  count.id = "count"; count.setAttribute("role", "status");

  const list = make("div", undefined, main);
  list.id = "list"; list.tabIndex = 0;
  const top = make("div", undefined, list);
  top.className = "row head"; top.style.position = "sticky";
  for (const name of ["entity", "tenant", "difference", "key", "column", "a", "b"]) make("span", name, top);
  const space = make("div", undefined, list);
  space.id = "space";
  const whole = make("div", undefined, main);
  whole.id = "whole";

  let shown = lines;
  const filter = () => {
    const words = search.value.toLowerCase();
    shown = lines.filter(([ti, ri, ci]) => {
      const t = tables[ti], r = t.rows[ri], row = r[0] || r[1];
      if (entity.value && entity.value !== "=" + t.head.entity) return false;
      if (tenant.value && (t.head.tenant === null || tenant.value !== "=" + plain(row[t.head.tenant]))) return false;
      if (which.value && which.value !== "=" + kind(r)) return false;
      if (formOnly.checked && ci >= 0 && r[2][ci][1]) return false;
      if (!words) return true;
      const texts = ci < 0 ? row : [...row.slice(0, t.head.key), t.head.columns[r[2][ci][0]], r[0][r[2][ci][0]], r[1][r[2][ci][0]]];
      return texts.some((cell) => String(plain(cell)).toLowerCase().includes(words));
    });
    count.textContent = number(shown.length) + " of " + number(lines.length) + " lines";
    space.style.height = shown.length * HEIGHT + "px";
    list.scrollTop = 0;
    draw();
  };

  // Only what can be seen is in the document.
  const draw = () => {
    const from = Math.max(0, Math.floor(list.scrollTop / HEIGHT) - 10);
    const to = Math.min(shown.length, from + Math.ceil(list.clientHeight / HEIGHT) + 20);
    space.textContent = "";
    for (let i = from; i < to; i++) {
      const [ti, ri, ci] = shown[i], t = tables[ti], r = t.rows[ri], row = r[0] || r[1];
      const line = make("div", undefined, space);
      line.className = "row"; line.tabIndex = -1; line.style.top = i * HEIGHT + "px";
      make("span", t.head.entity, line);
      make("span", t.head.tenant === null ? "" : seen(String(plain(row[t.head.tenant]))), line);
      make("span", kind(r), line);
      make("span", row.slice(0, t.head.key).map(plain).map(seen).join(", "), line);
      const column = make("span", ci < 0 ? "" : t.head.columns[r[2][ci][0]], line);
      const a = make("span", undefined, line), b = make("span", undefined, line);
      if (ci < 0) {
        (r[0] ? a : b).textContent = row.slice(t.head.key).map(plain).map(seen).join(", ");
        (r[0] ? b : a).textContent = "\u2014";
      } else {
        const [c, only] = r[2][ci];
        show(a, r[0][c], r[1][c]); show(b, r[1][c], r[0][c]);
        if (only) { column.textContent += " (" + only + ")"; column.title = "only: " + only; }
      }
      line.addEventListener("click", () => detail(t, r));
    }
  };

  // A whole row, side by side.
  const detail = (t, r) => {
    whole.textContent = "";
    const table = make("table", undefined, whole), top = make("tr", undefined, make("thead", undefined, table));
    for (const name of ["column", "a: " + t.head.a, "b: " + t.head.b, "code points"]) make("th", name, top);
    const body = make("tbody", undefined, table), changed = new Map(r[2]);
    t.head.columns.forEach((name, c) => {
      const tr = make("tr", undefined, body);
      make("td", name, tr);
      const a = make("td", undefined, tr), b = make("td", undefined, tr), p = make("td", undefined, tr);
      if (changed.has(c)) {
        tr.className = "is";
        show(a, r[0][c], r[1][c]); show(b, r[1][c], r[0][c]);
        if (changed.get(c)) p.textContent = changed.get(c) + ": " + points(r[0][c]) + " / " + points(r[1][c]);
      } else {
        if (r[0]) { if (typeof r[0][c] === "string") a.textContent = seen(r[0][c]); else show(a, r[0][c]); }
        if (r[1]) { if (typeof r[1][c] === "string") b.textContent = seen(r[1][c]); else show(b, r[1][c]); }
      }
    });
  };

  let timer;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(filter, 150); });
  for (const e of [entity, tenant, which, formOnly]) e.addEventListener("change", filter);
  list.addEventListener("scroll", draw, { passive: true });
  addEventListener("resize", draw);
  filter();
})();
