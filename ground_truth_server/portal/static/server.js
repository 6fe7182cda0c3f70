// Asking the server: JSON out, JSON back. What may pass by itself is told apart from what will not.

const LONGEST_PAUSE = 10; // seconds between tries

/** The server did not answer, or said that it can't just now: worth trying again. */
export class ConnectionLost extends Error {}

/** Post JSON; gives the answer with its `status`. */
export function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Get JSON; gives `{ status, ...answer }`. */
export function get(path) {
  return ask(path, {});
}

/** Get a part of a page. */
export async function getPart(path) {
  const response = await reach(path, {});
  return response.ok ? response.text() : `<p>That did not work (${response.status}).</p>`;
}

async function reach(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new ConnectionLost("The server does not answer.");
  }
  if (response.status >= 500) throw new ConnectionLost(`The server has trouble (${response.status}).`);
  return response;
}

async function ask(path, options) {
  const response = await reach(path, options);
  try {
    return { status: response.status, ...(await response.json()) };
  } catch {
    return { status: response.status };
  }
}

/** Tries again with growing pauses until the server answers, and shows a notice meanwhile. */
export class Persistence {
  #notice; #button; #text;

  constructor(notice) {
    this.#notice = notice;
    this.#text = notice.querySelector("p");
    this.#button = notice.querySelector("button");
  }

  /** @param ask makes the request; @param kept what to tell the person is safe meanwhile. */
  async until(ask, kept = "") {
    for (let tries = 0; ; tries += 1) {
      try {
        const answer = await ask();
        this.#notice.hidden = true;
        return answer;
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        await this.#pause(`${error.message} ${kept} Trying again…`, Math.min(2 ** tries, LONGEST_PAUSE));
      }
    }
  }

  #pause(text, seconds) {
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#notice.hidden = false;
    return new Promise((resolve) => {
      const timer = setTimeout(go, seconds * 1000);
      const button = this.#button;
      function go() {
        clearTimeout(timer);
        button.removeEventListener("click", go);
        window.removeEventListener("online", go);
        resolve();
      }
      button.addEventListener("click", go);
      window.addEventListener("online", go);
    });
  }
}
