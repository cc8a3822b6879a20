/* Forms: token and key before the question, drafts that survive everything, one's place while sending. */
"use strict";

// --- Forms out of a page that is the same for everyone: token and key at the first touch --------------------------

// htmx on every page, whatever it shows. Where it did not arrive, forms are sent without it.
if (window.htmx) Object.assign(htmx.config, {
  includeIndicatorStyles: false, // the page's policy allows no style in the markup, and no code made of words
  allowEval: false,
  selfRequestsOnly: true,
  historyCacheSize: 0, // nobody's page stays on the device
  refreshOnHistoryMiss: true,
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "409|422|429", swap: true, error: false }, // the form again, with what is wrong
    { code: "[45]..", swap: false, error: true },
  ],
});

let csrf = null;
const openedAt = new Map(); // by the form's key, which a preview or an error brings back

function hidden(form, name) {
  let field = form.elements.namedItem(name);
  if (!field) {
    field = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.prepend(field);
  }
  return field;
}

function isPrepared(form) {
  const key = form.elements.namedItem("form_key");
  return Boolean(form.elements.namedItem("csrfmiddlewaretoken")?.value) && (!key || Boolean(key.value));
}

async function prepare(form) {
  if (isPrepared(form)) return;
  form.preparing ??= (async () => {
    const key = form.elements.namedItem("form_key");
    if (!csrf || (key && !key.value)) {
      const answer = await fetch("/formular/", { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = await answer.json();
      csrf = fresh.csrf;
      if (key && !key.value) {
        key.value = fresh.key;
        form.opened = Date.now();
        openedAt.set(key.value, form.opened);
      }
    }
    hidden(form, "csrfmiddlewaretoken").value = csrf;
  })().finally(() => { form.preparing = null; });
  return form.preparing;
}

const isOurs = (form) => form instanceof HTMLFormElement && form.method === "post";

// At the first word typed and not when the focus comes by: who only tabs through the page gets no cookie.
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (isOurs(form)) prepare(form).catch(() => {});
});

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (!isOurs(form) || submitter?.matches("[data-remember], [data-hides]") || (isPrepared(form) && mayGo(form, submitter) <= 0)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  prepare(form)
    .then(() => {
      const ms = mayGo(form, submitter);
      if (ms > 500) say(form, gettext("Wird gesendet …"));
      return new Promise((resume) => setTimeout(resume, ms));
    })
    .then(() => { form.ariaBusy = null; form.requestSubmit(submitter); })
    .catch(() => { form.ariaBusy = null; say(form, failed(form)); });
}, true);

// A button that belongs to a form elsewhere (form="tat") is sent by htmx without a submit event.
document.addEventListener("htmx:confirm", (event) => {
  const { elt: button, issueRequest } = event.detail;
  if (!(button instanceof HTMLButtonElement) || !isOurs(button.form) || isPrepared(button.form)) return;
  event.preventDefault();
  prepare(button.form).then(() => issueRequest(true)).catch(() => say(button, failed(button)));
});

/* How many ms a comment must still wait: nobody is held for having typed or pasted fast. */
function mayGo(form, submitter) {
  // What is changed was written before: the server asks for no time either.
  if (!("commentForm" in form.dataset) || "stored" in form.dataset || submitter?.name === "preview" || !isComplete(form)) return 0;
  // A person needs longer than this to write; the server holds what comes faster (comments/screening.py).
  const fastestHuman = Number(form.dataset.commentForm) + 100; // ms, a little more than the server asks for
  return fastestHuman - (Date.now() - (form.opened ?? 0));
}

/* What is missing is said at once. */
const isComplete = (form) => ["body", "name"].every((name) => form.elements.namedItem(name)?.value.trim() !== "");

// A form that came with its key was opened, at the latest, when it arrived here.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  for (const form of elt.closest("body").querySelectorAll("[data-comment-form]")) {
    form.opened ??= openedAt.get(form.elements.namedItem("form_key").value) ?? Date.now();
  }
});

// --- When the network or the server fails: say so, keep every word -----------------------------------------------

const failed = (element) => (element.querySelector("textarea, [type=email]")
  ? gettext("Das hat gerade nicht geklappt. Ihr Text ist noch da; versuchen Sie es bitte gleich noch einmal.")
  : gettext("Das hat gerade nicht geklappt. Versuchen Sie es bitte gleich noch einmal."));

/* Where the reader is looking: in the form, beneath the comment, or in the section. */
function say(element, text) {
  const slot = element.closest(".comment")?.querySelector(".slot");
  if (slot && !slot.firstChild) slot.append(Object.assign(document.createElement("p"), { className: "status", role: "status" }));
  const status = element.querySelector("[role=status]:last-of-type:not(.left)") ?? (slot ?? element.closest("section"))?.querySelector("[role=status]");
  if (status) setTimeout(() => { status.textContent = text; }); // a live region speaks of what changes after it came
}

let triedAgain = false; // since the last answer that was none of these

for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const { elt, xhr, requestConfig } = event.detail;
    const form = elt.form ?? elt;
    if (xhr?.status === 403 && isOurs(form) && !triedAgain) {
      // The cookie that belongs to the token is gone, or signing in changed it: once more with a fresh one.
      triedAgain = true;
      csrf = null;
      hidden(form, "csrfmiddlewaretoken").value = "";
      if (form === elt) form.requestSubmit(requestConfig.triggeringEvent?.submitter);
      else elt.click();
    } else {
      say(elt, whatIsGone(xhr, elt) ?? failed(elt));
    }
  });
}

/* The page that says so, in a sentence: of a comment that somebody else deleted meanwhile, or of too many votes. */
function whatIsGone(xhr, elt) {
  if (xhr?.status !== 404 && !elt.matches("[formaction$='/respekt/']")) return null;
  return new DOMParser().parseFromString(xhr?.responseText ?? "", "text/html").querySelector("main p")?.textContent;
}

document.addEventListener("htmx:afterRequest", ({ detail: { successful } }) => { if (successful) triedAgain = false; });

document.addEventListener("htmx:beforeRequest", ({ target }) => {
  target.closest(".comment")?.querySelector(".slot > .status")?.remove();
});

// What takes long is said to be on its way.
const LONG = 1000; // ms
let slow = null;
document.addEventListener("htmx:beforeSend", ({ detail: { elt } }) => {
  clearTimeout(slow);
  if (elt.matches("[data-comment-form]")) slow = setTimeout(() => say(elt, gettext("Wird gesendet …")), LONG);
});
document.addEventListener("htmx:afterRequest", () => clearTimeout(slow));

// --- Drafts: what was typed outlives a reload, an error, signing in -----------------------------------------------

const DRAFT = "newsroom.entwurf:";
const DRAFT_DAYS = 30;
const WHO = ["name", "email", "website"];

// Storage may be forbidden or full: then there are no drafts, and everything else goes on.
const store = {
  get(name) { try { return JSON.parse(localStorage.getItem(name)); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, JSON.stringify(value)); } catch { /* as above */ } },
  remove(name) { try { localStorage.removeItem(name); } catch { /* as above */ } },
  names() { try { return Object.keys(localStorage); } catch { return []; } },
};
const tab = {
  get(name) { try { return JSON.parse(sessionStorage.getItem(name)); } catch { return null; } },
  set(name, value) { try { sessionStorage.setItem(name, JSON.stringify(value)); } catch { /* as above */ } },
  remove(name) { try { sessionStorage.removeItem(name); } catch { /* as above */ } },
};

// Who is signed in; drafts begun as a guest survive signing in, but nobody finds those of another's account.
const account = document.querySelector("[data-account]")?.textContent ?? "";

function draftOf(name) {
  const draft = store.get(name);
  return draft?.body && (!draft.account || draft.account === account) ? draft : null;
}

// A form about a passage is sent to an address with all its words; its draft goes by the link that opens it.
const draftName = (form) => {
  const { pathname, search } = new URL(form.dataset.draft ?? form.action, location);
  return DRAFT + pathname + search;
};

document.addEventListener("input", ({ target }) => {
  const form = target.form;
  if (!form || !("commentForm" in form.dataset)) return;
  const { body, notify } = form.elements;
  const who = Object.fromEntries(WHO.map((name) => [name, form.elements[name]?.value ?? ""]));
  if (body.value.trim() && body.value !== stored(form)) store.set(draftName(form), { body: body.value, seen: form.elements.seen?.value, who, notify: notify?.checked, at: Date.now(), account });
  else store.remove(draftName(form));
  markDrafts();
});

/* The words that a form for changing them came with; a new comment has none. */
const stored = (form) => form.dataset.stored ?? "";

/* Puts a draft back into a form that nobody has written in. */
function restoreDrafts(within) {
  for (const form of within.querySelectorAll("[data-comment-form]")) {
    const draft = draftOf(draftName(form));
    if (!draft || form.elements.body.value !== stored(form)) continue;
    const { body, seen } = form.elements;
    const came = seen?.value;
    body.value = draft.body;
    if (seen && draft.seen) seen.value = draft.seen; // which words it began with: others may be there by now
    for (const name of WHO) if (form.elements[name] && !form.elements[name].value) form.elements[name].value = draft.who?.[name] ?? "";
    if (form.elements.notify) form.elements.notify.checked ||= Boolean(draft.notify);
    offerDiscarding(form, came);
    prepare(form).catch(() => {});
  }
}

function offerDiscarding(form, seen) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: gettext("Entwurf verwerfen") });
  button.addEventListener("click", () => {
    form.elements.body.value = stored(form);
    if (seen) form.elements.seen.value = seen;
    form.elements.body.dispatchEvent(new Event("input", { bubbles: true })); // and so it is no draft any more
    form.elements.body.focus();
    button.remove();
  });
  form.querySelector(".send")?.append(button);
}

/* Where the comments were closed meanwhile, what was begun stands to be copied. */
function showBegun(within) {
  const place = within.querySelector(".begun[hidden]");
  if (!place || within.querySelector("[data-comment-form]")) return;
  for (const name of store.names()) {
    const draft = name.startsWith(DRAFT) && draftOf(name);
    if (!draft) continue;
    const address = name.slice(DRAFT.length);
    const answered = address.match(/^(.*\/)antworten\/$/)?.[1];
    if (!address.startsWith(place.dataset.here) && address !== location.pathname && !(answered && within.querySelector(`.comment .time[href="${answered}"]`))) continue;
    const text = Object.assign(document.createElement("textarea"), { readOnly: true, rows: 4, value: draft.body });
    text.setAttribute("aria-label", place.textContent.trim());
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: place.dataset.discard });
    button.addEventListener("click", () => {
      store.remove(name);
      text.remove();
      button.remove();
      place.hidden = !place.querySelector("textarea");
    });
    place.append(text, button);
    place.hidden = false;
  }
}

/* Where a reply was begun, its link says so. */
function markDrafts() {
  for (const link of document.querySelectorAll(".comment > footer > a[href$='/antworten/']")) {
    const open = link.closest(".comment").querySelector(":scope > .slot form"); // there it stands
    const begun = !open && Boolean(draftOf(DRAFT + link.getAttribute("href")));
    if (begun === "draft" in link.dataset) continue;
    link.dataset.own ??= link.textContent;
    link.textContent = begun ? gettext("Entwurf fortsetzen") : link.dataset.own;
    link.toggleAttribute("data-draft", begun);
  }
}

for (const name of store.names()) {
  if (name.startsWith(DRAFT) && Date.now() - (store.get(name)?.at ?? 0) > DRAFT_DAYS * 864e5) store.remove(name);
}

document.addEventListener("newsroom:sent", ({ target }) => {
  target.wasSent = true;
  if (!target.action) return;
  store.remove(draftName(target));
  // Who they are is known now, in the page's other forms too.
  for (const { elements } of document.querySelectorAll("[data-comment-form]")) {
    for (const name of WHO) if (elements[name] && !elements[name].value) elements[name].value = target.elements[name]?.value ?? "";
  }
});

// A form on a page of its own is sent without htmx: that it was taken is seen where the answer leads.
const SENT_AWAY = "newsroom.abgeschickt"; // the name of the draft under way
document.addEventListener("submit", ({ target: form, defaultPrevented }) => {
  if (defaultPrevented || !("commentForm" in form.dataset)) return;
  tab.set(SENT_AWAY, draftName(form));
});

const sentAway = tab.get(SENT_AWAY);
tab.remove(SENT_AWAY);
if (sentAway && /^#kommentar-(wartet-)?\d+$/.test(location.hash)) store.remove(sentAway);

document.addEventListener("htmx:load", ({ detail: { elt } }) => { restoreDrafts(elt.closest("body")); showBegun(elt.closest("body")); markDrafts(); });

// What was taken back stands in a form again, and nowhere else: it is a draft from the start.
if (location.pathname.endsWith("/loeschen/")) {
  document.querySelector("[data-comment-form]")?.elements.body.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- Keys while writing ---------------------------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  const form = event.target.form;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form?.matches(".write")) {
    event.preventDefault();
    form.requestSubmit(form.querySelector("button.primary"));
  }
});

// --- A counter only near the limit -----------------------------------------------------------------------------------

document.addEventListener("input", ({ target }) => {
  const limit = Number(target.dataset.limit); // not maxlength: the browser would cut silently what is pasted
  if (!limit) return;
  const left = limit - [...target.value].length; // as the server counts: an emoji is one
  let counter = target.parentElement.querySelector(".left");
  if (left > limit / 10) return counter?.remove();
  if (!counter) {
    counter = Object.assign(document.createElement("p"), { className: "hint left", role: "status" });
    target.after(counter);
  }
  counter.textContent = left < 0 ? interpolate(ngettext("%s Zeichen zu viel", "%s Zeichen zu viel", -left), [-left]) : interpolate(ngettext("noch %s Zeichen", "noch %s Zeichen", left), [left]);
});

// --- Times that run out: taking back, changing ----------------------------------------------------------------------

function countDown() {
  for (const tool of document.querySelectorAll("[data-seconds]")) {
    tool.ends ??= Date.now() + tool.dataset.seconds * 1000;
    const left = Math.ceil((tool.ends - Date.now()) / 1000);
    if (left <= 0) {
      if (tool === document.activeElement) tool.nextElementSibling?.focus(); // the keyboard stays in its row
      tool.remove();
    } else if (tool.classList.contains("undo")) tool.textContent = `${tool.textContent.replace(/ \(\d+\)$/, "")} (${left})`;
    else tool.querySelector("span").textContent = `(${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")})`;
  }
}
countDown();
setInterval(countDown, 1000);
document.addEventListener("htmx:load", countDown); // at once where one comes
