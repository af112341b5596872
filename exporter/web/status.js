// Shows every 5 seconds what the last scrape fetched. The exporter sends Binance no request for it.
"use strict";

const PERIOD_MS = 5000;
// without a user and password, which fetch() refuses in a URL
const url = location.origin + location.pathname + "?cached";
let timer;
let seen = new Date();

async function update() {
  clearTimeout(timer);
  timer = undefined;
  try {
    const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PERIOD_MS) });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const main = page.querySelector("main");
    if (!response.ok || !main) throw new Error(`status ${response.status}`);
    replaceMain(main);
    document.title = page.title;
    seen = new Date();
    showLost(false);
  } catch {
    showLost(true);
  }
  plan();
}

function plan() {
  clearTimeout(timer);
  timer = document.hidden ? undefined : setTimeout(update, PERIOD_MS);
}

function replaceMain(main) {
  const old = document.querySelector("main");
  for (const details of old.querySelectorAll("details")) {
    const same = main.querySelector(`#${details.id}`);
    if (same) same.open = details.open;
  }
  const scrolled = [...old.querySelectorAll(".scroll")].map((each) => each.scrollLeft);
  const focused = document.activeElement.parentElement?.id;
  old.replaceWith(main);
  main.querySelectorAll(".scroll").forEach((each, number) => {
    each.scrollLeft = scrolled[number] ?? 0;
  });
  if (focused) main.querySelector(`#${focused} > summary`)?.focus();
}

function showLost(lost) {
  document.body.classList.toggle("lost", lost);
  const notice = document.querySelector("#lost");
  notice.hidden = !lost;
  notice.querySelector("span").textContent = `${seen.toISOString().slice(11, 19)} UTC`;
  if (lost) document.title = "No response · Binance asset index";
}

document.addEventListener("visibilitychange", () => (document.hidden ? plan() : update()));
plan();
