"""The photographs of the sample welds, drawn: a relief of the bead on its plate, painted and lit.

The relief (heights in mm) is made of the bead's cross-section, its ripples, and what the defect did to it:
pores, a hole, grooves, spatter. The paint is the plate's steel, the temper colours of its oxide film, and
what lies on it: soot, rust, primer. One lamp from the upper left gives shading and shine.
"""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from labeling_job.sample_welds import SEAM_END_MM, SEAM_START_MM, Array, Weld

WIDTH_PX, HEIGHT_PX = 1200, 400
PX_PER_MM = 15.5
MARGIN_MM = (WIDTH_PX / PX_PER_MM - SEAM_END_MM) / 2
COLOURS = 112
PALETTE_SETTLED_PX = 20_000  # the palette is good enough when fewer pixels than this change colour

STEEL = (166.0, 160.0, 152.0)
BEAD_METAL = (150.0, 151.0, 153.0)
BROWN_OXIDE = (101.0, 86.0, 71.0)
SOOT = (34.0, 31.0, 29.0)
RUST = (134.0, 74.0, 40.0)
PRIMER = (112.0, 62.0, 54.0)
BEHIND_THE_HOLE = (15.0, 13.0, 12.0)

# The oxide film's interference colours, from the bead outwards: thick grey scale, pale grey-blue, deep blue,
# purple, brown, straw, bare steel. Distance is a share of the film's reach.
TEMPER_DISTANCE = (0.0, 0.10, 0.34, 0.52, 0.64, 0.73, 0.80, 0.90, 1.0)
TEMPER_COLOURS = (
    (92.0, 90.0, 90.0),
    (112.0, 113.0, 114.0),
    (134.0, 137.0, 136.0),
    (110.0, 122.0, 136.0),
    (62.0, 76.0, 112.0),
    (84.0, 60.0, 92.0),
    (124.0, 84.0, 54.0),
    (166.0, 140.0, 96.0),
    STEEL,
)


@dataclass(frozen=True)
class Plate:
    """The plate's surface as a grid of points, one a pixel, and how the bead lies on it.

    Attributes:
        x: Place along the seam in mm, shape (height, width).
        y: Distance from the seam's line in mm, downwards in the picture, same shape.
        across: ``y`` in half widths of the bead: -1 and 1 are the toes, same shape.
        outline: 0 on the crown's line, 1 at the toe, also around the bead's round ends, same shape.
        from_toe: Distance outside the bead in mm, negative on it, same shape.
        from_pool: Distance in mm from where the molten pool's even outline passed: heat spreads smoothly and
            knows nothing of a ragged toe. Same shape.
    """

    x: Array
    y: Array
    across: Array
    outline: Array
    from_toe: Array
    from_pool: Array


def picture(weld: Weld) -> bytes:
    """A photograph of the weld from above, 77 mm by 26 mm, as PNG."""
    rng = np.random.Generator(np.random.PCG64(2000 + weld.number))
    plate = lay_out(weld, rng)
    groove = undercut(weld, plate, rng)
    relief = bead_relief(weld, plate, rng) - groove
    paint = steel(rng)
    temper(weld, plate, paint, rng)
    deposits(weld, plate, paint, rng)
    bead_metal(weld, plate, paint, rng)
    mix(paint, SOOT, np.clip(1.5 * groove, 0, 0.8))
    spatter(weld, plate, relief, paint, rng)
    pores(weld, plate, relief, paint, rng)
    burn_hole(weld, plate, relief, paint, rng)
    return encode(light(relief, paint, plate))


def grain(rng: np.random.Generator, cell_x_mm: float, cell_y_mm: float) -> Array:
    """Smooth random texture with about unit spread: random values on a lattice, blended between its points.

    Args:
        rng: The weld's random numbers.
        cell_x_mm: Distance of the lattice's points along the seam.
        cell_y_mm: Distance across it.

    Returns:
        Shape (height, width).
    """
    column = np.arange(WIDTH_PX) / (PX_PER_MM * cell_x_mm)
    row = np.arange(HEIGHT_PX) / (PX_PER_MM * cell_y_mm)
    lattice = rng.normal(0, 1.35, (int(row[-1]) + 2, int(column[-1]) + 2))
    left, top = column.astype(int), row.astype(int)
    blend_x, blend_y = smoothstep(column - left), smoothstep(row - top)[:, None]
    wide: Array = lattice[:, left] * (1 - blend_x) + lattice[:, left + 1] * blend_x
    texture: Array = wide[top] * (1 - blend_y) + wide[top + 1] * blend_y
    return texture


def smoothstep(share: Array) -> Array:
    """Ease from 0 to 1 without a kink at either end."""
    inside: Array = np.clip(share, 0, 1)
    return inside * inside * (3 - 2 * inside)


def mix(paint: Array, colour: tuple[float, float, float], share: Array) -> None:
    """Blend a colour into the paint, in place, by a share of 0 to 1 at each point."""
    paint += share[..., None] * (np.array(colour) - paint)


def lay_out(weld: Weld, rng: np.random.Generator) -> Plate:
    """Find out which points are bead, and how far the others are from it."""
    x, y = np.meshgrid(np.arange(WIDTH_PX) / PX_PER_MM - MARGIN_MM, (np.arange(HEIGHT_PX) - HEIGHT_PX / 2) / PX_PER_MM)
    wander = weld.bead.wander_mm
    y = y - 0.8 * wander * grain(rng, 7.0, 99)[:1]
    even_half = weld.bead.width_mm / 2 * weld.along("width_factor", x, ramp_mm=5.0)
    past_the_ends = np.maximum(np.maximum(SEAM_START_MM + 2 - x, x - SEAM_END_MM + 1), 0)
    from_pool = np.hypot(past_the_ends, y) - even_half
    half = even_half + wander * (grain(rng, 3.4, 99)[:1] + 0.3 * grain(rng, 1.3, 99)[:1])
    edge = wander * 0.5 * grain(rng, 1.4, 3.0)
    past_the_bead = np.maximum(np.maximum(SEAM_START_MM + 0.4 * half - x, x - SEAM_END_MM + 0.5 * half), 0)
    from_crown = np.hypot(past_the_bead, y)
    return Plate(
        x=x,
        y=y,
        across=y / half,
        outline=from_crown / half,
        from_toe=from_crown - half + edge,
        from_pool=from_pool,
    )


def bead_relief(weld: Weld, plate: Plate, rng: np.random.Generator) -> Array:
    """Heights in mm of bead, ripples, humps and lumps over the plate."""
    bead = weld.bead
    on_bead = smoothstep(-plate.from_toe / 0.35)
    profile = np.clip(1 - plate.outline**2, 0, 1) ** bead.steepness
    relief = bead.crown_mm * profile * on_bead
    relief *= crater(plate)
    relief += on_bead * bead.hump_mm * profile * np.sin(plate.x / 1.45 + 1.1 * grain(rng, 6, 99)[:1])
    relief += on_bead * ripples(weld, plate, rng)
    ragged = plate.x + 1.2 * grain(rng, 3.0, 1.6)
    lumps = 0.010 + weld.along("roughness_mm", ragged, ramp_mm=4.0)
    relief += on_bead * lumps * (grain(rng, 0.9, 0.8) + 0.6 * grain(rng, 0.35, 0.35))
    relief += 0.0030 * grain(rng, 1.6, 0.09) + 0.0020 * grain(rng, 0.14, 0.14)
    return relief


def undercut(weld: Weld, plate: Plate, rng: np.random.Generator) -> Array:
    """Depth in mm of the groove melted along the toes and not filled (5011 continuous, 5012 intermittent)."""
    depth = weld.bead.undercut_mm + weld.along("undercut_mm", plate.x, ramp_mm=2.0)
    uneven = np.clip(0.75 + 0.35 * grain(rng, 1.8, 6), 0.15, 1.4)
    return depth * uneven * np.exp(-(((plate.from_toe - 0.16) / 0.26) ** 2))


def crater(plate: Plate) -> Array:
    """The shallow dish that the last of the pool leaves: what the bead's height is multiplied by."""
    away = ((plate.x - SEAM_END_MM + 1.2) / 2.0) ** 2 + (plate.across / 0.6) ** 2
    return 1 - 0.6 * np.exp(-(away**2))


def ripples(weld: Weld, plate: Plate, rng: np.random.Generator) -> Array:
    """Heights in mm of the lines at which the trailing edge of the pool froze, one after another.

    A ripple's ends, at the toes, freeze close behind the arc; its tip freezes last, at the tail of the pool.
    """
    bead = weld.bead
    width = np.minimum(np.abs(plate.across), 1.2) ** bead.ripple_point
    behind = bead.ripple_stretch * bead.width_mm / 2 * width
    uneven = 0.30 * grain(rng, 2.4, 60) + 0.10 * grain(rng, 1.8, 2.2)
    phase = 2 * np.pi * ((plate.x - behind) / bead.ripple_mm + uneven)
    # The front of a ripple is steeper than its back.
    wave = np.sin(phase) + 0.35 * np.sin(2 * phase + 0.6)
    strength = np.clip(0.85 + 0.35 * grain(rng, 1.5, 0.9), 0.2, 1.6)
    fine = 0.22 * np.sin(phase * 3.1 + 1.2 * grain(rng, 1.2, 2.0))
    return bead.ripple_depth_mm * (wave * strength + fine) * np.clip(1.1 - plate.outline**2, 0, 1)


def steel(rng: np.random.Generator) -> Array:
    """The bare plate: rolled, brushed along the seam, a little uneven. Shape (height, width, 3)."""
    tone = 1 + 0.030 * grain(rng, 9, 5) + 0.026 * grain(rng, 7, 0.1) + 0.016 * grain(rng, 0.14, 0.14)
    warm = 0.012 * grain(rng, 12, 7)[..., None] * np.array([1.0, 0.2, -1.0])
    surface: Array = np.array(STEEL) * (tone[..., None] + warm)
    return surface


def temper(weld: Weld, plate: Plate, paint: Array, rng: np.random.Generator) -> None:
    """Paint the temper colours (610) along the bead, as far out as the plate got hot."""
    reach = weld.bead.tint_mm * weld.along("tint_factor", plate.x, ramp_mm=12.0)
    # Where the weld begins the plate is still cold, and ahead of the last pool it stays cooler than behind.
    ends = 0.4 + 0.6 * smoothstep((plate.x + 5) / 16) * smoothstep((SEAM_END_MM + 7 - plate.x) / 13)
    share = plate.from_pool / (reach * ends * (1 + 0.03 * grain(rng, 6, 4) + 0.012 * grain(rng, 0.6, 0.5)))
    for channel in range(3):
        film = np.interp(share, TEMPER_DISTANCE, [colour[channel] for colour in TEMPER_COLOURS])
        bare = paint[..., channel] / STEEL[channel]
        paint[..., channel] = film * bare


def deposits(weld: Weld, plate: Plate, paint: Array, rng: np.random.Generator) -> None:
    """Paint what lies on the plate: rust and primer that nobody removed, and the soot of what burnt."""
    blotches = grain(rng, 1.6, 1.6) + 0.6 * grain(rng, 0.5, 0.5)
    edge = 0.9 * grain(rng, 2.0, 2.0)
    rust = weld.along("rust", plate.x + edge, ramp_mm=2.5)
    mix(
        paint,
        RUST,
        rust * np.clip(0.62 + 0.28 * blotches, 0, 0.95) * smoothstep((plate.from_toe - 0.4) / 1.4),
    )
    primer = weld.along("paint", plate.x + 0.12 * edge, ramp_mm=0.3)
    burnt_back = smoothstep((plate.from_toe - 2.4 + 0.7 * blotches * 0.6) / 0.5)
    mix(paint, PRIMER, 0.94 * primer * burnt_back)
    scorched = np.exp(-(((plate.from_toe - 2.0) / 0.9) ** 2))
    mix(paint, SOOT, 0.75 * primer * scorched)
    soot = weld.along("soot", plate.x + edge, ramp_mm=3.5)
    cloud = np.exp(-np.maximum(plate.from_toe, 0) / 2.6) * np.clip(0.8 + 0.22 * blotches, 0, 1.1)
    mix(paint, SOOT, np.clip(soot * cloud, 0, 0.93))


def bead_metal(weld: Weld, plate: Plate, paint: Array, rng: np.random.Generator) -> None:
    """Paint the bead: clean grey metal, with a brown skin where air reached it and a dark line at the toe."""
    on_bead = smoothstep(-plate.from_toe / 0.12)
    tone = 1 + 0.05 * grain(rng, 1.3, 0.7) + 0.04 * grain(rng, 0.2, 0.2)
    metal = np.array(BEAD_METAL) * tone[..., None]
    oxide = weld.along("oxide", plate.x + 1.2 * grain(rng, 3.0, 1.6), ramp_mm=5.0)
    mix(metal, BROWN_OXIDE, np.clip(oxide * (0.66 + 0.24 * grain(rng, 1.1, 0.9)), 0, 0.92))
    soot = weld.along("soot", plate.x, ramp_mm=3.0)
    mix(metal, SOOT, np.clip(0.55 * soot * (0.7 + 0.5 * grain(rng, 1.3, 1.0)), 0, 0.85))
    # Small glassy islands of silicate float to the toes of every bead made with a deoxidised wire.
    islands = smoothstep((grain(rng, 0.8, 0.35) - 1.75) / 0.5) * smoothstep((plate.outline - 0.6) / 0.2)
    mix(metal, (86.0, 56.0, 38.0), 0.8 * islands)
    paint += on_bead[..., None] * (metal - paint)
    toe = 0.30 + 0.45 * (weld.bead.steepness < 0.6)  # deep where the metal only lies on the plate
    mix(paint, SOOT, toe * np.exp(-((plate.from_toe / 0.17) ** 2)))


def scattered(weld: Weld, quantity: str, rng: np.random.Generator) -> Array:
    """Places along the seam in mm of so many things a millimetre as the weld's stretches say."""
    places = np.linspace(SEAM_START_MM, SEAM_END_MM, 1321)
    expected = weld.along(quantity, places) * (places[1] - places[0])
    chosen: Array = places[rng.uniform(size=places.size) < expected]
    return chosen


def spatter(weld: Weld, plate: Plate, relief: Array, paint: Array, rng: np.random.Generator) -> None:
    """Stick drops of metal (602) to the plate beside the bead, most of them small and near."""
    half = weld.bead.width_mm / 2
    for x in scattered(weld, "spatter_per_mm", rng):
        side = rng.choice([-1.0, 1.0])
        y = side * (half + 0.3 + rng.exponential(2.6))
        radius = min(0.09 + rng.exponential(0.08), 0.34)
        window, distance = around(plate, x + rng.normal(0, 1.5), y, 3 * radius)
        drop = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
        relief[window] += 0.75 * radius * drop
        mix(paint[window], SOOT, 0.5 * np.exp(-((distance / (1.5 * radius)) ** 2)))
        mix(paint[window], (120.0, 116.0, 112.0), smoothstep(drop / 0.5))


def pores(weld: Weld, plate: Plate, relief: Array, paint: Array, rng: np.random.Generator) -> None:
    """Open pores (2017) in the bead: dark, steep-sided, oblong, with a low lip, rust-brown inside."""
    ragged = grain(rng, 0.3, 0.3)
    for x in scattered(weld, "pores_per_mm", rng):
        size = float(weld.along("pore_mm", np.array(x)))
        y = np.clip(rng.normal(0, 0.3), -0.72, 0.72) * weld.bead.width_mm / 2
        radius = 0.5 * size * np.exp(0.35 * np.clip(rng.normal(), -1.8, 1.6))
        oblong, tilt = rng.uniform(1.0, 1.9), rng.uniform(-1.2, 1.2)
        window, _ = around(plate, x, y, 5 * radius)
        dx, dy = plate.x[window] - x, plate.y[window] - y
        along_pore = (dx * np.cos(tilt) + dy * np.sin(tilt)) / oblong
        distance = np.hypot(along_pore, dy * np.cos(tilt) - dx * np.sin(tilt)) / radius + 0.10 * ragged[window]
        relief[window] -= 1.5 * radius * smoothstep((1.1 - distance) / 0.55)
        relief[window] += 0.16 * radius * np.exp(-(((distance - 1.25) / 0.25) ** 2))
        mix(paint[window], (92.0, 62.0, 42.0), rng.uniform(0.25, 0.8) * smoothstep((1.2 - distance) / 0.35))
        mix(paint[window], (24.0, 18.0, 15.0), 0.93 * smoothstep((0.95 - distance) / 0.5))


def burn_hole(weld: Weld, plate: Plate, relief: Array, paint: Array, rng: np.random.Generator) -> None:
    """Open a hole (510) where the pool fell through: a sunken bead around it, a thick torn lip."""
    for stretch in weld.stretches:
        if stretch.hole_mm == 0:
            continue
        centre = (stretch.start_mm + stretch.end_mm) / 2
        torn = 1 + 0.09 * grain(rng, 1.3, 1.3) + 0.04 * grain(rng, 0.5, 0.5)
        dx, dy = (plate.x - centre) / 1.12, plate.y + 0.3
        distance = np.hypot(dx, dy) / (stretch.hole_mm / 2) * torn
        relief -= (
            1.3 * np.exp(-((np.maximum(distance - 0.9, 0) / 0.75) ** 2)) * smoothstep((0.8 - plate.from_toe) / 1.2)
        )
        relief += 0.55 * np.exp(-(((distance - 1.12) / 0.11) ** 2))
        mix(paint, SOOT, 0.55 * np.exp(-((np.maximum(distance - 1.0, 0) / 0.35) ** 2)))
        inside = smoothstep((1.02 - distance) / 0.07)
        relief *= 1 - inside
        mix(paint, BEHIND_THE_HOLE, inside)
        # A thick edge catches the light on the side away from the lamp.
        wall = np.exp(-(((distance - 0.97) / 0.05) ** 2)) * np.clip((dx + dy) / 3.5, 0, 1)
        mix(paint, (150.0, 132.0, 116.0), 0.75 * wall)


def around(plate: Plate, x: float, y: float, reach: float) -> tuple[tuple[slice, slice], Array]:
    """The part of the picture near a place in mm, and its points' distances from the place in mm."""
    column, row = (x + MARGIN_MM) * PX_PER_MM, y * PX_PER_MM + HEIGHT_PX / 2
    margin = reach * PX_PER_MM + 2
    window = (
        slice(max(int(row - margin), 0), max(int(row + margin), 0)),
        slice(max(int(column - margin), 0), max(int(column + margin), 0)),
    )
    return window, np.hypot(plate.x[window] - x, plate.y[window] - y)


def light(relief: Array, paint: Array, plate: Plate) -> Array:
    """Light the painted relief with one lamp from the upper left. Returns colours 0 to 255."""
    slope_y, slope_x = np.gradient(relief, 1 / PX_PER_MM)
    upright = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    lamp = np.array([-0.38, -0.56, 0.74])
    halfway = (lamp + np.array([0, 0, 1])) / np.sqrt(lamp[0] ** 2 + lamp[1] ** 2 + (lamp[2] + 1) ** 2)
    facing = (-slope_x * lamp[0] - slope_y * lamp[1] + lamp[2]) * upright
    mirror = np.clip((-slope_x * halfway[0] - slope_y * halfway[1] + halfway[2]) * upright, 0, 1)
    brightness = 0.34 + 0.90 * np.clip(facing, 0, None)
    bright_paint = paint.mean(axis=-1) / 160  # soot doesn't shine
    on_bead = smoothstep(-plate.from_toe / 0.3)
    shine = ((16 + 40 * on_bead) * mirror**24 + 30 * on_bead * mirror**110) * bright_paint
    falloff = 1.03 - 0.12 * ((plate.x - 24) / 45) ** 2 - 0.10 * ((plate.y + 4) / 14) ** 2
    lit = (paint * brightness[..., None] + shine[..., None]) * (falloff * (1 - 0.5 * shadow(relief)))[..., None]
    return np.asarray(np.clip(lit, 0, 255))


def shadow(relief: Array) -> Array:
    """How much of the lamp is hidden at each point by what stands before it: 0 to 1, the lamp being wide."""
    hidden = np.zeros(relief.shape)
    for step in range(2, 34, 3):
        towards_lamp = np.roll(relief, (round(0.83 * step), round(0.56 * step)), axis=(0, 1))
        over_the_ray = towards_lamp - relief - step / PX_PER_MM * 1.0
        hidden = np.maximum(hidden, np.clip(over_the_ray / 0.45, 0, 1))
    return hidden


def encode(colours: Array) -> bytes:
    """Round to the palette and write the PNG, with no metadata, so that the bytes depend on the weld only."""
    image = Image.fromarray(np.rint(colours).astype(np.uint8))
    image = image.quantize(
        COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=PALETTE_SETTLED_PX, dither=Image.Dither.NONE
    )
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=9)
    return file.getvalue()
