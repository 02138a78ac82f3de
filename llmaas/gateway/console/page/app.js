'use strict';

const $ = (id) => document.getElementById(id);
let key = '';        // in memory only
let watching = null; // AbortController of the stream
let query = {};      // of the history that is shown
let loaded = 0;      // when it was

// Cells -----------------------------------------------------------------------

const dash = '–';
const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const has = (v) => v !== undefined && v !== null && v !== '';
const count = (v) => (has(v) ? number.format(v) : dash);
const seconds = (ns) => (ns > 0 ? (ns < 1e9 ? (ns / 1e6).toFixed(1) + ' ms' : (ns / 1e9).toFixed(2) + ' s') : dash);
const euros = (nano) => (has(nano) ? (nano / 1e9).toFixed(6) : dash);
const clock = (t) => (has(t) ? new Date(t).toLocaleTimeString('en-GB') : dash);

// A cell is a text, or [text, class]. Texts are only ever set as text.
function rows(id, list, cells) {
  const body = $(id);
  const made = list.map((item) => {
    const tr = document.createElement('tr');
    cells(item).forEach((cell, i) => {
      const [text, kind] = Array.isArray(cell) ? cell : [cell, ''];
      const td = document.createElement(i === 0 ? 'th' : 'td');
      if (i === 0) td.scope = 'row';
      if (kind) td.className = kind;
      td.textContent = has(text) ? text : dash;
      td.title = td.textContent;
      tr.append(td);
    });
    return tr;
  });
  if (made.length === 0) {
    const tr = document.createElement('tr');
    const td = document.createElement('td');
    td.colSpan = body.parentElement.tHead.rows[0].cells.length;
    td.textContent = 'None';
    tr.append(td);
    made.push(tr);
  }
  body.replaceChildren(...made);
}

// What the gateway says --------------------------------------------------------

const show = {
  alerts(list) {
    $('alerts').replaceChildren(...(list.length ? list : [null]).map((a) => {
      const li = document.createElement('li');
      li.textContent = a ? `${a.alert}: ${Number(a.value).toPrecision(3)}, since ${clock(a.since)}` : 'None';
      li.className = a ? 'bad' : '';
      return li;
    }));
  },
  usage(list) {
    rows('usage-rows', list, (u) => [u.model, [count(u.requests), 'n'], [count(u.failed), u.failed > 0 ? 'n bad' : 'n'], [count(u.limited), u.limited > 0 ? 'n warn' : 'n'],
      [count(u.input), 'n'], [count(u.output), 'n'], [euros(u.cost), 'n'], [has(u.energy) ? (u.energy / 1e6).toFixed(3) : dash, 'n']]);
    if (Date.now() - loaded > 3000) search(false);
  },
  curve(points) {
    chart('latency', 'Latency', points, [(p) => p.p50 / 1e9, (p) => p.p99 / 1e9], ['median', '99th percentile'], ' s', true);
    chart('rate', 'Requests per second', points, [(p) => p.requests / span(p), (p) => p.failed / span(p)], ['all', 'failed'], '', false);
    chart('tokens', 'Output tokens per second', points, [(p) => p.output / span(p)], ['output'], '', false);
  },
  backends(list) {
    rows('backends-rows', list, (b) => [b.name,
      b.out ? ['out until ' + clock(b.until), 'bad'] : b.draining ? ['draining', 'warn'] : ['well', 'good'],
      [count(b.in_flight), 'n'], [seconds(b.latency), 'n'], [count(b.weight), 'n'], b.models && b.models.length ? b.models.join(', ') : 'all']);
  },
  models(list) {
    const kind = { notice: 'warn', 'end of support': 'bad', deprecated: 'bad', removed: 'bad' };
    rows('models-rows', list, (m) => [m.model, [m.phase, kind[m.phase] || ''], m.end_of_support, [has(m.end_of_support) ? count(m.days_left) : dash, 'n'], m.successor]);
  },
};

// Curves -----------------------------------------------------------------------

const step = 10000;  // ms between points
// span is the time that a point stands for, in seconds: the last one still runs.
const span = (p) => Math.max(1, Math.min(step, Date.now() - Date.parse(p.time)) / 1000);
const box = { left: 52, right: 412, top: 12, bottom: 140 };

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

// chart draws lines over time. Steps without a request break a line, or count
// as zero.
function chart(id, name, points, values, names, unit, gaps) {
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
    parts.push(svg('text', { x: box.left - 6, y: y(top * part) + 4, 'text-anchor': 'end' }, Number((top * part).toPrecision(3))));
  }
  parts.push(svg('text', { x: box.left, y: 160 }, clock(from)));
  parts.push(svg('text', { x: box.right, y: 160, 'text-anchor': 'end' }, clock(last)));
  values.forEach((f, i) => {
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
  const newest = points.at(-1);
  const said = newest ? names.map((n, i) => `${n} ${Number(values[i](newest).toPrecision(3))}${unit}`).join(', ') : 'no requests yet';
  $(id).setAttribute('aria-label', `${name}: ${said}; scale to ${top}${unit}`);
  $(id).replaceChildren(...parts);
}

// History ----------------------------------------------------------------------

async function search(tell) {
  loaded = Date.now();
  try {
    const resp = await fetch('history?' + new URLSearchParams(query), { headers: { Authorization: 'Bearer ' + key } });
    if (!resp.ok) throw new Error(resp.status === 400 ? (await resp.text()).trim() : 'status ' + resp.status);
    const list = await resp.json();
    rows('requests-rows', list, (r) => [clock(r.time), r.tenant, r.endpoint, r.model, r.backend,
      [count(r.status).replace(',', ''), r.status >= 500 ? 'n bad' : r.status >= 400 ? 'n warn' : 'n'], [count(r.input), 'n'], [count(r.output), 'n'],
      [seconds(r.duration), 'n'], [seconds(r.ttft), 'n'], [euros(r.cost), 'n'], (r.rules || []).join(', ')]);
    if (tell) $('found').textContent = list.length === 1 ? '1 request' : list.length + ' requests';
  } catch (e) {
    if (tell) $('found').textContent = 'Not found: ' + e.message;
  }
}

$('search').addEventListener('submit', (e) => {
  e.preventDefault();
  query = Object.fromEntries([...new FormData(e.target)].filter(([, v]) => v.trim() !== '').map(([k, v]) => [k, v.trim()]));
  search(true);
});
$('search').addEventListener('reset', () => { query = {}; $('found').textContent = ''; if (key) search(false); });

// The stream -------------------------------------------------------------------

// EventSource cannot send a header, and a key has no place in an address.
async function watch(signal) {
  const resp = await fetch('events', { headers: { Authorization: 'Bearer ' + key }, signal });
  if (resp.status === 401) return 'denied';
  if (!resp.ok) return 'status ' + resp.status;
  enter();
  const reader = resp.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return 'the stream ended';
    const events = (rest + value).split('\n\n');
    rest = events.pop();
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event);
      const data = /^data: (.*)$/m.exec(event);
      if (name && data && show[name[1]]) show[name[1]](JSON.parse(data[1]) || []);
    }
  }
}

async function connect() {
  const mine = watching = new AbortController();
  for (let wait = 1000; !mine.signal.aborted; wait = Math.min(2 * wait, 30000)) {
    const began = Date.now();
    const why = await watch(mine.signal).catch((e) => e.message);
    if (mine.signal.aborted) return;
    if (why === 'denied') return leave('This key may not see the console.');
    if (Date.now() - began > 10000) wait = 1000;
    say('Not connected, trying again');
    await new Promise((wake) => setTimeout(wake, wait));
  }
}

function say(text) {
  if ($('state').textContent !== text) $('state').textContent = text;
}

function enter() {
  say('Live');
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
  for (const id of ['usage-rows', 'backends-rows', 'requests-rows', 'models-rows', 'alerts', 'latency', 'rate', 'tokens']) $(id).replaceChildren();
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
