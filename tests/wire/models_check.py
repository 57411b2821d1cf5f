#!/usr/bin/python3
"""The committed models: reproducible from the botocore they name, overlays with reasons, distinct names."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from models import compat, cxx, importer, load  # noqa: E402
from models.names import snake  # noqa: E402

MODELS = ROOT / "models"
BOTOCORE = "1.29.27"


def debian_botocore():
    try:
        sys.path.insert(0, str(importer.DEBIAN_PACKAGES))
        import botocore

        return botocore.__version__
    except ImportError:
        return None


class Models(unittest.TestCase):
    @unittest.skipUnless(debian_botocore() == BOTOCORE, f"needs python3-botocore {BOTOCORE}")
    def test_import_gives_what_is_committed(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            for service in load.SERVICES:
                (out / f"{service}.served").write_text((MODELS / f"{service}.served").read_text())
            importer.import_all(pathlib.Path(importer.DEBIAN_DATA), out)
            for service in load.SERVICES:
                self.assertEqual(
                    (out / f"{service}.json").read_text(),
                    (MODELS / f"{service}.json").read_text(),
                    service,
                )

    def test_every_overlay_change_has_a_reason_and_changes_something(self):
        for service in load.SERVICES:
            base = json.loads((MODELS / f"{service}.json").read_text())
            for change in json.loads((MODELS / "overlay" / f"{service}.json").read_text())[
                "changes"
            ]:
                self.assertGreater(len(change["reason"]), 10)
                for part in ("metadata", "operations", "shapes"):
                    for name, patch in change.get(part, {}).items():
                        before = base[part].get(name)
                        self.assertNotEqual(
                            load.merge_patch(before, patch), before, f"{service} {name}"
                        )

    def test_references_resolve_and_served_operations_exist(self):
        for service in load.SERVICES:
            model = load.load(MODELS, service)
            for name, shape in model["shapes"].items():
                for reference in load.references(shape):
                    self.assertIn(reference, model["shapes"], f"{service} {name}")

    def test_members_of_a_structure_have_different_names(self):
        for service in load.SERVICES:
            for name, shape in load.load(MODELS, service)["shapes"].items():
                names = [snake(member) for member in shape.get("members", {})]
                self.assertEqual(len(names), len(set(names)), f"{service} {name}")

    def test_the_naming_rule(self):
        for name, wanted in {
            "SSEKMSKeyId": "ssekms_key_id",
            "S3Key": "s3_key",
            "ACL": "acl",
            "ETag": "etag",
            "ChecksumCRC64NVME": "checksum_crc64nvme",
            "ChecksumCRC32C": "checksum_crc32c",
            "MD5OfBody": "md5_of_body",
            "VPCId": "vpc_id",
            "Delete": "delete_",
            "Namespace": "namespace_",
            "logGroupName": "log_group_name",
            "SourceARNs": "source_arns",
            "CopySourceIfMatch": "copy_source_if_match",
            "MFADelete": "mfa_delete",
            "IsIPv6": "is_ipv6",
        }.items():
            self.assertEqual(snake(name), wanted)

    def test_generated_code_is_the_golden_copy(self):
        """A change of the generator shows as a diff; `modelgen.py --models tests/wire/models`."""
        here = ROOT / "tests" / "wire"
        with tempfile.TemporaryDirectory() as folder:
            cxx.generate("tiny", load.load(here / "models", "tiny"), pathlib.Path(folder))
            for name in ("types.h", "operations.h", "schema.cc"):
                self.assertEqual(
                    (pathlib.Path(folder) / name).read_text(),
                    (here / "golden" / f"{name}.txt").read_text(),
                )

    def test_generation_is_deterministic(self):
        with tempfile.TemporaryDirectory() as folder:
            texts = []
            for turn in ("a", "b"):
                out = pathlib.Path(folder) / turn
                cxx.generate("sts", load.load(MODELS, "sts"), out)
                texts.append(
                    [(out / name).read_text() for name in ("types.h", "operations.h", "schema.cc")]
                )
            self.assertEqual(texts[0], texts[1])

    def test_compatibility_page_counts_what_is_served(self):
        page = compat.page(MODELS, "sts AssumeRole\nsts GetCallerIdentity\ns3 PutObject\n")
        self.assertIn("| STS | 2 | ", page)
        self.assertIn("| GetCallerIdentity | yes |", page)
        self.assertIn("| GetSessionToken | no |", page)


if __name__ == "__main__":
    unittest.main()
