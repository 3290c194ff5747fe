// Numbers as they are told and as they are written. An array is told as a record of statistics.

// One number is told as it is, several as [size, min, mean, max, rms, NaNs, infinities, strip].
function told(x) {
  if (x === null || x === undefined) return null;
  if (!Array.isArray(x))
    return {
      size: 1,
      item: Number(x === "inf" || x === "-inf" ? x.replace("inf", "Infinity") : x),
      nans: 0,
      infs: 0,
    };
  const [size, min = null, mean = null, max = null, rms = null, nans = 0, infs = 0, strip = []] = x;
  return { size, min, mean, max, rms, nans, infs, strip };
}

// As Python's %.4g writes it.
function numberText(x, digits = 4) {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power >= -4 && power < digits) return String(Number(x.toPrecision(digits)));
  const sign = power < 0 ? "-" : "+";
  return `${Number(mantissa)}e${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

// A number in a formula: 3.0, 0.25, 1.5e-05.
function factorText(x) {
  const text = numberText(x, 6);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

// The size of what is told: the number itself, or the RMS of several.
function magnitude(s) {
  if (s.size === 1) return s.item;
  if (s.nans) return NaN;
  return s.infs ? Infinity : (s.rms ?? 0);
}

function magnitudeText(s) {
  return s.size === 1 ? numberText(s.item) : `rms ${numberText(magnitude(s), 3)}`;
}

// Everything that is known, for the panel.
function statisticsText(s) {
  if (s.size === 1) return numberText(s.item, 6);
  const odd = [
    ["nan", s.nans],
    ["inf", s.infs],
  ]
    .filter(([, n]) => n)
    .map(([word, n]) => `${word} ${n}`);
  if (s.rms === null) return odd.join(", ") || "nothing";
  const [least, greatest, mean, rms] = [s.min, s.max, s.mean, s.rms].map((x) => numberText(x));
  return [`[${least}, ${greatest}], mean ${mean}, rms ${rms}`, ...odd].join(", ");
}

// Which of the 24 steps from 1e-9 to 1e3 a gradient is on; names of what has no place there.
function gradientLook(size) {
  if (size === null) return "none";
  if (!Number.isFinite(size)) return "alarm";
  if (size === 0) return "zero";
  const level = (Math.log10(Math.abs(size)) + 9) / 12;
  return `l${Math.min(23, Math.floor(Math.max(level, 0) * 24))}`;
}

// The width of an arrow: 1 to 6 pixels for what was sent along it.
function arrowWidth(size) {
  if (size === null || size === 0) return 1;
  const level = Number.isFinite(size) ? (Math.log10(Math.abs(size)) + 9) / 12 : 1;
  return 1 + 5 * Math.min(Math.max(level, 0), 1);
}
