"""cmake --install: what it puts under a prefix works from there."""

import os
import subprocess

from yushi_daemon import BIN, ROOT


def test_an_installed_yushi_uses_the_parsers_and_rules_beside_it(tmp_path):
    prefix = tmp_path / "usr"
    done = subprocess.run(["cmake", "--install", BIN.parent, "--prefix", prefix], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    environment = {name: value for name, value in os.environ.items() if name != "YUSHI_SHARE"}

    def tests_of(command):
        run = subprocess.run([prefix / "bin" / "yushi", command, "test"], capture_output=True, text=True, env=environment)
        assert run.returncode == 0 and run.stdout.endswith(" tests, 0 failed\n"), run.stdout + run.stderr
        return int(run.stdout.split()[0])

    for command, folder, one in (("parsers", ROOT / "parsers" / "library", "android/android_logcat.yaml"), ("rules", ROOT / "config" / "rules", None)):
        files = sorted(path.relative_to(folder) for path in folder.rglob("*.y*ml"))
        installed = prefix / "share" / "yushi" / command
        assert sorted(path.relative_to(installed) for path in installed.rglob("*") if path.is_file()) == files
        before = tests_of(command)
        (installed / (one or files[0])).unlink()
        assert 0 < tests_of(command) < before
    for path in ("bin/yushid", "lib/systemd/system/yushid.service", "lib/sysusers.d/yushi.conf", "share/man/man1/yushi.1",
                 "share/man/man8/yushid.8", "share/bash-completion/completions/yushi", "share/zsh/site-functions/_yushi"):
        assert (prefix / path).is_file(), path


def test_a_package_puts_completions_where_debian_s_shells_look(tmp_path):
    done = subprocess.run(["cmake", "--install", BIN.parent, "--prefix", "/usr"], capture_output=True, text=True,
                          env={**os.environ, "DESTDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "usr/share/bash-completion/completions/yushi").read_text().startswith("# Made by")
    assert (tmp_path / "usr/share/zsh/vendor-completions/_yushi").read_text().startswith("#compdef yushi\n")
    assert not (tmp_path / "usr/share/zsh/site-functions").exists()
