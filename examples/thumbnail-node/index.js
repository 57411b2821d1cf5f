'use strict';
// Makes thumbnails of the pictures that arrive in a bucket: one for each width, in the bucket named by DESTINATION, or
// "<bucket>-resized". Portraits from phones come out upright. Runs on AWS Lambda as it is.

const { S3Client, GetObjectCommand, PutObjectCommand } = require('@aws-sdk/client-s3');
const sharp = require('sharp');

const WIDTHS = (process.env.WIDTHS ?? '200,800').split(',').map(Number);
const SOURCE_BYTES_MAX = 64 * 1024 * 1024;
const SOURCE_PIXELS_MAX = 120_000_000;
/** What browsers show; anything else becomes JPEG. */
const KEPT_FORMATS = { jpeg: 'jpg', png: 'png', webp: 'webp' };

const s3 = new S3Client({});

exports.handler = async (event) => {
  const written = [];
  for (const record of event.Records ?? []) {
    const bucket = record.s3.bucket.name;
    // Keys in S3's events are form-encoded.
    const key = decodeURIComponent(record.s3.object.key.replaceAll('+', ' '));
    written.push(...(await makeThumbnails(bucket, key)));
  }
  return { thumbnails: written };
};

async function makeThumbnails(bucket, key) {
  const destination = process.env.DESTINATION ?? `${bucket}-resized`;
  if (destination === bucket) throw new Error(`The destination ${bucket} is the source: each thumbnail would make more.`);
  const name = `s3://${bucket}/${key}`;
  const picture = await readPicture(bucket, key, name);
  const { format } = await inspect(picture, name);
  const written = [];
  for (const width of WIDTHS) {
    const output = format in KEPT_FORMATS ? format : 'jpeg';
    const { data, info } = await resize(picture, width, output, name);
    const target = `${key.replace(/\.[^./]*$/, '')}-${width}.${KEPT_FORMATS[output]}`;
    await s3.send(new PutObjectCommand({
      Bucket: destination, Key: target, Body: data, ContentType: `image/${output}`,
    }));
    console.log(`${name} → s3://${destination}/${target}: ${info.width}×${info.height}, ${info.size} bytes`);
    written.push({ bucket: destination, key: target, width: info.width, height: info.height, bytes: info.size });
  }
  return written;
}

async function readPicture(bucket, key, name) {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (object.ContentLength === 0) throw new Error(`${name} is empty: there is no picture in it.`);
  if (object.ContentLength > SOURCE_BYTES_MAX) {
    throw new Error(`${name} has ${object.ContentLength} bytes; pictures of up to ${SOURCE_BYTES_MAX} are made smaller.`);
  }
  return Buffer.from(await object.Body.transformToByteArray());
}

async function inspect(picture, name) {
  let metadata;
  try {
    metadata = await sharp(picture, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw new Error(`${name} is not a picture that can be read: ${error.message}`);
  }
  if (metadata.width * metadata.height > SOURCE_PIXELS_MAX) {
    throw new Error(`${name} is ${metadata.width}×${metadata.height}; pictures of up to ${SOURCE_PIXELS_MAX} pixels are made smaller.`);
  }
  return metadata;
}

async function resize(picture, width, format, name) {
  try {
    return await sharp(picture, { failOn: 'truncated' })
      .rotate() // as the camera was held: EXIF orientation
      .resize({ width, withoutEnlargement: true })
      .toFormat(format)
      .toBuffer({ resolveWithObject: true });
  } catch (error) {
    throw new Error(`${name} is damaged: ${error.message}`);
  }
}
