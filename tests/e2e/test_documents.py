"""What the documents say and a machine can check: paths, commands, options and config keys are there as written."""

import grp
import itertools
import os
import pathlib
import re
import subprocess

import pytest

import loss

REPO = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("YUSHI_BIN", REPO / "build" / "release" / "bin"))
DOCUMENTS = [REPO / name for name in ("README.md", "ARCHITECTURE.md", "docs/tour.md", "docs/performance.md", "docs/loss.md")]
FOLDERS = {path.name for path in REPO.iterdir() if path.is_dir() and not path.name.startswith("build")}
PATH = re.compile(r"^[\w.{},*-]+(/[\w.{},*-]+)*/?$")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)


def expand(text):
    """a.{h,cc} -> a.h, a.cc"""
    parts = re.split(r"\{([^}]*)\}", text)
    choices = [part.split(",") if i % 2 else [part] for i, part in enumerate(parts)]
    return ["".join(choice) for choice in itertools.product(*choices)]


def paths_of(text, folder=""):
    """Paths of this tree that stand in backticks, as links from `folder`, or as commands in a fenced block."""
    said = [os.path.normpath(os.path.join(folder, link)) for link in re.findall(r"\]\(([^)#:]+)\)", text)]
    fenced = re.findall(r"^```.*?^```", text, re.M | re.S)
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    said += [word for quoted in re.findall(r"`([^`\n]+)`", text) for word in quoted.split("::")[0].split()[:1]]
    said += [word for block in fenced for word in re.findall(r"^\$ (\S+)", block, re.M)]
    for word in said:
        if PATH.match(word) and (word.split("/")[0] in FOLDERS and "/" in word or word.endswith(".md")):
            yield from expand(word)


def commands():
    said = run(BIN / "yushi", "--help")
    assert said.returncode == 0, said.stderr
    listed = said.stdout.split("Subcommands:", 1)[1]
    found = re.findall(r"^  (\w[\w-]*)", listed, re.M)
    assert "search" in found and "verify" in found, said.stdout
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_is_in_the_tree(document):
    named = sorted(set(paths_of(document.read_text(), document.parent.relative_to(REPO))))
    assert len(named) > 2, "the test finds no paths any more"
    missing = [path for path in named if not list(REPO.glob(path))]
    assert missing == []


def test_a_path_that_is_not_there_would_be_seen():
    said = list(paths_of("`storage/store.{h,cc}`, `core/nothing.cc`, [x](docs/none.md), `default/4711`, `yushi.records`"))
    assert said == ["docs/none.md", "storage/store.h", "storage/store.cc", "core/nothing.cc"]
    assert list(paths_of("[x](../none.md), [y](none.md)", "docs")) == ["none.md", "docs/none.md"]


def named_in_comments(text):
    """Files of ours that comments name: by their path, or by a name alone."""
    for comment in re.findall(r"//.*", text):
        for word in re.findall(r"(?<![\w./*<-])([\w/-]+\.(?:cc|h|inc))\b", comment):
            if "/" not in word or word.split("/")[0] in FOLDERS:
                yield word


def test_every_file_that_a_comment_names_is_in_the_tree():
    sources = [path for folder in FOLDERS for end in ("h", "cc") for path in (REPO / folder).rglob(f"*.{end}")]
    names = {path.name for path in sources} | {path.name for path in REPO.glob("core/record/*.inc")}
    named = {(path.relative_to(REPO), word) for path in sources for word in named_in_comments(path.read_text())}
    assert len(named) > 100
    assert [one for one in sorted(named) if not ((REPO / one[1]).exists() if "/" in one[1] else one[1] in names)] == []


def test_a_comment_that_names_no_file_of_ours_would_be_seen():
    said = list(named_in_comments("// As storage/nothing.h and gone.cc, not <vector.h>, db/log_reader.cc of RocksDB\n"))
    assert said == ["storage/nothing.h", "gone.cc"]


def test_every_command_has_a_place_in_the_manual_page():
    manual = (REPO / "docs" / "man" / "yushi.1").read_text()
    missing = [command for command in commands() if not re.search(rf"^\.(It )?Cm {command}\b", manual, re.M)]
    assert missing == []


@pytest.mark.parametrize("document", ["README.md", "docs/tour.md"])
def test_every_command_that_a_session_calls_is_one(document):
    called = set(re.findall(r"\byushi ([a-z]+)\b", "\n".join(re.findall(r"`yushi [^`]*`|^\$ .*", (REPO / document).read_text(), re.M))))
    assert "search" in called
    assert called - set(commands()) == set()


def test_the_first_look_is_a_part_of_the_tour():
    """So that both are of one run."""
    tour = (REPO / "docs/tour.md").read_text().splitlines()
    blocks = re.findall(r"^```\n(\$ yushi .*?)^```", (REPO / "README.md").read_text(), re.M | re.S)
    assert len(blocks) > 2
    assert [line for block in blocks for line in block.splitlines() if line != "[…]" and line not in tour] == []


def test_every_figure_stands_beside_its_command():
    sections = (REPO / "docs/performance.md").read_text().split("\n## ")[1:]
    assert len(sections) > 2
    assert [section.splitlines()[0] for section in sections if not re.search(r"`bench/\w+[^`]*`", section)] == []


def shown(test):
    """The text of a test, `path::name`, in Python or C++; empty when there is none."""
    path, name = test.strip("`").split("::")
    begin = rf"^def {name}\(" if path.endswith(".py") else rf"^TEST\w*\(\w+, {name}\)"
    found = re.search(begin + r".*?(?=^def |^@|^TEST|^class |\Z)", (REPO / path).read_text(), re.M | re.S)
    return found[0] if found else ""


def test_every_row_of_the_losses_names_a_test_that_prints_it():
    rows = loss.rows()
    assert len(rows) > 20
    assert [name for name, cells in rows.items() if f'shows_loss("{name}")' not in shown(cells[-1])] == []
    printed = {name for path in [*REPO.glob("tests/*/test_*.py"), *REPO.glob("tests/unit/**/*_test.cc")]
               for name in re.findall(r'shows_loss\("([a-z-]+)"\)', path.read_text())}
    assert printed - set(rows) == set()


def test_what_is_not_there_yet_is_said_in_one_place():
    """README.md has the list; elsewhere there is no diary of versions."""
    others = [*REPO.glob("docs/**/*.md"), *REPO.glob("docs/man/*"), *REPO.glob("config/**/*.y*ml"), REPO / "ARCHITECTURE.md",
              REPO / "storage/FORMAT.md"]
    said = [f"{path.relative_to(REPO)}: {found[0]}" for path in others
            for found in [re.search(r"(?i).*(\bin this version\b|\blater versions?:|\bin (a )?later versions?\b).*", path.read_text())] if found]
    assert said == []


def test_the_example_config_is_right_and_also_with_all_that_it_offers_switched_on(tmp_path):
    example = REPO / "config" / "yushi.yaml"
    said = run(BIN / "yushid", "--config", example, "--check")
    assert said.returncode == 0, said.stderr
    # A remark is `# ` and a word; what else begins with `#` is a setting.
    switched_on = tmp_path / "yushi.yaml"
    text = re.sub(r"^#(?! \S|$)", "", example.read_text(), flags=re.M)
    assert text.count("\n#") < example.read_text().count("\n#")
    for folder in ("parsers", "rules", "secrets"):  # those that it names must exist
        (tmp_path / folder).mkdir()
        assert f"/etc/yushi/{folder}" in text
        text = text.replace(f"/etc/yushi/{folder}", str(tmp_path / folder))
    named = set(re.findall(r"/etc/yushi/([\w-]+\.(?:url|secret|pem|key))", text))
    assert named
    for name in named:
        (tmp_path / name).write_text("https://chat.example/hook\n")
        text = text.replace(f"/etc/yushi/{name}", str(tmp_path / name))
    for path, list_ in {"/etc/yushi/leavers.csv": "account,since\nwang,2026-03-01\n", "/etc/yushi/deny.txt": "198.51.100.0/24\n",
                        "/var/lib/itsm/tickets.json": '[{"id": "CHG-1", "account": "lin"}]\n'}.items():
        assert path in text
        mine = tmp_path / path.rpartition("/")[2]
        mine.write_text(list_)
        text = text.replace(path, str(mine))
    (tmp_path / "exceptions.yaml").write_text("- {rule: baseline.first-host, owner: li.wei, until: 2199-12-31}\n")
    assert "/etc/yushi/exceptions.yaml" in text
    text = text.replace("/etc/yushi/exceptions.yaml", str(tmp_path / "exceptions.yaml"))
    assert "group: yushi-audit" in text
    text = re.sub(r"^(geoip|user_agents): .*/.*\n", "", text, flags=re.M)  # databases that a test machine has not
    switched_on.write_text(text.replace("group: yushi-audit", f"group: {grp.getgrgid(os.getgid()).gr_name}"))
    said = run(BIN / "yushid", "--config", switched_on, "--check")
    assert said.returncode == 0, said.stderr


def test_the_example_config_names_every_key_that_the_daemon_knows(tmp_path):
    """An unknown key makes the daemon list those that it knows at that place."""
    example = (REPO / "config" / "yushi.yaml").read_text()
    probe = tmp_path / "probe.yaml"
    for at, text in {
        "": "nonsense: 1\n",
        "inputs": "inputs: [{type: syslog, nonsense: 1}]\n",
        "inputs of relp": "inputs: [{type: relp, nonsense: 1}]\n",
        "tls": "inputs: [{type: relp, listen: 'a', tls: {nonsense: 1}}]\n",
        "tenants": "tenants: [{nonsense: 1}]\n",
        "match": "tenants: [{match: {nonsense: 1}}]\n",
        "limits": "limits: {nonsense: 1}\n",
        "commit": "commit: {nonsense: 1}\n",
        "keys": "keys: {nonsense: 1}\n",
        "checkpoints": "checkpoints: {nonsense: 1}\n",
        "retention": "retention: {nonsense: 1}\n",
        "forward": "forward: [{nonsense: 1}]\n",
        "detect": "detect: {nonsense: 1}\n",
        "lists": "detect: {lists: {nonsense: 1}}\n",
        "api": "api: {nonsense: 1}\n",
    }.items():
        probe.write_text(text)
        said = run(BIN / "yushid", "--config", probe, "--check")
        assert said.returncode == 2, said.stdout
        known = re.search(r"nonsense: unknown key; known here: (.*)", said.stderr)
        assert known, said.stderr
        for key in known[1].split(", "):
            assert re.search(rf"\b{key}\b", example), f"config/yushi.yaml does not speak of {at}.{key}"


def test_the_reference_of_questions_is_the_one_that_the_table_makes():
    assert (REPO / "docs" / "api.md").read_text() == run(BIN / "yushi", "--reference").stdout, "yushi --reference > docs/api.md"
