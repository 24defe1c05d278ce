// The page works without this; with it, messages appear by themselves and open without losing one's place.
"use strict";

const list = document.getElementById("list");
const panel = document.getElementById("panel");
const live = document.getElementById("live");
let tag = "";
let opening = 0;

function asked(part) {
  return "/dev/inbox/" + part + location.search;
}

async function refresh() {
  const query = location.search;
  try {
    const answer = await fetch(asked("list"), { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    live.textContent = "live";
    live.className = "live on";
    if (answer.status === 200 && query === location.search) {
      const text = await answer.text();
      if (list.contains(document.activeElement) && list.matches(":has(:focus-visible)")) {
        // Someone walks through the list with the keyboard: keep the place.
        const at = document.activeElement.dataset.n;
        replace(text);
        if (at) list.querySelector(`a[data-n="${CSS.escape(at)}"]`)?.focus();
      } else {
        replace(text);
      }
      tag = answer.headers.get("ETag") || "";
    }
  } catch {
    live.textContent = "not reachable";
    live.className = "live off";
  }
}

function replace(text) {
  const unfolded = [...list.querySelectorAll("details[open]")].map((one) => one.dataset.c);
  list.innerHTML = text;
  for (const key of unfolded) list.querySelector(`details[data-c="${CSS.escape(key)}"]`)?.setAttribute("open", "");
}

async function open(url, push) {
  if (push) history.pushState(null, "", url);
  const mine = ++opening;
  mark();
  const answer = await fetch(asked("panel"));
  const text = await answer.text();
  if (mine !== opening) return; // a later click has overtaken this one
  panel.innerHTML = text;
  const query = new URLSearchParams(location.search);
  document.body.className = query.get("n") || query.get("tab") === "refused" ? "reading" : "choosing";
  tag = ""; // the list's links carry the state of the page
}

function mark() {
  const n = new URLSearchParams(location.search).get("n");
  for (const link of list.querySelectorAll(".messages a")) {
    if (link.dataset.n === n) {
      link.setAttribute("aria-current", "true");
      link.closest("details")?.setAttribute("open", "");
    }
    else link.removeAttribute("aria-current");
  }
}

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const narrow = event.target.closest("[data-narrow]");
  if (narrow) {
    const on = narrow.getAttribute("aria-pressed") !== "true";
    narrow.setAttribute("aria-pressed", String(on));
    panel.querySelector("iframe").classList.toggle("narrow", on);
    return;
  }
  const link = event.target.closest("a[data-panel]");
  if (!link) return;
  event.preventDefault();
  open(link.href, true);
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-ask]");
  if (!form) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const answer = await fetch(form.action, { method: "POST" });
  document.getElementById("answers").innerHTML = await answer.text();
  button.disabled = false;
});

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...list.querySelectorAll(".messages a")];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  const next = links[event.key === "j" ? at + 1 : Math.max(0, at - 1)];
  if (next) {
    next.scrollIntoView({ block: "nearest" });
    open(next.href, true);
  }
});

window.addEventListener("popstate", () => {
  tag = "";
  open(location.href, false);
  refresh();
});

setInterval(() => {
  if (!document.hidden) refresh();
}, 2000);
refresh();
