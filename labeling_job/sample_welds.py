"""The seven sample welds: what each defect does to the arc and to the bead, and who says so.

All seven are beads on 3 mm mild steel by gas metal arc welding (GMAW) in short-circuit transfer, 1.0 mm wire
under argon with 18 % CO2, laid from left to right by a robot. The signs are clear, as in a textbook;
production welds show them fainter.

A weld is described once, by places along its seam in millimetres, and both its recording and its picture are
drawn from that: what an expert sees at 40 mm in the photograph happens in the plots when the electrode
position is 40 mm.

Numbers in brackets such as (510) are imperfections of ISO 6520-1:2007, *Welding and allied processes —
Classification of geometric imperfections in metallic materials — Part 1: Fusion welding*; ISO 5817:2023 sets
the limits for them. What a defect looks like in the signals is taken from:

* Adolfsson, Bahrami, Bolmsjö, Claesson: "On-line quality monitoring in short-circuit gas metal arc welding",
  Welding Journal 78 (2), 1999, 59-s–73-s: regular short-circuiting is what a sound weld's voltage shows, and
  the variance of the voltage leaves its usual value when the process does.
* Sumesh, Nair, Rameshkumar, Santhakumari, Raja, Mohandas: "Decision tree based weld defect classification
  using current and voltage signatures in GMAW process", Materials Today: Proceedings 5 (2018) 8354–8363:
  porosity and burn-through told from good welds by statistics of current and voltage alone.
* Nguyen, Weckman, Johnson, Kerr: "High speed fusion weld bead defects", Science and Technology of Welding and
  Joining 11 (2006) 618–633: undercut and humping at high travel speed.
* Zong, Chen, Wu, Kumar: "Undercutting formation mechanism in gas metal arc welding", Welding Journal 95
  (2016) 174-s: above about 1 m/min (17 mm/s) the weld toe is no longer filled.
* Quarterly Journal of the Japan Welding Society 11 (2), 1993, 266 ff. (on J-STAGE as qjjws1983/11/2): arc,
  sound and current at the moment of burn-through in MAG welding, over holes of 4 to 9 mm.
* ESAB, *MIG Welding Handbook*, section "Weld Defects": porosity from lost shielding gas, rust and foreign
  matter; lack of fusion; undercut.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SEAM_START_MM = 0.0
SEAM_END_MM = 66.0


@dataclass(frozen=True)
class Arc:
    """How the arc burns where nothing disturbs it.

    Attributes:
        current: Mean current in A.
        voltage: Mean voltage in V while the arc burns, between short circuits.
        shorts_per_second: How often a drop bridges the gap; 40 to 90 in a stable short arc.
        short_ms: How long a bridge lasts; far longer ones mean the wire stubs into a cold pool.
        irregularity: Spread of the time between drops: the standard deviation of its logarithm.
    """

    current: float = 172.0
    voltage: float = 21.4
    shorts_per_second: float = 58.0
    short_ms: float = 3.4
    irregularity: float = 0.22


@dataclass(frozen=True)
class Bead:
    """The shape that the metal froze in.

    Attributes:
        width_mm: Width between the weld toes.
        crown_mm: Height over the plate.
        steepness: Exponent of the cross-section; 1 is a flat parabola that wets the plate, 0.5 a semicircle.
        ripple_mm: Distance from one ripple to the next.
        ripple_depth_mm: Height of a ripple.
        ripple_stretch: How far the ripple's tip trails behind its ends, in half widths: the pool's length.
        ripple_point: 2 for a rounded ripple, 1 for a V.
        wander_mm: How far the toes stray from straight lines.
        hump_mm: Height of the swellings of a bead laid too fast.
        undercut_mm: Depth of the groove along the toes.
        tint_mm: How far the temper colours reach from the toe: the heat that the plate took.
    """

    width_mm: float = 8.6
    crown_mm: float = 1.5
    steepness: float = 0.95
    ripple_mm: float = 1.05
    ripple_depth_mm: float = 0.05
    ripple_stretch: float = 0.75
    ripple_point: float = 1.7
    wander_mm: float = 0.10
    hump_mm: float = 0.0
    undercut_mm: float = 0.0
    tint_mm: float = 5.6


@dataclass(frozen=True)
class Stretch:
    """A part of the seam where something is different.

    Attributes:
        start_mm: Where it begins, from the start of the seam.
        end_mm: Where it ends.
        speed_factor: What the travel speed is multiplied by.
        current_shift: What is added to the current, in A.
        voltage_shift: What is added to the voltage, in V.
        shorts_factor: What the rate of short circuits is multiplied by; 0 is an arc that never touches.
        flutter: Slow wandering of the arc's voltage, as a standard deviation in V; current goes against it.
        arc_outs_per_second: How often the arc goes out for some hundredths of a second.
        irregularity: Added to the arc's own irregularity.
        gas_flow: Shielding gas, as a share of what is set.
        pores_per_mm: Pores that reach the surface, on each millimetre of seam.
        pore_mm: Their typical diameter.
        spatter_per_mm: Drops of metal stuck to the plate, on each millimetre of seam.
        soot: Dark deposit beside and on the bead, 0 to 1.
        oxide: How dull and brown the bead itself is, 0 to 1.
        roughness_mm: Lumps in the bead's surface.
        rust: Rust left on the plate under the seam, 0 to 1.
        paint: Whether primer was left on the plate, burnt back around the bead.
        hole_mm: Width of the hole through the plate; 0 for none.
        undercut_mm: Groove along the toes in this part only.
        width_factor: What the bead's width is multiplied by.
        tint_factor: What the reach of the temper colours is multiplied by.
    """

    start_mm: float
    end_mm: float
    speed_factor: float = 1.0
    current_shift: float = 0.0
    voltage_shift: float = 0.0
    shorts_factor: float = 1.0
    flutter: float = 0.0
    arc_outs_per_second: float = 0.0
    irregularity: float = 0.0
    gas_flow: float = 1.0
    pores_per_mm: float = 0.0
    pore_mm: float = 0.9
    spatter_per_mm: float = 0.0
    soot: float = 0.0
    oxide: float = 0.0
    roughness_mm: float = 0.0
    rust: float = 0.0
    paint: bool = False
    hole_mm: float = 0.0
    undercut_mm: float = 0.0
    width_factor: float = 1.0
    tint_factor: float = 1.0


@dataclass(frozen=True)
class Weld:
    """One weld of the sample.

    Attributes:
        number: Its number in the file names.
        category: The label that an expert gives it.
        travel_speed: Speed along the seam in mm/s.
        arc: How the arc burns.
        bead: How the bead froze.
        stretches: Where something is different.
    """

    number: int
    category: str
    travel_speed: float = 7.2
    arc: Arc = Arc()
    bead: Bead = Bead()
    stretches: tuple[Stretch, ...] = ()

    @property
    def defects(self) -> tuple[Stretch, ...]:
        """The stretches in which the arc itself is disturbed, so that recordings show where the defect is."""
        return tuple(one for one in self.stretches if one.shorts_factor != 1 or one.arc_outs_per_second)

    def along(self, quantity: str, position: Array, ramp_mm: float = 0.8) -> Array:
        """A quantity of the stretches as a function of the place on the seam.

        Args:
            quantity: The name of a field of ``Stretch``; its default holds where no stretch changes it.
            position: Places in mm, of any shape.
            ramp_mm: Over how many millimetres a stretch begins and ends.

        Returns:
            The value at each place, in the shape of ``position``; where stretches overlap, the later one's.
        """
        plain = float(getattr(Stretch, quantity))
        value = np.full(position.shape, plain)
        for stretch in self.stretches:
            target = float(getattr(stretch, quantity))
            if target != plain:
                inside = np.minimum(position - stretch.start_mm, stretch.end_mm - position) / ramp_mm + 0.5
                value += np.clip(inside, 0, 1) * (target - value)
        return value


# A sound weld. Short circuits come evenly, so current and voltage keep one band from start to crater
# (Adolfsson et al.); the position climbs straight; even ripples, straight toes that wet the plate, tint of
# even width. A few specks of spatter are normal.
GOOD_WELD = Weld(1, "Good Weld", stretches=(Stretch(0, 66, spatter_per_mm=0.12),))

# Burn-through (510): the robot hesitates from 34 mm, heat gathers, the pool falls through. Over the hole the
# wire has nothing to touch: short circuits stop, the arc stretches, and on a constant-voltage source a
# longer arc and stick-out mean more volts and fewer amperes until the far edge is reached (JWS 1993; Sumesh
# et al.). The bead sags and widens, then opens; the temper colours bulge there.
BURN_THROUGH = Weld(
    2,
    "Burn Through",
    stretches=(
        Stretch(0, 66, spatter_per_mm=0.18),
        Stretch(34, 41, speed_factor=0.42, current_shift=16, width_factor=1.22, tint_factor=1.45),
        Stretch(
            41,
            47.5,
            speed_factor=0.85,
            current_shift=-92,
            voltage_shift=10.5,
            shorts_factor=0.0,
            flutter=1.3,
            hole_mm=7.0,
            width_factor=1.25,
            tint_factor=1.55,
            spatter_per_mm=1.6,
            soot=0.45,
        ),
    ),
)

# Contamination: three patches that were not cleaned: primer, rust, oil. Each boils off under the arc, blows
# drops aside and feeds hydrogen and oxygen to the pool: between clean stretches the arc goes out and
# restarts, the bead is pocked (2013, clustered porosity), spattered (602) and sooted there, and sound again
# after it (ESAB).
CONTAMINATION = Weld(
    3,
    "Contamination",
    stretches=(
        Stretch(0, 66, spatter_per_mm=0.35),
        *(
            Stretch(
                start,
                end,
                current_shift=-14,
                voltage_shift=1.6,
                shorts_factor=0.75,
                flutter=1.5,
                arc_outs_per_second=9,
                irregularity=0.45,
                pores_per_mm=0.75,
                pore_mm=0.8,
                spatter_per_mm=2.6,
                soot=0.95,
                oxide=0.35,
                roughness_mm=0.10,
                rust=rust,
                paint=paint,
            )
            for start, end, rust, paint in ((9, 17, 0.0, True), (29, 38, 1.0, False), (52, 58, 0.0, False))
        ),
    ),
)

# Lack of fusion (401): too little current at too little voltage. The wire stubs into a pool that does not
# wet: long short circuits with high current peaks, a low voltage band. The metal lies on the plate as a
# narrow, high rope with steep flanks and a dark line at the toe (506, overlap; 503, excessive convexity)
# inside a narrow tint (ESAB).
LACK_OF_FUSION = Weld(
    4,
    "Lack of Fusion",
    arc=Arc(current=104, voltage=16.6, shorts_per_second=34, short_ms=8.5, irregularity=0.38),
    bead=Bead(
        width_mm=5.3,
        crown_mm=2.1,
        steepness=0.5,
        ripple_mm=1.7,
        ripple_depth_mm=0.15,
        ripple_stretch=0.35,
        ripple_point=2.0,
        wander_mm=0.22,
        tint_mm=2.1,
    ),
    stretches=(Stretch(0, 66, spatter_per_mm=0.35, roughness_mm=0.04),),
)

# Lack of shielding gas: the flow fails at 11 mm. Air reaches the arc. Its molecules take energy to split, so
# the arc needs more volts, and nothing holds it in place: the voltage wanders, drops detach at random, the
# arc goes out and restarts for the rest of the weld. Nitrogen and oxygen leave the bead full of surface pores
# (2017), brown and dull, with soot and spatter (ESAB; Sumesh et al. on porosity).
LACK_OF_SHIELDING_GAS = Weld(
    5,
    "Lack of Shielding Gas",
    stretches=(
        Stretch(0, 11, spatter_per_mm=0.2),
        Stretch(
            11,
            66,
            current_shift=-12,
            voltage_shift=2.8,
            shorts_factor=0.7,
            flutter=2.3,
            arc_outs_per_second=3.0,
            irregularity=0.6,
            gas_flow=0.03,
            pores_per_mm=1.5,
            pore_mm=0.85,
            spatter_per_mm=1.5,
            soot=0.5,
            oxide=1.0,
            roughness_mm=0.11,
            width_factor=0.96,
            tint_factor=0.85,
        ),
    ),
)

# High travel speed: 18.5 mm/s over the same seam, in less than half the time; the position climbs steeply.
# The arc runs ahead of its pool over cold plate and keeps slipping. Per millimetre there is little heat and
# little metal: a narrow bead, long V-shaped ripples from a drawn-out pool, undercut (5011) along both toes,
# beginning humps (Nguyen et al.; Zong et al.).
HIGH_TRAVEL_SPEED = Weld(
    6,
    "High Travel Speed",
    travel_speed=18.5,
    arc=Arc(irregularity=0.42, shorts_per_second=66, voltage=21.9),
    bead=Bead(
        width_mm=4.9,
        crown_mm=1.15,
        steepness=0.8,
        ripple_mm=2.0,
        ripple_depth_mm=0.09,
        ripple_stretch=2.6,
        ripple_point=1.05,
        wander_mm=0.12,
        hump_mm=0.22,
        undercut_mm=0.5,
        tint_mm=1.7,
    ),
    stretches=(Stretch(0, 66, flutter=0.7, spatter_per_mm=0.3),),
)

# Not sure: nothing clear. Slightly cold and slightly convex, as lack of fusion begins, with a single hiccup
# of the arc, one pore and a little soot, as contamination begins. Experts would ask for a section or an
# X-ray.
NOT_SURE = Weld(
    7,
    "Not sure",
    travel_speed=7.6,
    arc=Arc(current=146, voltage=19.4, shorts_per_second=50, short_ms=4.4, irregularity=0.29),
    bead=Bead(
        width_mm=7.1,
        crown_mm=2.0,
        steepness=0.72,
        ripple_mm=1.25,
        ripple_depth_mm=0.075,
        wander_mm=0.16,
        tint_mm=3.7,
    ),
    stretches=(
        Stretch(0, 66, spatter_per_mm=0.3),
        Stretch(23, 28, undercut_mm=0.22),
        Stretch(
            43,
            49,
            voltage_shift=0.8,
            current_shift=-8,
            flutter=0.7,
            arc_outs_per_second=4.0,
            irregularity=0.25,
            pores_per_mm=0.5,
            pore_mm=0.65,
            soot=0.35,
            spatter_per_mm=0.9,
        ),
    ),
)

WELDS = (
    GOOD_WELD,
    BURN_THROUGH,
    CONTAMINATION,
    LACK_OF_FUSION,
    LACK_OF_SHIELDING_GAS,
    HIGH_TRAVEL_SPEED,
    NOT_SURE,
)
