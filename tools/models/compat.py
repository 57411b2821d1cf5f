"""COMPATIBILITY.md: every operation of every modelled service, and whether the binary serves it."""
from models import load


def page(models, operations_text):
    """operations_text: "service operation" lines, as `wolke version --operations` prints them."""
    served = {
        tuple(line.split()) for line in operations_text.splitlines() if len(line.split()) == 2
    }
    lines = [
        "# Compatibility",
        "",
        "Generated from the service models and what the binary serves. What is not served answers",
        "at once with a named error.",
        "",
        "| service | served | of |",
        "| --- | --- | --- |",
    ]
    tables = []
    for service in load.SERVICES:
        model = load.load(models, service)
        names = sorted(model["operations"])
        count = sum((service, name) in served for name in names)
        lines.append(f"| {model['metadata']['serviceId']} | {count} | {len(names)} |")
        tables += [
            "",
            f"## {model['metadata']['serviceId']}",
            "",
            "| operation | served |",
            "| --- | --- |",
        ]
        tables += [f"| {name} | {'yes' if (service, name) in served else 'no'} |" for name in names]
    return "\n".join(lines + tables) + "\n"
