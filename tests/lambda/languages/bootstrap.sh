#!/bin/bash
# A runtime of a shell and curl: a connection for each request, headers read from a file.
set -euo pipefail
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
fault='{"errorMessage":"refused","errorType":"Sample.Refused","stackTrace":["bootstrap"]}'
post() { curl -sS -X POST "$api/$1" -H "Lambda-Runtime-Function-Error-Type: Sample.Refused" -d "$2" > /dev/null; }
if [ -n "${BROKEN:-}" ]; then
  post init/error "$fault"
  exit 1
fi
count=0
headers=$(mktemp)
while true; do
  event=$(curl -sS -D "$headers" "$api/invocation/next")
  field() { grep -i "^$1:" "$headers" | tr -d '\r' | cut -d' ' -f2-; }
  id=$(field Lambda-Runtime-Aws-Request-Id)
  count=$((count + 1))
  echo "line of $id"
  case $event in
    *fail*) post "invocation/$id/error" "$fault" ;;
    *) # Not as an argument: a large event would not fit.
      printf '{"event":%s,"count":%d,"id":"%s","arn":"%s","deadline":%s}' "$event" "$count" "$id" \
        "$(field Lambda-Runtime-Invoked-Function-Arn)" "$(field Lambda-Runtime-Deadline-Ms)" |
        curl -sS -X POST "$api/invocation/$id/response" --data-binary @- > /dev/null ;;
  esac
done
