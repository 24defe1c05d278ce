// Puts new events on the live page. Without it the page shows what had happened when it was loaded.
(() => {
  "use strict";
  const feed = document.getElementById("feed");
  const state = document.getElementById("state");
  const pause = document.getElementById("pause");
  const silence = document.getElementById("silence");
  const blank = document.getElementById("event");
  if (!feed || !window.EventSource) return;

  const LONGEST = 200; // events on the page
  const waiting = new Map(); // by id, while paused
  let paused = false;
  let connection = "connecting";

  function say() {
    const said = paused ? state.dataset.paused.replace("{n}", waiting.size) : state.dataset[connection];
    if (state.textContent !== said) state.textContent = said;
  }

  function fill(slot, event) {
    const name = slot.dataset.slot;
    const runs = event.runs[name] || [{ text: event[name], lang: null }];
    slot.replaceChildren(...runs.map(({ text, lang }) => {
      if (!lang) return text;
      const words = document.createElement("span");
      words.lang = lang;
      words.textContent = text;
      return words;
    }));
  }

  function show(event) {
    if (document.getElementById(event.id)) return; // told again after a reconnection
    const item = blank.content.firstElementChild.cloneNode(true);
    item.id = event.id;
    for (const slot of item.querySelectorAll("[data-slot]")) fill(slot, event);
    item.querySelector("time").dateTime = event.at;
    item.querySelector("a").href = event.url;
    feed.prepend(item);
    while (feed.children.length > LONGEST) feed.lastElementChild.remove();
    silence.hidden = true;
  }

  function hear(message) {
    const event = JSON.parse(message.data);
    if (paused) waiting.set(event.id, event);
    else show(event);
    say();
  }

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    if (!paused) {
      waiting.forEach(show);
      waiting.clear();
    }
    say();
  });

  const address = new URL(feed.dataset.events, location.href);
  if (feed.dataset.after) address.searchParams.set("after", feed.dataset.after);
  const source = new EventSource(address);
  source.addEventListener("open", () => { connection = "open"; say(); });
  source.addEventListener("error", () => { connection = "lost"; say(); });
  for (const topic of feed.dataset.topics.split(" ")) source.addEventListener(topic, hear);
  say();
})();
