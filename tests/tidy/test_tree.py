"""The parts of the tree belong together: limits, spec pages, vectors, decisions, names."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from untether.base import limits

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "spec"
DECISIONS = ROOT / "docs" / "decisions"
VECTORS = ROOT / "vectors"
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TEXTS = (
    ".cfg",
    ".css",
    ".html",
    ".ini",
    ".json",
    ".md",
    ".mjs",
    ".mk",
    ".pml",
    ".py",
    ".sh",
    ".sql",
    ".svelte",
    ".svg",
    ".toml",
    ".ts",
    ".txt",
    ".webmanifest",
    ".yml",
)

# Reserved for documentation (RFC 2606, RFC 6761), and this machine.
HOSTS = re.compile(
    r"(?:.*\.)?example(?:\.com|\.net|\.org)?|(?:.*\.)?(?:invalid|test|lan|localhost)"
    r"|127\.0\.0\.1"
)


def tree() -> Iterator[Path]:
    """Yield the text files that belong to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and (path.suffix in TEXTS or not path.suffix):
            yield path


@pytest.fixture(scope="module")
def code() -> dict[Path, str]:
    """Return the source files with their text."""
    return {path: path.read_text() for path in SOURCES}


def test_every_limit_is_used(code: dict[Path, str]) -> None:
    """A bound that nothing holds is a false promise."""
    own = Path(limits.__file__)
    rest = "\n".join(text for path, text in code.items() if path.name != own.name)
    used = set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", rest))
    own_text = own.read_text()
    unused = [
        name
        for name in re.findall(r"^([A-Z0-9_]+) = ", own_text, re.MULTILINE)
        if name not in used and len(re.findall(rf"\b{name}\b", own_text)) == 1
    ]
    assert unused == []


def test_every_limit_has_a_reason() -> None:
    """A number without its reason is never questioned and never changed."""
    for line in Path(limits.__file__).read_text().splitlines():
        if re.match(r"[A-Z0-9_]+ = ", line):
            assert re.search(r"  # \S", line), line


def test_a_bound_of_one_module_says_why(code: dict[Path, str]) -> None:
    """What is no limit of the product but a module's own tuning has its reason beside it."""
    bound = re.compile(
        r"^(?P<name>_?[A-Z][A-Z_]*_(?:MAX|MIN|MS|S))(?:: Final)? = (?P<rest>\d.*)\n(?P<next>.*)",
        re.MULTILINE,
    )
    bare = {
        f"{path.relative_to(ROOT)}: {found['name']}"
        for path, text in code.items()
        if path.name not in ("limits.py", "identifiers.py")
        for found in bound.finditer(text)
        if "  # " not in found["rest"] and not found["next"].startswith('"""')
    }
    assert bare == set()


def test_tables_of_the_spec_are_those_of_the_code() -> None:
    """The limits and labels of the pages are what runs."""
    tool = ROOT / "tools" / "write_spec_tables.py"
    checked = subprocess.run(
        [sys.executable, tool, "--check"], check=False, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def test_every_spec_page_is_implemented_listed_and_ticked(code: dict[Path, str]) -> None:
    """A page is named by a module, stands in the index, and ends with what to check."""
    index = (PAGES / "README.md").read_text()
    for page in PAGES.glob("[0-9]*.md"):
        number, text = page.name[:2], page.read_text()
        assert any(f"spec {number}" in module for module in code.values()), page.name
        assert f"]({page.name})" in index, page.name
        assert "\n- [ ] " in text, page.name


def test_every_named_spec_page_exists(code: dict[Path, str]) -> None:
    """A module can't implement a page that nobody can read."""
    pages = {page.name[:2] for page in PAGES.glob("[0-9]*.md")}
    for path, text in code.items():
        missing = set(re.findall(r"spec (\d\d)", text)) - pages
        assert not missing, path


def test_every_quoted_section_is_on_its_page() -> None:
    """Where a file says ``spec 02, "Lease"``, the page has that heading."""
    headings = {
        page.name[:2]: re.findall(r"^##+ (.+)$", page.read_text(), re.MULTILINE)
        for page in PAGES.glob("[0-9]*.md")
    }
    quoted = re.compile(r'\b(?:spec|page) (\d\d)((?:(?:, | and |, and | )"[^"]+")+)')
    found = 0
    missing: dict[str, list[str]] = {}
    for path in tree():
        text = re.sub(r"\s*\n[\s#*-]*", " ", path.read_text())  # a quotation may cross lines
        for number, sections in quoted.findall(text):
            for section in re.findall(r'"([^"]+)"', sections):
                found += 1
                if section not in headings.get(number, ()):
                    missing.setdefault(str(path.relative_to(ROOT)), []).append(section)
    assert missing == {}
    assert found > 100


def test_every_vector_file_is_read_and_generated() -> None:
    """Vectors that no test reads prove nothing, and each can be made again."""
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    for vectors in VECTORS.glob("*.json"):
        assert vectors.name in tests, vectors.name
        assert (VECTORS / f"generate_{vectors.stem}.py").exists(), vectors.name


def test_no_generator_uses_the_product() -> None:
    """Code that checks itself finds only typing errors."""
    for generator in VECTORS.glob("*.py"):
        assert not re.search(r"^\s*(?:from|import) untether", generator.read_text(), re.MULTILINE)


def test_decisions_have_one_form_and_their_own_numbers() -> None:
    """Each decision has its number, its title and three parts."""
    numbers = []
    for path in DECISIONS.glob("[0-9]*.md"):
        text = path.read_text()
        numbers.append(path.name[:4])
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
        assert text.startswith(f"# {path.name[:4]} "), path.name
        for part in ("Context", "Choice", "Consequence"):
            assert part in text, f"{path.name}: {part}"
    assert len(set(numbers)) == len(numbers)


def test_a_replaced_decision_names_the_one_that_replaces_it() -> None:
    """A later one, which names it too: whoever reads either finds the other."""
    texts = {path.name[:4]: path.read_text() for path in DECISIONS.glob("[0-9]*.md")}
    replaced = [
        (old, new)
        for old, text in texts.items()
        for new in re.findall(r"^Replaced by (\d{4})", text, re.MULTILINE)
    ]
    assert replaced
    for old, new in replaced:
        assert new > old
        assert old in texts[new], (old, new)


def test_no_path_of_somebodys_machine() -> None:
    """The tree works wherever it lies."""
    homes = re.compile(r"/(?:home|root|Users|work)/[\w.]+")
    for path in tree():
        found = homes.findall(path.read_text(errors="replace"))
        assert not found, f"{path}: {found}"


def test_no_host_of_somebody_else() -> None:
    """Nothing here points at a service of others, and examples use reserved names."""
    address = re.compile(r"(?:https?|wss?)://([a-z0-9-]+(?:\.[a-z0-9-]+)+)", re.IGNORECASE)
    namespace = re.compile(r"xmlns=\"[^\"]+\"")  # a name that looks like an address
    found = {
        f"{path.relative_to(ROOT)}: {host}"
        for path in tree()
        if path.name not in ("LICENSE", "package-lock.json")  # words of others
        for host in address.findall(namespace.sub("", path.read_text(errors="replace")))
        if not HOSTS.fullmatch(host.lower())
    }
    assert found == set()


def test_the_contract_of_crypto_names_every_other_package() -> None:
    """A package that it forgets could use a cryptographic library by itself."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [one for one in contracts["contracts"] if one["name"].startswith("Only crypto")]
    parts = {path.stem for path in (ROOT / "src/untether").iterdir() if path.name != "__pycache__"}
    others = {f"untether.{part}" for part in parts - {"__init__", "crypto", "py"}}
    assert set(contract["source_modules"]) == others


def test_test_files_have_their_own_names() -> None:
    """A failing test is found by its file's name alone."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(set(names)) == len(names)
