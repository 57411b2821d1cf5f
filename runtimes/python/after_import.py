"""Runs a function on a module when the function's code first imports it, so that nothing is imported ahead of need."""

import sys

_waiting = {}


def after_import(name, do):
    """Calls do(module) right after the module `name` has been executed."""
    if not _waiting:
        sys.meta_path.insert(0, _Finder())
    _waiting[name] = do


class _Finder:
    def find_spec(self, name, path=None, target=None):
        if name not in _waiting:
            return None
        do = _waiting.pop(name)  # so that the next line finds the real one
        import importlib.machinery
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_do(module):
            execute(module)
            do(module)

        spec.loader.exec_module = execute_and_do
        return spec
