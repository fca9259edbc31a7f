# SPDX-License-Identifier: MIT
# exchange.rb [METHOD URL SOURCE]...: as exchange.py, with Net::HTTP, on one connection
require "digest"
require "net/http"

def request(method, url, source)
  request = Net::HTTP.const_get(method.capitalize).new(URI(url))
  return request if source == "-"
  request["Content-Type"] = "application/octet-stream"
  if source.start_with?("+")
    request["Transfer-Encoding"] = "chunked"
    request.body_stream = File.open(source[1..], "rb")
  else
    request.body = File.binread(source)
  end
  request
end

$stdout.sync = true
first = URI(ARGV[1])
Net::HTTP.start(first.host, first.port, max_retries: 0) do |http|
  ARGV.each_slice(3) do |job|
    reply = http.request(request(*job))
    body = reply.body.to_s
    puts [reply.code, body.bytesize, Digest::SHA256.hexdigest(body)].join(" ")
  end
end
