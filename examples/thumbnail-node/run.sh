#!/bin/sh
# Deploys this function, puts a picture, and prints the thumbnails' names: run.sh PICTURE
# Needs a running server (`wolke dev`); WOLKE names the program, BUCKET the bucket, CODE the directory with node_modules
# (`npm ci --omit=dev` makes it here).
set -eu
picture=${1:?the picture to make smaller}
here=$(cd "$(dirname "$0")" && pwd)
wolke=${WOLKE:-wolke}
bucket=${BUCKET:-example-node}

"$wolke" deploy "${CODE:-$here}" --name example-node --on "s3:$bucket" --writes "s3:$bucket-resized" >&2
"$wolke" aws s3 cp --quiet "$picture" "s3://$bucket/cat.jpg"
"$wolke" aws s3api wait object-exists --bucket "$bucket-resized" --key cat-800.jpg
"$wolke" aws s3api list-objects-v2 --bucket "$bucket-resized" --query 'Contents[].[Key]' --output text
"$wolke" rm example-node >&2
