// What of the scene is in view: moved by dragging, wheel, pinching and keys; shown on a small map.

const LEAST = 0.02,
  GREATEST = 4;
const MAP = [180, 150];

class Camera {
  constructor(stage, layer, map, changed) {
    Object.assign(this, {
      stage,
      layer,
      map,
      changed,
      x: 0,
      y: 0,
      scale: 1,
      size: { width: 1, height: 1 },
    });
    this.pointers = new Map();
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"])
      stage.addEventListener(end, (event) => this.release(event));
    for (const move of ["pointerdown", "pointermove"])
      map.addEventListener(move, (event) => this.point(event));
    const measure = () => {
      this.box = stage.getBoundingClientRect();
    };
    measure();
    new ResizeObserver(() => {
      measure();
      this.apply();
    }).observe(stage);
  }

  // The part of the scene in view, with a margin.
  get view() {
    const { width, height } = this.box;
    const [left, top] = [-this.x / this.scale, -this.y / this.scale];
    const margin = 80 / this.scale;
    return {
      left: left - margin,
      top: top - margin,
      right: left + width / this.scale + margin,
      bottom: top + height / this.scale + margin,
    };
  }

  apply() {
    this.layer.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
    this.changed(this.view, this.scale);
    this.drawFrame();
  }

  // Go there smoothly, unless less motion is asked for.
  to(x, y, scale) {
    const from = [this.x, this.y, this.scale],
      end = [x, y, scale];
    cancelAnimationFrame(this.moving);
    if (this.calm.matches || document.hidden) {
      [this.x, this.y, this.scale] = end;
      this.apply();
      return;
    }
    const began = performance.now();
    const move = (now) => {
      const part = Math.min(1, Math.max(0, (now - began) / 220));
      const eased = part * (2 - part);
      [this.x, this.y, this.scale] = from.map((a, i) => a + (end[i] - a) * eased);
      this.apply();
      if (part < 1) this.moving = requestAnimationFrame(move);
    };
    this.moving = requestAnimationFrame(move);
  }

  // Show the whole scene, at most as large as it is; at first no smaller than can be read.
  fit(least = LEAST) {
    const { width, height } = this.box;
    const whole = Math.min((width - 32) / this.size.width, (height - 32) / this.size.height, 1.25);
    const scale = Math.max(whole, least);
    const free = height - this.size.height * scale;
    this.to((width - this.size.width * scale) / 2, free > 0 ? free / 2 : 16, scale);
  }

  zoom(factor, x = this.box.width / 2, y = this.box.height / 2) {
    const scale = Math.min(GREATEST, Math.max(LEAST, this.scale * factor));
    const part = scale / this.scale;
    [this.x, this.y, this.scale] = [x - (x - this.x) * part, y - (y - this.y) * part, scale];
    this.apply();
  }

  // Bring a box into view, if it is not.
  reveal(box) {
    const { width, height } = this.box;
    const scale = Math.max(this.scale, 0.5);
    const [left, top] = [box.x * this.scale + this.x, box.y * this.scale + this.y];
    const inside =
      left > 24 &&
      top > 24 &&
      left + box.width * this.scale < width - 24 &&
      top + box.height * this.scale < height - 24;
    if (inside && scale === this.scale) return;
    this.to(
      width / 2 - (box.x + box.width / 2) * scale,
      height / 2 - (box.y + box.height / 2) * scale,
      scale,
    );
  }

  // Keep a box where it is on the screen while the scene around it changes.
  hold(before, after) {
    this.x += (before.x - after.x) * this.scale;
    this.y += (before.y - after.y) * this.scale;
  }

  wheel(event) {
    event.preventDefault();
    const { left, top } = this.box;
    const lines = event.deltaMode === 1 ? 16 : 1;
    this.zoom(
      Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)),
      event.clientX - left,
      event.clientY - top,
    );
  }

  press(event) {
    cancelAnimationFrame(this.moving);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.dragged = this.pointers.size > 1;
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    if (Math.hypot(now[0] - before[0], now[1] - before[1]) < 4 && !this.dragged) return;
    this.dragged = true;
    if (!this.stage.hasPointerCapture(event.pointerId))
      this.stage.setPointerCapture(event.pointerId);
    const { left, top } = this.box;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other)
      this.zoom(
        Math.hypot(now[0] - other[0], now[1] - other[1]) /
          Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1])),
        (now[0] + other[0]) / 2 - left,
        (now[1] + other[1]) / 2 - top,
      );
    else ((this.x += now[0] - before[0]), (this.y += now[1] - before[1]));
    this.pointers.set(event.pointerId, now);
    this.apply();
  }

  release(event) {
    this.pointers.delete(event.pointerId);
  }

  // Draw the small map of a scene.
  draw(scene) {
    this.size = scene;
    const { map } = this;
    const part = (this.part = Math.min(MAP[0] / scene.width, MAP[1] / scene.height));
    [map.width, map.height] = [
      Math.max(24, Math.ceil(scene.width * part)),
      Math.max(24, Math.ceil(scene.height * part)),
    ];
    const style = getComputedStyle(map);
    const pen = (this.sketch = document.createElement("canvas").getContext("2d"));
    [pen.canvas.width, pen.canvas.height] = [map.width, map.height];
    pen.strokeStyle = style.getPropertyValue("--frame");
    for (const box of scene.frames)
      pen.strokeRect(box.x * part, box.y * part, box.width * part, box.height * part);
    pen.fillStyle = style.getPropertyValue("--line");
    for (const box of scene.boxes)
      pen.fillRect(
        box.x * part,
        box.y * part,
        Math.max(1, box.width * part),
        Math.max(1, box.height * part),
      );
  }

  drawFrame() {
    if (!this.sketch) return;
    const { map, part } = this;
    const { width, height } = this.box;
    const [right, bottom] = [
      this.x + this.size.width * this.scale,
      this.y + this.size.height * this.scale,
    ];
    map.hidden = this.x >= 0 && this.y >= 0 && right <= width && bottom <= height;
    const pen = map.getContext("2d");
    pen.clearRect(0, 0, map.width, map.height);
    pen.drawImage(this.sketch.canvas, 0, 0);
    pen.lineWidth = 2;
    pen.strokeStyle = getComputedStyle(map).getPropertyValue("--ring");
    pen.strokeRect(
      (-this.x / this.scale) * part,
      (-this.y / this.scale) * part,
      (width / this.scale) * part,
      (height / this.scale) * part,
    );
  }

  // Move to where the map is pressed.
  point(event) {
    if (!event.buttons) return;
    event.stopPropagation();
    const { left, top, width } = this.map.getBoundingClientRect();
    const part = (this.part * width) / this.map.width;
    const { width: wide, height: high } = this.box;
    this.x = wide / 2 - ((event.clientX - left) / part) * this.scale;
    this.y = high / 2 - ((event.clientY - top) / part) * this.scale;
    this.apply();
  }
}
