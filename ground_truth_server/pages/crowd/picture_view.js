// Where a picture lies on its stage: zoom and place, and what of both the pointer, wheel, fingers and keys change.

const CLOSEST = 40; // screen pixels a pixel of the picture
const KEPT_IN_SIGHT = 60; // screen pixels of the picture that can't be pushed off the stage

class PictureView {
  scale = 1;
  x = 0;
  y = 0;
  isFitted = true;
  #stage = { width: 1, height: 1 };
  #picture = { width: 1, height: 1 };

  get #fittingScale() {
    return Math.min(this.#stage.width / this.#picture.width, this.#stage.height / this.#picture.height);
  }

  /** Show the whole picture, small ones no larger than four times their size. */
  fit(picture = this.#picture) {
    this.#picture = picture;
    this.scale = Math.min(this.#fittingScale, 4);
    this.x = (this.#stage.width - picture.width * this.scale) / 2;
    this.y = (this.#stage.height - picture.height * this.scale) / 2;
    this.isFitted = true;
  }

  /** The stage has another size: what was fitted stays so, and what was in the middle. */
  resize(width, height) {
    const [shiftX, shiftY] = [(width - this.#stage.width) / 2, (height - this.#stage.height) / 2];
    this.#stage = { width, height };
    if (this.isFitted) this.fit();
    else this.pan(shiftX, shiftY);
  }

  /** Zoom by a factor; what lies at this place of the stage stays there. */
  zoom(factor, [atX, atY] = [this.#stage.width / 2, this.#stage.height / 2]) {
    const least = Math.min(this.#fittingScale / 2, 1);
    const scale = Math.min(CLOSEST, Math.max(least, this.scale * factor));
    this.x = atX - (atX - this.x) * (scale / this.scale);
    this.y = atY - (atY - this.y) * (scale / this.scale);
    this.scale = scale;
    this.pan(0, 0);
  }

  pan(byX, byY) {
    const kept = (place, length, stage) => Math.min(stage - KEPT_IN_SIGHT, Math.max(KEPT_IN_SIGHT - length, place));
    this.x = kept(this.x + byX, this.#picture.width * this.scale, this.#stage.width);
    this.y = kept(this.y + byY, this.#picture.height * this.scale, this.#stage.height);
    this.isFitted = false;
  }

  /** Bring a place of the picture into sight, if it isn't. */
  reveal([x, y], margin = 40) {
    const [atX, atY] = this.toStage([x, y]);
    const short = (at, length) => Math.max(0, margin - at) + Math.min(0, length - margin - at);
    const [byX, byY] = [short(atX, this.#stage.width), short(atY, this.#stage.height)];
    if (byX === 0 && byY === 0) return false;
    this.pan(byX, byY);
    return true;
  }

  toStage([x, y]) { return [x * this.scale + this.x, y * this.scale + this.y]; }
  toPicture([x, y]) { return [(x - this.x) / this.scale, (y - this.y) / this.scale]; }

  /** The middle of what is seen, in the picture. */
  get middle() { return this.toPicture([this.#stage.width / 2, this.#stage.height / 2]); }
}
