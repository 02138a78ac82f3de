'use strict';

const $ = (id) => document.getElementById(id);
let key = '';        // in memory only
let watching = null; // AbortController of the stream
let query = {};      // of the history that is shown
let loaded = 0;      // when it was
let live = false;    // the stream is open

// Cells -----------------------------------------------------------------------

const dash = '–';
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const has = (v) => v !== undefined && v !== null && v !== '';
const count = (v) => (has(v) ? number.format(v) : dash);
const seconds = (ns) => (ns > 0 ? (ns < 1e9 ? Number((ns / 1e6).toPrecision(3)) + ' ms' : Number((ns / 1e9).toPrecision(3)) + ' s') : dash);
const euros = (nano) => (has(nano) ? (nano / 1e9).toFixed(6) : dash);
const clock = (t) => {
  if (!has(t)) return dash;
  const at = new Date(t);
  const day = at.toDateString() === new Date().toDateString() ? '' : at.toLocaleDateString('en-CA') + ' ';
  return day + at.toLocaleTimeString('en-GB');
};

// A cell is a text, or [text, class]. Texts are only ever set as text, and rows
// that stay are changed where they are: a selection in them lasts.
function fill(tr, cells) {
  cells.forEach((cell, i) => {
    const [text, kind] = Array.isArray(cell) ? cell : [cell, ''];
    let td = tr.cells[i];
    if (!td) {
      td = document.createElement(i === 0 ? 'th' : 'td');
      if (i === 0) td.scope = 'row';
      tr.append(td);
    }
    const shown = String(has(text) ? text : dash);
    if (td.textContent !== shown) td.textContent = td.title = shown;
    if (td.className !== kind) td.className = kind;
  });
}

function rows(id, list, name, cells) {
  const body = $(id);
  const keys = list.map((item) => String(name(item)));
  const kept = new Set(keys);
  const old = new Map();
  for (const tr of [...body.rows]) {
    if (kept.has(tr.dataset.key) && !old.has(tr.dataset.key)) old.set(tr.dataset.key, tr);
    else tr.remove();
  }
  let at = body.firstElementChild;
  list.forEach((item, i) => {
    const tr = old.get(keys[i]) || document.createElement('tr');
    old.delete(keys[i]);
    tr.dataset.key = keys[i];
    fill(tr, cells(item));
    if (tr === at) at = at.nextElementSibling;
    else body.insertBefore(tr, at);
  });
  if (list.length > 0) return;
  const td = document.createElement('td');
  td.colSpan = body.parentElement.tHead.rows[0].cells.length;
  td.textContent = body.dataset.none;
  const tr = document.createElement('tr');
  tr.append(td);
  body.append(tr);
}

// News -------------------------------------------------------------------------

// What begins or ends is said once, for those who listen; figures that move are not.
const known = { alerts: new Map(), machines: new Map() };

function news(kind, now, text) {
  const said = [];
  const before = known[kind];
  for (const [name, state] of now) if ((before.get(name) || '') !== state) said.push(text(name, state));
  for (const name of before.keys()) if (!now.has(name)) said.push(text(name, ''));
  known[kind] = now;
  if (said.length > 0) $('news').textContent = said.join('. ');
}

// What the gateway says --------------------------------------------------------

const percent = (v) => (100 * v).toPrecision(3) + ' %';
const units = {
  latency_p99: (v) => v.toPrecision(3) + ' s', error_rate: percent, guard_rate: percent, limit_rate: percent,
  cost_rate: (v) => v.toFixed(2) + ' € an hour', in_flight: (v) => count(v),
};

const show = {
  alerts(list) {
    const items = list.map((a) => {
      const unit = units[a.measure] || ((v) => Number(v.toPrecision(3)));
      return ['on', `${a.alert}: ${unit(Number(a.value))}` + (has(a.above) ? `, above ${unit(Number(a.above))}` : '') + `, since ${clock(a.since)}`];
    });
    if (items.length === 0) items.push(['', 'No alerts']);
    $('alerts').replaceChildren(...items.map(([kind, text]) => {
      const li = document.createElement('li');
      li.textContent = text;
      li.className = kind;
      return li;
    }));
    document.title = (list.length ? `(${list.length}) ` : '') + 'Gateway console';
    news('alerts', new Map(list.map((a) => [a.alert, 'on'])), (name, state) => (state ? 'Alert: ' : 'Alert is over: ') + name);
  },
  usage(list) {
    const cells = (u) => [has(u.model) ? u.model : 'none named', [count(u.requests), 'n'], [count(u.failed), u.failed > 0 ? 'n bad' : 'n'], [count(u.limited), u.limited > 0 ? 'n warn' : 'n'],
      [count(u.input), 'n'], [count(u.output), 'n'], [euros(u.cost), 'n'], [has(u.energy) ? (u.energy / 1e6).toFixed(3) : dash, 'n']];
    const sum = (field) => list.reduce((n, u) => n + (u[field] || 0), 0);
    const all = list.length > 1 ? [{ model: 'All', all: true, ...Object.fromEntries(['requests', 'failed', 'limited', 'input', 'output', 'cost', 'energy'].map((f) => [f, sum(f)])) }] : [];
    rows('usage-rows', [...list, ...all], (u) => (u.all ? 'all' : 'model ' + u.model), cells);
    for (const tr of $('usage-rows').rows) tr.className = tr.dataset.key === 'all' ? 'sum' : '';
    if (Date.now() - loaded > 3000) search(false);
  },
  curve(points) {
    chart('latency', 'Latency', points, [(p) => p.p50 / 1e9, (p) => p.p99 / 1e9], ['median', '99th percentile'], (v) => seconds(v * 1e9), true);
    chart('rate', 'Requests a second', points, [(p) => p.requests / span(p), (p) => p.failed / span(p)], ['all', 'failed'], figure, false);
    chart('tokens', 'Output tokens a second', points, [(p) => p.output / span(p)], ['output'], figure, false);
    const recent = points.filter((p) => Date.parse(p.time) + step > Date.now() - 60000);
    const sum = (field) => recent.reduce((n, p) => n + (p[field] || 0), 0);
    const failed = sum('requests') ? sum('failed') / sum('requests') : 0;
    fact('rate', (sum('requests') / 60).toPrecision(2));
    fact('failed', percent(failed), failed > 0 ? 'bad' : '');
    fact('latency', seconds(Math.max(0, ...recent.map((p) => p.p99))));
    fact('tokens', (sum('output') / 60).toPrecision(3));
    fact('cost', (sum('cost') / 1e9 * 60).toFixed(4) + ' €');
  },
  backends(list) {
    const state = (b) => (b.out ? 'out' : b.draining ? 'draining' : b.failures > 0 ? 'failing' : 'well');
    const kind = { out: 'bad', draining: 'warn', failing: 'warn', well: 'good' };
    rows('backends-rows', list, (b) => b.name, (b) => [b.name,
      [state(b) + (b.out ? ' until ' + clock(b.until) : ''), kind[state(b)]], [b.reason, 'long'],
      [count(b.in_flight), 'n'], [seconds(b.latency), 'n'], [count(b.weight), 'n'], [b.models && b.models.length ? b.models.join(', ') : 'all', 'long']]);
    const well = list.filter((b) => !b.out && !b.draining).length;
    fact('machines', `${well} of ${list.length}`, list.some((b) => b.out) ? 'bad' : '');
    fact('flight', count(list.reduce((n, b) => n + (b.in_flight || 0), 0)));
    news('machines', new Map(list.filter((b) => b.out || b.draining).map((b) => [b.name, state(b)])), (name, now) => `Machine ${name} is ${now || 'back'}`);
  },
  models(list) {
    const kind = { notice: 'warn', 'end of support': 'bad', deprecated: 'bad', removed: 'bad' };
    rows('models-rows', list, (m) => m.model, (m) => [m.model, [m.phase, kind[m.phase] || ''], m.end_of_support, [has(m.end_of_support) ? count(m.days_left) : dash, 'n'], m.successor]);
  },
};

function fact(id, text, kind) {
  const dd = $('now-' + id);
  if (dd.textContent !== text) dd.textContent = text;
  dd.className = kind || '';
}

// Curves -----------------------------------------------------------------------

const step = 10000;  // ms between points
// span is the time that a point stands for, in seconds: the last one still runs.
const span = (p) => Math.max(1, Math.min(step, Date.now() - Date.parse(p.time)) / 1000);
const box = { left: 52, right: 412, top: 12, bottom: 138 };

function svg(name, attributes, text) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
}

// scale is the next of 1, 2, 5, 10 … above v.
function scale(v) {
  if (!(v > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(v));
  return [1, 2, 5, 10].map((f) => f * ten).find((s) => s >= v * 0.9999);
}

const figure = (v) => String(Number(v.toPrecision(3)));

// chart draws lines over time. Steps without a request break a line, or count
// as zero.
function chart(id, name, points, values, names, say, gaps) {
  const at = new Map(points.map((p) => [Date.parse(p.time), p]));
  const now = Math.floor(Date.now() / step) * step;
  const last = Math.max(now, ...at.keys());
  const from = Math.max(Math.min(last - 300000, ...at.keys()), last - 3600000);
  const top = scale(Math.max(0, ...points.flatMap((p) => values.map((f) => f(p)))));
  const x = (t) => box.left + (t - from) / (last - from) * (box.right - box.left);
  const y = (v) => box.bottom - v / top * (box.bottom - box.top);
  const parts = [];
  for (const part of [0, 0.5, 1]) {
    parts.push(svg('path', { class: 'grid', d: `M${box.left} ${y(top * part)}H${box.right}` }));
    parts.push(svg('text', { x: box.left - 6, y: y(top * part) + 4, 'text-anchor': 'end' }, part ? say(top * part) : '0'));
  }
  parts.push(svg('text', { x: box.left, y: 158 }, clock(from)));
  parts.push(svg('text', { x: box.right, y: 158, 'text-anchor': 'end' }, clock(last)));
  values.forEach((f, i) => {
    if (i > 0 && !points.some((p) => f(p) > 0)) return; // a line of nothing
    let d = '';
    let pen = false;
    for (let t = from; t <= last; t += step) {
      const p = at.get(t);
      if (!p && gaps) { pen = false; continue; }
      const v = p ? f(p) : 0;
      d += `${pen ? 'L' : 'M'}${x(t).toFixed(1)} ${y(v).toFixed(1)}${pen ? '' : 'h.01'}`;
      pen = true;
    }
    if (d) parts.push(svg('path', { class: i ? 'two' : 'one', d }));
    if (at.has(last)) parts.push(svg('path', { class: i ? 'dot two' : 'dot one', d: `M${x(last)} ${y(f(at.get(last)))}h.01` }));
  });
  const value = (p, i) => say(values[i](p));
  const newest = points.at(-1);
  const said = newest ? names.map((n, i) => `${n} ${value(newest, i)}`).join(', ') : 'no requests yet';
  $(id).setAttribute('aria-label', `${name}: ${said}; scale to ${say(top)}`);
  $(id).replaceChildren(...parts);
  charts[id] = (clientX) => {
    const r = $(id).getBoundingClientRect();
    const t = from + ((clientX - r.left) / r.width * 420 - box.left) / (box.right - box.left) * (last - from);
    const p = clientX === undefined ? newest : at.get(Math.floor(t / step) * step);
    const words = p ? names.map((n, i) => [`${n} ${value(p, i)}`, i ? 'two' : 'one']) : [[clientX === undefined ? 'no requests yet' : 'no requests', '']];
    if (clientX !== undefined && t >= from && t <= last + step) words.unshift([clock(Math.floor(t / step) * step), '']);
    $(id + '-at').replaceChildren(...words.flatMap(([text, kind], i) => {
      const e = document.createElement('span');
      e.textContent = text;
      e.className = kind;
      return i ? [' · ', e] : [e];
    }));
  };
  if (!pointed[id]) charts[id]();
}

// Under the pointer a chart says what was then, else what is newest.
const charts = {};
const pointed = {};
for (const id of ['latency', 'rate', 'tokens']) {
  const look = (x) => { pointed[id] = x !== undefined; if (charts[id]) charts[id](x); };
  $(id).addEventListener('pointermove', (e) => look(e.clientX));
  $(id).addEventListener('pointerleave', () => look());
}

// History ----------------------------------------------------------------------

async function search(tell) {
  loaded = Date.now();
  try {
    const resp = await fetch('history?' + new URLSearchParams(query), { headers: { Authorization: 'Bearer ' + key } });
    if (!resp.ok) throw new Error(resp.status === 400 ? (await resp.text()).trim() : 'status ' + resp.status);
    const list = await resp.json();
    rows('requests-rows', list, (r) => r.id || r.time, (r) => [clock(r.time), [has(r.status) ? String(r.status) : dash, r.status >= 500 ? 'n bad' : r.status >= 400 ? 'n warn' : 'n'],
      r.tenant, r.model, r.backend, [seconds(r.duration), 'n'], [seconds(r.ttft), 'n'], [count(r.input), 'n'], [count(r.output), 'n'], [euros(r.cost), 'n'],
      r.endpoint, (r.rules || []).join(', ') || r.limit, r.id]);
    if (tell) $('found').textContent = list.length === 1 ? '1 request' : list.length + ' requests, the newest first';
  } catch (e) {
    if (tell) $('found').textContent = 'The search failed: ' + e.message;
  }
}

$('search').addEventListener('submit', (e) => {
  e.preventDefault();
  query = Object.fromEntries([...new FormData(e.target)].filter(([, v]) => v.trim() !== '').map(([k, v]) => [k, v.trim()]));
  search(true);
});
$('search').addEventListener('reset', () => { query = {}; $('found').textContent = ''; if (key) search(false); });

// The stream -------------------------------------------------------------------

// EventSource cannot send a header, and a key has no place in an address. The
// gateway says every how many milliseconds something comes; when nothing does, the
// connection is gone though nobody said so.
async function watch(signal) {
  const here = new AbortController();
  const stop = () => here.abort();
  signal.addEventListener('abort', stop);
  let silent = false;
  let timer = 0;
  const heard = (every) => {
    clearTimeout(timer);
    timer = setTimeout(() => { silent = true; stop(); }, 3 * every + 4000);
  };
  try {
    heard(2000);
    const resp = await fetch('events', { headers: { Authorization: 'Bearer ' + key }, signal: here.signal });
    if (resp.status === 401) return 'denied';
    if (!resp.ok) return resp.status === 503 ? 'too many pages are open' : 'status ' + resp.status;
    enter();
    const reader = resp.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return 'the gateway ended the stream';
      const events = (rest + value).split('\n\n');
      rest = events.pop();
      for (const event of events) {
        const beat = /^: (\d+)$/m.exec(event);
        if (beat) heard(Number(beat[1]));
        const name = /^event: (.*)$/m.exec(event);
        const data = /^data: (.*)$/m.exec(event);
        if (name && data && show[name[1]]) show[name[1]](JSON.parse(data[1]) || []);
      }
    }
  } catch (e) {
    return silent ? 'nothing was heard for a while' : 'no answer';
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

async function connect() {
  const mine = watching = new AbortController();
  let lost = 0;
  for (let wait = 1000; !mine.signal.aborted; wait = Math.min(2 * wait, 10000)) {
    const began = Date.now();
    const why = await watch(mine.signal);
    if (mine.signal.aborted) return;
    if (why === 'denied') return leave('This key may not see the console.');
    if (Date.now() - began > 10000) wait = 1000;
    if (live || !lost) lost = Date.now();
    live = false;
    say(`Not connected since ${clock(lost)}: ${why}. Trying again`, 'bad');
    await new Promise((wake) => setTimeout(wake, wait));
  }
}

function say(text, kind) {
  if ($('state').textContent !== text) $('state').textContent = text;
  $('state').className = kind || '';
}

function enter() {
  live = true;
  say('Live', 'good');
  if (!$('enter').hidden) {
    $('enter').hidden = true;
    $('data').hidden = $('nav').hidden = $('leave').hidden = false;
    $('main').focus();
    search(false);
  }
}

function leave(why) {
  if (watching) watching.abort();
  key = '';
  query = {};
  $('search').reset();
  live = false;
  known.alerts = new Map();
  known.machines = new Map();
  for (const id of ['usage-rows', 'backends-rows', 'requests-rows', 'models-rows', 'alerts', 'news', 'latency', 'rate', 'tokens', 'latency-at', 'rate-at', 'tokens-at']) $(id).replaceChildren();
  for (const id of ['machines', 'flight', 'rate', 'failed', 'latency', 'tokens', 'cost']) fact(id, dash);
  document.title = 'Gateway console';
  $('data').hidden = $('nav').hidden = $('leave').hidden = true;
  $('enter').hidden = false;
  $('denied').textContent = why;
  say('Not connected');
  $('key').focus();
}

$('enter').addEventListener('submit', (e) => {
  e.preventDefault();
  key = $('key').value.trim();
  $('key').value = $('denied').textContent = '';
  if (!/^[!-~]+$/.test(key)) return leave('This is no key.');
  say('Connecting');
  connect();
});
$('leave').addEventListener('click', () => leave(''));
$('key').focus();
