// Keeps the page up to date: when data change, the page is requested again and only what differs is
// replaced, so that focus, open parts and typed text are kept. No markup is made from data here; the
// server has escaped all of it.

const MIN_INTERVAL = 1000; // milliseconds between two updates at least
const MAX_PAUSE = 30000; // milliseconds between two attempts at most

takeTokenFromLink();
if (document.body.dataset.live) watch(document.body.dataset.live);

// A link may contain a token after "#token=", a part that browsers do not send. The token is filled
// into the sign-in form and not submitted: the person who follows a link has to confirm whose it is.
function takeTokenFromLink() {
  const found = /^#token=([A-Za-z0-9._~-]+)$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, "", location.pathname + location.search);
  const field = document.getElementById("token");
  if (!field) return; // a person is signed in, and remains signed in
  field.value = found[1];
  const whose = subject(found[1]);
  if (whose) field.form.querySelector("button").textContent = `Sign in as ${whose}`;
}

function subject(token) {
  try {
    const claims = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).sub;
  } catch {
    return null; // the gateway shows what is wrong with it
  }
}

function watch(address) {
  const state = document.getElementById("live");
  let stream = null;
  let waiting = 0;
  let pause = MIN_INTERVAL;
  let updated = 0;

  function showState(kind, text) {
    if (state.dataset.state === kind) return;
    state.dataset.state = kind;
    state.firstElementChild.textContent = text;
  }

  function open() {
    if (stream || document.hidden) return;
    stream = new EventSource(address);
    stream.addEventListener("open", () => {
      pause = MIN_INTERVAL;
      showState("live", "Live");
      updateSoon(); // data may have changed while the stream was closed
    });
    stream.addEventListener("changed", updateSoon);
    stream.addEventListener("signed-out", () => location.reload());
    stream.addEventListener("error", retry);
  }

  function close() {
    stream?.close();
    stream = null;
  }

  function retry() {
    if (document.hidden) return;
    showState("away", "Not live; trying again");
    if (stream && stream.readyState !== EventSource.CLOSED) return; // the browser tries again
    close();
    setTimeout(updateSoon, pause); // also detects that the sign-in has expired
    setTimeout(open, pause);
    pause = Math.min(pause * 2, MAX_PAUSE);
  }

  function updateSoon() {
    if (waiting) return;
    waiting = setTimeout(update, Math.max(0, updated + MIN_INTERVAL - Date.now()));
  }

  async function update() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.status === 401 || answer.status === 403) return void location.reload();
      if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const active = document.activeElement;
      replaceDifferences(document.getElementById("main"), page.getElementById("main"));
      if (active?.isConnected && document.activeElement !== active) {
        active.focus({ preventScroll: true });
      }
      if (stream?.readyState === EventSource.OPEN) showState("live", "Live");
    } catch {
      retry();
      if (stream) setTimeout(updateSoon, pause);
    } finally {
      updated = Date.now();
      waiting = 0;
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}

// Make `old` equal to `fresh` and change only what differs. Elements with an id are matched by it,
// wherever they are; others by their position.
function replaceDifferences(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  for (const name of old.getAttributeNames()) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const known = new Map();
  for (const child of old.children) if (child.id) known.set(child.id, child);
  let next = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const same = wanted.id ? known.get(wanted.id) : alike(next, wanted) ? next : null;
    if (!same) {
      const added = document.importNode(wanted, true);
      old.insertBefore(added, next);
      highlight(added);
      continue;
    }
    if (same === next) next = next.nextSibling;
    else old.insertBefore(same, next);
    if (same.nodeType === Node.ELEMENT_NODE) replaceDifferences(same, wanted);
    else if (same.nodeValue !== wanted.nodeValue) {
      same.nodeValue = wanted.nodeValue;
      highlight(old);
    }
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

function alike(one, other) {
  return one !== null && one.nodeName === other.nodeName && !one.id && !other.id;
}

// Highlight what has changed for a moment.
function highlight(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--changed");
  node.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], 2500);
}
