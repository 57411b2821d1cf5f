"""A service model as the generator sees it: models/<service>.json with its overlay applied.

An overlay is a list of changes; each gives its reason and a JSON merge patch (RFC 7386) for
`metadata`, `operations` and `shapes`. Shapes that no served operation reaches are dropped after
the overlay.
"""
import json

SERVICES = {  # our folder's name -> botocore's folder/version
    "s3": "s3/2006-03-01",
    "lambda": "lambda/2015-03-31",
    "iam": "iam/2010-05-08",
    "sts": "sts/2011-06-15",
    "logs": "logs/2014-03-28",
}


def merge_patch(target, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def served_operations(models, service):
    lines = (models / f"{service}.served").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def references(shape):
    for member in shape.get("members", {}).values():
        yield member["shape"]
    for part in ("member", "key", "value"):
        if part in shape:
            yield shape[part]["shape"]


def reachable(model, operations):
    seen, stack = set(), []
    for name in operations:
        operation = model["operations"].get(name, {})
        stack += [operation[side]["shape"] for side in ("input", "output") if side in operation]
        stack += operation.get("errors", [])
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack += references(model["shapes"][name])
    return seen


def load(models, service):
    model = json.loads((models / f"{service}.json").read_text())
    overlay = models / "overlay" / f"{service}.json"
    if overlay.exists():
        for change in json.loads(overlay.read_text())["changes"]:
            if not change.get("reason"):
                raise SystemExit(f"{overlay}: a change without a reason")
            for part in ("metadata", "operations", "shapes"):
                model[part] = merge_patch(model[part], change.get(part, {}))
    served = set(served_operations(models, service))
    unknown = served - set(model["operations"])
    if unknown:
        raise SystemExit(f"{service}.served names what no model has: {sorted(unknown)}")
    for name, operation in model["operations"].items():
        operation["served"] = name in served
    for shape in model["shapes"].values():
        if shape.get(
            "eventstream"
        ):  # its frames are the service's business; the model knows a body
            shape.pop("members", None)
    keep = reachable(model, served)
    model["shapes"] = {name: shape for name, shape in model["shapes"].items() if name in keep}
    return model
