// Makes the console live; every page is whole without it. Writes text, never HTML.
'use strict';
(() => {
  const root = document.querySelector('[data-stream]');
  if (!root || !('EventSource' in window)) return;
  const lang = document.documentElement.lang;
  const number = n => new Intl.NumberFormat(lang).format(n);
  const said = root.querySelector('[role=status]');
  const button = root.querySelector('[data-suspend]');
  let source, suspended = false, last, spoken = 0;

  const close = () => { if (source) source.close(); source = undefined; };
  const show = counts => {
    for (const it of root.querySelectorAll('[data-live]')) {
      const key = it.dataset.live;
      if (key === 'bar') {
        it.max = counts.total;
        it.value = counts.ended;
      } else if (key in counts) {
        it.textContent = number(counts[key]);
      }
    }
    // Said every ten seconds at most, and at each change of state.
    const changed = last && last.state !== counts.state;
    if (said && (changed || Date.now() - spoken > 10000)) {
      said.textContent = said.dataset.said
        .replace('%n', number(counts.ended)).replace('%m', number(counts.total));
      spoken = Date.now();
    }
    last = counts;
    // It is another page now, also once the number is not 0 that the page waits for.
    if (counts.over || counts[root.dataset.reload]) location.reload();
  };
  const open = () => {
    if (source || suspended || document.hidden || (last && last.over)) return;
    source = new EventSource(root.dataset.stream);
    source.addEventListener('counts', event => show(JSON.parse(event.data)));
    source.addEventListener('end', close);
  };
  // Six connections a host: an unseen page holds none.
  document.addEventListener('visibilitychange', () => document.hidden ? close() : open());
  if (button) {
    button.hidden = false;
    const words = [button.textContent, button.dataset.suspend];
    button.addEventListener('click', () => {
      suspended = !suspended;
      button.textContent = words[Number(suspended)];
      if (suspended) close(); else open();
    });
  }
  open();
})();

// Announces the end of the session, with a button that extends it.
(() => {
  const root = document.querySelector('[data-left]');
  if (!root) return;
  const said = root.querySelector('[role=status]'), button = root.querySelector('button');
  // Milliseconds.
  const SOON = 120000;
  let ends, shown = '';
  // The page loaded last knows best: all windows share one session.
  const keep = seconds => {
    ends = Date.now() + seconds * 1000;
    try { localStorage.ends = ends; } catch { /* this window alone */ }
  };
  const left = () => {
    let at = ends;
    try { at = Number(localStorage.ends) || ends; } catch { /* as above */ }
    return at - Date.now();
  };
  const show = key => {
    if (key === shown) return;
    shown = key;
    said.textContent = key ? root.dataset[key] : '';
    button.hidden = key !== 'soon';
  };
  const look = () => {
    if (left() <= 0) show('over');
    else if (left() > SOON) show(shown === 'kept' ? 'kept' : '');
    else if (shown !== 'last') show('soon');
  };
  button.addEventListener('click', async () => {
    try {
      const answer = await fetch('/moi/session', { headers: { accept: 'text/plain' }, redirect: 'error' });
      keep(Number.parseInt(await answer.text(), 10));
      show(left() > SOON ? 'kept' : 'last');
    } catch {
      show('over');
    }
    said.focus();
  });
  keep(root.dataset.left);
  look();
  setInterval(look, 5000);
})();

// How many packs the numbers make.
(() => {
  const said = document.querySelector('output[data-packs]');
  if (!said) return;
  const [printed, pack] = ['printed', 'pack'].map(id => document.getElementById(id));
  const whole = it => Number(it.value.replace(/\s/g, ''));
  const show = () => {
    const n = Math.floor(whole(printed) / whole(pack));
    said.textContent = n > 0 && n < Infinity
      ? `= ${new Intl.NumberFormat(document.documentElement.lang).format(n)} ${said.dataset.packs}` : '';
  };
  for (const it of [printed, pack]) it.addEventListener('input', show);
})();

// Counts while somebody builds an expression; the button does the same.
(() => {
  const root = document.querySelector('[data-count]');
  const form = root && root.querySelector('form');
  if (!form) return;
  const said = root.querySelector('[role=status]'), text = document.querySelector('#ou');
  let waiting, asked = 0;
  const count = async () => {
    const mine = ++asked;
    try {
      const query = new URLSearchParams(new FormData(form));
      const answer = await fetch(`${root.dataset.count}?${query}`, { redirect: 'error' });
      const counted = await answer.json();
      if (mine !== asked) return;
      said.textContent = counted.said;
      text.value = counted.text;
    } catch { /* the button counts, too */ }
  };
  form.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(count, 500); });
})();
