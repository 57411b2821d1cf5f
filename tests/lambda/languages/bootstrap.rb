#!/usr/bin/ruby
# A runtime of Ruby's Net::HTTP: one connection for all, no read timeout.
require "net/http"
$stdout.sync = true
FAULT = '{"errorMessage":"refused","errorType":"Sample.Refused","stackTrace":["bootstrap"]}'
AS_ERROR = { "Lambda-Runtime-Function-Error-Type" => "Sample.Refused", "Content-Type" => "application/json" }
BASE = "/2018-06-01/runtime"
host, port = ENV["AWS_LAMBDA_RUNTIME_API"].split(":")
Net::HTTP.start(host, port.to_i, read_timeout: nil) do |http|
  post = lambda do |path, body, headers = { "Content-Type" => "application/json" }|
    answer = http.post("#{BASE}/#{path}", body, headers)
    raise "#{path}: #{answer.code} #{answer.body}" unless answer.code == "202"
  end
  if ENV["BROKEN"]
    post.call("init/error", FAULT, AS_ERROR)
    exit 1
  end
  (1..).each do |count|
    event = http.get("#{BASE}/invocation/next")
    id = event["Lambda-Runtime-Aws-Request-Id"]
    puts "line of #{id}"
    if event.body.include?("fail")
      post.call("invocation/#{id}/error", FAULT, AS_ERROR)
    else
      post.call("invocation/#{id}/response",
                %({"event":#{event.body},"count":#{count},"id":"#{id}",) +
                %("arn":"#{event["Lambda-Runtime-Invoked-Function-Arn"]}","deadline":#{event["Lambda-Runtime-Deadline-Ms"]}}))
    end
  end
end
