"""Makes thumbnails of the pictures that arrive in a bucket: one for each width, in the bucket named by DESTINATION, or
"<bucket>-resized". Portraits from phones come out upright. Runs on AWS Lambda as it is."""

import io
import os
import re
import urllib.parse

import boto3
from PIL import Image, ImageOps, UnidentifiedImageError

WIDTHS = [int(width) for width in os.environ.get("WIDTHS", "200,800").split(",")]
SOURCE_BYTES_MAX = 64 * 1024 * 1024
SOURCE_PIXELS_MAX = 120_000_000
# What browsers show; anything else becomes JPEG.
KEPT_FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}

Image.MAX_IMAGE_PIXELS = None  # checked below, with a sentence of our own
s3 = boto3.client("s3")


class PictureError(Exception):
    pass


def handler(event, context):
    written = []
    for record in event.get("Records", []):
        bucket = record["s3"]["bucket"]["name"]
        # Keys in S3's events are form-encoded.
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        written += make_thumbnails(bucket, key)
    return {"thumbnails": written}


def make_thumbnails(bucket, key):
    destination = os.environ.get("DESTINATION", f"{bucket}-resized")
    if destination == bucket:
        raise PictureError(f"The destination {bucket} is the source: each thumbnail would make more.")
    name = f"s3://{bucket}/{key}"
    picture = open_picture(read(bucket, key, name), name)
    kind = picture.format if picture.format in KEPT_FORMATS else "JPEG"
    try:
        upright = ImageOps.exif_transpose(picture)  # as the camera was held
    except OSError as error:
        raise PictureError(f"{name} is damaged: {error}") from None
    return [write(upright, width, kind, destination, key, name) for width in WIDTHS]


def read(bucket, key, name):
    found = s3.get_object(Bucket=bucket, Key=key)
    if found["ContentLength"] == 0:
        raise PictureError(f"{name} is empty: there is no picture in it.")
    if found["ContentLength"] > SOURCE_BYTES_MAX:
        raise PictureError(f"{name} has {found['ContentLength']} bytes; pictures of up to {SOURCE_BYTES_MAX} are made smaller.")
    return found["Body"].read()


def open_picture(data, name):
    try:
        picture = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        raise PictureError(f"{name} is not a picture that can be read: its format is unknown.") from None
    except OSError as error:
        raise PictureError(f"{name} is not a picture that can be read: {error}") from None
    if picture.width * picture.height > SOURCE_PIXELS_MAX:
        raise PictureError(f"{name} is {picture.width}×{picture.height}; pictures of up to {SOURCE_PIXELS_MAX} pixels are made smaller.")
    return picture


def write(picture, width, kind, destination, key, name):
    small = picture.copy()
    small.thumbnail((width, picture.height))  # never enlarges
    if kind == "JPEG" and small.mode not in ("RGB", "L"):
        small = small.convert("RGB")
    body = io.BytesIO()
    small.save(body, kind)
    target = f"{re.sub(r'[.][^./]*$', '', key)}-{width}.{KEPT_FORMATS[kind]}"
    s3.put_object(Bucket=destination, Key=target, Body=body.getvalue(), ContentType=f"image/{kind.lower()}")
    print(f"{name} -> s3://{destination}/{target}: {small.width}x{small.height}, {body.tell()} bytes")
    return {"bucket": destination, "key": target, "width": small.width, "height": small.height, "bytes": body.tell()}
