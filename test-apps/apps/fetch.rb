# SPDX-License-Identifier: MIT
# fetch.rb URL...: each in a thread of its own; prints the bodies in the URLs' order.
require "net/http"

threads = ARGV.map do |url|
  Thread.new do
    response = Net::HTTP.get_response(URI(url))
    raise "status #{response.code}" unless response.code == "200"
    response.body
  end
end
$stdout.binmode
threads.each { |thread| $stdout.write(thread.value) }
