// A job's page in the console follows the job's log: each answer brings the new lines and the parts that changed.

import { replaceContent } from "./refresh.js";
import { ConnectionLost, get } from "./server.js";

const MOST_LINES = 500;
const BETWEEN = 700; // milliseconds: a busy job changes several times a second
const AFTER_LOSS = 3000;

const { liveUrl, after: start } = document.querySelector("[data-live-url]").dataset;
const log = document.querySelector("[data-live-log]");
const light = document.getElementById("live");

async function follow() {
  const query = new URLSearchParams(window.location.search);
  for (let after = start; ;) {
    query.set("after", after);
    try {
      const news = await get(`${liveUrl}?${query}`);
      light.classList.add("on");
      light.textContent = "live";
      if (news.log !== undefined) show(news);
      after = news.after ?? after;
      await pause(BETWEEN);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      light.classList.remove("on");
      light.textContent = "connection lost, trying again";
      await pause(AFTER_LOSS);
    }
  }
}

function show(news) {
  for (const part of document.querySelectorAll("[data-live]")) replaceContent(part, news[part.dataset.live]);
  log.insertAdjacentHTML("afterbegin", news.log);
  while (log.children.length > MOST_LINES) log.lastElementChild.remove();
}

function pause(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}

follow();
