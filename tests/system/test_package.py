"""The Debian package through dpkg itself: installs, starts, upgrades, removes and purges (packaging/test_package)."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness

BUILD = harness.BINARY.parent.parent


def missing():
    """What this machine lacks for it; empty: nothing."""
    if os.geteuid() != 0:
        return "needs root (dpkg, chroot)"
    for tool in ("dpkg", "dpkg-deb", "dpkg-shlibdeps", "cpack", "unshare", "chroot", "adduser"):
        if shutil.which(tool) is None:
            return f"there is no {tool}"
    if not (BUILD / "CPackConfig.cmake").exists():
        return f"{harness.BINARY} does not stand in a build folder with CPackConfig.cmake"
    tried = subprocess.run(["unshare", "--mount", "bash", "-c", "mount -t tmpfs x /mnt && mkdir /mnt/{u,w,r} && "
                            "mount -t overlay x -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return "" if tried.returncode == 0 else "no namespaces or no overlayfs here"


class Package(unittest.TestCase):
    def test_its_whole_life(self):
        if why := missing():
            self.skipTest(why)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="ficus-package-"))
        self.addCleanup(shutil.rmtree, folder, True)
        subprocess.run(["cmake", "--build", str(BUILD), "--target", "packaging"], check=True, stdout=subprocess.DEVNULL)
        packed = subprocess.run(["cpack", "-G", "DEB", "-B", str(folder), "--config", str(BUILD / "CPackConfig.cmake")],
                                cwd=BUILD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        self.assertEqual(packed.returncode, 0, packed.stdout[-3000:])
        package = next(folder.glob("*.deb"))
        done = subprocess.run([str(harness.ROOT / "packaging/test_package"), str(package)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        self.assertIn("all is well", done.stdout)


if __name__ == "__main__":
    unittest.main()
