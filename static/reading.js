/* Reading: how long ago, what is new since the last visit, whom not to read, keys, and what arrives meanwhile. */
"use strict";

const conversation = () => document.getElementById("kommentare");
const path = location.pathname;

// --- How long ago ---------------------------------------------------------------------------------------------------

const MINUTE = 60, HOUR = 3600, DAY = 86_400, MONTH = 30.44 * DAY, YEAR = 365 * DAY; // seconds
const formats = {}; // made when first needed: that alone takes 30 ms

const inWords = (count, unit, numeric) => {
  formats[numeric] ??= new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric });
  return formats[numeric].format(-Math.floor(count), unit);
};

/* "vor 5 Minuten", "gestern", "vor 3 Tagen", "vor 2 Jahren": days are those of the calendar, as people count them. */
function ago(seconds, days) {
  if (seconds < MINUTE) return inWords(0, "second", "auto");
  if (seconds < HOUR) return inWords(seconds / MINUTE, "minute", "auto");
  if (seconds < DAY) return inWords(seconds / HOUR, "hour", "auto");
  if (seconds < MONTH) return inWords(days, "day", "auto");
  return seconds < YEAR ? inWords(seconds / MONTH, "month", "always") : inWords(seconds / YEAR, "year", "always"); // not "last year": it may be the one before
}

/* How long ago, as newsroom/text/ago.py says it, but by this clock, and it goes on; the date beside it stays. Days are those
   of the reader's calendar; of what is older than one only its day is known, and that is of the site's. */
function sayAgo() {
  const now = Date.now();
  const today = Date.parse(new Date(now).toLocaleDateString("sv", { timeZone: conversation()?.dataset.zone })); // 2026-11-28, as there
  for (const time of document.querySelectorAll(".comment .time time")) {
    const moment = Date.parse(time.dateTime);
    if (moment > now + MINUTE * 1000) continue; // a clock is wrong
    const isDay = time.dateTime.length === 10;
    const days = Math.round((isDay ? today - moment : new Date(now).setHours(0, 0, 0) - new Date(moment).setHours(0, 0, 0)) / 1000 / DAY);
    const said = ago(isDay ? Math.max(days, 1) * DAY : (now - moment) / 1000, days);
    if (time.firstChild.nodeValue !== said) time.firstChild.nodeValue = said;
  }
}
setInterval(sayAgo, 30_000);
addEventListener("pageshow", sayAgo); // out of the browser's memory, as it was left

/* In a cookie, for a year; the server reads it too. An empty value takes it away. */
function keep(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${value ? 31_536_000 : 0}; samesite=lax${secure}`;
}

// --- The order and view last chosen here (POST /artikel/<slug>/ansicht/ does the same without script) ----------------

// Back leads to the order that was shown, not to one chosen later: whoever goes on leaves an address that names it.
document.addEventListener("click", ({ target }) => {
  const shown = target.closest?.(".bar nav a, .pages a") && document.querySelector(".bar nav a[aria-current]");
  if (!shown || /[?&](sortierung|ansicht|seite|nach|seit)=/.test(location.search)) return;
  history.replaceState(history.state, "", withHash(shown.href, location.hash)); // with the comment that was in view (places.js)
}, true);

document.addEventListener("click", ({ target }) => {
  const link = target.closest?.(".bar nav a");
  if (!link) return;
  const query = new URL(link.href).searchParams;
  if (query.get("ansicht") === "inline") return;
  const choice = `${query.get("sortierung") ?? "aelteste"}.${query.get("ansicht") ?? "faeden"}`;
  keep("ansicht", choice === "aelteste.faeden" ? "" : choice);
});

// --- New since the last visit: only on this device, only if asked for ------------------------------------------------

const SEEN = "newsroom.gesehen"; // {article: number of the newest comment seen}; its being there is the wish
// In this tab, {article: {since, at, read: [numbers]}}: what is new stays so on all pages of a visit until it was in view.
const VISIT = "newsroom.besuch";
const VISIT_LASTS = 30 * 60_000; // ms without another page
const articlePath = path.replace(/gespraech\/\d+\/$/, "");
const lastOf = () => Number(conversation()?.dataset.last ?? 0);
let newSince = null;
let readNew = []; // numbers

/* Wished for before scripts ran here, it is in a cookie (comments/seen.py); from now on in here, and sent to nobody. */
function takeOverFromCookie() {
  const bar = document.querySelector("[data-since]");
  if (!bar || !document.cookie.includes("gesehen=")) return;
  store.set(SEEN, { ...store.get(SEEN), [articlePath]: Number(bar.dataset.since) }); // other articles begin anew: it knows them by number
  keep("gesehen", "");
  if (!document.cookie.includes("gesehen=")) location.reload();
}

function startNew() {
  takeOverFromCookie();
  const seen = store.get(SEEN);
  if (!seen) return;
  const visit = tab.get(VISIT)?.[articlePath];
  const goesOn = visit && Date.now() - visit.at < VISIT_LASTS;
  newSince = goesOn ? visit.since : seen[articlePath] ?? null;
  readNew = goesOn ? visit.read : [];
  noteVisit(readNew);
  if (lastOf()) store.set(SEEN, { ...seen, [path]: Math.max(lastOf(), seen[path] ?? 0) });
}

function noteVisit(readByNow) {
  if (newSince !== null) tab.set(VISIT, { ...tab.get(VISIT), [articlePath]: { since: newSince, at: Date.now(), read: readByNow } });
}

function noteRead(numbers) {
  noteVisit([...new Set([...(tab.get(VISIT)?.[articlePath]?.read ?? []), ...numbers])]);
}

const comesIntoView = new IntersectionObserver((entries) => {
  const came = entries.filter(({ isIntersecting }) => isIntersecting).map(({ target }) => numberOf(target));
  if (came.length) noteRead(came);
}, { rootMargin: "0px 0px -30% 0px" });

const numberOf = (comment) => Number(comment.id.split("-")[1]);
const isOwn = (comment) => Boolean(comment.querySelector(":scope > footer [href$='/loeschen/']"));
const isNew = (comment) => newSince !== null && !comment.classList.contains("gone") && numberOf(comment) > newSince && !readNew.includes(numberOf(comment)) && !isOwn(comment);

/* One's own are not new to oneself; nor is what is gone. */
function noteOwn(numbers) {
  const unread = numbers.filter((number) => number > newSince && !readNew.includes(number));
  if (newSince === null || !unread.length) return;
  readNew.push(...unread);
  noteRead(unread);
}
document.addEventListener("newsroom:show", ({ detail: { value } }) => noteOwn([Number(value.split("-")[1])]));

/* What the whole list of what is new does not hold was taken back or removed meanwhile. */
function noteGone() {
  if (!showsNew() || Number(new URLSearchParams(location.search).get("seit")) !== newSince || /[?&]seite=/.test(location.search) || document.getElementById("mehr") || lastOf() - newSince > 1000) return;
  const listed = new Set([...document.querySelectorAll("#faeden .comment")].map(numberOf));
  noteOwn(Array.from({ length: lastOf() - newSince }, (_, at) => newSince + 1 + at).filter((number) => !listed.has(number)));
}

function markNew() {
  if (newSince === null) return;
  noteGone();
  const hidden = hiddenNames();
  noteOwn([...document.querySelectorAll("#faeden .comment")].filter((comment) => isOwn(comment) || hidden.has(nameOf(comment))).map(numberOf));
  for (const comment of document.querySelectorAll("#faeden .comment:not(.new)")) {
    if (!isNew(comment)) continue;
    comment.classList.add("new");
    comesIntoView.observe(comment);
    comment.querySelector("header")?.append(" ", Object.assign(document.createElement("b"), { className: "badge", textContent: gettext("neu") }));
  }
}

/* The switch, and how many there are; beneath the bar. */
function newBar() {
  const tools = document.querySelector("#kommentare .tools");
  if (!tools || isConversation || tools.querySelector("[data-new]")) return;
  const wished = Boolean(store.get(SEEN));
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: wished ? gettext("Nicht mehr zeigen, was neu ist") : gettext("Beim nächsten Besuch zeigen, was neu ist") });
  button.dataset.new = "";
  button.setAttribute("aria-pressed", wished);
  button.addEventListener("click", () => {
    tab.remove(VISIT);
    if (store.get(SEEN)) store.remove(SEEN);
    else store.set(SEEN, { [path]: lastOf() });
    button.remove();
    newBar();
    document.querySelector("#kommentare .tools [data-new]").focus();
  });
  tools.append(button);
  const count = newSince === null ? 0 : lastOf() - newSince - readNew.length;
  if (count <= 0) return;
  const link = Object.assign(document.createElement("a"), { className: "news", href: `${path}?sortierung=aelteste&ansicht=flach&seit=${newSince}#faeden`, textContent: interpolate(ngettext("%s neuer Kommentar seit Ihrem letzten Besuch", "%s neue Kommentare seit Ihrem letzten Besuch", count), [count]) });
  const next = Object.assign(document.createElement("button"), { type: "button", className: "quiet news", textContent: gettext("Zum nächsten neuen") });
  next.addEventListener("click", toNextNew);
  tools.prepend(link, " ", next, " ");
}

const showsNew = () => /[?&]seit=/.test(location.search);

/* On this page; then what has just arrived; then to the list of all that are new. */
function toNextNew() {
  if (stepTo([...document.querySelectorAll("#faeden .comment.new")], 1)) return;
  const arrived = document.querySelector(".arrived button");
  if (arrived) return arrived.click();
  const all = document.querySelector("#kommentare .tools a.news");
  if (all && !showsNew()) return location.assign(all.href);
  const further = showsNew() && document.querySelector("#mehr > a");
  if (further) return further.click(); // the first of them gets the focus
  if (showsNew()) for (const part of document.querySelectorAll(".tools .news")) part.remove(); // all were read
  const status = document.getElementById("kommentare-antwort"); // it stays in view until it is read
  if (!status) return;
  status.replaceChildren();
  void status.offsetWidth; // said a second time, it comes again
  status.append(Object.assign(document.createElement("span"), { className: "passing", textContent: newSince === null ? gettext("Bitte schalten Sie erst ein, dass Neues gezeigt wird.") : gettext("Weiter unten steht nichts Neues mehr.") }));
}

/* The next of `comments` after the one where the reader is. */
function stepTo(comments, step) {
  const here = document.activeElement?.closest(".comment");
  const after = (comment) => (here ? here.compareDocumentPosition(comment) & Node.DOCUMENT_POSITION_FOLLOWING : comment.getBoundingClientRect().top > 1);
  const ahead = comments.filter((comment) => comment !== here && Boolean(after(comment)) === (step > 0));
  const next = step > 0 ? ahead[0] : ahead.at(-1);
  return Boolean(next && show(next.id));
}

// --- Not to read someone, on this device (POST /kommentar/<id>/ausblenden/ does the same without script) --------------

const HIDDEN = "ausgeblendet"; // a cookie, names in it; its form and bounds are those of comments/hidden.py
const MOST_NAMES = 30;
const MOST_BYTES = 3000;

function hiddenNames() {
  const value = document.cookie.match(`(?:^|; )${HIDDEN}=([^;]*)`)?.[1] ?? "";
  if (value.length > MOST_BYTES) return new Set();
  try { return new Set(value.split("|").slice(-MOST_NAMES).filter(Boolean).map(decodeURIComponent)); } catch { return new Set(); } // not ours
}

const nameOf = (comment) => comment.querySelector("h3")?.textContent.trim();

function hidePeople() {
  const names = hiddenNames();
  for (const comment of document.querySelectorAll("#faeden .comment:not(.gone, .held)")) {
    comment.querySelector(":scope > footer > .back")?.remove(); // the server's, which needs a page
    const away = names.has(nameOf(comment)) && !isOwn(comment);
    if (comment.classList.contains("away") === away) continue;
    comment.classList.toggle("away", away);
    comment.querySelector(".back")?.remove();
    if (!away) continue;
    const back = Object.assign(document.createElement("button"), { type: "button", className: "quiet back", textContent: interpolate(gettext("Sie haben %s ausgeblendet. Wieder zeigen"), [nameOf(comment)]) });
    back.addEventListener("click", () => {
      setHidden(nameOf(comment), false);
      comment.focus();
    });
    comment.append(back);
  }
  for (const pick of document.querySelectorAll(".picks li")) pick.hidden = names.has(pick.querySelector(".byline")?.textContent.trim());
}

function setHidden(name, hide) {
  const names = hiddenNames();
  names.delete(name);
  if (hide) names.add(name);
  const kept = [...names].slice(-MOST_NAMES).map(encodeURIComponent);
  while (kept.join("|").length > MOST_BYTES) kept.shift();
  keep(HIDDEN, kept.join("|"));
  hidePeople();
}

function offerHiding() {
  for (const footer of document.querySelectorAll("#faeden .comment:not(.gone, .held) > footer:not([data-hide])")) {
    footer.dataset.hide = "";
    if (isOwn(footer.parentElement)) continue;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: gettext("Person ausblenden") });
    const comment = footer.closest(".comment");
    button.setAttribute("aria-label", interpolate(gettext("Kommentare von %s auf diesem Gerät ausblenden"), [nameOf(comment)]));
    button.addEventListener("click", () => {
      setHidden(nameOf(comment), true);
      comment.querySelector(".back")?.focus();
    });
    footer.append(button);
  }
}

// --- Keys -----------------------------------------------------------------------------------------------------------

const KEYS_OFF = "newsroom.tasten"; // "aus"
const unfolded = () => [...document.querySelectorAll("#faeden .comment")].filter((comment) => !comment.closest("details:not([open])"));
const keys = {
  j: () => stepTo(unfolded(), 1),
  k: () => stepTo(unfolded(), -1),
  n: () => isConversation || toNextNew(),
  a: () => {
    const link = document.activeElement?.closest(".comment")?.querySelector(":scope > footer a[href$='/antworten/']");
    if (!link) return;
    rememberSelection({ target: link });
    link.click();
  },
  s: () => document.querySelector("#kommentar-schreiben textarea")?.focus(),
  "?": () => openHelp(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
  const act = keys[event.key];
  if (!act || (event.key !== "?" && store.get(KEYS_OFF))) return;
  event.preventDefault();
  act();
});

const SAID_OF_KEYS = [
  [["n"], gettext("zum nächsten neuen Kommentar")],
  [["j"], gettext("zum nächsten Kommentar")],
  [["k"], gettext("zum vorigen Kommentar")],
  [["a"], gettext("dem Kommentar antworten")],
  [["s"], gettext("einen eigenen Kommentar schreiben")],
  [[gettext("Strg/Cmd"), gettext("Eingabe")], gettext("absenden")],
  [[gettext("Esc")], gettext("Antwort schließen; der Text bleibt als Entwurf")],
  [["?"], gettext("diese Tasten zeigen")],
];

function openHelp() {
  if (!conversation()) return;
  const help = document.getElementById("tasten") ?? makeHelp();
  if (help.open) return;
  help.querySelector("input").checked = !store.get(KEYS_OFF);
  help.showModal();
}

function makeHelp() {
  const help = Object.assign(document.createElement("dialog"), { id: "tasten" });
  help.setAttribute("aria-labelledby", "tasten-titel");
  help.innerHTML = '<h2 id="tasten-titel"></h2><dl></dl><p class="tick"><input type="checkbox" id="tasten-an"> <label for="tasten-an"></label></p><form method="dialog"><button></button></form>';
  for (const [part, words] of [["h2", gettext("Tasten")], ["label", gettext("Tasten benutzen")], ["button", gettext("Schließen")]]) help.querySelector(part).textContent = words;
  help.setAttribute("closedby", "any");
  help.querySelector("button").autofocus = true; // and not the box that turns them off
  for (const [named, does] of SAID_OF_KEYS) {
    if (isConversation && ["n", "s"].includes(named[0])) continue; // both are the article's
    const term = document.createElement("dt");
    for (const key of named) term.append(term.firstChild ? "+" : "", Object.assign(document.createElement("kbd"), { textContent: key }));
    help.querySelector("dl").append(term, Object.assign(document.createElement("dd"), { textContent: does }));
  }
  help.querySelector("input").addEventListener("change", ({ target }) => (target.checked ? store.remove(KEYS_OFF) : store.set(KEYS_OFF, "aus")));
  document.querySelector("main").append(help);
  return help;
}

document.addEventListener("click", ({ target }) => { if (target.closest?.("[data-help]")) openHelp(); });

// --- What arrives while the page is open ------------------------------------------------------------------------------

const ASK_EVERY = 4000; // ms; the answer may be half a second old, so five seconds at the most
const isConversation = path !== articlePath; // a thread's own page

// Up to which number everything has been on offer here; and which after it stood on this page already, one's own among
// them. A part of the page that is replaced changes neither: what was offered stays so until it is shown.
let knownUpTo = Number(conversation()?.dataset.live || lastOf());
const seenSince = new Set();
let askedUpTo = knownUpTo;

const noteSeen = () => {
  for (const number of [...document.querySelectorAll("#faeden .comment")].map(numberOf)) if (number > knownUpTo) seenSince.add(number);
};
document.addEventListener("newsroom:show", ({ detail: { value } }) => { if (Number(value.split("-")[1]) > knownUpTo) seenSince.add(Number(value.split("-")[1])); });
document.addEventListener("htmx:beforeSwap", noteSeen);

const onlyPassages = () => document.querySelector("#ansicht-inline[aria-current]");

/* The page of all that came after what is known: of the thread, or of the article. */
async function fetchArrived() {
  const query = onlyPassages() ? "?ansicht=inline&sortierung=neueste" : `?sortierung=aelteste&ansicht=flach&seit=${knownUpTo}`;
  const page = await (await fetch(isConversation ? `${path}?nach=${knownUpTo}` : `${path}${query}`)).text();
  const fresh = new DOMParser().parseFromString(page, "text/html").getElementById("kommentare");
  if (!fresh) throw new Error("no conversation");
  return fresh;
}

const arrivedIn = (fresh) => [...fresh.querySelectorAll("#faeden .comment")].filter((comment) => numberOf(comment) > knownUpTo && !document.getElementById(comment.id));

async function ask() {
  const section = conversation();
  if (document.hidden || !section || !("live" in section.dataset)) return;
  let count;
  try {
    const { last } = await (await fetch(`${articlePath}stand/`)).json();
    noteSeen();
    count = last - knownUpTo - seenSince.size;
    const hidden = hiddenNames();
    if (isConversation || (hidden.size && !onlyPassages())) { // the page says which belong here, and from whom they are
      if (last <= askedUpTo) return;
      count = arrivedIn(await fetchArrived()).filter((comment) => !hidden.has(nameOf(comment))).length;
      askedUpTo = last;
    }
  } catch {
    return; // away for a moment: the next time
  }
  if (count > 0 && section === conversation()) offer(section, count);
}

/* A button, in a place kept for it: nothing moves, and a screen reader says it when it has time. */
function offer(section, count) {
  const place = section.querySelector(".arrived");
  const label = interpolate(ngettext("%s neuer Kommentar", "%s neue Kommentare", count), [count]);
  const button = place.querySelector("button") ?? Object.assign(document.createElement("button"), { type: "button" });
  if (button.textContent === label) return;
  button.textContent = label;
  button.dataset.count = count;
  button.onmousedown = (event) => event.preventDefault(); // or the field being written in loses the focus, and this its place
  button.onclick = () => showArrived(section, place);
  place.replaceChildren(button);
}

async function showArrived(section, place) {
  const button = place.querySelector("button");
  button.disabled = true; // pressed twice it would bring them twice
  let fresh;
  try {
    fresh = await fetchArrived();
  } catch {
    button.disabled = false;
    place.replaceChildren(button, Object.assign(document.createElement("span"), { textContent: failed(place) })); // the section's own may be out of view
    return say(place, failed(place));
  }
  const arrived = arrivedIn(fresh);
  // Not all of them are about a passage: then to the page where they all stand.
  if (onlyPassages() && arrived.length < button.dataset.count) return location.assign(`${path}?sortierung=aelteste&ansicht=flach&seit=${knownUpTo}#faeden`);
  const box = document.createElement("div");
  box.className = "just-arrived";
  const threads = [...fresh.querySelectorAll("#faeden > .thread")].filter((thread) => arrived.some((comment) => thread.contains(comment)));
  for (const known of threads.flatMap((thread) => [...thread.querySelectorAll(".comment")])) if (!arrived.includes(known)) known.remove();
  box.append(...threads);
  // One page of them is shown; those that go on on the next are offered next.
  const goesOn = threads.length && fresh.querySelector("#mehr") && !onlyPassages();
  knownUpTo = goesOn ? numberOf(arrived.at(-1)) : Math.max(knownUpTo, Number(fresh.dataset.live || fresh.dataset.last || 0));
  askedUpTo = knownUpTo;
  for (const number of seenSince) if (number <= knownUpTo) seenSince.delete(number);
  if (lastOf()) {
    section.dataset.last = knownUpTo;
    if (store.get(SEEN)) store.set(SEEN, { ...store.get(SEEN), [path]: knownUpTo }); // shown, and so seen
    section.dataset.count = fresh.dataset.count;
    section.querySelector("h2").textContent = fresh.querySelector("h2").textContent;
  }
  place.replaceChildren();
  // One's own that waited is published now, and stands among them.
  for (const comment of arrived) document.getElementById(`kommentar-wartet-${idOf(comment)}`)?.remove();
  if (!arrived.length) return refresh(); // taken back meanwhile
  const list = section.querySelector("#faeden");
  const before = [...list.querySelectorAll(".comment")].find((comment) => comment.getBoundingClientRect().bottom > innerHeight / 5);
  const top = before?.getBoundingClientRect().top;
  if (isConversation) list.append(box);
  else list.prepend(box);
  htmx.process(box);
  refresh();
  history.pushState(null, "", location.href); // Back leads to where the reader was
  if (top < innerHeight) addEventListener("popstate", () => comeBack(before, top), { once: true });
  show(arrived[0].id);
}

/* The browser scrolls as far down as it was, but new comments stand above by now. */
function comeBack(comment, top) {
  setTimeout(() => { if (comment.isConnected) scrollBy({ top: comment.getBoundingClientRect().top - top, behavior: "instant" }); }, 50);
}

const idOf = (comment) => comment.querySelector(":scope > header a.time")?.pathname.split("/").at(-2);

setInterval(ask, ASK_EVERY);
document.addEventListener("visibilitychange", ask);

// --- Again whenever a part of the page was replaced -------------------------------------------------------------------

function refresh() {
  sayAgo();
  markNew();
  newBar();
  hidePeople();
  offerHiding();
}

startNew();
document.addEventListener("htmx:load", refresh);

// An address out of the bar may name the anchor alone; where another order is remembered, it stands on another page.
const SOUGHT = "newsroom.gesucht"; // once: what is nowhere is not sought for ever

function seek() {
  const [, number] = location.hash.match(/^#kommentar-(\d+)$/) ?? [];
  if (!number || isConversation || !document.getElementById("faeden") || tab.get(SOUGHT) === location.hash) return;
  tab.set(SOUGHT, location.hash);
  location.replace(`${articlePath}kommentar/${number}/`);
}

// A link to a comment opens what it is folded into, and leads the keyboard there.
function arrive() {
  const target = location.hash.startsWith("#kommentar-") && document.getElementById(location.hash.slice(1));
  if (!target) return seek();
  tab.remove(SOUGHT);
  if (!target.matches(".comment")) return;
  // The browser would scroll back to where the page it remembers was, before parts of it came.
  if (performance.getEntriesByType("navigation")[0]?.type === "back_forward") history.scrollRestoration = "manual";
  unfold(target);
  const top = notedPlace();
  if (top === undefined) mark(target);
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: "center", behavior: "instant" }); // what is on its way there may still grow
  if (top !== undefined) scrollBy({ top: target.getBoundingClientRect().top - top, behavior: "instant" });
}
window.addEventListener("hashchange", arrive);
refresh(); // first what makes comments longer
arrive();
// The list of what is new begins with the first of it.
if (showsNew() && location.hash === "#faeden") {
  addEventListener("load", () => setTimeout(() => document.querySelector("#faeden .comment.new")?.focus())); // after the browser's own step there
}
