// Keeps the page as it is at the gateway: when something changed, the page is asked for again and
// what differs is put in place, so that neither focus, nor open parts, nor typed text is lost.
// Nothing here makes markup of data; the server has escaped all of it.

const EVERY = 1000; // milliseconds between two renewals at the least
const LONGEST_PAUSE = 30000; // milliseconds between two tries at the most

takeTokenFromLink();
if (document.body.dataset.live) watch(document.body.dataset.live);

// A link may carry a token behind "#token=", which browsers send to nobody. It is only filled in,
// where this page asks for one: whoever follows a link says themselves that they are this person.
function takeTokenFromLink() {
  const found = /^#token=([A-Za-z0-9._~-]+)$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, "", location.pathname + location.search);
  const field = document.getElementById("token");
  if (!field) return; // somebody is signed in, and stays so
  field.value = found[1];
  const whose = subject(found[1]);
  if (whose) field.form.querySelector("button").textContent = `Sign in as ${whose}`;
}

function subject(token) {
  try {
    const claims = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).sub;
  } catch {
    return null; // the gateway says what is wrong with it
  }
}

function watch(address) {
  const state = document.getElementById("live");
  let stream = null;
  let waiting = 0;
  let pause = EVERY;
  let renewed = 0;

  function say(kind, words) {
    if (state.dataset.state === kind) return;
    state.dataset.state = kind;
    state.firstElementChild.textContent = words;
  }

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource(address);
    stream.addEventListener("open", () => {
      pause = EVERY;
      say("live", "Live");
      soon(); // something may have changed while nobody listened
    });
    stream.addEventListener("changed", soon);
    stream.addEventListener("signed-out", () => location.reload());
    stream.addEventListener("error", away);
  }

  function rest() {
    stream?.close();
    stream = null;
  }

  function away() {
    if (document.hidden) return;
    say("away", "Not live; trying again");
    if (stream && stream.readyState !== EventSource.CLOSED) return; // the browser tries again
    rest();
    setTimeout(soon, pause); // which also finds out whether anybody is still signed in
    setTimeout(listen, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  function soon() {
    if (waiting) return;
    waiting = setTimeout(renew, Math.max(0, renewed + EVERY - Date.now()));
  }

  async function renew() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.status === 401 || answer.status === 403) return void location.reload();
      if (!answer.ok) throw new Error(`the gateway answered ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const active = document.activeElement;
      become(document.getElementById("main"), page.getElementById("main"));
      if (active?.isConnected && document.activeElement !== active) {
        active.focus({ preventScroll: true });
      }
      if (stream?.readyState === EventSource.OPEN) say("live", "Live");
    } catch {
      away();
      if (stream) setTimeout(soon, pause);
    } finally {
      renewed = Date.now();
      waiting = 0;
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  listen();
}

// Make `old` equal to `fresh`, touching only what differs. Elements with an id keep their identity
// wherever they move; others are taken by their place.
function become(old, fresh) {
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
      show(added);
      continue;
    }
    if (same === next) next = next.nextSibling;
    else old.insertBefore(same, next);
    if (same.nodeType === Node.ELEMENT_NODE) become(same, wanted);
    else if (same.nodeValue !== wanted.nodeValue) {
      same.nodeValue = wanted.nodeValue;
      show(old);
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

// Let the eye find what has changed.
function show(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--changed");
  node.animate([{ backgroundColor: colour }, { backgroundColor: "transparent" }], 2500);
}
