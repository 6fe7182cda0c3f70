"""matplotlib's list of fonts, brought along by the layer.

matplotlib reads every font file when it first starts, and keeps the list in its configuration folder. In Lambda that
folder must lie in ``/tmp``, which is empty at each cold start; so the layer's build makes the list, and it is copied.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# python/plotting/ and matplotlib/ lie beside each other in the built layer; a checkout has no such folder.
BUILT: Final = Path(__file__).resolve().parents[2] / "matplotlib"


def bring(built: Path = BUILT, environment: Mapping[str, str] = os.environ) -> None:
    """Puts the layer's font list where matplotlib will look for it: into the folder ``MPLCONFIGDIR``.

    Args:
        built: Where the layer's build left it; nothing is done if it isn't there.
        environment: The function's.
    """
    folder = environment.get("MPLCONFIGDIR")
    if folder and built.is_dir():
        shutil.copytree(built, folder, dirs_exist_ok=True)
