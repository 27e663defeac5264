"""Builds the component of a package.

Enters: a module that makes a `Package`. Leaves: a `.wasm` file to upload. Invariant: the world is the smallest that the package needs: no
kind that it has not, wasi:http only if a plugin asks for HTTP.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .plugin import Http, Package

COMPONENTIZE_PY: Final = "0.25.1"
"""The version of componentize-py that this SDK is made for."""
_HERE: Final = Path(__file__).resolve().parent
_WORLD: Final = "lockgate-python"
_APP: Final = "lockgate_app"


class BuildError(Exception):
    """Why there is no component, and what to do."""


def find_package(module: str, paths: Sequence[Path]) -> tuple[str, Package]:
    """The package that a module (`my_sink` or `my_sink:package`) makes, and its name there."""
    for path in reversed(paths):
        sys.path.insert(0, str(path))
    name, _, attribute = module.partition(":")
    try:
        loaded = importlib.import_module(name)
    except ModuleNotFoundError as error:
        where = ", ".join(map(str, paths))
        raise BuildError(f"cannot import `{name}`: {error}. Looked in {where}; --path adds a folder") from error
    found = {k: v for k, v in vars(loaded).items() if isinstance(v, Package) and k == (attribute or k)}
    if len(found) != 1:
        wanted = attribute or "package"
        raise BuildError(f"`{name}` must make one Package: {wanted} = Package(\"my-plugin\", \"0.1.0\", MyPlugin)")
    return next(iter(found.items()))


def world(package: Package) -> str:
    """The WIT of the world that the package needs."""
    kinds = {"transform" if kind == "predicate" else kind for kind in package.kinds()}
    base = f"{next(iter(kinds))}-package" if len(kinds) == 1 else "mixed-package"
    http = any(isinstance(ask, Http) for plugin in package.plugins for ask in plugin.asks)
    imports = "    import wasi:http/outgoing-handler@0.2.12;\n" if http else ""
    return f"package lockgate:connect@0.1.0;\n\n/// {package.name}\nworld {_WORLD} {{\n    include {base};\n{imports}}}\n"


def componentize_py() -> list[str]:
    """The command, from beside this Python or from the path."""
    beside = Path(sys.executable).with_name("componentize-py")
    found = str(beside) if beside.exists() else shutil.which("componentize-py")
    if found is None:
        raise BuildError(f"componentize-py is missing: pip install componentize-py=={COMPONENTIZE_PY}")
    return [found]


def build(module: str, output: Path, paths: Sequence[Path], command: Sequence[str] | None = None) -> None:
    """Builds `module` into `output`."""
    name, _, _ = module.partition(":")
    attribute, package = find_package(module, paths)
    with tempfile.TemporaryDirectory(prefix="lockgate-") as folder:
        place = Path(folder)
        shutil.copytree(_HERE / "wit", place / "wit")
        (place / "wit" / "python.wit").write_text(world(package), "utf-8")
        app = place / "app"
        skipped = shutil.ignore_patterns("_bindings", "wit", "__pycache__", "testing.py", "build.py", "__main__.py", "_http_native.py")
        shutil.copytree(_HERE, app / "lockgate", ignore=skipped)
        shim = f"from lockgate.guest import exports_of\nfrom {name} import {attribute} as made\n\nglobals().update(exports_of(made))\n"
        (app / f"{_APP}.py").write_text(shim, "utf-8")
        made = place / "made.wasm"
        run = [*(command or componentize_py()), "-d", str(place / "wit"), "-w", _WORLD, "componentize", "-p", str(app)]
        for path in paths:
            run += ["-p", str(path)]
        # Outside any virtual environment: else everything that is installed there would go into the component.
        env = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        ended = subprocess.run([*run, _APP, "-o", str(made)], env=env, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise BuildError(f"componentize-py failed:\n{(ended.stdout + ended.stderr).strip()}{_advice(ended.stderr)}")
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, output)


def _advice(complaint: str) -> str:
    if "ModuleNotFoundError" in complaint:
        return "\nInstall what is missing into a folder `deps` beside your module: pip install --target deps NAME (pure Python only)"
    return ""


def bindings(folder: Path) -> None:
    """Writes the bindings of the mixed world, as they are checked in at `_bindings`."""
    with tempfile.TemporaryDirectory(prefix="lockgate-") as place:
        wit = Path(place) / "wit"
        shutil.copytree(_HERE / "wit", wit, ignore=shutil.ignore_patterns("deps"))
        made = Path(place) / "made"
        run = [*componentize_py(), "-d", str(wit), "-w", "mixed-package", "bindings", str(made)]
        subprocess.run(run, check=True, capture_output=True)
        for file in made.rglob("*.py"):
            # Older Pythons evaluate annotations at once, where a method `tasks` hides the module `tasks`.
            file.write_text("from __future__ import annotations\n\n" + file.read_text("utf-8"), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made / "wit_world", folder / "wit_world")
        shutil.copyfile(made / "componentize_py_types.py", folder / "componentize_py_types.py")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: `python -m lockgate build MODULE`, `python -m lockgate bindings FOLDER`."""
    parser = argparse.ArgumentParser(prog="lockgate", description="Builds Lockgate plugins written in Python.")
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="build the component of a package")
    builder.add_argument("module", help="the module that makes the Package: `my_sink` or `my_sink:package`")
    builder.add_argument("-o", "--output", type=Path, help="the file to write; by default MODULE.wasm")
    builder.add_argument("-p", "--path", type=Path, action="append", help="a folder to import from; by default . and deps")
    writer = commands.add_parser("bindings", help="write the bindings of the WIT, for type checkers")
    writer.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "bindings":
            bindings(options.folder)
            return 0
        paths = [path.resolve() for path in options.path or [Path(), Path("deps")] if path.is_dir()]
        output = options.output or Path(options.module.partition(":")[0] + ".wasm")
        build(options.module, output, paths)
    except BuildError as error:
        print(f"lockgate: {error}", file=sys.stderr)
        return 1
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
    return 0
