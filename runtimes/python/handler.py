"""From "dir/module.function" to the function it names, as Lambda resolves it, and its sentences when it cannot."""

import importlib
import os
import sys


class LoadFault(Exception):
    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = kind
        self.trace = trace


def load(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise LoadFault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from None
    if module_name.split("/")[0] in sys.builtin_module_names:
        raise LoadFault("Runtime.BuiltInModuleConflict",
                        f"Cannot use built-in module {module_name} as a handler module")
    # Our own modules must not be found in place of the function's that have the same names.
    for ours in ("after_import", "endpoint", "fault", "handler", "log"):
        sys.modules.pop(ours, None)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        text = foreign_binary(error) or str(error)
        raise LoadFault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {text}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n']
        raise LoadFault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}",
                        trace) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise LoadFault("Runtime.HandlerNotFound",
                        f"Handler '{function_name}' missing on module '{module_name}'") from None


def foreign_binary(error):
    """A sentence when the import failed because a package was built for another Python; else None."""
    top = (error.name or "").split(".")[0]
    if not top:
        return None
    import importlib.machinery
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    for root in sys.path:
        package = os.path.join(root, top)
        if not root.startswith((os.environ["LAMBDA_TASK_ROOT"], "/opt")) or not os.path.isdir(package):
            continue
        for directory, _, files in os.walk(package):
            for file in files:
                stem = file.split(".")[0]
                if ".cpython-" in file and file.endswith(".so") and not any(stem + s in files for s in suffixes):
                    return (f"{error}; {os.path.join(directory, file)} was built for another Python: this function "
                            f"runs on Python {sys.version.split()[0]}. Install the package's wheels for it.")
    return None
