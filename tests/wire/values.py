"""Random valid values for botocore shapes, and their picture in the JSON that wire_echo speaks."""
import base64
import datetime
import re
import sre_parse

ALPHABET = "abcXYZ019 -_.~!*'()&<>\"/+=?#%@:;,$[]{}|\\^`äß→日本😀"
ASCII = "abcXYZ019-_.~!*'()&<>/+=?#%@:;$"


def python_pattern(pattern):
    """The models' dialect in Python's: \\p{..} by a few letters, the rest as it is."""
    for prop, chars in (
        ("L", "a-zA-Z"),
        ("M", "̀"),
        ("Z", " "),
        ("S", "$+"),
        ("N", "0-9"),
        ("P", "!."),
    ):
        pattern = pattern.replace("\\p{%s}" % prop, chars)
    return pattern


def from_tree(random, tree, limit):
    out = []
    for op, argument in tree:
        name = str(op)
        if name == "LITERAL":
            out.append(chr(argument))
        elif name == "NOT_LITERAL":
            out.append(random.choice([c for c in "abc09" if ord(c) != argument]))
        elif name == "ANY":
            out.append(random.choice("abcXYZ019-_"))
        elif name == "IN":
            out.append(from_class(random, argument))
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, inner = argument
            for _ in range(random.randint(low, min(int(high), low + limit))):
                out.append(from_tree(random, inner, limit))
        elif name == "SUBPATTERN":
            out.append(from_tree(random, argument[-1], limit))
        elif name == "BRANCH":
            out.append(from_tree(random, random.choice(argument[1]), limit))
        elif name not in ("AT", "ASSERT", "ASSERT_NOT"):
            raise ValueError(name)
    return "".join(out)


def from_class(random, items):
    negated = str(items[0][0]) == "NEGATE"
    if negated:
        banned = re.compile(
            "["
            + "".join(
                re.escape(chr(a))
                if str(op) == "LITERAL"
                else "\\s"
                if str(op) == "CATEGORY"
                else f"{re.escape(chr(a[0]))}-{re.escape(chr(a[1]))}"
                for op, a in items[1:]
            )
            + "]"
        )
        return random.choice([c for c in "abcXYZ019-_=+" if not banned.match(c)])
    op, argument = random.choice(items)
    if str(op) == "LITERAL":
        return chr(argument)
    if str(op) == "RANGE":
        low, high = argument
        code = random.randint(low, max(low, min(high, 0xFF)))
        return chr(code) if code >= 0x20 else " "
    return {
        "CATEGORY_DIGIT": "0123456789",
        "CATEGORY_WORD": "abcXYZ019_",
        "CATEGORY_SPACE": "  ",
        "CATEGORY_NOT_SPACE": "abc019",
    }[str(argument)][random.randint(0, 1)]


class Maker:
    def __init__(self, random, body_seconds_only=True):
        self.random = random

    def text(self, shape, place):
        random = self.random
        if shape.enum:
            return random.choice(shape.enum)
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 4096)
        pattern = shape.metadata.get("pattern")
        low, high = int(max(low, 1)), int(max(low, high))
        if not pattern:
            size = random.randint(low, max(low, min(high, low + 20)))
            chars = ALPHABET if place in ("body", "uri", "querystring") else ASCII
            text = "".join(random.choice(chars) for _ in range(size))
            # botocore counts characters, AWS UTF-16 units: where these two could differ, none takes two units.
            if len(text.encode("utf-16-le")) // 2 > high:
                text = "".join(c if ord(c) <= 0xFFFF else "a" for c in text)
            return text
        compiled = re.compile(python_pattern(pattern))
        for attempt in range(2000):
            text = from_tree(
                random, sre_parse.parse(python_pattern(pattern)), max(8, min(low + 5, high))
            )
            text = text[:high] if len(text) > high else text
            if (
                low <= len(text)
                and compiled.fullmatch(text)
                and (text.strip() == text or place == "body")
            ):
                return text
        raise ValueError(f"no text for {pattern} of {low} to {high}")

    def value(self, shape, place="body", depth=0):
        random, kind = self.random, shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 3)
            count = random.randint(max(1, low), max(1, low, min(3, high)))
            items = [self.value(shape.member, place, depth + 1) for _ in range(count)]
            if place == "header":
                items = [
                    item.replace(",", "") or "x" if isinstance(item, str) else item
                    for item in items
                ]
            return items
        if kind == "map":
            keys = [
                self.value(shape.key, "header" if place == "headers" else place)
                for _ in range(max(random.randint(1, 3), shape.metadata.get("min", 0)))
            ]
            if place == "headers":
                keys = ["".join(c for c in key.lower() if c.isalnum()) or "k" for key in keys]
                return {key: self.text(shape.value, "header") for key in keys}
            return {key: self.value(shape.value, place, depth + 1) for key in keys}
        if kind == "boolean":
            return random.choice([True, False])
        if kind in ("integer", "long"):
            low = shape.metadata.get("min", 0)
            high = shape.metadata.get("max", 2**31 - 1 if kind == "integer" else 2**50)
            return random.randint(int(low), int(high))
        if kind in ("float", "double"):
            return (
                random.randint(
                    int(shape.metadata.get("min", 0)) * 8, int(shape.metadata.get("max", 1000)) * 8
                )
                / 8
            )
        if kind == "timestamp":
            return datetime.datetime.fromtimestamp(
                random.randint(10**8, 2 * 10**9), datetime.timezone.utc
            )
        if kind == "blob":
            return random.randbytes(random.randint(max(1, shape.metadata.get("min", 1)), 30))
        return self.text(shape, place)

    def structure(self, shape, depth):
        members = {}
        names = list(shape.members)
        if not names:
            return members
        sure = self.random.choice(names)
        for name in names:
            member = shape.members[name]
            wanted = (
                name in shape.required_members
                or name == sure
                or self.random.random() < (0.7 if depth < 2 else 0.4)
            )
            if (
                not wanted
                or (depth > 6 and name not in shape.required_members)
                or getattr(member, "is_eventstream", False)
                or member.serialization.get("eventstream")
            ):
                continue
            place = member.serialization.get("location", "body")
            if (
                shape.serialization.get("payload") == name
                and member.serialization.get("streaming")
                and name not in shape.required_members
            ):
                continue  # the edge's business
            if place == "statusCode":
                members[name] = self.random.choice([200, 201, 202])
                continue
            members[name] = self.value(member, place, depth + 1)
            if shape.serialization.get("payload") == name and member.type_name == "blob":
                members[name] = base64.b64encode(
                    members[name]
                )  # botocore's parser decodes such a payload as text
        return members


def expires(value):
    """S3 keeps Expires as it was sent, so ours is a string; the base model has a timestamp."""
    return value.strftime("%a, %d %b %Y %H:%M:%S GMT")


def picture(shape, value):
    """The value as JsonForm::document."""
    kind = shape.type_name
    if kind == "structure":
        return {
            name: expires(member)
            if name == "Expires" and isinstance(member, datetime.datetime)
            else picture(shape.members[name], member)
            for name, member in value.items()
            if name in shape.members
        }
    if kind == "list":
        return [picture(shape.member, item) for item in value]
    if kind == "map":
        return {key: picture(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return value.timestamp()
    if kind == "blob":
        return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
    if kind in ("float", "double"):
        return float(value)
    return value
