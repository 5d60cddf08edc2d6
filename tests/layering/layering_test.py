#!/usr/bin/env python3
"""Checks that every module includes, links and uses only what its layer may (ARCHITECTURE.md, Map).

    layering_test.py ROOT         the source tree at ROOT; prints a line per fault, exit 1 if any
    layering_test.py --self-test  shows on made files that each rule can fail
"""

import pathlib
import re
import sys
import tempfile
import unittest

# Module -> modules whose headers it may include and which it may link, itself aside.
MAY_USE = {
    "base": set(),
    "core": {"base"},
    "wire": {"base", "core"},
    "delta": {"base"},
    "ports": {"base", "core"},
    "engine": {"base", "core", "wire", "delta", "ports"},
    "posix": {"base", "core", "ports"},
    "net": {"base", "core", "ports"},
    "store": {"base", "core", "ports"},
    "http": {"base", "core", "ports", "net"},
    "daemon": {"base", "core", "wire", "delta", "ports", "engine", "posix", "net", "store",
               "http"},
    "csync2": {"base"},
    "cli": {"base", "core", "wire", "delta", "ports", "engine", "daemon", "csync2"},
}
# Parts of the engine, its folders -> those whose headers they may include, themselves aside. What
# stands beside the folders ties them together and may include each of them; of that they may only
# include plain values.
ENGINE = {
    "peers": set(),
    "transfer": {"peers"},
    "observe": {"transfer"},
    "publish": {"observe", "transfer"},
    "verify": {"observe", "peers"},
}
ENGINE_VALUES = {"config.h", "status.h"}
ADAPTERS = {"posix", "net", "store"}
PURE = {"core", "wire", "ports", "csync2"}
SIMULATED = PURE | {"engine"}  # runs in the simulator too, on its clocks and its one thread

# Headers of other projects that base may have; the standard library has no dot and no slash.
BASE_LIBRARIES = re.compile(r"spdlog/|tl/expected\.hpp$|xxhash\.h$|xxh_x86dispatch\.h$")
IS_STANDARD = re.compile(r"[a-z_]+$")


class Ban:
    def __init__(self, what, modules, headers, words):
        self.what = what
        self.modules = modules
        self.headers = re.compile(headers)
        self.words = re.compile(words)


BANS = [
    Ban("clocks", SIMULATED, r"(ctime|time\.h|sys/time\.h|sys/timerfd\.h)$",
        r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock|clock_gettime|gettimeofday"
        r"|timespec_get)\b|\btime\s*\(\s*(nullptr|NULL|0|&)"),
    Ban("randomness", SIMULATED, r"(random|sys/random\.h)$",
        r"\b(random_device|mt19937(_64)?|minstd_rand0?|default_random_engine|getrandom|getentropy"
        r"|arc4random\w*|RAND_bytes|s?rand)\b(?!\s*\.)"),
    Ban("threads", SIMULATED,
        r"(thread|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|stop_token"
        r"|pthread\.h|threads\.h)$",
        r"\bstd::(j?thread|this_thread|\w*mutex|\w*_lock|lock_guard|condition_variable\w*|async"
        r"|promise|future)\b|\bpthread_\w+"),
    Ban("libuv", SIMULATED, r"uv(/.*)?\.h$", r"\buv_\w+"),
    Ban("TLS", SIMULATED, r"openssl/", r"\b(SSL|BIO|X509|EVP)_\w+"),
    Ban("SQLite", SIMULATED, r"sqlite3\.h$", r"\bsqlite3\w*"),
    Ban("files", PURE,
        r"(fstream|filesystem|unistd\.h|fcntl\.h|dirent\.h|sys/(stat|mman|inotify|socket)\.h)$",
        r"\bstd::(o|i)?fstream\b|\bstd::filesystem\b|\b(fopen|freopen)\s*\("),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
# A comment, a raw string, a string or a character, whichever comes first.
LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(match):
    """Spaces of the same shape, so that line numbers stay."""
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    return LITERAL.sub(lambda m: blank(m) if m.group().startswith("/") else m.group(), text)


def code_alone(text):
    return LITERAL.sub(blank, INCLUDE.sub(blank, without_comments(text)))


def module_of(header):
    """The module of one of our own headers: "dagsync/core/record.h" or "posix/unique_fd.h"."""
    parts = header.split("/")
    if parts[0] == "dagsync" and len(parts) > 2:
        return parts[1]
    return parts[0] if len(parts) > 1 and parts[0] in MAY_USE else None


def below_engine(name):
    """(part, file) of a file or header of the engine; the part is "" beside the folders."""
    part, _, file = name.rpartition("engine/")[2].rpartition("/")
    return part, file


def part_fault(name, header):
    """Why the file `name` of the engine may not include this header of the engine; "" if it may."""
    part = below_engine(name)[0]
    used, file = below_engine(header)
    if not part or used == part or used in ENGINE.get(part, set()):
        return ""
    if not used and file in ENGINE_VALUES:
        return ""
    return f"engine/{part} may not include engine/{used}".rstrip("/")


def sources(root, module):
    for top in (root / "include/dagsync" / module, root / "src" / module):
        for path in sorted(top.rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path


def file_faults(module, text, name=""):
    """(line, fault) of one source file; `name` where the part of its module counts."""
    def line(position):
        return text.count("\n", 0, position) + 1

    bans = [ban for ban in BANS if module in ban.modules]
    for match in INCLUDE.finditer(without_comments(text)):
        header = match.group(2)
        used = module_of(header)
        if used is not None:
            if used != module and used not in MAY_USE[module]:
                yield line(match.start(2)), f"{module} may not include {used}: {header}"
            elif module == used == "engine" and (fault := part_fault(name, header)):
                yield line(match.start(2)), f"{fault}: {header}"
            continue
        for ban in bans:
            if ban.headers.match(header):
                yield line(match.start(2)), f"{module} may not use {ban.what}: <{header}>"
        if module == "base" and match.group(1) == "<" and not (
                IS_STANDARD.match(header) or BASE_LIBRARIES.match(header)):
            yield line(match.start(2)), f"base may have no library but the log's: <{header}>"
    code = code_alone(text)
    for ban in bans:
        for match in ban.words.finditer(code):
            yield line(match.start()), f"{module} may not use {ban.what}: {match.group().strip()}"


def link_faults(module, text):
    """(line, fault) of a module's CMakeLists.txt."""
    for number, line in enumerate(text.splitlines(), 1):
        for used in re.findall(r"\bdagsync(?:::|_)(\w+)", line.split("#")[0]):
            if used in MAY_USE and used != module and used not in MAY_USE[module]:
                yield number, f"{module} may not link {used}"


def names_every_adapter(text):
    used = {module_of(match.group(2)) for match in INCLUDE.finditer(without_comments(text))}
    return ADAPTERS <= used


def tree_faults(root):
    """Every fault of the tree, as a line for people."""
    faults = []
    roots = []
    for name in sorted(p.name for p in (root / "src").iterdir() if p.is_dir()):
        if name != "cmake" and name not in MAY_USE:
            faults.append(f"src/{name}: an unknown module: give it a row in layering_test.py")
    for module in MAY_USE:
        for path in sources(root, module):
            text = path.read_text(encoding="utf-8")
            where = path.relative_to(root)
            faults += [f"{where}:{line}: {fault}"
                       for line, fault in file_faults(module, text, str(where))]
            if names_every_adapter(text):
                roots.append(str(where))
        lists = root / "src" / module / "CMakeLists.txt"
        if lists.exists():
            where = lists.relative_to(root)
            text = lists.read_text(encoding="utf-8")
            faults += [f"{where}:{line}: {fault}" for line, fault in link_faults(module, text)]
    if len(roots) > 1:
        faults.append("only one file, the composition root, may name every adapter: "
                      + ", ".join(roots))
    return faults + simulator_faults(root)


def simulator_faults(root):
    """The simulator brings its own ports: no adapter, no clock, no thread of the system."""
    faults = []
    for path in sorted((root / "tests/sim").glob("*.*")):
        if path.suffix not in (".h", ".cc"):
            continue
        where = path.relative_to(root)
        text = path.read_text(encoding="utf-8")
        if path.name == "main.cc":
            continue
        faults += [f"{where}:{line}: {fault}" for line, fault in file_faults("engine", text)
                   if "may not include engine" not in fault]
    return faults


class SelfTest(unittest.TestCase):
    """A rule that cannot fail checks nothing."""

    def faults_of(self, files):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / "src").mkdir()
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return tree_faults(root)

    def assert_bad(self, name, text, word):
        faults = self.faults_of({name: text})
        self.assertEqual(1, len(faults), f"{name}: {text!r}: {faults}")
        self.assertIn(word, faults[0])

    def assert_good(self, name, text):
        self.assertEqual([], self.faults_of({name: text}))

    def test_a_module_that_includes_one_above_it_is_found(self):
        for module, allowed in MAY_USE.items():
            for other in MAY_USE:
                text = f'// a.\n#include "dagsync/{other}/x.h"\n'
                for name in (f"src/{module}/a.cc", f"include/dagsync/{module}/a.h"):
                    if other == module or other in allowed:
                        self.assert_good(name, text)
                    else:
                        self.assert_bad(name, text, f":2: {module} may not include {other}")

    def test_a_part_of_the_engine_that_includes_one_above_it_is_found(self):
        for part, allowed in ENGINE.items():
            for other in ENGINE:
                text = f'// a.\n#include "dagsync/engine/{other}/x.h"\n'
                for name in (f"src/engine/{part}/a.cc", f"include/dagsync/engine/{part}/a.h"):
                    if other == part or other in allowed:
                        self.assert_good(name, text)
                    else:
                        self.assert_bad(name, text,
                                        f":2: engine/{part} may not include engine/{other}")
            name = f"src/engine/{part}/a.cc"
            self.assert_bad(name, '#include "dagsync/engine/folder.h"\n', f"engine/{part} may not")
            self.assert_good(name, '#include "dagsync/engine/status.h"\n')
            self.assert_good("src/engine/a.cc", f'#include "engine/{part}/x.h"\n')

    def test_a_private_header_of_another_module_is_found(self):
        self.assert_bad("src/engine/a.cc", '#include "posix/unique_fd.h"\n', "posix")
        self.assert_bad("src/core/deep/a.cc", '  #  include "engine/a.h"\n', "engine")

    def test_a_link_line_that_reaches_up_is_found(self):
        self.assert_bad("src/core/CMakeLists.txt",
                        "dagsync_module(core\n  LINK dagsync::base dagsync::net)\n", ":2: core")
        self.assert_good("src/core/CMakeLists.txt", "dagsync_module(core LINK dagsync::base)\n")

    def test_everything_banned_is_found_in_each_module_from_which_it_is_banned(self):
        uses = {
            "clocks": ["auto t = std::chrono::system_clock::now();", "#include <ctime>",
                       "std::chrono::steady_clock::time_point t;", "x = time(nullptr);",
                       "clock_gettime(CLOCK_REALTIME, &t);", "gettimeofday(&t, 0);"],
            "randomness": ["std::random_device device;", "std::mt19937_64 engine(1);",
                           "int x = rand();", "getrandom(p, 8, 0);", "#include <random>"],
            "threads": ["std::thread t;", "std::mutex m;", "pthread_create();",
                        "#include <thread>", "#include <mutex>",
                        "std::lock_guard guard(x);"],
            "libuv": ["uv_run(loop);", "#include <uv.h>"],
            "TLS": ["SSL_read(s);", "#include <openssl/ssl.h>"],
            "SQLite": ["sqlite3* db;", "#include <sqlite3.h>"],
            "files": ["#include <fstream>", "#include <unistd.h>", "#include <fcntl.h>",
                      "#include <filesystem>", 'fopen("x", "r");', "std::filesystem::path p;"],
        }
        self.assertEqual({ban.what for ban in BANS}, set(uses))
        for ban in BANS:
            for line in uses[ban.what]:
                for module in ban.modules:
                    self.assert_bad(f"src/{module}/a.cc", f"int x;\n{line}\n", f":2: {module}")
                self.assert_good("src/daemon/a.cc", line + "\n")

    def test_words_in_comments_and_strings_are_no_faults(self):
        self.assert_good("src/core/a.cc", "// uv_run and std::thread\nint x = 1;\n")
        self.assert_good("src/core/a.cc", "/* #include <thread>\n SSL_read */ int x;\n")
        self.assert_good("src/core/a.cc", 'auto s = "uv_x \\" uv_y";\n')
        self.assert_good("src/core/a.cc", 'auto s = R"x(std::mutex ")" uv_)x"; int x;\n')
        self.assert_good("src/core/a.cc", "UnixNanos mtime(0); auto x = restrand(1) + a.brand;\n")
        self.assert_bad("src/core/a.cc", "f('\"'); std::thread t; f('\"');\n", "threads")
        self.assert_bad("src/core/a.cc", "int n = 1'000; uv_run(); int m = 2'000;\n", "libuv")

    def test_a_library_in_base_is_found(self):
        self.assert_bad("src/base/a.cc", "#include <uv.h>\n", "base may have no library")
        self.assert_bad("src/base/a.cc", "#include <nlohmann/json.hpp>\n", "base")
        self.assert_good("src/base/a.cc", "#include <spdlog/spdlog.h>\n#include <vector>\n")

    def test_a_second_composition_root_is_found(self):
        text = '#include "posix/a.h"\n#include "net/a.h"\n#include "store/a.h"\n'
        self.assert_good("src/daemon/a.cc", text)
        faults = self.faults_of({"src/daemon/a.cc": text, "src/daemon/b.cc": text})
        self.assertEqual(1, len(faults))
        self.assertIn("src/daemon/a.cc, src/daemon/b.cc", faults[0])

    def test_an_unknown_module_is_found(self):
        self.assert_bad("src/helpers/a.cc", "int x;\n", "unknown module")


def main(arguments):
    if arguments == ["--self-test"]:
        result = unittest.main(argv=[sys.argv[0]], exit=False).result
        return 0 if result.wasSuccessful() and result.testsRun > 0 else 1
    if len(arguments) != 1:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    root = pathlib.Path(arguments[0])
    if not any(sources(root, "core")):
        print(f"{root}: no source tree: name the directory that holds src and include",
              file=sys.stderr)
        return 2
    faults = tree_faults(root)
    print("\n".join(faults) if faults else "every module keeps to its layer")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
