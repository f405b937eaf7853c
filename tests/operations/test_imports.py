"""Every imported package is a declared dependency, and no test module imports another."""

import ast
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from chatapp.installation_settings import BASE_DIR

OUR_PACKAGES = {"bench", "chatapp", "conversations", "tests"}


def imported_modules(*folders):
    """The (file, module) of each absolute import in these folders; `from a import b` gives `a` and `a.b`."""
    for folder in folders:
        for path in sorted((BASE_DIR / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from ((path, alias.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield path, node.module
                    yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def canonical(name):
    """The normalized name of a distribution: https://peps.python.org/pep-0503/."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*files):
    lines = [line for file in files for line in (BASE_DIR / file).read_text().splitlines()]
    return {canonical(name[0]) for line in lines if (name := re.match(r"[\w.-]+", line)) and line[0] != "-"}


@pytest.mark.parametrize(
    ("folders", "files"),
    [
        (("chatapp", "conversations"), ("requirements.in",)),
        (("bench", "tests"), ("requirements.in", "requirements-dev.in")),
    ],
    ids=["product", "tests"],
)
def test_every_import_is_a_declared_dependency(folders, files):
    distributions = packages_distributions()
    top_level = {module.partition(".")[0] for _, module in imported_modules(*folders)}
    foreign = top_level - OUR_PACKAGES - sys.stdlib_module_names
    assert foreign
    undeclared = {
        module
        for module in foreign
        if not declared(*files) & {canonical(name) for name in distributions.get(module, [module])}
    }
    assert not undeclared


def test_no_test_module_imports_another():
    """Shared code is in `tests.support` or in a fixture of the folder's conftest.py."""
    wrong = [
        f"{path.relative_to(BASE_DIR)} imports {module}"
        for path, module in imported_modules("tests")
        if re.search(r"^tests\.(.*\.)?(test_\w+|conftest)(\.|$)", module)
    ]
    assert not wrong
