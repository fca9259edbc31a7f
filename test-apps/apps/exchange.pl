# SPDX-License-Identifier: MIT
# exchange.pl [METHOD URL SOURCE]...: as exchange.py, with LWP
use strict;
use warnings;
use Digest::SHA "sha256_hex";
use HTTP::Request;
use LWP::UserAgent;

my $agent = LWP::UserAgent->new(env_proxy => 1, timeout => 60, keep_alive => 1,
	max_redirect => 0);

sub exchange {
	my ($method, $url, $source) = @_;
	my $request = HTTP::Request->new($method, $url);

	if ($source ne "-") {
		my $chunked = $source =~ s/^\+//;
		open(my $file, "<:raw", $source) or die "$source: $!\n";
		if ($chunked) {
			$request->content(sub { read($file, my $piece, 65536); $piece });
		} else {
			local $/;
			$request->content(<$file> // "");
			$request->content_length(-s $source);
		}
	}
	my $reply = $agent->request($request);
	die $reply->status_line, "\n" if ($reply->header("Client-Warning") // "") =~ /Internal/;
	print join(" ", $reply->code, length $reply->content, sha256_hex($reply->content)), "\n";
}

$| = 1;
while (my @job = splice(@ARGV, 0, 3)) {
	exchange(@job);
}
