// Dialogs: a button with data-opens="ID" opens the dialog of that id; a click beside it closes it.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) open(opener.dataset.opens);
  else if (event.target instanceof HTMLDialogElement) closeIfBeside(event, event.target);
});

export function open(id) {
  const dialog = document.getElementById(id);
  if (dialog.open) return;
  dialog.returnValue = "";
  dialog.showModal();
}

export function isAnyOpen() {
  return document.querySelector("dialog[open]") !== null;
}

function closeIfBeside({ clientX: x, clientY: y }, dialog) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  if (x < left || x > right || y < top || y > bottom) dialog.close("");
}
