/** What the pages of all examples need: who is logged in, asking the server, and making elements. */

const KEY = 'example.token';

/** The token of the link that the program printed; it leaves the address bar at once. Each tab keeps its own person. */
export const token = (() => {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(KEY);
})();

/** Another link in the same tab is another person. */
addEventListener('hashchange', () => location.reload());

/** The user that the token names; only the server can tell whether that is so. */
export const user = (() => {
  try {
    const part = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(atob(part)).sub;
  } catch {
    return null;
  }
})();

/** Fetch JSON; a refusal is an Error with the server's own words. */
export async function ask(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  const plain = body !== undefined && !(body instanceof FormData);
  if (plain) headers['Content-Type'] = 'application/json';
  const answer = await fetch(path, { method, headers, body: plain ? JSON.stringify(body) : body });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.message || found.detail || `${answer.status} ${answer.statusText}`);
  return found;
}

/** An element: `make('li', {class: 'card', onclick: f}, 'text', child)`. Text is text, never markup. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A bar of 0 to 100, with the name that it is read out by. */
export function bar(percent, name, state = '') {
  const value = Math.round((percent ?? 0) * 100) / 100;
  return make('div', { class: `bar ${state}`, role: 'progressbar', 'aria-label': name, 'aria-valuenow': value, 'aria-valuemin': 0, 'aria-valuemax': 100 },
    make('span', { style: `width: ${value}%` }));
}

/** A line at the bottom that goes away by itself. */
export function say(text, bad = false) {
  const line = make('div', { class: bad ? 'toast bad' : 'toast', role: 'status' }, text);
  document.body.append(line);
  setTimeout(() => line.remove(), 5000);
}

/** Fetch something that is behind the token, and give an address that a picture or a player can use. */
export async function open(path) {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return URL.createObjectURL(await answer.blob());
}

if (!token) {
  document.body.prepend(make('p', { class: 'notice' }, 'Open one of the links that the program printed: they say who you are.'));
}
for (const place of document.querySelectorAll('[data-user]')) place.textContent = user ?? 'nobody';
