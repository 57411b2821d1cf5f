'use strict';
// A thumbnail function as they were written for nodejs16.x and before: the SDK v2 that its runtimes had, promises by
// .promise(), a callback. Runs on AWS Lambda as it is.

const AWS = require('aws-sdk');
const sharp = require('sharp');

const s3 = new AWS.S3();

exports.handler = (event, context, callback) => {
  const { bucket, object } = event.Records[0].s3;
  const key = decodeURIComponent(object.key.replace(/\+/g, ' '));
  console.log(`aws-sdk ${AWS.VERSION}: ${bucket.name}/${key}`);
  s3.getObject({ Bucket: bucket.name, Key: key }).promise()
    .then(({ Body }) => Promise.all([200, 800].map((width) => resize(bucket.name, key, Body, width))))
    .then((written) => callback(null, written), callback);
};

function resize(bucket, key, picture, width) {
  const target = { Bucket: `${bucket}-resized`, Key: key.replace(/\.[^./]*$/, `-${width}.jpg`) };
  return sharp(picture).rotate().resize({ width, withoutEnlargement: true }).jpeg().toBuffer()
    .then((Body) => s3.upload({ ...target, Body, ContentType: 'image/jpeg' }).promise())
    .then(() => target);
}
