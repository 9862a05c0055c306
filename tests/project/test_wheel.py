"""The wheel holds what the checkout runs from."""

from __future__ import annotations

import subprocess
import sys
import zipfile


def test_the_wheel_holds_every_file_of_the_packages(root, tracked, tmp_path):
    """Each tracked file under the three packages, data included, is in the wheel."""
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        tmp_path,
    ]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("henji-*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    packages = ("events", "projections", "services")
    needed = {p.as_posix() for p in tracked if p.parts[0] in packages}
    assert needed <= packed
    others = {name.split("/")[0] for name in packed} - set(packages)
    assert [name for name in others if not name.endswith(".dist-info")] == []
