// Sounds and videos on the plots' clock: what plays moves the cursor, and where the cursor is, is what stands still.
(function () {
  "use strict";

  const group = document.querySelector(".plots");
  const players = [...document.querySelectorAll(".player")].map((figure) => {
    const media = figure.querySelector("audio, video");
    return { figure, media, offset: Number(figure.dataset.offset) || 0, wanted: null };
  });
  let frame = 0;
  const playing = () => players.filter((one) => !one.media.paused && !one.media.ended);

  // One seek at a time: a mouse that moves asks for more than can be loaded.
  function seek(player, time) {
    const { media, offset } = player;
    const at = Math.min(Math.max(0, time - offset), media.duration || Infinity);
    if (media.seeking) player.wanted = time;
    else if (Number.isFinite(at) && Math.abs(media.currentTime - at) > 0.001) media.currentTime = at;
  }

  function follow() {
    cancelAnimationFrame(frame); // of another player's
    const [first, ...others] = playing();
    if (group) group.classList.toggle("playing", Boolean(first));
    if (!first) return;
    const time = first.media.currentTime + first.offset;
    for (const other of players) if (other !== first && !others.includes(other)) seek(other, time);
    if (group) group.dispatchEvent(new CustomEvent("moment", { detail: time }));
    frame = requestAnimationFrame(follow);
  }

  for (const player of players) {
    const { figure, media } = player;
    const broken = () => figure.classList.add("broken");
    media.addEventListener("error", broken);
    if (media.error) broken();
    media.addEventListener("play", follow);
    media.addEventListener("seeked", () => {
      const wanted = player.wanted;
      player.wanted = null;
      if (wanted !== null) seek(player, wanted);
      else if (!playing().length && group && !group.matches(":hover")) {
        group.dispatchEvent(new CustomEvent("moment", { detail: media.currentTime + player.offset }));
      }
    });
  }

  if (!group || !players.length) return;
  group.addEventListener("cursor", ({ detail }) => {
    if (detail.chosen || !playing().length) for (const player of players) seek(player, detail.time);
  });
  group.addEventListener("keydown", (event) => {
    if (event.target !== group || event.key !== " ") return;
    event.preventDefault();
    const now = playing();
    if (now.length) for (const { media } of now) media.pause();
    else players[0].media.play();
  });
})();
