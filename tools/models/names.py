"""How model names become C++ names. The rule, also written at the top of each generated header:

  Members: snake_case. A word starts at an upper-case letter that follows a lower-case one, at an
  upper-case letter that a lower-case one follows (unless it is a plural s: ARNs), and nowhere
  else: SSEKMSKeyId -> ssekms_key_id, S3Key -> s3_key, ChecksumCRC64NVME -> checksum_crc64nvme,
  ACL -> acl. ETag is one word: etag. C++ keywords get a trailing underscore: Delete -> delete_.
  Structs: the shape's name with an upper-case first letter.
"""
import re

KEYWORDS = set(
    """alignas alignof and asm auto bool break case catch char class const constexpr continue co_await
co_return co_yield decltype default delete do double else enum explicit export extern false
float for friend goto if inline int long mutable namespace new noexcept not nullptr operator or
private protected public register requires return short signed sizeof static struct switch
template this throw true try typedef typeid typename union unsigned using virtual void volatile
while xor""".split()
)


def snake(name):
    name = name.replace("ETag", "Etag").replace("IPv", "Ipv").replace("DynamoDB", "Dynamodb")
    name = re.sub(r"([A-Z])s(?=[A-Z]|$)", r"\1S", name)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z0-9])([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"[^A-Za-z0-9]+", "_", name).lower()
    return name + "_" if name in KEYWORDS else name


def struct(name):
    return name[0].upper() + name[1:]
