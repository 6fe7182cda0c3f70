"""The first plot, which takes longer than those after it, drawn before anyone waits for it."""

from typing import Final

from labeling.sources import Channel, TimeSeriesSource

from plotting.panels import draw
from plotting.recording import read

SOURCE: Final = TimeSeriesSource(
    title="Nothing", folder="nothing", channels=(Channel(key="zero", title="Zero", column=1, suffix="zero", unit="V"),)
)
RECORDING: Final = b"0,0\n1,1\n2,0\n"


def warm() -> None:
    """Reads and draws a recording of three rows: fonts and compiled parts are loaded then."""
    list(draw([(read(RECORDING, SOURCE, "nothing"), SOURCE)]))
