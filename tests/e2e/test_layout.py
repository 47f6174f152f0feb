"""`scripts/check-layout` sees each kind of breach, planted in a small tree of its own."""

import pathlib
import shutil
import subprocess

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]

# The file, what stands in it, and what is said of it.
PLANTED = {
    "a sibling": ("ingest/planted.h", '#pragma once\n#include "detect/memory/lru.h"\n', "ingest/planted.h:2: ingest may not include detect"),
    "a room above": ("core/base/planted.h", '#pragma once\n#include "query/pipe/run.h"\n', "core/base may not include query"),
    "an inner room": ("audit/planted.h", '#pragma once\n#include "storage/store/store.h"\n', "audit may not include storage/store"),
    "a library behind another's fence": ("storage/block/planted.cc", "#include <rocksdb/db.h>\n", "storage/block has no fence around rocksdb"),
    "no room": ("util/planted.h", "#pragma once\n", "util/planted.h:1: is in no room"),
    "another's namespace": ("query/planted.h", "#pragma once\nnamespace yushi::audit {}\n", "stands in namespace yushi::audit, not in yushi::query"),
    "a line out of form": ("query/planted.cc", "int  planted;\n", "query/planted.cc:1:4: error"),
}
DEEP = {
    "a header that leans on another": ("query/planted.h", "#pragma once\nstd::string planted();\n", "query/planted.h:2:6: error"),
    "a guarded member without its lock": (
        "query/planted.cc",
        '#include "core/base/mutex.h"\n\nstruct Planted {\n  yushi::Mutex mutex;\n  int count YUSHI_GUARDED_BY(mutex) = 0;\n'
        "  int look() { return count; }\n};\n",
        "reading variable 'count' requires holding mutex 'mutex'",
    ),
    "what clang-tidy knows": ("query/planted.cc", "bool planted(int a) { return a == 1 || a == 1; }\n", "misc-redundant-expression"),
}


def check(tree, *options):
    for name in ("ARCHITECTURE.md", ".clang-format", ".clang-tidy", "scripts/check-layout", "core/base/mutex.h"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / name, tree / name)
    (tree / "build/any/proto").mkdir(parents=True)
    (tree / "build/any/proto/record.pb.h").touch()
    return subprocess.run([tree / "scripts/check-layout", *options], capture_output=True, text=True, timeout=300)


def plant(tree, path, text):
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text)


def test_a_tree_without_a_breach_is_passed(tmp_path):
    done = check(tmp_path, "--deep")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_breach_is_named(tmp_path, kind):
    path, text, said = PLANTED[kind]
    plant(tmp_path, path, text)
    done = check(tmp_path)
    assert done.returncode == 1 and said in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", DEEP)
def test_a_planted_breach_that_only_a_compiler_sees_is_named(tmp_path, kind):
    path, text, said = DEEP[kind]
    plant(tmp_path, path, text)
    done = check(tmp_path, "--deep")
    assert done.returncode == 1 and said in done.stdout, done.stdout + done.stderr
