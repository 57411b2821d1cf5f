"""Trims botocore's service-2.json to facts: operations, shapes, constraints; no documentation.

All operations keep name, method and URI (for detection and the 501 answer); input, output,
errors and shapes are kept for the operations in models/<service>.served.
"""
import gzip
import json
import pathlib

from models import load

PACKAGES = "usr/lib/python3/dist-packages"
UNPACKED = pathlib.Path(__file__).resolve().parents[2] / ".deps/root" / PACKAGES  # by ./dev, for who cannot install
DEBIAN_PACKAGES = UNPACKED if (UNPACKED / "botocore").is_dir() else pathlib.Path("/") / PACKAGES
DEBIAN_DATA = str(DEBIAN_PACKAGES / "botocore/data")

METADATA = (
    "apiVersion",
    "endpointPrefix",
    "jsonVersion",
    "protocol",
    "serviceFullName",
    "serviceId",
    "signingName",
    "targetPrefix",
    "xmlNamespace",
)
SHAPE = (
    "type",
    "required",
    "payload",
    "flattened",
    "enum",
    "min",
    "max",
    "pattern",
    "sensitive",
    "streaming",
    "timestampFormat",
    "locationName",
    "xmlNamespace",
    "exception",
    "eventstream",
)
MEMBER = (
    "shape",
    "location",
    "locationName",
    "flattened",
    "streaming",
    "xmlAttribute",
    "xmlNamespace",
    "idempotencyToken",
    "timestampFormat",
)


def read_botocore(data, service):
    path = data / load.SERVICES[service] / "service-2.json"
    if path.exists():
        return json.loads(path.read_text())
    return json.loads(gzip.open(f"{path}.gz").read())


def pick(source, keys):
    return {
        key: source[key]
        for key in keys
        if key in source
        and source[key] not in (False, [], {})
        or key in ("min", "max")
        and source.get(key) is not None
    }


def trim_member(member):
    return pick(member, MEMBER)


def trim_shape(shape):
    result = pick(shape, SHAPE)
    error = shape.get("error", {})
    if error:
        result["error"] = pick(error, ("code", "httpStatusCode"))
    if "members" in shape:
        result["members"] = {name: trim_member(member) for name, member in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            result[part] = trim_member(shape[part])
    return result


def trim_operation(operation, served):
    result = {"http": pick(operation["http"], ("method", "requestUri", "responseCode"))}
    if operation.get("deprecated"):
        result["deprecated"] = True
    if not served:
        return result
    for side in ("input", "output"):
        if side in operation:
            result[side] = pick(
                operation[side], ("shape", "locationName", "xmlNamespace", "resultWrapper")
            )
    if operation.get("errors"):
        result["errors"] = [error["shape"] for error in operation["errors"]]
    if operation.get("httpChecksumRequired") or operation.get("httpChecksum", {}).get(
        "requestChecksumRequired"
    ):
        result["checksumRequired"] = True
    return result


def trim(source, served):
    model = {
        "metadata": pick(source["metadata"], METADATA),
        "operations": {
            name: trim_operation(operation, name in served)
            for name, operation in sorted(source["operations"].items())
        },
        "shapes": {name: trim_shape(shape) for name, shape in sorted(source["shapes"].items())},
    }
    keep = load.reachable(model, [name for name in served if name in model["operations"]])
    model["shapes"] = {name: shape for name, shape in model["shapes"].items() if name in keep}
    return model


def write_model(path, model):
    """One line for each operation and shape: a change shows as a line of a diff."""
    lines = ["{", f' "metadata": {json.dumps(model["metadata"])},']
    for part, end in (("operations", ","), ("shapes", "")):
        lines.append(f' "{part}": {{')
        rows = [f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in model[part].items()]
        lines.append(",\n".join(rows))
        lines.append(f" }}{end}")
    lines.append("}")
    path.write_text("\n".join(lines) + "\n")


def import_all(data, models):
    for service in load.SERVICES:
        served = load.served_operations(models, service)
        model = trim(read_botocore(data, service), served)
        write_model(models / f"{service}.json", model)
        print(
            f"{service}: {len(model['operations'])} operations named, {len(model['shapes'])} shapes"
        )


def difference(ours, theirs):
    """A merge patch that adds and changes; what only we have is left alone."""
    patch = {}
    for key, value in theirs.items():
        if key not in ours:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(ours[key], dict):
            inner = difference(ours[key], value)
            if inner:
                patch[key] = inner
        elif ours[key] != value:
            patch[key] = value
    return patch


def drift(data, models, service):
    served = load.served_operations(models, service)
    return difference(load.load(models, service), trim(read_botocore(data, service), served))


def print_drift(data, models):
    for service in load.SERVICES:
        print(service, json.dumps(drift(data, models, service), indent=1))
