// A worker page in the console is to look at: what is submitted in it goes nowhere, and it is told so.

const frame = document.querySelector("iframe");

window.addEventListener("message", ({ source, data }) => {
  if (source !== frame?.contentWindow || data?.type !== "answer") return;
  source.postMessage({ type: "rejected", message: "This is the owner's view: nothing is submitted from here." }, "*");
});
