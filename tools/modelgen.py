#!/usr/bin/python3
"""Service models: import, generate, compare, report. Python 3 standard library only.

  modelgen.py import   [--botocore DIR]            trim botocore's models to models/<service>.json
  modelgen.py drift    --botocore DIR              what a newer botocore knows and we lack
  modelgen.py generate SERVICE --out DIR           types.h, operations.h, schema.cc (for the build)
  modelgen.py compat   --operations FILE [--out F] COMPATIBILITY.md of models and binary

Only `import` and `drift` read botocore; builds and tests of the product need models/ alone.
"""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from models import compat, cxx, importer, load  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=pathlib.Path, default=ROOT / "models")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("import")
    verb.add_argument("--botocore", type=pathlib.Path, default=pathlib.Path(importer.DEBIAN_DATA))
    verb = verbs.add_parser("drift")
    verb.add_argument("--botocore", type=pathlib.Path, required=True)
    verb = verbs.add_parser("generate")
    verb.add_argument("service")
    verb.add_argument("--out", type=pathlib.Path, required=True)
    verb = verbs.add_parser("compat")
    verb.add_argument("--operations", type=argparse.FileType(), required=True)
    verb.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()

    if arguments.verb == "import":
        importer.import_all(arguments.botocore, arguments.models)
    elif arguments.verb == "drift":
        importer.print_drift(arguments.botocore, arguments.models)
    elif arguments.verb == "generate":
        cxx.generate(
            arguments.service, load.load(arguments.models, arguments.service), arguments.out
        )
    else:
        text = compat.page(arguments.models, arguments.operations.read())
        if arguments.out:
            arguments.out.write_text(text)
        else:
            print(text, end="")


if __name__ == "__main__":
    main()
